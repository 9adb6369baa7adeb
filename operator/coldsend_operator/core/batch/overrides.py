"""What a batch sets for the accounts of its children, as a part of the policy."""

from collections.abc import Iterable

from coldsend_operator.core.batch.decide import is_leaving
from coldsend_operator.core.batch.model import Batch, Child
from coldsend_operator.core.model.policy import DEFAULT_UNAVAILABLE, BatchSettings, Policy


def apply_overrides(policy: Policy, batch: Batch) -> None:
    """Update the policy with what the batch sets for its children, and give the batch the defaults in effect."""
    batch.unread = policy.unread_namespaces.get(batch.namespace)
    batch.orphan_by_default = policy.orphaned_by_default(batch.namespace)
    batch.paused = policy.paused_in(batch.namespace, said=batch.paused_said)
    defaults = policy.of_namespace(batch.namespace)
    batch.namespace_notes = defaults.notes
    key = batch.key or defaults.key
    batch.effective = policy.effective(orphan=batch.orphans, recreate=batch.recreate, adopt=batch.adopt, key=key)
    listed = batch.desired
    policy.batches[batch.uid] = BatchSettings(
        approve_deletion=batch.approve_deletion,
        approve_recreation=batch.approve_recreation,
        orphan=batch.orphans,
        protected=batch.protected,
        unavailable=listed.unavailable if listed is not None else DEFAULT_UNAVAILABLE,
        listed=listed.by_name if listed is not None and not batch.deleting else None,
    )


def deleted_with(batch: Batch, children: Iterable[Child]) -> int:
    """How many inboxes are to be deleted with the batch, or by its shorter list (rule 23)."""
    if batch.orphans or batch.released:
        return 0
    return sum(child.has_inbox and not child.orphan and is_leaving(batch, child) for child in children)
