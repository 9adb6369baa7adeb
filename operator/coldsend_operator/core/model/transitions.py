"""What the loops learn of an account, as functions named after what happened: they assign no field themselves.

What answers of ColdSend change is in `core.apply`, what decisions change in `core.decide`.
"""

from dataclasses import replace

from coldsend_operator.core.model.account import Account, Credentials, Desired, Stored
from coldsend_operator.core.model.reasons import Reason


def shown(account: Account, desired: Desired) -> None:
    """The API server shows the object like this."""
    account.desired = desired


def status_shown(account: Account, stored: Stored) -> None:
    """The API server holds this, as its status tells."""
    account.confirmed = account.stored if stored == account.stored else stored


def unreadable(account: Account, problem: str) -> None:
    """The newest state cannot be read: nothing is begun for the object (rule 38: a fault costs that object alone)."""
    account.desired = replace(account.desired, problems=(problem,))


def restored(account: Account) -> None:
    """The API server was restored from a backup: what it shows next holds, however old its version is."""
    account.written_version = 0
    account.desired = replace(account.desired, resource_version=0)


def moving(account: Account, *, away: bool) -> None:
    """Whether its key leads elsewhere: here it may only look (rule 40: trust belongs to a key reference)."""
    account.moving = away


def key_read(account: Account, problem: tuple[Reason, str] | None) -> None:
    """What is wrong with its API key; None when nothing is."""
    account.key_problem = problem


def addressed(account: Account) -> None:
    """The address of its spec is known before it has a workspace."""
    account.address = account.address or account.desired.spec.address


def left_workspace(account: Account) -> None:
    """What the old workspace showed means nothing in the new one."""
    account.create_backoff = account.not_found_at = account.deleted_at = account.delete_backoff = None
    account.stored = replace(account.stored, refusal=None)
    account.probe_at, account.probe_count, account.searched_at, account.conflict_seen_at = None, 0, 0.0, 0.0
    account.job, account.busy, account.eta, account.delete_partial = None, None, None, False
    account.repeated_mark = None
    if account.desired.spec.native is not None:
        account.address = None


def written(account: Account, version: int) -> None:
    """Our own write has this resourceVersion: watch events from before it are stale."""
    account.written_version = max(account.written_version, version)


def marked(account: Account, at: float) -> None:
    """A create mark with this time stands on the object."""
    account.marked_at = at


def counter_written(account: Account, now: float) -> None:
    """Status tells how many mails were sent today."""
    account.counter_at = now


def secret_read(account: Account, credentials: Credentials) -> None:
    """This is known of its Secret."""
    account.credentials = credentials


def hash_renewed(account: Account, digest: str) -> None:
    """The digest in status was made with another HMAC key: the present Secret counts as the one that was sent."""
    if account.stored.applied is not None:
        applied = replace(account.stored.applied, credentials_hash=digest)
        account.stored = replace(account.stored, applied=applied)


def create_prepared(account: Account, digest: str | None) -> None:
    """A create is about to leave with the present spec and a Secret of this digest."""
    account.sent = (account.desired.spec.hash, digest)
    account.sent_name = account.desired.spec.display_name
