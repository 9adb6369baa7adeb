"""What to do next for one account: a pure reading of what is known, in the order of safety.md.

`next_step` only reads. Each function below it answers one question and returns None when it has nothing to say.
"""

from dataclasses import replace

from coldsend_operator.core.conditions import NAMESPACE_PAUSED, PAUSED
from coldsend_operator.core.create_marks import is_mark
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.deletion import asks_for_deletion, deletion
from coldsend_operator.core.steps.freezing import frozen
from coldsend_operator.core.steps.hand_over import is_handed_over
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
    "is_handed_over",
    "next_step",
    "still_due",
]


def next_step(account: Account, view: View, now: float) -> Step:
    """The one decision: what this account needs now."""
    step = _next_step(account, view, now)
    return frozen(account, step, now) if view.policy.freeze else step


def _next_step(account: Account, view: View, now: float) -> Step:
    if account.desired.deleting is not None:
        return deletion(account, view, now)
    if _lacks_finalizer(account, view):
        return Step(Move.MARK, quiet=True)
    if account.busy is not None:
        return under_way(account)
    step = _step(account, view, now)
    if not _has_stale_mark(account) or (step.move is Move.CREATE and view.goes_again(account)):
        return step
    return replace(step, move=Move.UNMARK)


def _step(account: Account, view: View, now: float) -> Step:
    stop = _invalid(account) or _paused(account, view) or twins(account, view) or unknown_origin(account)
    if stop is not None:
        return stop
    if account.desired.spec.observe:
        return observing(account, view, now)
    if account.facts.held:
        return holding(account, view, now)
    return wanting(account, view, now)


def _lacks_finalizer(account: Account, view: View) -> bool:
    """Whoever holds an inbox, or may yet get one, must not vanish without us (rule 4).

    While a create is under way or lost its mark comes back at once too, beside the call and with its time (rule 39).
    """
    finalizers, since = account.desired.finalizers, account.since
    if account.create_unknown and since is not None:
        marked = view.policy.create_marks.text(account.uid, since) in finalizers
        return not (marked and account.desired.finalized)
    must_stay = account.facts.held or account.lost is not None
    return must_stay and not account.desired.spec.observe and not account.desired.finalized


def _has_stale_mark(account: Account) -> bool:
    """Whether a mark stands for nothing: the outcome of its call is known, or it is forged.

    Where status shows a held inbox a mark says nothing, so to leave it there saves a write: it goes with the finalizer.
    """
    return not account.create_unknown and not account.facts.held and any(map(is_mark, account.desired.finalizers))


def _invalid(account: Account) -> Step | None:
    if not account.desired.problems:
        return None
    return at_rest(account, Reason.INVALID_SPEC, " ".join(account.desired.problems))


def _paused(account: Account, view: View) -> Step | None:
    desired = account.desired
    if not view.policy.paused(desired.namespace, said=desired.paused):
        return None
    return Step(reason=Reason.RECONCILIATION_PAUSED, message=PAUSED if desired.paused else NAMESPACE_PAUSED)
