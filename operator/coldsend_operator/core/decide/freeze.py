"""COLDSEND_FREEZE: writes to ColdSend wait; probes, polls and writes to Kubernetes continue."""

from dataclasses import replace

from coldsend_operator.core.decide.questions import probe, wait_without_call
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.reasons import Reason

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
    probing = (probe(account, now) if decision.action is not Action.DELETE else None) or Decision()
    return replace(probing, reason=Reason.FROZEN, message=message)
