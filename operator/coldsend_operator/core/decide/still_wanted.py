"""Whether an account still takes part in a prepared call, as the object may have changed meanwhile."""

from coldsend_operator.core.decide.hand_over import is_handed_over, stays
from coldsend_operator.core.decide.questions import on_hold
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Call, Scope
from coldsend_operator.core.workspace.view import View


def still_due(account: Account, call: Call, generation: int, view: View) -> bool:
    """`generation` is that of the object when the call was planned. Reads are always wanted."""
    desired = account.desired
    if not call.writes:
        return True
    if view.policy.freeze:
        return False
    if call.operation.scope is Scope.DELETE and (desired.force_orphan or view.claims.same_inbox(account)):
        return False
    if call.operation.scope is Scope.DELETE and on_hold(account, view) is not None:
        return False
    if call.operation.scope is Scope.DELETE and desired.deleting is not None:
        return not (stays(account, view) or is_handed_over(account, view))
    if call.operation.creates and view.inventory.at(account.address or ""):
        return False  # a probe has shown an inbox there meanwhile
    unchanged = desired.generation == generation and not desired.problems and not account.moving
    return (
        unchanged
        and desired.deleting is None
        and not view.policy.paused(desired.namespace, said=desired.paused)
        and not desired.spec.observe
    )
