"""The next action for an object in deletion: delete its inbox first, unless it is to stay."""

from dataclasses import replace

from coldsend_operator.core.decide.create import await_unknown_create, decide_unknown_create
from coldsend_operator.core.decide.hand_over import (
    RECHECK,
    awaiting_key,
    goes_last,
    handing_over,
    is_handed_over,
    shared_inbox_in_deletion,
    stays,
)
from coldsend_operator.core.decide.native_domain import usable_domain
from coldsend_operator.core.decide.questions import (
    asked_without_answer,
    beside_wanted_get,
    on_hold,
    other_workspace,
    paced,
    read_at,
    unconfirmed_404,
    under_own_address,
    unknown_origin,
)
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.trust import unproven
from coldsend_operator.core.workspace.workspace import Workspace

OTHERS_HOLD_IT = (
    "The operator has released this object; it exists until other controllers remove their entries of "
    "metadata.finalizers."
)


def decide_delete(account: Account, workspace: Workspace, now: float) -> Decision:
    desired = account.desired
    if not desired.finalized:
        # A person has let it go by taking the plain finalizer off; a mark that is left would keep the object for ever.
        if desired.finalizers:
            return Decision(Action.REMOVE_FINALIZER, quiet=True)
        return _deleting(OTHERS_HOLD_IT, quiet=True)
    if desired.force_orphan:
        return Decision(Action.REMOVE_FINALIZER, quiet=True)
    unread = workspace.policy.unread_namespaces.get(desired.namespace)
    if unread is not None:  # what it sets, such as the deletion policy, is not known
        return Decision(Action.WAIT, Reason.API_UNAVAILABLE, unread)
    if account.busy is not None:
        return _deleting("A call for this inbox is under way; the deletion follows.", quiet=True)
    if stays(account, workspace) and not goes_last(account, workspace):  # the one before it would delete the inbox
        return Decision(Action.REMOVE_FINALIZER, quiet=True)
    if not account.stored.held:
        return _without_inbox(account, workspace, now)
    stop = shared_inbox_in_deletion(account, workspace) or unknown_origin(account)
    if stop is not None:
        return stop
    if account.key_problem is not None:
        return _without_key(account, workspace, *account.key_problem)
    decision = other_workspace(account, workspace, now)
    if decision is not None and decision.reason is Reason.INVENTORY_IMPLAUSIBLE:  # no approval helps (rule 19)
        message = "The API key leads to a workspace that does not have this inbox, so nothing is deleted there."
        return _without_key(account, workspace, decision.reason, message)
    if decision is not None:
        return decision
    handed_over = handing_over(account, workspace) or awaiting_key(account, workspace, now)
    if handed_over is not None:
        return replace(handed_over, due=now + RECHECK)
    return _deleting_inbox(account, workspace, now)


def _deleting(message: str, *, quiet: bool = False) -> Decision:
    return Decision(Action.WAIT, Reason.DELETING, message, quiet=quiet)


def _without_key(account: Account, workspace: Workspace, reason: Reason | None, message: str) -> Decision:
    """Wait for the key. A namespace in deletion takes no new Secret (rule 26)."""
    restore = "Restore the key"
    if workspace.policy.terminating(account.desired.namespace):
        restore = "The namespace is terminating and accepts no new Secrets: provide the same key elsewhere"
    way = "set the annotation coldsend.pro/force-orphan: 'true' to release the object without touching ColdSend"
    return Decision(Action.WAIT, reason, f"{message} {restore}, or {way}.")


def _without_inbox(account: Account, workspace: Workspace, now: float) -> Decision:
    """No inbox is known. Wait for the inbox of a lost create, and delete it (rule 18)."""
    unknown = account.unknown_create
    if unknown is None and account.job is None:
        return Decision(Action.REMOVE_FINALIZER, quiet=True)
    if account.key_problem is not None:
        return _without_key(account, workspace, *account.key_problem)
    if unknown is None or account.job is not None:
        return _deleting("ColdSend is still creating the inbox; it is deleted as soon as that is finished.")
    if account.address is None:
        decision = usable_domain(account, workspace, now) or decide_unknown_create(account, unknown, workspace, now)
        told = _without_key(account, workspace, decision.reason, decision.message)
        return replace(told, action=decision.action, due=decision.due)
    if unproven(workspace, account):  # an inbox that appears there may be a stranger's (rule 15)
        message = "The API key leads to a workspace that has none of the inboxes known for this key."
        return _without_key(account, workspace, Reason.INVENTORY_IMPLAUSIBLE, message)
    decision = await_unknown_create(account, unknown, workspace, now)
    if decision.action in {Action.ACQUIRE, Action.REMOVE_FINALIZER}:
        return decision
    message = (
        "ColdSend's response to the create was lost; the operator watches the address and deletes an inbox that "
        "appears."
    )
    return Decision(decision.action, Reason.DELETING, message, decision.due)


