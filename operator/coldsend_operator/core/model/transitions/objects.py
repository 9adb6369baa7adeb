"""What Kubernetes shows of the object, and which workspace serves it."""

from dataclasses import replace
from functools import lru_cache

from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.desired import Desired
from coldsend_operator.core.model.pauses import REWRITES, REWRITES_FORGOTTEN, nth
from coldsend_operator.core.model.phases import CreateJob
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored import Stored
from coldsend_operator.core.model.stored_status import Status, to_text
from coldsend_operator.core.model.transitions.reads import reset_probes


def shown(account: Account, desired: Desired) -> None:
    """The API server shows the object like this. A new spec ends a postponement, unless ColdSend cannot be reached.

    What was wrong with a Secret may be over: perhaps the new spec names another one, or another key.
    """
    if desired.generation != account.desired.generation:
        account.postponed_until = 0.0 if account.misrouted is None else account.postponed_until
        if account.credentials is not None and account.credentials.reason is not None:
            account.credentials = None
    account.desired = desired


def finalizers_shown(account: Account, finalizers: tuple[str, ...]) -> None:
    """Just these finalizers of ours stand on the object."""
    account.desired = replace(account.desired, finalizers=finalizers)


def status_kept(account: Account, status: Status) -> None:
    """The API server holds this status, as `account_status` reads it."""
    account.raw_status = to_text(status)
    conditions = status.get("conditions") or ()
    account.said = _shared(tuple((each["type"], each["status"], each["reason"]) for each in conditions))


@lru_cache(1_000)
def _shared(said: tuple[tuple[str, str, str], ...]) -> tuple[tuple[str, str, str], ...]:
    """One tuple for all accounts that say the same; tens of thousands do."""
    return said


def status_shown(account: Account, stored: Stored) -> None:
    """The API server holds this, as its status tells."""
    account.confirmed = account.stored if stored == account.stored else stored


def status_written(account: Account) -> None:
    """Our write of status was stored."""
    account.written_status = hash(account.raw_status)


def status_overwritten(account: Account, now: float) -> float:
    """Somebody else wrote the status since our last write. Returns the seconds until it is written again."""
    times, last = account.overwrites
    times = times + 1 if now - last < REWRITES_FORGOTTEN else 1
    pause = nth(REWRITES, times)
    account.overwrites = (times, now)
    account.written_status = hash(account.raw_status)
    account.status_kept_until = now + pause
    return pause


def unreadable(account: Account, problem: str) -> None:
    """The newest state cannot be read: nothing is begun for the object (rule 38: a fault costs that object alone)."""
    account.desired = replace(account.desired, problems=(problem,))


def restored(account: Account) -> None:
    """The API server was restored from a backup: what it shows next holds, however old its version is."""
    account.written_version = 0
    account.desired = replace(account.desired, resource_version=0)


def written(account: Account, version: int) -> None:
    """Our own write has this resourceVersion: watch events from before it are stale."""
    account.written_version = max(account.written_version, version)


def counter_written(account: Account, now: float) -> None:
    """Status tells how many mails were sent today."""
    account.counter_at = now


def key_read(account: Account, problem: tuple[Reason, str] | None) -> None:
    """What is wrong with its API key; None when nothing is."""
    account.key_problem = problem


def secret_read(account: Account, credentials: Credentials) -> None:
    """This is known of its Secret."""
    account.credentials = credentials


def secret_forgotten(account: Account) -> None:
    """Its Secret is read again before anything depends on it."""
    account.credentials = None


def hash_renewed(account: Account, digest: str) -> None:
    """The digest in status was made with another HMAC key: the present Secret counts as the one that was sent."""
    if account.stored.applied is not None:
        applied = replace(account.stored.applied, credentials_hash=digest)
        account.stored = replace(account.stored, applied=applied)


def addressed(account: Account) -> None:
    """The address of its spec is known before it has a workspace."""
    account.address = account.address or account.desired.spec.address


def address_found(account: Account, address: str | None) -> None:
    """The workspace knows the address, or that spec and status tell none."""
    account.address = address


def entered_workspace(account: Account, digest: str) -> None:
    """The workspace of this digest serves the account from now on."""
    account.workspace_digest = digest


def key_chosen(account: Account, digest: str) -> None:
    """Its own calls go with the API key of this digest from now on."""
    account.key = digest


def moving(account: Account, *, away: bool) -> None:
    """Whether its key leads elsewhere: here it may only read (rule 40: trust belongs to a key reference)."""
    account.moving = away


def left_workspace(account: Account) -> None:
    """What the old workspace showed means nothing in the new one, but a create may still have been done there.

    Of a job only status tells the new workspace.
    """
    ref = account.stored.job
    if isinstance(account.create, CreateJob) and (ref is None or ref.operation != "Create"):
        account.create = None
    account.create_backoff = account.removal = account.delete_backoff = None
    account.stored = replace(account.stored, refusal=None)
    account.searched_at = account.conflict_seen_at = 0.0
    reset_probes(account)
    account.busy, account.delete_job, account.eta, account.delete_partial = None, None, None, False
    account.repeated_mark = None
    if account.desired.spec.native is not None:
        account.address = None
