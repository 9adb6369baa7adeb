"""COLDSEND_FREEZE: what would write to ColdSend waits; looks, polls and writes to Kubernetes go on."""

from dataclasses import replace

from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.step import Move, Step, at_rest, look

WAITS = {
    Move.CREATE: "the creation of the inbox",
    Move.DELETE: "the deletion of the inbox",
    Move.MAIL: "the test mail",
    Move.BEGIN_MAIL: "the test mail",
}


def frozen(account: Account, step: Step, now: float) -> Step:
    """The step while the operator is frozen. The intent to send a mail is not stored either: it would never leave."""
    what = WAITS.get(step.move)
    if what is None:
        return step
    message = f"The operator is frozen (COLDSEND_FREEZE) and writes nothing to ColdSend; {what} waits."
    if step.move is Move.CREATE:
        return at_rest(account, Reason.FROZEN, message)
    looking = (look(account, now) if step.move is not Move.DELETE else None) or Step()
    return replace(looking, reason=Reason.FROZEN, message=message)
