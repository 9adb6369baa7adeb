"""The next action for one child of a batch, and for the finalizer of the batch: pure functions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from coldsend_operator.core.batch.model import Batch, Child, Entry, EntryRefusal
from coldsend_operator.core.model.reasons import Reason


class ChildAction(StrEnum):
    """One write to Kubernetes."""

    RENEW = "renew"  # the ownerReference, after the batch was recreated
    APPLY = "apply"  # apply the child; creates it if it is missing
    POLICY = "policy"  # the live template's deletionPolicy, before a deletion
    DELETE = "delete"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ChildDecision:
    """The next action for a child, or the reason why there is none."""

    action: ChildAction = ChildAction.NONE
    refusal: EntryRefusal | None = None


NOTHING = ChildDecision()


def decide_child(batch: Batch, name: str, child: Child | None) -> ChildDecision:
    """Decide what the child of this name needs now."""
    if child is not None and child.deleting:
        return NOTHING  # once it is gone, it is created again if the list has it
    if child is not None and batch.inherits(child):
        # rule 25: before anything else, and of a paused batch too, or Kubernetes deletes the child
        return NOTHING if batch.deleting else ChildDecision(ChildAction.RENEW)
    if batch.waits:
        return NOTHING
    if batch.deleting:
        return _leaving(batch, child)
    if not batch.in_effect:
        return NOTHING
    entry = batch.entry(name)
    if entry is None:
        return _leaving(batch, child)
    if entry.refusal is not None:
        return ChildDecision(refusal=entry.refusal)
    if child is not None:
        refusal = _stranger(batch, entry, child)
        if refusal is not None:
            return ChildDecision(refusal=refusal)
        if as_asked(batch, entry, child):
            return NOTHING
    return ChildDecision(ChildAction.APPLY, batch.refusals.get(name))


def as_asked(batch: Batch, entry: Entry, child: Child) -> bool:
    """Whether the child is as the batch would create it. An Orphan set by a person stays (rule 24)."""
    return (
        batch.owns(child)
        and child.digest == entry.digest
        and child.labels == batch.labels
        and _policy_stands(batch, child)
    )


def _policy_stands(batch: Batch, child: Child) -> bool:
    """Whether the child's deletionPolicy is that of the template, so that no default may change it afterwards.

    If the template sets none, the same default applies to both.
    """
    if child.orphan_by_hand or child.orphan == batch.orphan:
        return True
    return batch.orphan is None and child.orphan == batch.orphans


def is_leaving(batch: Batch, child: Child) -> bool:
    """Whether the child is deleted with its batch, or no longer in the list."""
    if not batch.owns(child):
        return False
    return batch.deleting or (batch.in_effect and batch.entry(child.name) is None)


def _leaving(batch: Batch, child: Child | None) -> ChildDecision:
    """The list no longer has the inbox, or the batch is in deletion: the policy first, then the child (rule 24)."""
    if child is None or not batch.owns(child):
        return NOTHING
    if not _policy_stands(batch, child):
        return ChildDecision(ChildAction.POLICY)
    return NOTHING if batch.deleting and batch.released else ChildDecision(ChildAction.DELETE)


def _stranger(batch: Batch, entry: Entry, child: Child) -> EntryRefusal | None:
    """Rule 25: an object of the child's name with another address is never changed or deleted."""
    if child.identity != entry.identity:
        message = (
            f"SenderAccount {child.name} exists with another address or type, but this inbox needs its name; "
            "delete it, or move the inbox to another batch."
        )
        return EntryRefusal(Reason.INVALID_SPEC, message)
    if child.foreign or (child.owner is not None and not batch.owns(child)):
        message = f"SenderAccount {child.name} of this inbox belongs to another owner; remove one of the two."
        return EntryRefusal(Reason.INVALID_SPEC, message)
    return None


class FinalizerChange(StrEnum):
    """The next action for the finalizer of a batch (rule 24: it is there while there are children)."""

    ADD = "add"
    REMOVE = "remove"
    NONE = "none"


def finalizer_change(batch: Batch, owned: Callable[[], Iterable[Child]], *, idle: bool) -> FinalizerChange:
    """`owned` are its children; `idle`: no write of the batch is under way or queued."""
    if batch.waits:
        return FinalizerChange.NONE
    if batch.deleting:
        return FinalizerChange.REMOVE if batch.finalized and idle and _may_go(batch, owned) else FinalizerChange.NONE
    if batch.children:
        return FinalizerChange.NONE if batch.finalized else FinalizerChange.ADD
    wanted = batch.desired
    if wanted is None or batch.problems:
        return FinalizerChange.NONE
    if batch.finalized:
        return FinalizerChange.REMOVE if idle and not wanted.by_name else FinalizerChange.NONE
    creates = not batch.paused and any(entry.refusal is None for entry in wanted.by_name.values())
    return FinalizerChange.ADD if creates else FinalizerChange.NONE


def _may_go(batch: Batch, owned: Callable[[], Iterable[Child]]) -> bool:
    if not batch.released:
        return batch.uid not in batch.children.values()
    return all(child.deleting or _policy_stands(batch, child) for child in owned())
