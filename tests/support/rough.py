"""External events of an installation: CRDs, shards, backups, namespace defaults, freezes, protection.

`RoughWorld` is the simulation with these on top, and with what must hold while they go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    APPROVE_DELETION_ANNOTATION,
    BATCH_KIND,
    DELETION_POLICY_ANNOTATION,
    PAUSED_ANNOTATION,
)
from tests.support.cluster import NAMESPACES, PLURALS, Raw
from tests.support.process import Process
from tests.support.simulation import Simulation

READ_SECONDS = 15.0  # after which every process has read a changed namespace

DEFAULTS: tuple[dict[str, str], ...] = (
    {},
    {DELETION_POLICY_ANNOTATION: "Orphan"},
    {DELETION_POLICY_ANNOTATION: "Delete"},
    {DELETION_POLICY_ANNOTATION: "keep"},  # counts as Orphan
    {PAUSED_ANNOTATION: "true"},
)


@dataclass
class RoughWorld(Simulation):
    guards_crds: bool = True
    with_crd: set[str] = field(default_factory=set)  # UIDs in deletion only because of their CRD
    _calm: bool = False
    _changed: dict[str, tuple[float, bool]] = field(
        default_factory=dict
    )  # by namespace: when it changed, and its value before

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cluster.on_stored = self._stored

    # -- definitions

    def apply(self, namespace: str, name: str, address: str, **fields: Any) -> str:
        if not self.cluster.takes(ACCOUNT_KIND):
            return ""
        self._reunite(address)
        return super().apply(namespace, name, address, **fields)

    def rename(self, uid: str, name: str, *, delete_first: bool = False) -> None:
        if self.cluster.takes(ACCOUNT_KIND):
            self.return_to_shard()
            super().rename(uid, name, delete_first=delete_first)

    def list_in_batch(self, namespace: str, name: str, addresses: Sequence[str], **template: Any) -> None:
        if self.cluster.takes(BATCH_KIND):
            self._reunite(*addresses)
            super().list_in_batch(namespace, name, addresses, **template)

    def rename_batch(self, uid: str, name: str) -> None:
        if self.cluster.takes(BATCH_KIND):
            super().rename_batch(uid, name)

    def move_into_batch(self, uid: str, name: str) -> None:
        if self.cluster.takes(BATCH_KIND):
            super().move_into_batch(uid, name)

    def replace_batch(self, uid: str) -> None:
        if self.cluster.takes(BATCH_KIND):
            self.return_to_shard()
            super().replace_batch(uid)

    def delete_crd(self, kind: str) -> None:
        """`kubectl delete crd`: Kubernetes deletes all objects of the kind."""
        for uid in self.cluster.delete_crd(kind):
            if kind == BATCH_KIND:
                self.watch.batches[uid].deleted = True
            else:
                self.watch.ended(uid)
                self.with_crd.add(uid)

    def install_crds(self) -> None:
        for kind in PLURALS:
            self.cluster.install_crd(kind)

    # -- shards

    def leave_shard(self, uid: str) -> None:
        """The labels of an account are changed; those of a batch with those of its children.

        Two shards that claim one address do not know of each other (docs/explanation/limits.md): that is left out.
        """
        raw = self.cluster.find(uid)
        if raw is None or raw["metadata"].get("ownerReferences"):
            return
        family = self._family(uid)
        if self._addresses(*family) & self._addresses_beside(*family):
            return
        for each in family:
            self.cluster.hide(each)
        self.watch.loose |= self._addresses(*family)  # this shard does not see their further fate

    def return_to_shard(self) -> None:
        for uid in list(self.cluster.hidden):
            self.cluster.show(uid)

    def _reunite(self, *addresses: str) -> None:
        if self._addresses(*self.cluster.hidden) & {address.lower() for address in addresses}:
            self.return_to_shard()

    def _family(self, uid: str) -> list[str]:
        children = [
            raw["metadata"]["uid"]
            for raw in self.cluster.of_kind(ACCOUNT_KIND)
            if any(owner["uid"] == uid for owner in raw["metadata"].get("ownerReferences") or ())
        ]
        return [uid, *children]

    def _addresses(self, *uids: str) -> set[str]:
        """What these accounts claim, and what these batches list."""
        listed = [self.watch.batches[uid].addresses for uid in uids if uid in self.watch.batches]
        return {self.stories[uid].address for uid in uids if uid in self.stories}.union(*listed)

    def _addresses_beside(self, *uids: str) -> set[str]:
        others = {raw["metadata"]["uid"] for raw in self.cluster.objects.values()} - set(uids)
        return self._addresses(*others)

    # -- backups

    def restore_without_status(self, uid: str, **fields: Any) -> None:
        """The object is removed while the operator is away, and restored from a backup: new UID, no status."""
        raw = self.cluster.find(uid)
        if raw is None or raw["metadata"].get("ownerReferences") or not self.cluster.takes(ACCOUNT_KIND):
            return
        self.return_to_shard()
        story, metadata = self.stories[uid], raw["metadata"]
        self.watch.loose.add(story.address)
        self.watch.ended(uid)
        self.cluster.wipe_finalizers(uid)
        if self.cluster.find(uid) is not None:  # otherwise it was in deletion
            self.cluster.delete(uid)
        made = {key: value for key, value in metadata["annotations"].items() if key != APPROVE_DELETION_ANNOTATION}
        self.cluster.create(story.namespace, story.name, raw["spec"] | fields, annotations=made)

    # -- defaults

    def change_defaults(self, namespace: str, annotations: dict[str, str]) -> None:
        """A person annotates the Namespace; that of a terminating one has no effect."""
        if self.cluster.terminates(namespace):
            return
        self._changed[namespace] = self.clock(), self._says_orphan(namespace)
        self.cluster.namespaces[namespace] = {"metadata": {"annotations": annotations}, "status": {}}
        for raw in self.cluster.of_kind(ACCOUNT_KIND):
            if raw["metadata"]["namespace"] == namespace:
                self._defaulted(raw)
        for listing in self.watch.batches.values():
            if listing.namespace == namespace:  # its children may be released or recreated
                self.watch.loose |= listing.addresses | listing.unlisted

    def _says_orphan(self, namespace: str) -> bool:
        metadata = (self.cluster.namespaces.get(namespace) or {}).get("metadata") or {}
        said = (metadata.get("annotations") or {}).get(DELETION_POLICY_ANNOTATION)
        return said is not None and said != "Delete"

    def _may_say_orphan(self, namespace: str) -> set[bool]:
        """The values that a process may know of the namespace now."""
        at, before = self._changed.get(namespace, (0.0, False))
        recent = {before} if self.clock() - at < READ_SECONDS or self.process is None else set()
        return {self._says_orphan(namespace)} | recent

    def _stored(self, before: Raw | None, after: Raw) -> None:
        uid, spec = after["metadata"]["uid"], after["spec"]
        known = self.stories[uid].may_delete if uid in self.stories else False
        self.watch.stored(before, after)
        if "deletionPolicy" not in spec:  # the namespace decides
            self.stories[uid].may_delete = known
            self._defaulted(after)

    def _defaulted(self, raw: Raw) -> None:
        metadata, spec, story = raw["metadata"], raw["spec"], self.stories[raw["metadata"]["uid"]]
        if "deletionPolicy" in spec:
            return
        orphans = self._may_say_orphan(metadata["namespace"])
        if True in orphans and (story.deleted or "deletionTimestamp" in metadata):
            self.watch.loose.add(story.address)
        observes = spec.get("managementPolicy") == "Observe"
        story.may_delete = story.may_delete or (False in orphans and not observes)

    # -- freeze

    def freeze(self, *, on: bool, softly: bool) -> None:
        """Change the setting, which restarts the process."""
        if softly:
            self.stop()
        self.crash()
        self.standby, self.ended = None, [*self.ended, *([self.standby] if self.standby else [])]
        self.settings = self.settings.model_copy(update={"freeze": on})
        self.start()

    # -- what must hold

    def _deletion_left(self, process: Process, inbox_ids: Sequence[str]) -> None:
        super()._deletion_left(process, inbox_ids)
        controller = process.operator.controller
        for holder in controller.accounts.values():
            if holder.stored.inbox_id not in inbox_ids or not holder.stored.held:
                continue
            desired = holder.desired
            approved = desired.approve_deletion or self._calm
            protected = controller.policy.batch(desired.batch).protected
            if (desired.spec.protected if protected is None else protected) and not approved:
                self.watch.violations.append(f"{desired.name} is protected, and its inbox is deleted")
            if desired.uid in self.with_crd and not approved:
                self.watch.violations.append(f"{desired.name} goes with its CRD, and its inbox is deleted")

    # -- in the end

    def _make_peace(self) -> None:
        self._calm = True
        if self.settings.freeze:
            self.freeze(on=False, softly=False)
        self.return_to_shard()
        before = {namespace: self._says_orphan(namespace) for namespace in NAMESPACES}
        super()._make_peace()
        for uid in self.uids:
            self.cluster.change_spec(uid, deletionProtection=None)
        for batch in self.cluster.of_kind(BATCH_KIND):
            template = {key: value for key, value in batch["spec"]["template"].items() if key != "deletionProtection"}
            self.cluster.change_spec(batch["metadata"]["uid"], template=template, deletionProtection=None)
        for namespace in NAMESPACES:
            self._changed[namespace] = self.clock(), before[namespace]
        for raw in self.cluster.of_kind(ACCOUNT_KIND):
            self._defaulted(raw)

    def _take_ways_out(self) -> None:
        super()._take_ways_out()
        self.install_crds()
