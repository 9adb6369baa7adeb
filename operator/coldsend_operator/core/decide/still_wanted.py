"""What keeps a call from leaving: the object has changed meanwhile, or the operator is frozen (COLDSEND_FREEZE)."""

from dataclasses import replace

from coldsend_operator.core.decide.hand_over import is_handed_over, stays
from coldsend_operator.core.decide.questions import on_hold, wait_without_call, wanted_get
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Call
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.workspace import Workspace


def still_due(account: Account, call: Call, generation: int, workspace: Workspace) -> bool:
    """`generation` is that of the object when the call was planned. Reads are always wanted."""
    desired = account.desired
    if not call.writes:
        return True
    if workspace.policy.freeze:
        return False
    if call.operation.deletes:
        if desired.force_orphan or workspace.claims.same_inbox(account) or on_hold(account, workspace) is not None:
            return False
        if desired.deleting is not None:
            return not (stays(account, workspace) or is_handed_over(account, workspace))
    if call.operation.creates and workspace.inventory.at(account.address or ""):
        return False  # a probe has shown an inbox there meanwhile
    unchanged = desired.generation == generation and not desired.problems and not account.moving
    return unchanged and desired.deleting is None and not workspace.policy.paused(desired) and not desired.spec.observe


WAITS = {
    Action.CREATE: "the creation of the inbox",
    Action.DELETE: "the deletion of the inbox",
    Action.MAIL: "the test mail",
    Action.BEGIN_MAIL: "the test mail",
}


def frozen(account: Account, decision: Decision, now: float) -> Decision:
    """The action while the operator is frozen. No intent to send a mail is stored either: it would never leave."""
    what = WAITS.get(decision.action)
    if what is None:
        return decision
    message = f"The operator is frozen (COLDSEND_FREEZE) and writes nothing to ColdSend; {what} waits."
    if decision.action is Action.CREATE:
        return wait_without_call(account, Reason.FROZEN, message)
    probing = None if decision.action is Action.DELETE else wanted_get(account, now)
    return replace(probing or Decision(), reason=Reason.FROZEN, message=message)
