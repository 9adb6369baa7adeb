"""The audit log: each write for each inbox, its cause, its approval and its outcome.

A line is written before a call leaves (`Outcome.INTENT`) and when its outcome becomes known, by the response or by a
later probe. Writes of earlier runs are not remembered: the object and ColdSend show their outcome.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Answer, BulkAnswer, Failure, FailureKind, MailSent, Written
from coldsend_operator.core.model.calls import Call, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.differences import secret_changed
from coldsend_operator.core.model.policy import NamespaceSettings
from coldsend_operator.core.workspace.view import confirmed_gone

if TYPE_CHECKING:
    from coldsend_operator.core.workspace.workspace import Workspace


class Cause(StrEnum):
    """The cause of a write."""

    NEW = "new"  # the object never had an inbox
    SPEC = "spec"  # a replacement or a test mail because spec changed
    SECRET = "secret"  # noqa: S105 - a word of the log: the inbox is replaced because the values of its Secret changed
    DELETION = "deletion"  # the object is in deletion
    LEFT_BATCH = "left-batch"  # the object is in deletion because its Batch no longer lists it
    RECREATE = "recreate"  # the second half of a replacement
    VANISHED = "vanished"  # the inbox was removed in ColdSend, not by this object
    HAND_OVER = "hand-over"  # the inbox moves to another object, without a call


class Outcome(StrEnum):
    """The outcome of a write."""

    INTENT = "intent"  # the call is about to leave
    ACCEPTED = "accepted"  # ColdSend accepted the call; another line tells the result
    CREATED = "created"
    DELETED = "deleted"  # seen to be gone, after a delete that ColdSend accepted
    SENT = "sent"  # the test mail
    REFUSED = "refused"  # ColdSend did nothing
    UNKNOWN = "unknown"  # no response; another line tells the result
    NOT_SENT = "not-sent"  # the call never reached ColdSend
    NOTHING = "nothing"  # an accepted or unknown create created no inbox
    STILL_THERE = "still-there"  # an accepted or unknown delete did not delete the inbox
    GONE = "gone"  # the inbox is gone without a delete of this run: by an earlier run, or a person
    HANDED_OVER = "handed-over"


@dataclass(frozen=True, slots=True)
class Write:
    """One write for one inbox."""

    uid: str
    namespace: str
    name: str
    generation: int
    key: str  # digest of the API key
    operation: str
    cause: Cause
    approved_by: str | None = None  # the kind of the object whose annotation approves it
    attempt: int = 1
    inbox_id: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit log. `code` is the HTTP status of the response, None without one."""

    write: Write
    outcome: Outcome
    code: int | None = None


