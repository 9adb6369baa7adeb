"""Why an account waits, since when, and what people ask of it by annotations."""

from dataclasses import replace

from coldsend_operator.core.model.account import Account, Backoff
from coldsend_operator.core.model.conditions import condition
from coldsend_operator.core.model.pauses import PAUSES, POSTPONEMENTS, doubled, nth
from coldsend_operator.core.model.reasons import ConditionType, Reason
from coldsend_operator.core.model.stored_status import from_text
from coldsend_operator.core.model.times import unix_of

RECONCILE_QUIET = 300.0  # seconds after which a new value of an annotation is picked up at once again


def change_noted(account: Account, now: float) -> None:
    """Note when the object last changed: accounts that adopt or observe probe their address again after a change.

    A Secret that was missing, a refusal and a value of the reconcile annotation count as changes.
    """
    credentials, backoff = account.credentials, account.create_backoff
    lacking = credentials is not None and credentials.reason is not None
    as_is = hash((account.desired.generation, account.reconcile_asked, lacking, backoff.at if backoff else 0.0))
    if as_is != account.state_hash:
        account.state_hash, account.unchanged_since = as_is, now


def annotation_picked_up(account: Account, now: float) -> None:
    """A new value of an annotation is picked up: the next one may have to wait."""
    account.reconciles = account.reconciles + 1 if now < account.reconciled_at + RECONCILE_QUIET else 1
    account.reconciled_at = now


def reconcile_began(account: Account, asked: str) -> None:
    """This value of coldsend.pro/reconcile is being answered: an inbox is looked at now, what failed is tried again."""
    account.reconcile_asked = asked
    account.postponed_until = 0.0
    account.delete_backoff = None
    account.probe_at, account.probe_count = (0.0 if account.stored.inbox_id is not None else None), 0


def reconcile_ended(account: Account, asked: str) -> None:
    """What this value of coldsend.pro/reconcile asked for is done."""
    account.stored = replace(account.stored, reconcile=asked)


def credentials_question_began(account: Account, asked: str) -> None:
    """This value of coldsend.pro/credentials-current is being answered: the Secret is read once more."""
    account.credentials_asked, account.credentials = asked, None


def credentials_accepted(account: Account, asked: str, digest: str) -> None:
    """A person vouches that ColdSend has what the Secret holds now."""
    applied = account.stored.applied
    if applied is not None:
        applied = replace(applied, credentials_hash=digest)
    account.stored = replace(account.stored, credentials_current=asked, applied=applied)


def decided(account: Account, now: float, *, quiet: bool) -> None:
    """Whether what is decided for it passes by itself: `waiting_since` tells since when."""
    account.waiting_since = (account.waiting_since or now) if quiet else None


def secret_waited_for(account: Account, now: float, *, missing: bool) -> None:
    """Whether it waits for a Secret: `secret_missing_since` tells since when, also over a restart."""
    if not missing:
        account.secret_missing_since = None
    elif account.secret_missing_since is None:
        ready = condition(from_text(account.raw_status), ConditionType.READY)
        told_at = unix_of(ready["lastTransitionTime"]) if ready.get("reason") == Reason.SECRET_NOT_FOUND else None
        account.secret_missing_since = min(now, told_at or now)


def turn_estimated(account: Account, at: float, place: str) -> None:
    """Its call is expected to leave then; `place` is the one in line that it has now."""
    account.eta, account.place = at, place


def left_the_line(account: Account) -> None:
    """It waits for no call any more."""
    account.eta = None


def call_started(account: Account, call: int) -> None:
    """A call carries the account from now on. A create begins by `create_started`."""
    account.busy = call


def call_ended(account: Account) -> None:
    """No call carries the account any more. A create is over, or goes on otherwise, by `create_call_ended`."""
    account.busy = None


def answered(account: Account) -> None:
    """A call for it was answered: the next one that does not leave waits for a short time only."""
    account.postponements = 0


def api_reached(account: Account) -> None:
    """A write for it met the ColdSend API, whatever that answered."""
    account.misrouted = None


def misrouted(account: Account, now: float, status: int) -> None:
    """A write for it met another server than the ColdSend API."""
    since = account.misrouted[1] if account.misrouted is not None else now
    account.misrouted = (status, since)


def postponed(account: Account, now: float) -> None:
    """A call for the account did not leave, or met another server: only this account waits, longer each time."""
    account.postponed_until = now + nth(POSTPONEMENTS, account.postponements)
    account.postponements += 1


def write_refused(account: Account, why: str) -> None:
    """A policy or webhook of the cluster has refused a write of our finalizers."""
    account.refused_writes = (account.refused_writes[0] + 1, why)


def write_accepted(account: Account) -> None:
    """The API server has accepted a write of our finalizers."""
    account.refused_writes = (0, "")


def outcome_unknown(account: Account, *, alone: bool) -> None:
    """Once more nobody knows what came of a write for it (rule 41: what fails for one is told from what fails)."""
    account.unknowns += 1
    account.unknown_alone = alone


def outcome_known(account: Account) -> None:
    """ColdSend told what came of a write for it."""
    account.unknowns = 0


MAX_TRIES = 64  # that are told apart: the longest wait comes far sooner
RUSHES_RESET_SECONDS = 600.0  # without a refusal, after which what changed is tried at once again


def next_backoff(account: Account, before: Backoff | None, new: Backoff, longest: float) -> Backoff:
    """`new` with its times: the wait grows with each try, and immediate retries are limited."""
    again = before is not None and before.reason is new.reason and before.stands_on(account.basis)
    tries = min(before.tries + 1, MAX_TRIES) if again and before is not None else 1
    rushes = before.rushes + 1 if before is not None and new.at - before.at < RUSHES_RESET_SECONDS else 0
    return replace(
        new,
        retry_at=new.at + doubled(new.retry_at, tries - 1, longest),
        tries=tries,
        rushes=rushes,
        earliest=new.at + nth(PAUSES, rushes),
    )