def _deleting_inbox(account: Account, workspace: Workspace, now: float) -> Decision:
    if account.not_found_at is not None or (account.job is None and workspace.confirmed_gone(account)):
        return unconfirmed_404(account, workspace, now) or _gone(account, workspace, now)
    if account.job is not None:
        return _deleting("ColdSend is deleting the inbox.", quiet=True)
    if account.deleted_at is not None:
        probe = Decision(Action.GET, Reason.DELETING, "ColdSend is deleting the inbox.", quiet=True)
        return paced(account, now, probe)
    refused = account.delete_backoff
    until = refused.waits(account.basis, now) if refused is not None else None
    if refused is not None and until is not None:
        return Decision(Action.WAIT, refused.reason, refused.message, until)
    held = on_hold(account, workspace)
    row = workspace.inventory.row(account.stored.inbox_id)
    if row is None:  # it may be gone already
        probe = Decision(Action.GET, Reason.DELETING, "The operator looks up the inbox in ColdSend.", quiet=True)
        held_probe = None if held is None else Decision(Action.GET, Reason.DELETION_HELD, held)
        return paced(account, now, held_probe or asked_without_answer(account, probe))
    if not under_own_address(account, row):
        return Decision(
            reason=Reason.ADDRESS_CONFLICT,
            message="The inboxID in status belongs to another address in ColdSend; it is not deleted. Set the "
            "annotation coldsend.pro/force-orphan: 'true' to release the object.",
        )
    if held is not None:
        return beside_wanted_get(account, now, Decision(Action.WAIT, Reason.DELETION_HELD, held))
    return Decision(Action.DELETE, Reason.DELETING, "The inbox is being deleted in ColdSend.", quiet=True)


def _asks_for_deletion(account: Account, workspace: Workspace, decision: Decision) -> bool:
    """Whether an inbox is to be deleted in ColdSend, visible there or not yet: the brake counts it (rule 45)."""
    if workspace.policy.protected(account.desired):
        return False
    if account.desired.deleting is None:
        return decision.action is Action.DELETE or decision.reason is Reason.DELETION_HELD
    if decision.reason in {Reason.INVENTORY_IMPLAUSIBLE, Reason.ADDRESS_CONFLICT}:
        return False
    kept = stays(account, workspace) or not account.is_holder or account.key_problem is not None
    called = account.job is not None or account.deleted_at is not None or account.not_found_at is not None
    return not (kept or called or workspace.claims.same_inbox(account) or is_handed_over(account, workspace))


def _gone(account: Account, workspace: Workspace, now: float) -> Decision:
    """The id is gone, and a read of the address has not shown it (rule 17).

    Another inbox at the address may have been made by hand: without a lost create nothing tells, so it stays (rule 39).
    """
    if account.address is not None and read_at(account, workspace) == 0:
        message = "The operator looks up the address once more."
        return paced(account, now, Decision(Action.SEARCH, Reason.DELETING, message, quiet=True))
    return Decision(Action.REMOVE_FINALIZER, quiet=True)


def ask_brake(workspace: Workspace, account: Account, decision: Decision, now: float) -> None:
    """Count a deletion from the moment it is known. One that ColdSend refused before was counted then."""
    desired = account.desired
    if account.busy is not None:
        return  # counted before the call left; the end of the call touches the account
    refused = account.delete_backoff is not None or account.delete_partial
    if refused or not _asks_for_deletion(account, workspace, decision):
        workspace.brake.withdraw(account.uid)
        return
    approved = workspace.policy.deletion_approved(desired)
    if desired.deleting is None:
        workspace.brake.ask(account.uid, desired.namespace, now, approved=approved)
    else:
        size = workspace.policy.leaving.get(desired.batch or "", 0)
        asked_at = desired.deleting - workspace.kube_offset
        # Anybody may write any UID into ownerReferences: objects join no decision of another namespace.
        batch = f"{desired.namespace}/{desired.batch}" if desired.batch else None
        workspace.brake.ask(account.uid, desired.namespace, asked_at, approved=approved, batch=batch, size=size)
