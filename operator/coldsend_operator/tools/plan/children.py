"""What batches would do to their children: their own decisions, applied at once in the world of `plan`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from coldsend_operator.batches.reading import ChildReader, manifest_of, owner_reference, read_list, see_batch
from coldsend_operator.core.batch.decide import ChildAction, decide_child
from coldsend_operator.core.batch.model import Batch, Child, EntryRefusal
from coldsend_operator.core.batch.overrides import apply_overrides, deleted_with
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.resources.batch import SenderAccountBatchSpec
from coldsend_operator.resources.common import DeletionPolicy
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from coldsend_operator.tools.plan.objects import Key, Raw, World, applied, delete

MAX_ACTIONS = 4  # for one child: its owner, its policy, its spec, its end


@dataclass(frozen=True, slots=True)
class RefusedInbox:
    """An inbox of a batch that gets no child."""

    batch: Key
    address: str
    refusal: EntryRefusal


def settle_batches(world: World, policy: Policy, now: float) -> list[RefusedInbox]:
    """Update the children of all batches. Returns the inboxes that get no child."""
    reader = ChildReader()
    children: dict[tuple[str, str], Child] = {}
    for raw in world.of_kind(ACCOUNT_KIND):
        with _alone(world, raw):
            children[raw["metadata"]["namespace"], raw["metadata"]["name"]] = reader.read(raw, None)
    refused: list[RefusedInbox] = []
    for raw in world.of_kind(BATCH_KIND):
        with _alone(world, raw):
            refused += _Settling(world, policy, now, reader, children, raw).run()
    return refused


@contextmanager
def _alone(world: World, raw: Raw) -> Iterator[None]:
    """A fault of one object affects that object alone (rule 38)."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it
        world.set_aside(raw, error)


class _Settling:
    """One batch and its progress."""

    def __init__(
        self,
        world: World,
        policy: Policy,
        now: float,
        reader: ChildReader,
        children: dict[tuple[str, str], Child],
        raw: Raw,
    ) -> None:
        self._world, self._policy, self._now, self._reader, self._children = world, policy, now, reader, children
        metadata = raw["metadata"]
        self._batch = batch = Batch(metadata["uid"], metadata["namespace"], metadata["name"])
        see_batch(batch, raw)
        self._spec: SenderAccountBatchSpec | None = None
        if not batch.deleting:
            reading = read_list(batch.name, batch.generation, raw.get("spec"))
            self._spec, batch.desired = reading.spec, reading.desired
        for (namespace, name), child in children.items():
            if namespace == batch.namespace and child.owner_name == batch.name and child.owner is not None:
                batch.children[name] = child.owner

    def run(self) -> Iterator[RefusedInbox]:
        batch = self._batch
        names = dict.fromkeys([*(batch.desired.by_name if batch.desired is not None else ()), *batch.children])
        apply_overrides(self._policy, batch)
        owned = [child for name in batch.children if (child := self._child(name)) is not None and batch.owns(child)]
        self._policy.leaving[batch.uid] = deleted_with(batch, owned)
        key = (BATCH_KIND, batch.namespace, batch.name)
        for name in names:
            refusal = self._settle(name)
            entry = batch.entry(name)
            if refusal is not None:
                yield RefusedInbox(key, entry.shown if entry is not None else name, refusal)
        for entry in batch.desired.entries if batch.desired is not None else ():
            if entry.name is None and entry.refusal is not None:
                yield RefusedInbox(key, entry.shown, entry.refusal)

    def _child(self, name: str) -> Child | None:
        return self._children.get((self._batch.namespace, name))

    def _settle(self, name: str) -> EntryRefusal | None:
        before: ChildAction | None = None
        for _ in range(MAX_ACTIONS):
            decision = decide_child(self._batch, name, self._child(name))
            # an object of a snapshot does not say who wrote its labels: it would be applied again and again
            if decision.action in {ChildAction.NONE, before}:
                return decision.refusal
            self._carry_out(decision.action, name)
            before = decision.action
        return None

    def _carry_out(self, action: ChildAction, name: str) -> None:
        batch, key = self._batch, (ACCOUNT_KIND, self._batch.namespace, name)
        raw, child = self._world.objects.get(key), self._child(name)
        if action is ChildAction.DELETE:
            delete(self._world, key, self._now)
        elif action is ChildAction.APPLY:
            self._apply(key, raw, child)
        elif raw is not None and action is ChildAction.POLICY:
            policy = str(DeletionPolicy.ORPHAN if batch.orphans else DeletionPolicy.DELETE)
            self._world.objects[key] = {**raw, "spec": {**raw["spec"], "deletionPolicy": policy}}
        elif raw is not None and child is not None:
            owners: list[Any] = list(raw["metadata"]["ownerReferences"])
            owners[child.owner_at] = owner_reference(batch)
            self._world.objects[key] = {**raw, "metadata": {**raw["metadata"], "ownerReferences": owners}}
        stored = self._world.objects.get(key)
        if stored is None:
            self._children.pop((batch.namespace, name), None)
        else:
            self._children[batch.namespace, name] = self._reader.read(stored, None)

    def _apply(self, key: Key, raw: Raw | None, child: Child | None) -> None:
        entry = self._batch.entry(key[2])
        if entry is None or self._spec is None:
            return
        spelled = ((raw or {}).get("spec") or {}).get("emailAddress")
        manifest = manifest_of(self._batch, self._spec, entry, child, spelled)
        if child is not None and child.orphan_by_hand:
            manifest["spec"]["deletionPolicy"] = str(DeletionPolicy.ORPHAN)
        self._world.note(key, raw)
        self._world.objects[key] = applied(raw, manifest, key, len(self._world.objects), self._now)
