"""Hand-over: the inbox of an object in deletion goes to another object that claims its address (rule 30)."""

from coldsend_operator.core.decide.questions import came_from, name_of, once_finalized
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored import Former
from coldsend_operator.core.workspace.workspace import Workspace

MISSING = frozenset({Reason.SECRET_NOT_FOUND, Reason.SECRET_KEY_NOT_FOUND})
KEY_WAIT = 600.0  # seconds after a deletion: how long it waits for the API key of another object
RECHECK = 5.0  # seconds: the obstacle of a successor, such as its key, may change without an event


def successor(holder: Account, workspace: Workspace) -> Account | None:
    """The object that takes over the inbox of `holder` on its deletion; None if the inbox is deleted with it.

    The oldest one is chosen, and none once a delete was sent, as its outcome decides then.
    """
    if not _may_be_handed_over(holder, workspace):
        return None
    others = workspace.claims.claimants(holder, workspace.id)
    if any(other.stored.held for other in others):
        return None
    able = (other for other in others if _may_take_over(other, holder, workspace))
    return min(able, key=lambda other: other.desired.age, default=None)


def is_handed_over(holder: Account, workspace: Workspace) -> bool:
    """Whether the inbox goes to another object, now or as soon as possible, and so is not deleted."""
    return handing_over(holder, workspace) is not None


def _may_be_handed_over(holder: Account, workspace: Workspace) -> bool:
    """Whether the object has an inbox to hand over: it would be deleted, and no delete was sent."""
    stored = holder.stored
    left = holder.deleted_at is not None or holder.not_found_at is not None or holder.job is not None
    if not stored.held or stored.origin_unknown or left or stored.job is not None or stays(holder, workspace):
        return False
    digest = stored.applied.workspace if stored.applied else None
    return digest is None or digest in workspace.digests


def _awaited(holder: Account, workspace: Workspace) -> str | None:
    """The name of the object that a Batch of the same namespace is about to create for the inbox.

    In which order a new list and the end of an old one are seen is left to chance. While a CRD is being deleted the API
    server takes no new objects: who waited for one would keep the CRD for ever (rule 31: deletions are held then).
    """
    if workspace.policy.hold_deletions:
        return None
    spec, namespace, awaited = holder.desired.spec, holder.desired.namespace, workspace.policy.awaited
    by_name = f"{spec.inbox_type} {holder.address}".lower()  # where this object names the domain by its id
    return awaited.child(namespace, spec.identity) or awaited.child(namespace, by_name)


def _unplaced(holder: Account, workspace: Workspace) -> Account | None:
    """An object that takes the inbox over if its API key, which is not read yet, leads to this workspace."""
    return next((other for other in workspace.claims.unplaced(holder) if _claims_inbox(other, holder, workspace)), None)


def _may_take_over(claimant: Account, holder: Account, workspace: Workspace) -> bool:
    return claimant.key_problem is None and not claimant.moving and _claims_inbox(claimant, holder, workspace)


def _claims_inbox(claimant: Account, holder: Account, workspace: Workspace) -> bool:
    """Whether the claimant may have the inbox, as far as the two objects tell."""
    desired, spec = claimant.desired, claimant.desired.spec
    if desired.deleting is not None or desired.problems or spec.observe:
        return False
    if workspace.policy.paused(desired) or spec.inbox_type != holder.desired.spec.inbox_type:
        return False
    named = holder.desired.hand_over_to
    if named is not None and named != f"{desired.namespace}/{desired.name}":
        return False
    if desired.namespace == holder.desired.namespace:
        return True
    return named is not None and workspace.policy.adopts(said=spec.adopt) and workspace.policy.may_adopt(desired)


def stays(account: Account, workspace: Workspace) -> bool:
    """Whether the inbox stays when the object is deleted."""
    desired = account.desired
    observed = desired.spec.observe or account.stored.origin == "Observed"
    return desired.force_orphan or workspace.policy.orphans(desired) or observed


def handing_over(account: Account, workspace: Workspace) -> Decision | None:
    """What an object in deletion waits for if its inbox goes to another one; decided again after RECHECK."""
    if not _may_be_handed_over(account, workspace):
        return None
    named, other = account.desired.hand_over_to, successor(account, workspace)
    if other is not None:  # one of another namespace only if the annotation names it
        return _goes_to(f"SenderAccount {named or other.desired.name}")
    awaited = _awaited(account, workspace) if named is None else None
    if awaited is not None:
        return _goes_to(
            f"SenderAccount {awaited}",
            " Its SenderAccountBatch has yet to create that object, and says what keeps it from that, such as a "
            "ResourceQuota without room for both; to delete the inbox instead, remove it from the list there.",
        )
    claimant = _unplaced(account, workspace)
    if claimant is not None:
        return _known_once_read(claimant)
    if named is None:
        return None
    message = (
        f"Deletion is on hold: the annotation coldsend.pro/hand-over-to names {named[:253]!r}, which cannot take the "
        "inbox over now. It must be the <namespace>/<name> of a SenderAccount with the same address, inboxType and "
        "ColdSend workspace, with managementPolicy Full, not paused, and in another namespace with adoptionPolicy: "
        "Adopt. To delete the inbox instead, remove the annotation."
    )
    return Decision(Action.WAIT, Reason.DELETION_HELD, message)


