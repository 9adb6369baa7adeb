"""The next action for one account, as a pure function of what is known, in the order of the rules.

`decide` only reads. Each function below it answers one question, or returns None.
"""

from dataclasses import replace

from coldsend_operator.core.decide.create import decide_create
from coldsend_operator.core.decide.delete import asks_for_deletion, decide_delete
from coldsend_operator.core.decide.freeze import frozen
from coldsend_operator.core.decide.hand_over import is_handed_over
from coldsend_operator.core.decide.hold import decide_hold
from coldsend_operator.core.decide.observe import decide_observe
from coldsend_operator.core.decide.questions import shared_inbox, under_way, unknown_origin, wait_without_call
from coldsend_operator.core.decide.still_wanted import still_due
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.conditions import NAMESPACE_PAUSED, PAUSED
from coldsend_operator.core.model.create_marks import is_mark
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.view import View

__all__ = [
    "Action",
    "Decision",
    "View",
    "asks_for_deletion",
    "decide",
    "is_handed_over",
    "still_due",
]


def decide(account: Account, view: View, now: float) -> Decision:
    """Decide what this account needs now."""
    decision = _decide(account, view, now)
    return frozen(account, decision, now) if view.policy.freeze else decision


def _decide(account: Account, view: View, now: float) -> Decision:
    if account.desired.deleting is not None:
        return decide_delete(account, view, now)
    if _lacks_finalizer(account, view):
        return Decision(Action.ADD_FINALIZER, quiet=True)
    if account.busy is not None:
        return under_way(account)
    decision = _decide_live(account, view, now)
    if not _has_stale_mark(account) or (decision.action is Action.CREATE and view.goes_again(account)):
        return decision
    return replace(decision, action=Action.REMOVE_FINALIZER)


def _decide_live(account: Account, view: View, now: float) -> Decision:
    stop = _invalid(account) or _paused(account, view) or shared_inbox(account, view) or unknown_origin(account)
    if stop is not None:
        return stop
    if account.desired.spec.observe:
        return decide_observe(account, view, now)
    if account.stored.held:
        return decide_hold(account, view, now)
    return decide_create(account, view, now)


def _lacks_finalizer(account: Account, view: View) -> bool:
    """An object that holds an inbox, or may get one, needs our finalizer (rule 4: it must not vanish without us).

    While a create is under way or lost its mark comes back at once too, beside the call and with its time (rule 39).
    """
    finalizers, since = account.desired.finalizers, account.marked_at
    if account.create_pending and since is not None:
        marked = view.policy.create_marks.text(account.uid, since) in finalizers
        return not (marked and account.desired.finalized)
    must_stay = account.stored.held or account.unknown_create is not None
    return must_stay and not account.desired.spec.observe and not account.desired.finalized


def _has_stale_mark(account: Account) -> bool:
    """Whether a create mark is stale: the outcome of its call is known, or it is forged.

    Where status shows a held inbox a mark says nothing, so to leave it there saves a write: it goes with the finalizer.
    """
    return not account.create_pending and not account.stored.held and any(map(is_mark, account.desired.finalizers))


def _invalid(account: Account) -> Decision | None:
    if not account.desired.problems:
        return None
    return wait_without_call(account, Reason.INVALID_SPEC, " ".join(account.desired.problems))


def _paused(account: Account, view: View) -> Decision | None:
    desired = account.desired
    if not view.policy.paused(desired.namespace, said=desired.paused):
        return None
    return Decision(reason=Reason.RECONCILIATION_PAUSED, message=PAUSED if desired.paused else NAMESPACE_PAUSED)
