"""Shared by all responses: backoffs, repeated probes, kinds of failures."""

from collections.abc import Iterable
from dataclasses import replace

from coldsend_operator.core.decide.questions import LATEST
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import RETRY_FIRST, RETRY_LONGEST, Account, Backoff
from coldsend_operator.core.model.answers import ABSENT_CODES, Failure, FailureKind
from coldsend_operator.core.model.calls import Call, Operation, Scope
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.jobs import job_operation
from coldsend_operator.core.workspace.workspace import Workspace

UNKNOWN = frozenset({FailureKind.LOST, FailureKind.UNAVAILABLE})
WORKSPACE = frozenset(
    {
        FailureKind.NOT_SENT,
        FailureKind.RATE_LIMITED,
        FailureKind.UNAUTHORIZED,
        FailureKind.FORBIDDEN,
        FailureKind.PLAN_LIMIT,
        FailureKind.MISROUTED,
    }
)
"""Failures unrelated to the accounts of a call, which wait in their queue until the workspace may continue."""
BREAKER_PACES = UNKNOWN | WORKSPACE
CONNECTION_WORDS = ("connect", "authent", "login", "smtp", "imap", "credential", "password", "timed out", "timeout")
CONNECTION_FAULTS = ("connection", "authentic", "login", "credential", "timed out")

MISROUTED_OFTEN = 2  # this many such responses before a bulk is repeated in halves
TOO_OFTEN_UNKNOWN = 2  # calls of unknown outcome in a row before a bulk is repeated in halves (rule 41)


def seen_as(workspace: Workspace, call: Call, failure: Failure) -> Failure:
    """A 404, 405, 410 or a redirect on a path without an inbox is about the server, never the item (rule 32).

    Until such paths work again, a 404 of an id proves nothing either.
    """
    status, breaker = failure.status or 0, workspace.keys.breaker(call.key)
    if call.page > 1 and failure.kind is FailureKind.NOT_FOUND and call.operation.scope is Scope.READ:
        return replace(failure, kind=FailureKind.REFUSED)  # a page beyond the end: the list has become shorter
    if call.operation.names_item:
        wrong = status in ABSENT_CODES and breaker.misrouted
    elif call.domain_id is not None and failure.kind is FailureKind.NOT_FOUND:
        wrong = breaker.misrouted  # otherwise the domain of these inboxes is unknown
    else:
        wrong = status in {*ABSENT_CODES, 405} or 300 <= status < 400
    return replace(failure, kind=FailureKind.MISROUTED) if wrong else failure


def misrouted(workspace: Workspace, call: Call, status: int, now: float) -> None:
    """The server is not the API. If only one bulk keeps failing so, one of its items may be the cause."""
    members = members_of(workspace, call.uids)
    for account in members:
        transitions.postponed(account, now)
        if call.writes:
            transitions.misrouted(account, now, status)
    if len(members) > 1 and call.writes and any(account.postponements > MISROUTED_OFTEN for account in members):
        halve(workspace, call.operation, call.uids)


def halve(workspace: Workspace, operation: Operation, uids: tuple[str, ...]) -> None:
    """Repeat these as two calls, split by namespace if possible (rule 41); a single account stays alone."""
    spaces = {account.uid: account.desired.namespace for account in members_of(workspace, uids)}
    ordered = sorted(uids, key=lambda uid: spaces.get(uid, ""))
    middle = len(ordered) // 2
    borders = (at for at in range(1, len(ordered)) if spaces.get(ordered[at - 1]) != spaces.get(ordered[at]))
    cut = min(borders, key=lambda at: abs(at - middle), default=middle)
    halves = (tuple(ordered[:cut]), tuple(ordered[cut:]))
    workspace.splits[operation.scope] += [half for half in halves if half]


def outcome_unknown(workspace: Workspace, key: str, operation: Operation, uids: tuple[str, ...], now: float) -> None:
    """The outcome of a call for these is unknown: ColdSend may fail on one of them (rule 41).

    While ColdSend fails for everybody, that tells nothing about these.
    """
    namespaces = workspace.namespaces_of(uids)
    if workspace.keys.breaker(key).failing(operation, namespaces):
        return
    workspace.set_apart(namespaces, now)
    members = members_of(workspace, uids)
    for account in members:
        transitions.outcome_unknown(account, alone=len(uids) == 1)
    if any(account.unknowns >= TOO_OFTEN_UNKNOWN for account in members):
        kept = (split for split in workspace.splits[operation.scope] if workspace.accounts.keys() & set(split))
        workspace.splits[operation.scope] = list(kept)
        halve(workspace, operation, uids)


def fails_alone(workspace: Workspace, account: Account, scope: Scope) -> bool:
    """Whether it keeps failing in a call of its own, and not only together with others (rule 41)."""
    return account.unknown_alone and (account.uid,) in workspace.splits[scope]


def members_of(workspace: Workspace, uids: Iterable[str]) -> list[Account]:
    """Those of the accounts that are still in the workspace."""
    found = (workspace.accounts.get(uid) for uid in uids)
    return [account for account in found if account is not None]


def back_off_create(
    workspace: Workspace,
    account: Account,
    reason: Reason,
    message: str,
    now: float,
    first: float = RETRY_FIRST,
    longest: float = RETRY_LONGEST,
) -> None:
    refusal = Backoff(reason, message, now, first, account.basis)
    transitions.create_refused(account, refusal, longest, account.key)
    if reason is Reason.CONNECTION_FAILED:
        workspace.stale_secrets.add(account.uid)  # a corrected Secret ends the wait, so read it again soon
    workspace.touch(account.uid)


def repeated_create(workspace: Workspace, account: Account, now: float) -> float | None:
    """The mark of the lost create that the last one repeated, while an inbox may still be matched with it."""
    mark = account.repeated_mark
    return mark if mark is not None and now < mark - workspace.kube_offset + LATEST else None


def says_exists(message: str | None) -> bool:
    """Whether a refusal or a row says that the address exists: a probe shows whose it is."""
    return message is not None and "already" in message.lower()


def refusal_reason(message: str, *, of_field: bool = False) -> Reason:
    """ConnectionFailed or Rejected: a hint for people only; no decision depends on it.

    `of_field`: the message is about a field, as in "smtp_password: Field required", which is no failed connection.
    """
    words, lowered = CONNECTION_FAULTS if of_field else CONNECTION_WORDS, message.lower()
    return Reason.CONNECTION_FAILED if any(word in lowered for word in words) else Reason.REJECTED


def too_many_jobs(workspace: Workspace, operation: Operation, failure: Failure) -> bool:
    """Whether a refused bulk may have been one job too many (contract row 43): then it is sent alone later."""
    running = any(job.operation == job_operation(operation) for job in workspace.jobs.values())
    in_flight = any(call.operation is operation for call in workspace.in_flight.values())
    return failure.kind in {FailureKind.CONFLICT, FailureKind.REFUSED} and (running or in_flight)


def probe_again(workspace: Workspace, call: Call, now: float) -> None:
    for account in members_of(workspace, call.uids):
        transitions.probe_put_off(account, now)


def not_found(workspace: Workspace, account: Account, now: float) -> None:
    inbox_id, until = account.stored.inbox_id, now + workspace.policy.lost_seconds
    row = workspace.inventory.tombstone(inbox_id, until) if inbox_id is not None else None
    transitions.not_found(account, now, listed=row is not None)
    if row is not None:
        workspace.touch_address(row.address)
