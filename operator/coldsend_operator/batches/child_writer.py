"""Writes to the children of a batch."""

from collections.abc import Callable
from typing import Any

from coldsend_operator.batches.changed_children import change_by_others
from coldsend_operator.batches.reading import ChildReader, manifest_of, owner_reference
from coldsend_operator.core.batch.decide import ChildAction, as_asked
from coldsend_operator.core.batch.model import Batch, Child, Entry
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.objects import apply_child, change_object, delete_object, metadata_of
from coldsend_operator.kube.paths import Ref
from coldsend_operator.resources.batch import SenderAccountBatchSpec
from coldsend_operator.resources.common import DeletionPolicy
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND

Raw = dict[str, Any]


def batch_ref(batch: Batch) -> Ref:
    return Ref(BATCH_KIND, batch.namespace, batch.name, batch.uid)


class ChildWriter:
    """One action is one or two writes. All methods raise KubeError.

    `spelling(uid)` returns the address as the child's spec spells it.
    """

    def __init__(self, kube: KubeClient, spelling: Callable[[str], str | None]) -> None:
        self._kube = kube
        self._spelling = spelling
        self._reader = ChildReader()

    async def carry_out(
        self,
        action: ChildAction,
        batch: Batch,
        spec: SenderAccountBatchSpec | None,
        entry: Entry | None,
        child: Child | None,
    ) -> Raw | None:
        """Returns the child as stored; None if there is none, or it was deleted."""
        if action is ChildAction.APPLY and entry is not None and spec is not None:
            return await self._apply(batch, spec, entry, child)
        if child is None:
            return None
        ref = _child_ref(batch, child)
        match action:
            case ChildAction.RENEW:
                return await change_object(self._kube, ref, _new_owner(batch, child))
            case ChildAction.POLICY:
                policy = DeletionPolicy.ORPHAN if batch.orphans else DeletionPolicy.DELETE
                operations = [{"op": "add", "path": "/spec/deletionPolicy", "value": str(policy)}]
                return await change_object(self._kube, ref, operations)
            case ChildAction.DELETE:
                # Only the version that was decided on: meanwhile it may have left the batch or be set to Orphan.
                await delete_object(self._kube, ref, str(child.version))
        return None

    async def who_changes(
        self, batch: Batch, spec: SenderAccountBatchSpec | None, entry: Entry | None, child: Child
    ) -> str | None:
        """A message about a field of the child that others changed; None if none is changed."""
        if spec is None or entry is None:
            return None
        manifest = self._manifest(batch, spec, entry, child)
        stored = await self._kube.find(_child_ref(batch, child).path)
        return None if stored is None else change_by_others(stored, manifest)

    async def _apply(self, batch: Batch, spec: SenderAccountBatchSpec, entry: Entry, child: Child | None) -> Raw | None:
        if child is not None and not batch.owns(child) and not await self._is_live(batch):
            return None
        manifest = self._manifest(batch, spec, entry, child)
        stored = await apply_child(self._kube, manifest)
        found = self._reader.read(stored, None)
        if found.deleting or as_asked(batch, entry, found) or found.identity != entry.identity:
            return stored
        return await self._reset(batch, found, manifest["spec"]) or stored

    def _manifest(self, batch: Batch, spec: SenderAccountBatchSpec, entry: Entry, child: Child | None) -> Raw:
        spelled = self._spelling(child.uid) if child is not None else None
        return manifest_of(batch, spec, entry, child, spelled)

    async def _reset(self, batch: Batch, child: Child, asked: Raw) -> Raw | None:
        """Replace the whole spec: an apply does not remove fields that others added."""
        if child.orphan_by_hand:
            asked = {**asked, "deletionPolicy": str(DeletionPolicy.ORPHAN)}
        operations = [{"op": "add", "path": "/spec", "value": asked}]
        return await change_object(self._kube, _child_ref(batch, child), operations)

    async def _is_live(self, batch: Batch) -> bool:
        """Whether the batch still exists and is not in deletion.

        A child without an owner may have lost it because its batch was just deleted with `--cascade=orphan`, and the
        watch events of the two kinds come in any order.
        """
        metadata = await metadata_of(self._kube, batch_ref(batch))
        return metadata is not None and metadata.get("deletionTimestamp") is None


def _child_ref(batch: Batch, child: Child) -> Ref:
    return Ref(ACCOUNT_KIND, batch.namespace, child.name, child.uid)


def _new_owner(batch: Batch, child: Child) -> list[Raw]:
    path = f"/metadata/ownerReferences/{child.owner_at}"
    return [
        {"op": "test", "path": f"{path}/uid", "value": child.owner},
        {"op": "replace", "path": path, "value": owner_reference(batch)},
    ]
