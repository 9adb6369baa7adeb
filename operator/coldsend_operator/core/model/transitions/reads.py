"""What reads show: a GET of the inbox, a search of the address, a list."""

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.pauses import PAUSES, nth
from coldsend_operator.core.model.phases import Gone


def reset_probes(account: Account) -> None:
    """No probe is due, and the next one need not pause: what earlier probes showed counts no more."""
    account.probe_at, account.probe_count = None, 0


def probe_wanted(account: Account, at: float) -> None:
    """A probe is wanted from then on."""
    account.probe_at, account.probe_count = at, 0


def probe_answered(account: Account) -> None:
    """The probe that was wanted has shown what it was to show."""
    account.probe_at = None


def probe_put_off(account: Account, now: float) -> None:
    """A probe told nothing new: the next one comes after a pause that grows."""
    account.probe_count += 1
    account.probe_at = now + nth(PAUSES, account.probe_count)


def address_written(account: Account, at: float) -> None:
    """A write of ours to its address ended then: reads may lag behind that (contract row 35)."""
    account.wrote_at = at


def searched(account: Account, begun: float) -> None:
    """A search of its address that began then came to its end."""
    account.searched_at = begun


def found(account: Account) -> None:
    """A read shows the inbox: a 404 that is refuted proves nothing any more."""
    account.removal = account.delete


def not_found(account: Account, now: float, *, listed: bool) -> None:
    """A GET of the inbox answered 404; `listed`: no list has missed it yet."""
    account.removal = Gone(now, listed, account.delete)
    account.probe_at = None
