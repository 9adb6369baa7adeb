"""The audit log: each write for each inbox, its cause, its approval and its outcome.

A line is written before a call leaves (`Outcome.INTENT`) and when its outcome becomes known, by the response or by a
later probe. Writes of earlier runs are not remembered: the object and ColdSend show their outcome.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Answer, BulkAnswer, Failure, FailureKind, MailSent, Written
from coldsend_operator.core.model.calls import Call, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.workspace.audit_lines import (
    Cause,
    Line,
    Outcome,
    Write,
    create_of,
    named,
    replaced,
    write_of,
)

if TYPE_CHECKING:
    from coldsend_operator.core.workspace.workspace import Workspace


class AuditTrail:
    """Lines to be written, and by UID the writes of unknown outcome."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.trouble = ""  # why they cannot be written; while there is any, no call leaves that writes
        self._open: dict[str, Write] = {}
        self._tries: dict[str, int] = {}
        self._ended: set[str] = set()  # whose outcome is written, while the finalizer is removed

    def intend(self, workspace: "Workspace", call: Call) -> None:
        """The call is about to leave, so an earlier write of unknown outcome had no effect."""
        for position, uid in enumerate(call.uids):
            account = workspace.accounts[uid]
            self._give_up(uid)
            self._ended.discard(uid)
            inbox_id = call.inbox_ids[position] if call.inbox_ids else None
            write = write_of(workspace, account, call.operation, inbox_id)
            refusal = account.stored.refusal
            tries = max(self._tries.get(uid, 0), refusal.attempts if refusal is not None else 0) + 1
            self._tries[uid] = tries
            self._tell(replace(write, attempt=tries), Outcome.INTENT)

    def take_back(self, call: Call) -> None:
        """The lines of the call cannot be written, so it does not leave."""
        kept = (line for line in self.lines if line.outcome is not Outcome.INTENT or line.write.uid not in call.uids)
        self.lines = list(kept)
        for uid in call.uids:
            self._close(uid)

    def resume(self, workspace: "Workspace", account: Account) -> None:
        """The account is carried by a job that an earlier run began."""
        self._open.setdefault(account.uid, write_of(workspace, account, Operation.CREATE_SMTP_BULK, None))

    def answered(self, workspace: "Workspace", call: Call, outcome: Answer | Failure, first: int) -> None:
        """The response was applied, which added the lines from position `first` on."""
        code = _code(outcome)
        told = set()
        for position in range(first, len(self.lines)):
            line = self.lines[position]
            if line.write.uid in call.uids:
                self.lines[position] = replace(line, code=code)
                told.add(line.write.uid)
        job = outcome.job_id if isinstance(outcome, BulkAnswer) else None
        result = _result(call, outcome)
        gone = isinstance(outcome, Failure) and outcome.kind is FailureKind.NOT_FOUND
        for uid in call.uids:
            write = self._open.get(uid)
            if write is None or uid in told:
                continue
            write = replace(write, job=job)
            self._tell(write, result, code)
            awaited = result in {Outcome.ACCEPTED, Outcome.UNKNOWN} or gone
            if uid not in workspace.accounts or not awaited or call.operation is Operation.SEND_TEST_EMAIL:
                self._close(uid, again=result is not Outcome.SENT)

    def created(self, workspace: "Workspace", account: Account, inbox_id: str) -> None:
        """The inbox of a create of ours is known. Call this before the account stores it."""
        write = self._open.get(account.uid) or write_of(workspace, account, create_of(account), None)
        self._tell(replace(write, inbox_id=inbox_id), Outcome.CREATED)
        self._ended.discard(account.uid)
        self._close(account.uid)

    def handed_over(self, account: Account, inbox_id: str) -> None:
        """The account takes over the inbox of another object."""
        self._close(account.uid)
        self.lines.append(Line(named(account, "hand_over", Cause.HAND_OVER, inbox_id), Outcome.HANDED_OVER))

    def ending(self, workspace: "Workspace", account: Account, action: Action) -> None:
        """The finalizer is about to be removed, so all outcomes are known. Call this before that write."""
        if action not in {Action.REMOVE_FINALIZER, Action.FORGET} or account.uid in self._ended:
            return
        self._ended.add(account.uid)
        if not account.stored.held:
            self._no_create(workspace, account)
            return
        if account.not_found_at is not None or workspace.confirmed_gone(account):
            self._no_inbox(workspace, account)
        self._close(account.uid)

    def _no_create(self, workspace: "Workspace", account: Account) -> None:
        lost = account.unknown_create
        if lost is not None and not lost.arrived:
            self._open.setdefault(account.uid, write_of(workspace, account, create_of(account), None))
        refused = account.create_backoff is not None or (lost is not None and lost.hint is not None)
        self._give_up(account.uid, refused=refused)

    def _no_inbox(self, workspace: "Workspace", account: Account) -> None:
        write = self._open.get(account.uid)
        ours = account.desired.deleting is not None or replaced(account)
        if write is None and not ours:
            return  # a person removed the inbox; the cause of the next create says so
        write = write or write_of(workspace, account, Operation.DELETE_ACCOUNT, account.stored.inbox_id)
        self._tell(write, Outcome.GONE if account.deleted_at is None else Outcome.DELETED)

    def hand_over(self, uid: str, other: "AuditTrail") -> None:
        """The account is another trail's from now on, with the write whose outcome is awaited."""
        if uid in self._open:
            other._open[uid] = self._open.pop(uid)  # noqa: SLF001 - a trail like this one
        if uid in self._tries:
            other._tries[uid] = self._tries.pop(uid)  # noqa: SLF001 - likewise
        if uid in self._ended:
            self._ended.discard(uid)
            other._ended.add(uid)  # noqa: SLF001 - likewise

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._ended.discard(uid)
        self._close(uid)

    def _give_up(self, uid: str, *, refused: bool = False) -> None:
        write = self._open.get(uid)
        if write is None:
            return
        nothing = Outcome.STILL_THERE if Operation(write.operation).deletes else Outcome.NOTHING
        self._tell(write, Outcome.REFUSED if refused else nothing)
        self._close(uid, again=True)

    def _tell(self, write: Write, outcome: Outcome, code: int | None = None) -> None:
        self._open[write.uid] = write
        self.lines.append(Line(write, outcome, code))

    def _close(self, uid: str, *, again: bool = False) -> None:
        """`again`: it may be tried again, which counts as a further attempt."""
        self._open.pop(uid, None)
        if not again:
            self._tries.pop(uid, None)


def _code(outcome: Answer | Failure) -> int | None:
    if isinstance(outcome, Failure):
        return outcome.status
    return outcome.code if isinstance(outcome, Written) else None


def _result(call: Call, outcome: Answer | Failure) -> Outcome:
    """The outcome by the response itself. A create whose inbox it names has its line already."""
    if not isinstance(outcome, Failure):
        return Outcome.SENT if isinstance(outcome, MailSent) else Outcome.ACCEPTED
    if outcome.kind is FailureKind.NOT_SENT:
        return Outcome.NOT_SENT
    done = call.operation.creates and outcome.status is not None and outcome.status < 300
    unknown = done or outcome.kind in {FailureKind.LOST, FailureKind.UNAVAILABLE}
    return Outcome.UNKNOWN if unknown else Outcome.REFUSED
