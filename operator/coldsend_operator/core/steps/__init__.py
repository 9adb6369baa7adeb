"""What to do next for one account: a pure reading of what is known, in the order of safety.md.

`next_step` only reads. Each function below it answers one question and returns None when it has nothing to say.
"""

from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.deletion import asks_for_deletion, deletion
from coldsend_operator.core.steps.holding import holding
from coldsend_operator.core.steps.leaving import still_due
from coldsend_operator.core.steps.observing import observing
from coldsend_operator.core.steps.step import Move, Step, View, at_rest, twins, under_way, unknown_origin
from coldsend_operator.core.steps.wanting import wanting

__all__ = [
    "Move",
    "Step",
    "View",
    "asks_for_deletion",
    "next_step",
    "still_due",
]


def next_step(account: Account, view: View, now: float) -> Step:
    """The one decision: what this account needs now."""
    if account.desired.deleting is not None:
        return deletion(account, view, now)
    if account.busy is not None:
        return under_way(account)
    if account.mark is None and _needs_mark(account):
        return Step(Move.MARK, quiet=True)
    stop = _invalid(account) or _paused(account) or twins(account, view) or unknown_origin(account)
    if stop is not None:
        return stop
    if account.desired.spec.observe:
        return observing(account, view, now)
    if account.facts.held:
        return holding(account, view, now)
    return wanting(account, view, now)


def _needs_mark(account: Account) -> bool:
    """Whoever holds an inbox, or may yet get one, must not vanish without us (safety.md, 4)."""
    if account.desired.spec.observe:
        return False
    return account.facts.held or account.lost is not None or account.job is not None


def _invalid(account: Account) -> Step | None:
    if not account.desired.problems:
        return None
    return at_rest(account, Reason.INVALID_SPEC, " ".join(account.desired.problems))


def _paused(account: Account) -> Step | None:
    if not account.desired.paused:
        return None
    return Step(
        reason=Reason.RECONCILIATION_PAUSED,
        message="Reconciliation is paused by the annotation coldsend.pro/paused; remove it to go on.",
    )