class AuditTrail:
    """Lines to be written, and by UID the writes of unknown outcome."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
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
            write = _write(workspace, account, call.operation, inbox_id)
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
        self._open.setdefault(account.uid, _write(workspace, account, Operation.CREATE_SMTP_BULK, None))

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
        for uid in call.uids:
            write = self._open.get(uid)
            if write is None or uid in told:
                continue
            write = replace(write, job=job)
            self._tell(write, result, code)
            awaited = result in {Outcome.ACCEPTED, Outcome.UNKNOWN} or _is_gone(outcome)
            if uid not in workspace.accounts or not awaited or call.operation is Operation.SEND_TEST_EMAIL:
                self._close(uid, again=result is not Outcome.SENT)

    def created(self, workspace: "Workspace", account: Account, inbox_id: str) -> None:
        """The inbox of a create of ours is known. Call this before the account stores it."""
        write = self._open.get(account.uid) or _write(workspace, account, _create_of(account), None)
        self._tell(replace(write, inbox_id=inbox_id), Outcome.CREATED)
        self._ended.discard(account.uid)
        self._close(account.uid)

    def handed_over(self, account: Account, inbox_id: str) -> None:
        """The account takes over the inbox of another object."""
        self._close(account.uid)
        self.lines.append(Line(_named(account, "hand_over", Cause.HAND_OVER, inbox_id), Outcome.HANDED_OVER))

    def ending(self, workspace: "Workspace", account: Account, action: Action) -> None:
        """The finalizer is about to be removed, so all outcomes are known. Call this before that write."""
        if action not in {Action.REMOVE_FINALIZER, Action.FORGET} or account.uid in self._ended:
            return
        self._ended.add(account.uid)
        if not account.stored.held:
            self._no_create(workspace, account)
            return
        if account.not_found_at is not None or confirmed_gone(account, workspace):
            self._no_inbox(workspace, account)
        self._close(account.uid)

    def _no_create(self, workspace: "Workspace", account: Account) -> None:
        lost = account.unknown_create
        ours = lost is not None and not lost.arrived
        if account.uid not in self._open and ours:
            self._open[account.uid] = _write(workspace, account, _create_of(account), None)
        self._give_up(
            account.uid, refused=account.create_backoff is not None or (lost is not None and lost.hint is not None)
        )

    def _no_inbox(self, workspace: "Workspace", account: Account) -> None:
        write = self._open.get(account.uid)
        ours = account.desired.deleting is not None or _replaced(account)
        if write is None and not ours:
            return  # a person removed the inbox; the cause of the next create says so
        write = write or _write(workspace, account, Operation.DELETE_ACCOUNT, account.stored.inbox_id)
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


def fields_of(line: Line) -> dict[str, object]:
    """The line as written, without its time. It holds no address."""
    write = line.write
    return {
        "event": "write",
        "workspace": write.key,
        "operation": write.operation,
        "namespace": write.namespace,
        "name": write.name,
        "uid": write.uid,
        "inbox_id": write.inbox_id,
        "job": write.job,
        "generation": write.generation,
        "cause": write.cause.value,
        "approved_by": write.approved_by,
        "attempt": write.attempt,
        "outcome": line.outcome.value,
        "code": line.code,
    }


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


def _is_gone(outcome: Answer | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.kind is FailureKind.NOT_FOUND


def _write(workspace: "Workspace", account: Account, operation: Operation, inbox_id: str | None) -> Write:
    if operation.creates:
        cause, approved = _cause_of_create(account), _approval(workspace, account, deletion=False)
    elif operation.deletes:
        cause, approved = _cause_of_delete(workspace, account), _approval(workspace, account, deletion=True)
    else:
        cause, approved = Cause.SPEC, None
    job = account.stored.job.id if account.stored.job is not None else None
    return replace(_named(account, operation.value, cause, inbox_id), approved_by=approved, job=job)


def _named(account: Account, operation: str, cause: Cause, inbox_id: str | None) -> Write:
    desired = account.desired
    return Write(
        uid=desired.uid,
        namespace=desired.namespace,
        name=desired.name,
        generation=desired.generation,
        key=account.key,
        operation=operation,
        cause=cause,
        inbox_id=inbox_id,
    )


def _create_of(account: Account) -> Operation:
    """The call of an earlier run, as far as the object shows it."""
    if account.desired.spec.native is not None:
        return Operation.CREATE_NATIVE
    return Operation.CREATE_SMTP_BULK if account.stored.job is not None else Operation.CREATE_SMTP


def _cause_of_create(account: Account) -> Cause:
    if account.stored.applied is None:
        return Cause.NEW
    return Cause.RECREATE if _replaced(account) else Cause.VANISHED


def _replaced(account: Account) -> bool:
    """Whether a replacement is due, so that a missing inbox was most likely deleted for it (rule 21)."""
    applied, spec = account.stored.applied, account.desired.spec
    other = applied is not None and applied.spec_hash is not None and applied.spec_hash != spec.hash
    return spec.recreate and (account.deleted_at is not None or other or secret_changed(account))


def _cause_of_delete(workspace: "Workspace", account: Account) -> Cause:
    desired, applied = account.desired, account.stored.applied
    if desired.deleting is not None:
        listed = workspace.policy.listed.get(desired.batch or "")
        return Cause.DELETION if listed is None or desired.name in listed else Cause.LEFT_BATCH
    same_spec = applied is not None and applied.spec_hash in {None, desired.spec.hash}
    return Cause.SECRET if same_spec and secret_changed(account) else Cause.SPEC


def _approval(workspace: "Workspace", account: Account, *, deletion: bool) -> str | None:
    """The kind of the object whose annotation approves deletions, or recreations."""
    desired, policy = account.desired, workspace.policy
    none = NamespaceSettings()
    batch = policy.batches.get(desired.batch or "", none)
    namespace = policy.namespaces.get(desired.namespace, none)
    own = desired.approve_deletion if deletion else desired.approve_recreation
    found: Iterable[tuple[str, bool]] = (
        ("SenderAccount", own),
        ("SenderAccountBatch", batch.approve_deletion if deletion else batch.approve_recreation),
        ("Namespace", namespace.approve_deletion if deletion else namespace.approve_recreation),
    )
    return next((kind for kind, approves in found if approves), None)
