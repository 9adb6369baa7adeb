"""What to do next for one child of a batch, and for the mark on the batch: pure readings, in the order of safety.md."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from coldsend_operator.core.batch import Batch, Child, Entry, Refusal
from coldsend_operator.core.reasons import Reason


class Deed(StrEnum):
    """One write to Kubernetes."""

    RENEW = "renew"  # the ownerReference, after the batch was made anew
    APPLY = "apply"  # the child as spec asks; made when it is not there
    POLICY = "policy"  # the live template's deletionPolicy, before a deletion
    DELETE = "delete"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next deed for a child; a refusal says why there is none."""

    deed: Deed = Deed.REST
    refusal: Refusal | None = None


REST = Decision()


def decide(batch: Batch, name: str, child: Child | None) -> Decision:
    """The one decision: what the child of this name needs now."""
    if child is not None and child.deleting:
        return REST  # when it is gone, it is made again if the list asks for it
    if child is not None and batch.inherits(child):
        # safety.md, 25: before anything else, and of a paused batch too, or Kubernetes deletes the child
        return REST if batch.deleting else Decision(Deed.RENEW)
    if batch.waits:
        return REST
    if batch.deleting:
        return _letting_go(batch, child)
    if batch.wanted is None or batch.problems or batch.paused:
        return REST
    entry = batch.entry(name)
    if entry is None:
        return _leaving(batch, child)
    if entry.refusal is not None:
        return Decision(refusal=entry.refusal)
    if child is not None:
        refusal = _stranger(batch, entry, child)
        if refusal is not None:
            return Decision(refusal=refusal)
        if as_asked(batch, entry, child):
            return REST
    return Decision(Deed.APPLY, batch.refusals.get(name))


def as_asked(batch: Batch, entry: Entry, child: Child) -> bool:
    """Whether the child is as the batch would make it. An Orphan that a person wrote stays (safety.md, 24)."""
    return (
        batch.owns(child)
        and child.digest == entry.digest
        and child.labels == batch.labels
        and _policy_stands(batch, child)
    )


def _policy_stands(batch: Batch, child: Child) -> bool:
    """Whether the child's deletionPolicy is that of the template, so that no default may change it afterwards.

    Where the template says nothing the same default holds for both.
    """
    if child.orphan_by_hand or child.orphan == batch.orphan:
        return True
    return batch.orphan is None and child.orphan == batch.orphans


def is_leaving(batch: Batch, child: Child) -> bool:
    """Whether the child goes with its batch, or is no longer in the list."""
    if not batch.owns(child):
        return False
    if batch.deleting:
        return True
    read = batch.wanted is not None and not batch.problems and not batch.paused
    return read and batch.entry(child.name) is None


def _letting_go(batch: Batch, child: Child | None) -> Decision:
    """The batch is in deletion: the policy first, then the child (safety.md, 24)."""
    if child is None or not batch.owns(child):
        return REST
    if not _policy_stands(batch, child):
        return Decision(Deed.POLICY)
    return REST if batch.released else Decision(Deed.DELETE)


def _leaving(batch: Batch, child: Child | None) -> Decision:
    """The inbox is no longer in the list."""
    if child is None or not batch.owns(child):
        return REST
    return Decision(Deed.DELETE if _policy_stands(batch, child) else Deed.POLICY)


def _stranger(batch: Batch, entry: Entry, child: Child) -> Refusal | None:
    """safety.md, 25: an object of the child's name with another address is never changed or deleted."""
    if child.identity != entry.identity:
        message = (
            f"SenderAccount {child.name} exists with another address or type, but this inbox needs its name; "
            "delete it, or move the inbox to another batch."
        )
        return Refusal(Reason.INVALID_SPEC, message)
    if child.foreign or (child.owner is not None and not batch.owns(child)):
        message = f"SenderAccount {child.name} of this inbox belongs to another owner; remove one of the two."
        return Refusal(Reason.INVALID_SPEC, message)
    return None


class Mark(StrEnum):
    """What the finalizer of a batch needs (safety.md, 24: it is there while there are children)."""

    PUT = "put"
    TAKE = "take"
    KEEP = "keep"


def mark_of_batch(batch: Batch, owned: Callable[[], Iterable[Child]], *, idle: bool) -> Mark:
    """`owned` are its children; `idle`: no write of the batch is under way or waits."""
    if batch.waits:
        return Mark.KEEP
    if batch.deleting:
        return Mark.TAKE if batch.finalized and idle and _may_go(batch, owned) else Mark.KEEP
    wanted = batch.wanted
    if batch.finalized:
        asks_for_none = wanted is not None and not batch.problems and not wanted.by_name
        return Mark.TAKE if idle and asks_for_none and not batch.family.size() else Mark.KEEP
    if batch.family.size():
        return Mark.PUT
    if wanted is None or batch.problems or batch.paused:
        return Mark.KEEP
    return Mark.PUT if any(entry.refusal is None for entry in wanted.by_name.values()) else Mark.KEEP


def _may_go(batch: Batch, owned: Callable[[], Iterable[Child]]) -> bool:
    if not batch.released:
        return batch.family.size(batch.uid) == 0
    return all(child.deleting or _policy_stands(batch, child) for child in owned())
