"""What all answers have in common: setbacks, looks that are tried again, kinds of failures."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from coldsend_operator.core.answers import Failure, FailureKind
from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.pauses import doubled
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import RETRY_FIRST, RETRY_LONGEST, Account, Lost, Refusal, Setback
from coldsend_operator.core.steps.step import GET_BACKOFF
from coldsend_operator.core.times import rfc3339

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
"""Failures that say nothing about the accounts of a call: they wait in their queue until the workspace may go on."""
BREAKER_PACES = UNKNOWN | WORKSPACE
MOST_TRIES = 64  # that are told apart: the longest wait comes far sooner
LONGEST_MESSAGE = 400
QUIET = 600.0  # after so long without a refusal, what changed is tried at once again
IN_USE_FIRST, IN_USE_LONGEST = 5.0, 600.0
LAGGING_LOOKS = 4  # so many looks at lists that lag behind a delete are no proof that it was refused
FAILS_ON_DELETE = "ColdSend fails to delete this inbox, and no other; the operator tries again automatically."
FAILS_ON_CREATE = "ColdSend fails to create this inbox, and no other; the operator tries again automatically."
CONNECTION_WORDS = ("connect", "authent", "login", "smtp", "imap", "credential", "password", "timed out", "timeout")


HOLDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
MISROUTED_OFTEN = 2  # as often a bulk is answered so before it goes again in halves
TOO_OFTEN_UNKNOWN = 2  # calls in a row whose outcome is unknown, after which a bulk goes again in halves (rule 41)


def seen_as(ledger: Ledger, call: Call, failure: Failure) -> Failure:
    """A 404, a 405 or a redirect on a path that names no inbox speaks of the server, never of the item (rule 32).

    A 404 of an id proves nothing either as long as such paths are answered so.
    """
    status = failure.status or 0
    if call.operation.names_item:
        wrong = status == 404 and ledger.breaker.misrouted
    elif call.domain_id is not None and failure.kind is FailureKind.NOT_FOUND:
        wrong = ledger.breaker.misrouted  # else it is the domain of these inboxes that is not known
    else:
        wrong = status in {404, 405} or 300 <= status < 400
    return replace(failure, kind=FailureKind.MISROUTED) if wrong else failure


def hold(account: Account, now: float) -> None:
    """A call for the account did not leave, or met what is not the API: it alone waits, a little longer each time."""
    account.hold_until = now + HOLDS[min(account.holds, len(HOLDS) - 1)]
    account.holds += 1


def misrouted(ledger: Ledger, call: Call, now: float) -> None:
    """What answered is not the API. If that goes on for one bulk alone, one of its items may have to do with it."""
    members = members_of(ledger, call)
    for account in members:
        hold(account, now)
    if len(members) > 1 and call.writes and any(account.holds > MISROUTED_OFTEN for account in members):
        halve(ledger, ledger.splits if call.operation.creates else ledger.delete_splits, call.uids)


def halve(ledger: Ledger, splits: list[tuple[str, ...]], uids: tuple[str, ...]) -> None:
    """These go again as two calls, namespaces apart as far as may be (rule 41); what stands alone stays alone."""
    spaces = {uid: account.desired.namespace for uid in uids if (account := ledger.accounts.get(uid)) is not None}
    ordered = sorted(uids, key=lambda uid: spaces.get(uid, ""))
    middle = len(ordered) // 2
    borders = (at for at in range(1, len(ordered)) if spaces.get(ordered[at - 1]) != spaces.get(ordered[at]))
    cut = min(borders, key=lambda at: abs(at - middle), default=middle)
    splits.extend(half for half in (tuple(ordered[:cut]), tuple(ordered[cut:])) if half)


def outcome_unknown(ledger: Ledger, operation: Operation, uids: tuple[str, ...], now: float) -> None:
    """Nobody knows what came of a call for these: one of them may be what ColdSend fails on (rule 41).

    While ColdSend fails for everybody that says nothing of these.
    """
    namespaces = ledger.namespaces_of(uids)
    if ledger.breaker.failing(operation, namespaces):
        return
    ledger.set_apart(namespaces, now)
    splits = ledger.splits if operation.creates else ledger.delete_splits
    members = [account for uid in uids if (account := ledger.accounts.get(uid)) is not None]
    for account in members:
        account.unknowns += 1
    if any(account.unknowns >= TOO_OFTEN_UNKNOWN for account in members):
        splits[:] = [split for split in splits if any(uid in ledger.accounts for uid in split)]
        halve(ledger, splits, uids)


def each_alone(accounts: Iterable[Account], take_in: Callable[[Account], None]) -> None:
    """Take in what an answer says of each account: what fails for one keeps it from no other (rule 38).

    Raises what failed, when all others are done.
    """
    faults = []
    for account in accounts:
        try:
            take_in(account)
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong with one account costs that account alone
            faults.append(fault)
    if faults:
        raise ExceptionGroup("an answer could not be taken in for all its accounts", faults)


def create_lost(account: Account, call: Call, now: float, earliest: float = 0.0) -> None:
    """What came of a create is not known: only a look tells (rule 39)."""
    account.lost = Lost(f"call-{call.id}", now, call.begun, earliest=earliest)
    account.wrote_at, account.look_at, account.looks = now, None, 0


def members_of(ledger: Ledger, call: Call) -> list[Account]:
    found = (ledger.accounts.get(uid) for uid in call.uids)
    return [account for account in found if account is not None]


def set_back(
    ledger: Ledger,
    account: Account,
    reason: Reason,
    message: str,
    now: float,
    first: float = RETRY_FIRST,
    longest: float = RETRY_LONGEST,
) -> None:
    setback = _next_setback(account, account.setback, Setback(reason, message, now, first, account.basis), longest)
    account.setback = setback
    refusal = Refusal(
        reason=reason,
        message=message[:LONGEST_MESSAGE],
        next_attempt=rfc3339(math.ceil(setback.retry_at)),
        attempts=setback.tries,
        basis=setback.basis,
        workspace=ledger.digest,
    )
    account.facts = replace(account.facts, refusal=refusal)
    account.unsure_at = 0.0
    if reason is Reason.CONNECTION_FAILED:
        ledger.stale_secrets.add(account.uid)  # a corrected Secret ends the wait, so it is read again soon
    ledger.touch(account.uid)


def _next_setback(account: Account, before: Setback | None, new: Setback, longest: float) -> Setback:
    """`new` with its times, where `retry_at` is the first wait: longer each time, and never at once too often."""
    again = before is not None and before.reason is new.reason and before.stands_on(account.basis)
    tries = min(before.tries + 1, MOST_TRIES) if again and before is not None else 1
    rushes = before.rushes + 1 if before is not None and new.at - before.at < QUIET else 0
    return replace(
        new,
        retry_at=new.at + doubled(new.retry_at, tries - 1, longest),
        tries=tries,
        rushes=rushes,
        earliest=new.at + GET_BACKOFF[min(rushes, len(GET_BACKOFF) - 1)],
    )


def says_exists(message: str | None) -> bool:
    """Whether a refusal or a row says that the address exists: a look shows whose it is."""
    return message is not None and "already" in message.lower()


def refusal_reason(message: str) -> Reason:
    """ConnectionFailed or Rejected: a hint for people only, nothing hangs on it."""
    lowered = message.lower()
    return Reason.CONNECTION_FAILED if any(word in lowered for word in CONNECTION_WORDS) else Reason.REJECTED


def too_many_jobs(ledger: Ledger, kind: str, operation: Operation, failure: Failure) -> bool:
    """Whether a refused bulk may have been one job too many (contract row 43): then it is sent when it is alone."""
    running = any(job.operation == kind for job in ledger.jobs.values())
    flying = any(call.operation is operation for call in ledger.flying.values())
    return failure.kind in {FailureKind.CONFLICT, FailureKind.REFUSED} and (running or flying)


def back_off(account: Account, now: float) -> None:
    account.looks += 1
    account.look_at = now + GET_BACKOFF[min(account.looks, len(GET_BACKOFF) - 1)]


def look_again(ledger: Ledger, call: Call, now: float) -> None:
    for account in members_of(ledger, call):
        back_off(account, now)


def gone(ledger: Ledger, account: Account, now: float) -> None:
    account.gone_at = now
    account.look_at = None
    if account.facts.inbox_id is not None:
        row = ledger.inventory.bury(account.facts.inbox_id, now + ledger.policy.lost_seconds)
        account.gone_unlisted_at = 0.0 if row is None else now
        if row is not None:
            ledger.touch_address(row.address)


def in_use(account: Account, said: str, now: float) -> None:
    """Contract row 20: most likely a campaign uses the inbox; asked again ever more slowly."""
    message = f"{said.rstrip('.')}; remove it from its campaigns, and the deletion continues automatically."
    new = Setback(Reason.IN_USE_BY_CAMPAIGN, message, now, IN_USE_FIRST, account.basis)
    account.refused_delete = _next_setback(account, account.refused_delete, new, IN_USE_LONGEST)
    account.look_at = None


def delete_later(account: Account, reason: Reason, message: str, now: float) -> None:
    """The deletion of this inbox alone fails: it is tried again after a long, growing pause."""
    new = Setback(reason, message, now, RETRY_FIRST, account.basis)
    account.refused_delete = _next_setback(account, account.refused_delete, new, RETRY_LONGEST)
    account.look_at = None


def still_there(ledger: Ledger, account: Account, now: float, *, sure: bool) -> None:
    """The inbox is visible after its delete: skipped, in use, or not yet gone (contract rows 20, 22, 23).

    A list is not `sure` of that: it may lag behind (row 35).
    """
    if account.doubted and (sure or account.looks >= LAGGING_LOOKS):
        account.deleted_at = None
        in_use(account, "ColdSend did not delete the inbox; most likely a campaign uses it.", now)
    elif now - (account.deleted_at or now) > ledger.policy.lost_seconds:
        account.deleted_at = None  # by now the delete is lost or forgotten; by its id it may be asked for again
        if (account.uid,) in ledger.delete_splits:
            delete_later(account, Reason.API_UNAVAILABLE, FAILS_ON_DELETE, now)
    else:
        back_off(account, now)
