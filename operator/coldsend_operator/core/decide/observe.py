"""The next action for an account that only observes (managementPolicy Observe)."""

from coldsend_operator.core.decide.create import await_unknown_create
from coldsend_operator.core.decide.native_domain import usable_domain
from coldsend_operator.core.decide.questions import (
    paced,
    probed_since_change,
    under_way,
    wait_without_call,
    wanted_get,
)
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import IN_SYNC, Action, Decision
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.workspace import Workspace


def decide_observe(account: Account, workspace: Workspace, now: float) -> Decision:
    if account.key_problem is not None:
        return wait_without_call(account, *account.key_problem)
    if not workspace.policy.may_adopt(account.desired):
        message = (
            "This namespace may not observe inboxes with the operator's key; use apiKeySecretRef, "
            "or ask the administrator (COLDSEND_ADOPT_NAMESPACES)."
        )
        return wait_without_call(account, Reason.UNAUTHORIZED, message)
    if account.stored.held:
        return Decision(Action.ACQUIRE, inbox_id=account.stored.inbox_id, origin="Observed")
    if account.create_pending or account.desired.finalizers:
        return _outgrown(account, workspace, now)
    if account.address is None and account.stored.inbox_id is None:
        decision = usable_domain(account, workspace, now)
        if decision is not None and decision.reason not in {Reason.DOMAIN_FULL, Reason.DOMAIN_NOT_ACTIVE}:
            return decision
    known = account.stored.inbox_id
    if known is not None and known in workspace.inventory.rows:
        return wanted_get(account, now) or IN_SYNC
    row = next(iter(workspace.inventory.at(account.address or "")), None)
    if row is not None:
        return Decision(Action.ACQUIRE, inbox_id=row.inbox_id, origin="Observed")
    message = "ColdSend has no inbox with this address. Its values appear here once it exists."
    if known is not None:
        return _observed_vanished(account, workspace, now, message)
    if not probed_since_change(account, workspace):
        return paced(account, now, Decision(Action.SEARCH, quiet=True))
    return Decision(reason=Reason.NOT_FOUND, message=message)


def _outgrown(account: Account, workspace: Workspace, now: float) -> Decision:
    """A create that left before the object changed to Observe: others wait for the address until it ended."""
    if account.job is not None:
        return under_way(account, workspace)
    unknown = account.unknown_create
    if unknown is None or account.address is None:
        return Decision(Action.REMOVE_FINALIZER, quiet=True)
    row = next(iter(workspace.inventory.at(account.address)), None)
    if row is not None:
        return Decision(Action.ACQUIRE, inbox_id=row.inbox_id, origin="Observed")
    return await_unknown_create(account, unknown, workspace, now)


def _observed_vanished(account: Account, workspace: Workspace, now: float, message: str) -> Decision:
    if account.not_found_at is not None:
        return Decision(reason=Reason.NOT_FOUND, message=message)
    if workspace.inventory.swept_at == 0:
        return Decision(quiet=True)
    if workspace.implausible is not None:
        return Decision(reason=Reason.INVENTORY_IMPLAUSIBLE, message=workspace.implausible)
    return paced(account, now, Decision(Action.GET, quiet=True))