def awaiting_key(account: Account, workspace: Workspace, now: float) -> Decision | None:
    """An object in deletion waits for a while for a claimant whose API key may lead to the same workspace.

    The Secret of the key may have yet to come, or ColdSend may not have shown yet what is in its workspace.
    """
    until = (account.desired.deleting or 0.0) - workspace.kube_offset + KEY_WAIT
    if now >= until or not _may_be_handed_over(account, workspace):
        return None
    others = filter(_may_be_of_any_workspace, workspace.claims.elsewhere(account, workspace.id))
    claimant = next((other for other in others if _claims_inbox(other, account, workspace)), None)
    return None if claimant is None else _known_once_read(claimant)


def _may_be_of_any_workspace(claimant: Account) -> bool:
    """Whether nothing has shown yet that the inbox is in another workspace than the claimant."""
    if claimant.key_problem is not None:
        return claimant.key_problem[0] in MISSING
    return claimant.create is None and claimant.create_backoff is None


def _known_once_read(claimant: Account) -> Decision:
    message = (
        f"Whether SenderAccount {claimant.desired.name} takes the inbox over is known once its API key has shown its "
        "workspace. To delete the inbox instead, delete that object."
    )
    return Decision(Action.WAIT, Reason.DELETING, message, quiet=True)


def _goes_to(whom: str, more: str = "") -> Decision:
    message = f"The inbox is handed over to {whom} and stays in ColdSend.{more}"
    return Decision(Action.WAIT, Reason.HANDED_OVER, message, quiet=True)


def taking_over(account: Account, workspace: Workspace, now: float) -> Decision | None:
    """The action of the successor of an object in deletion that owns its address."""
    holder = _holder(account, workspace)
    if holder is None or holder.desired.deleting is None or successor(holder, workspace) is not account:
        return None
    if holder.busy is not None:
        message = "The inbox is about to be handed over."
        return Decision(Action.WAIT, Reason.PROVISIONING, message, now + RECHECK, quiet=True)
    return once_finalized(account, Decision(Action.TAKE_OVER, inbox_id=holder.stored.inbox_id))


def _holder(account: Account, workspace: Workspace) -> Account | None:
    """The object that holds the inbox that the account claims."""
    return next((other for other in workspace.claims.claimants(account, workspace.id) if other.is_holder), None)


def takes_over_from(account: Account, workspace: Workspace) -> Former | None:
    """The object of the same namespace whose inbox this one takes over on its deletion."""
    owner = _holder(account, workspace)
    if owner is None or owner.desired.namespace != account.desired.namespace:
        return None
    return Former(owner.desired.namespace, owner.desired.name) if successor(owner, workspace) is account else None


def conflict(account: Account, owner: Account, workspace: Workspace) -> str:
    """The message of an object whose address belongs to another one."""
    whose = f"The address belongs to {name_of(owner, account)}"
    if takes_over_from(account, workspace) is not None:
        return (
            f"{whose}, which holds the inbox. When that object is deleted, this one takes the inbox over; nothing is "
            "deleted in ColdSend."
        )
    return (
        f"{whose}. Delete this object to keep things as they are; if you delete the other one instead, its inbox goes "
        "by its deletionPolicy and this object creates or adopts one."
    )


def shared_inbox_in_deletion(account: Account, workspace: Workspace) -> Decision | None:
    """Release an object in deletion whose inbox another one shows, once that is stored there (rules 13 and 30)."""
    others = workspace.claims.same_inbox(account)
    if not others:
        return None
    if goes_last(account, workspace):
        message = "The inbox was just handed over to this object; the previous object is released first."
        return Decision(Action.WAIT, Reason.DELETING, message, quiet=True)
    if any(_is_stored(other) for other in others):
        return Decision(Action.REMOVE_FINALIZER, quiet=True)
    return _goes_to(name_of(others[0], account))


def goes_last(account: Account, workspace: Workspace) -> bool:
    """Whether the account took its inbox over from an object in deletion that is still there: that one goes first.

    Names are used again, so that each of several may seem to come from another one: then the youngest goes last.
    """
    others = workspace.claims.same_inbox(account)
    sharing = (account, *others)
    if others and all(any(came_from(each, other) for other in sharing) for each in sharing):
        return account is max(sharing, key=lambda each: each.desired.age)
    return any(came_from(account, other) for other in others)


def _is_stored(account: Account) -> bool:
    """Whether a process that starts now would find the inbox in this object's status."""
    recorded = account.confirmed
    return recorded.held and recorded.inbox_id == account.stored.inbox_id and account.desired.finalized
