"""What becomes of a delete."""

from dataclasses import replace

from coldsend_operator.core.model.account import RETRY_FIRST, RETRY_LONGEST, Account, Backoff
from coldsend_operator.core.model.pauses import FIRST_PROBE
from coldsend_operator.core.model.phases import Deleting, Gone
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.transitions.reads import reset_probes
from coldsend_operator.core.model.transitions.waits import next_backoff

IN_USE_FIRST, IN_USE_LONGEST = 5.0, 600.0


def delete_accepted(account: Account, now: float) -> None:
    """ColdSend accepted our delete."""
    _left(account, Deleting(now))


def delete_accepted_in_bulk(account: Account, now: float, *, partial: bool) -> None:
    """ColdSend accepted a bulk delete; `partial`: some of its members were skipped, nobody knows which."""
    delete_accepted(account, now)
    account.delete_partial = partial


def delete_unanswered(account: Account, now: float) -> None:
    """Nobody knows whether ColdSend took the delete: it counts as accepted, and a read decides."""
    _left(account, Deleting(now, answered=False))
    account.delete_partial = False
    account.probe_at = now + FIRST_PROBE


def delete_job_started(account: Account, job: str, now: float) -> None:
    """A job carries the delete."""
    account.delete_job = job
    account.wrote_at = now


def delete_job_ended(account: Account, *, partial: bool) -> None:
    """The job has ended; `partial`: it may have skipped some of its members."""
    account.delete_job = None
    account.delete_partial = partial
    reset_probes(account)


def delete_had_no_effect(account: Account) -> None:
    """The inbox is still there: the delete was skipped, got lost or was forgotten."""
    account.removal = replace(account.removal, delete=None) if isinstance(account.removal, Gone) else None


def delete_refused_in_use(account: Account, said: str, now: float) -> None:
    """Most likely a campaign uses the inbox (contract row 20): asked again ever more slowly."""
    message = f"{said.rstrip('.')}; remove it from its campaigns, and the deletion continues automatically."
    _refused(account, Backoff(Reason.IN_USE_BY_CAMPAIGN, message, now, IN_USE_FIRST, account.basis), IN_USE_LONGEST)


def delete_failed(account: Account, reason: Reason, message: str, now: float) -> None:
    """Only the deletion of this inbox fails: it is retried after long, growing pauses."""
    _refused(account, Backoff(reason, message, now, RETRY_FIRST, account.basis), RETRY_LONGEST)


def delete_refusal_known(account: Account, backoff: Backoff) -> None:
    """An earlier run was refused the deletion so."""
    account.delete_backoff = backoff


def _left(account: Account, delete: Deleting) -> None:
    """From here on a read decides. An earlier refusal is kept: the next one, also by a skip in a bulk, waits longer."""
    account.removal = replace(account.removal, delete=delete) if isinstance(account.removal, Gone) else delete
    account.wrote_at = delete.at
    reset_probes(account)


def _refused(account: Account, backoff: Backoff, longest: float) -> None:
    account.delete_backoff = next_backoff(account, account.delete_backoff, backoff, longest)
    account.probe_at = None
