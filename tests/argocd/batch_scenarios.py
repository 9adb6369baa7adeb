"""SenderAccountBatches as the operator reports on them: its own reading, counting and projection.

The children have the statuses that the account scenarios played.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.batches.reading import ChildReader, manifest_of, read_list
from coldsend_operator.core.batch.counts import Counts, count_child
from coldsend_operator.core.batch.decide import decide_child
from coldsend_operator.core.batch.model import Batch, Child
from coldsend_operator.core.batch.status import project_batch
from coldsend_operator.kube.objects import BATCH_FIELD_MANAGER
from coldsend_operator.resources.crd import UNSEEN
from coldsend_operator.resources.names import BATCH_LABEL, FINALIZER, PAUSED_ANNOTATION
from tests.argocd.scenario import Raw, Scenario, manifest
from tests.support.clock import START, rfc3339

NAME, UID = "sales-pool", "uid-of-the-batch"
TEMPLATE: Raw = {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": {"name": "sales-pool"}}}

WRITTEN_BY_THE_BATCH = {
    "manager": BATCH_FIELD_MANAGER,
    "fieldsV1": {"f:metadata": {"f:labels": {f"f:{BATCH_LABEL}": {}}}},
}

MAIL = {"recipient": "ops@company.com", "requestID": "1"}  # refused for a batch


def batch_scenarios(accounts: Sequence[Scenario]) -> Iterator[Scenario]:
    played = {scenario.name: scenario.manifest for scenario in accounts}

    def scenario(name: str, health: str, says: str | None, *listed: str, **differences: Any) -> Scenario:
        world = _World(**differences)
        for child in listed:
            world.enlist(played[child])
        for child in differences.get("leaving", ()):
            world.let_leave(played[child])
        return Scenario("SenderAccountBatch", name, health, says, world.manifest())

    ready, fresh, failed, held = "healthy", "progressing_no_status", "degraded_rejected", "degraded_deletion_held"
    yield scenario("healthy", "Healthy", "Ready", ready, ready, ready)
    yield scenario("healthy_empty", "Healthy", "Ready")
    yield scenario("progressing_no_status", "Progressing", None, fresh, seen=False)
    yield scenario("progressing_old_generation", "Progressing", None, ready, generation=2)
    yield scenario("progressing", "Progressing", "Ready", ready, "progressing_provisioning", fresh)
    yield scenario("progressing_some_failed", "Progressing", "Ready", ready, failed, fresh)
    yield scenario("progressing_inboxes_leave", "Progressing", "Synced", ready, leaving=["progressing_deletion"])
    yield scenario("progressing_deletion", "Progressing", "Ready", leaving=["progressing_deletion"], deleting=True)
    yield scenario("suspended_object", "Suspended", "Synced", ready, ready, paused=True)
    yield scenario("suspended_inbox", "Suspended", "Ready", ready, "suspended_inbox")
    yield scenario("degraded_failed", "Degraded", "Ready", ready, failed, ready)
    yield scenario("degraded_secret_changed", "Degraded", "Synced", ready, "degraded_secret_changed")
    yield scenario("degraded_health_low", "Degraded", "Healthy", ready, "degraded_health_low")
    yield scenario("degraded_invalid_spec", "Degraded", "Ready", template=TEMPLATE | {"testEmail": MAIL})
    yield scenario("degraded_inboxes_held", "Degraded", "Synced", ready, fresh, leaving=[held, held])
    yield scenario("degraded_deletion_held", "Degraded", "Ready", leaving=[held, held], deleting=True)


@dataclass
class _World:
    """A batch and its children. `generation` is that of the object; the operator has looked at the first."""

    leaving: Sequence[str] = ()
    template: Raw = field(default_factory=lambda: TEMPLATE)
    generation: int = 1
    seen: bool = True
    paused: bool = False
    deleting: bool = False
    listed: list[Raw] = field(default_factory=list)
    left: list[Raw] = field(default_factory=list)

    def enlist(self, played: Raw) -> None:
        self.listed.append(played)

    def let_leave(self, played: Raw) -> None:
        self.left.append(played)

    @property
    def spec(self) -> Raw:
        return {"template": self.template, "inboxes": [_inbox(number) for number in range(len(self.listed))]}

    def manifest(self) -> Raw:
        metadata: Raw = {"name": NAME, "namespace": "sales", "generation": self.generation, "finalizers": [FINALIZER]}
        if self.deleting:
            metadata |= {"generation": self.generation + 1, "deletionTimestamp": rfc3339(START)}
        if self.paused:
            metadata["annotations"] = {PAUSED_ANNOTATION: "true"}
        found: Raw = {"metadata": metadata, "spec": self.spec}
        return manifest("SenderAccountBatch", found | {"status": self._status() if self.seen else UNSEEN})

    def _status(self) -> Raw:
        """What the operator's own reading, counting and projection make of it."""
        reading = read_list(NAME, 1, self.spec)
        batch = Batch(
            UID,
            "sales",
            NAME,
            deleting=self.deleting,
            paused=self.paused,
            paused_said=self.paused,
            desired=reading.desired,
        )
        batch.generation = 2 if self.deleting else 1
        batch.labels = ((BATCH_LABEL, NAME),)
        counts = Counts()
        for child in self._children(batch):
            count_child(counts, batch, child.name, child, decide_child(batch, child.name, child))
        status = project_batch(batch, counts, [], None, START)
        assert status is not None
        return status

    def _children(self, batch: Batch) -> Iterator[Child]:
        """They are made as for a list that still has those which leave, with the statuses of the scenarios."""
        everybody = [*self.listed, *self.left]
        whole = {"template": TEMPLATE, "inboxes": [_inbox(number) for number in range(len(everybody))]}
        reading = read_list(NAME, 1, whole)
        assert reading.spec is not None
        reader = ChildReader()
        for entry, played in zip(reading.desired.entries, everybody, strict=True):
            made = manifest_of(batch, reading.spec, entry, None)
            made["metadata"] |= {"uid": f"uid-of-{entry.name}", "managedFields": [WRITTEN_BY_THE_BATCH]}
            if "deletionTimestamp" in played["metadata"]:
                made["metadata"]["deletionTimestamp"] = played["metadata"]["deletionTimestamp"]
            yield reader.read(made | {"status": played.get("status", {})}, None)


def _inbox(number: int) -> Raw:
    return {"emailAddress": f"person-{number}@company.com", "displayName": "Jane"}
