"""Converts the JSON of a batch and of its children to the core's models, and entries of a list to manifests."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

from coldsend_operator.accounts.effective import api_key
from coldsend_operator.accounts.reading import Raw, orphan_of
from coldsend_operator.addresses import domain_of
from coldsend_operator.core.batch.model import Batch, Child, DesiredList, Entry, EntryRefusal, Shown, desired_list
from coldsend_operator.core.model.policy import DEFAULT_UNAVAILABLE, Unavailable
from coldsend_operator.core.model.reasons import KstatusType, Reason
from coldsend_operator.core.model.stored_status import account_status, batch_status
from coldsend_operator.kube.finalizers import has_finalizer
from coldsend_operator.kube.objects import BATCH_FIELD_MANAGER, version_number
from coldsend_operator.resources.annotations import read_annotations
from coldsend_operator.resources.batch import BatchInbox, SenderAccountBatchSpec
from coldsend_operator.resources.children import child_labels, child_name, child_spec, domain_label, labels_problem
from coldsend_operator.resources.common import AdoptionPolicy, UpdatePolicy
from coldsend_operator.resources.names import ACCOUNT_KIND, API_VERSION, BATCH_KIND, DOMAIN_LABEL, GROUP
from coldsend_operator.resources.reading import InboxReading, policies, read_batch

ORPHANS_STAY = "orphan"  # finalizer of Kubernetes for `--cascade=orphan`
DIGEST_SIZE = 16
MAX_SHARED_VALUES = 1_000
T = TypeVar("T")
Labels = tuple[tuple[str, str], ...]


# -- batches


def see_batch(batch: Batch, raw: Raw) -> None:
    """Update the batch from its JSON, except its list, which `read_list` reads outside the event loop."""
    metadata, spec = raw["metadata"], raw.get("spec") or {}
    annotations = read_annotations(metadata.get("annotations"), of_batch=True)
    batch.generation = metadata.get("generation", 1)
    batch.version = version_number(metadata.get("resourceVersion"))
    batch.deleting = metadata.get("deletionTimestamp") is not None
    batch.finalized = has_finalizer(metadata)
    batch.released = ORPHANS_STAY in (metadata.get("finalizers") or ())
    batch.paused_said = annotations.paused
    batch.approve_deletion = annotations.approve_deletion
    batch.approve_recreation = annotations.approve_recreation
    template = spec.get("template") if isinstance(spec, Mapping) else None
    forced = batch.deleting and annotations.force_orphan
    batch.notes = annotations.notes
    batch.orphan = True if forced else orphan_of(policies(template).deletion)
    fields = template if isinstance(template, Mapping) else {}
    batch.key = api_key(policies(template).api_key_secret)
    batch.recreate = fields.get("updatePolicy") == UpdatePolicy.RECREATE
    batch.adopt = None if fields.get("adoptionPolicy") is None else fields["adoptionPolicy"] == AdoptionPolicy.ADOPT
    batch.protected = policies(spec).protected or policies(template).protected
    labels = child_labels(batch.name, metadata.get("labels"))
    batch.labels_problem = labels_problem(labels)
    batch.labels = () if batch.labels_problem else tuple(sorted(labels.items()))
    batch.status = batch_status(raw.get("status"))


@dataclass(frozen=True, slots=True)
class ListReading:
    """A batch's spec without its inboxes (None: invalid), and the desired list."""

    spec: SenderAccountBatchSpec | None
    desired: DesiredList


def read_list(batch: str, generation: int, raw_spec: object) -> ListReading:
    """Read the list of the batch with this name. 5,000 inboxes take 0.15 s, so call it in a thread."""
    reading = read_batch(raw_spec)
    if reading.spec is None:
        return ListReading(None, DesiredList(generation, problems=reading.problems))
    spec = reading.spec.model_copy(update={"inboxes": []})
    rows = raw_spec.get("inboxes") if isinstance(raw_spec, Mapping) else ()
    entries = _entries(batch, spec, reading.inboxes, rows or ())
    return ListReading(spec, desired_list(generation, entries, reading.problems, _unavailable(spec)))


def _entries(batch: str, spec: SenderAccountBatchSpec, inboxes: tuple[InboxReading, ...], rows: Any) -> Iterator[Entry]:
    for reading in inboxes:
        refusal = EntryRefusal(Reason.INVALID_SPEC, " ".join(reading.problems)) if reading.problems else None
        shown = reading.inbox.identity if reading.inbox is not None else _written(rows[reading.position])
        name = child_name(batch, shown) if shown else None
        if reading.inbox is None or refusal is not None:
            # An invalid entry keeps its child: it did not leave the list.
            yield Entry(reading.position, name, _address(spec, shown), refusal=refusal)
            continue
        asked = child_spec(spec, reading.inbox)
        own = json.dumps(reading.inbox.to_raw(), separators=(",", ":"))
        yield Entry(reading.position, name, _address(spec, shown), identity_of(asked), fingerprint(asked), own)


def _address(spec: SenderAccountBatchSpec, shown: str) -> str:
    """The address of an inbox, or only its prefix if the name of the domain is not known."""
    domain = spec.template.native.domain_name if spec.template.native is not None else None
    return f"{shown}@{domain}" if shown and domain else shown


def _written(row: object) -> str:
    """The address or prefix of an invalid entry; empty if it has none."""
    fields = row if isinstance(row, Mapping) else {}
    return next((text for key in ("emailAddress", "emailPrefix") if isinstance(text := fields.get(key), str)), "")


def _unavailable(spec: SenderAccountBatchSpec) -> Unavailable:
    value = spec.max_unavailable
    if value is None:
        return DEFAULT_UNAVAILABLE
    if isinstance(value, int):
        return Unavailable(number=value)
    return Unavailable(percent=float(value.removesuffix("%")))


# -- children


def identity_of(spec: Raw) -> str:
    """Type and address of a SenderAccount, which are immutable."""
    native = spec.get("native") or {}
    address = spec.get("emailAddress")
    if address is None:
        address = f"{native.get('emailPrefix')}@{native.get('domainID') or native.get('domainName')}"
    return f"{spec.get('inboxType')} {address}".lower()


def fingerprint(spec: Raw) -> bytes:
    """A digest of the spec: the address in lower case, and without deletionPolicy, which is compared by its meaning.

    A test mail is asked for on a child itself, never in the template, so it is no difference.
    """
    fields = {key: value for key, value in spec.items() if key not in {"deletionPolicy", "testEmail"}}
    if isinstance(fields.get("emailAddress"), str):
        fields["emailAddress"] = fields["emailAddress"].lower()
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=DIGEST_SIZE).digest()


class ChildReader:
    """Reads children; values that many share are stored once."""

    def __init__(self) -> None:
        self._labels: dict[Labels, Labels] = {}
        self._shown: dict[Shown, Shown] = {}

    def read(self, raw: Raw, known: Child | None) -> Child:
        """The child by its JSON; `known` is its previous state."""
        metadata, spec, status = raw["metadata"], raw.get("spec") or {}, account_status(raw.get("status"))
        generation = metadata.get("generation", 1)
        if known is not None and known.uid != metadata["uid"]:
            known = None
        unchanged = known if known is not None and known.generation == generation else None
        owners = metadata.get("ownerReferences") or ()
        owner_at = next((at for at, entry in enumerate(owners) if _is_batch(entry)), None)
        owner = None if owner_at is None else owners[owner_at]
        orphan = orphan_of(policies(spec).deletion)
        shown, message = self._conditions(status)
        return Child(
            uid=known.uid if known is not None else metadata["uid"],
            name=known.name if known is not None else metadata["name"],
            version=version_number(metadata.get("resourceVersion")),
            generation=generation,
            identity=unchanged.identity if unchanged is not None else identity_of(spec),
            digest=unchanged.digest if unchanged is not None else fingerprint(spec),
            labels=self._own_labels(metadata),
            owner=owner["uid"] if owner else None,
            owner_name=owner["name"] if owner else None,
            owner_at=owner_at or 0,
            foreign=any(entry.get("controller") and not _is_batch(entry) for entry in owners),
            deleting=metadata.get("deletionTimestamp") is not None,
            orphan=orphan,
            orphan_by_hand=orphan is True and _written_by_others(metadata),
            has_inbox=bool(status.get("inboxID")),
            score=status.get("healthScore"),
            domain=domain_of(status.get("emailAddress", "")),
            disabled=status.get("overallStatus") == "DISABLED",
            sent=status.get("emailsSentToday", 0),
            limit=status.get("dailyLimit", 0),
            shown=shown,
            message=message,
            settled=status.get("observedGeneration", generation) >= generation,
        )

    def _own_labels(self, metadata: Raw) -> Labels:
        """The current values of the labels that our field manager set, without the domain label."""
        labels = metadata.get("labels") or {}
        ours = {
            key.removeprefix("f:")
            for entry in metadata.get("managedFields") or ()
            if entry.get("manager") == BATCH_FIELD_MANAGER
            for key in _field(entry, "f:metadata", "f:labels")
        }
        found = tuple(sorted((key, labels[key]) for key in ours if key in labels and key != DOMAIN_LABEL))
        return _shared(self._labels, found)

    def _conditions(self, status: Raw) -> tuple[Shown, str]:
        said = {entry["type"]: entry for entry in status.get("conditions", ())}
        ready, synced, healthy = (said.get(kind, {}) for kind in ("Ready", "Synced", "Healthy"))
        shown = Shown(
            ready.get("status", "Unknown"),
            ready.get("reason", Reason.PROVISIONING),
            synced.get("status", "Unknown"),
            synced.get("reason", Reason.PROVISIONING),
            healthy.get("status", "Unknown"),
            next((kind.value for kind in KstatusType if said.get(kind, {}).get("status") == "True"), ""),
        )
        message = ready.get("message", "") if shown.failed else ""
        return _shared(self._shown, shown), message


def _shared(kept: dict[T, T], value: T) -> T:
    """The stored value that equals this one. The store is bounded (rule 43: nothing grows with what came and went)."""
    if value not in kept and len(kept) >= MAX_SHARED_VALUES:
        kept.clear()
    return kept.setdefault(value, value)


def _is_batch(owner: Raw) -> bool:
    return owner.get("kind") == BATCH_KIND and str(owner.get("apiVersion", "")).startswith(f"{GROUP}/")


def _field(entry: Raw, *path: str) -> Raw:
    """The entry of managedFields at this path. Its shape is untrusted: whoever may edit the object may write it."""
    found: Any = entry.get("fieldsV1")
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _written_by_others(metadata: Raw) -> bool:
    """Whether another field manager than ours set deletionPolicy."""
    return any(
        entry.get("manager") != BATCH_FIELD_MANAGER and "f:deletionPolicy" in _field(entry, "f:spec")
        for entry in metadata.get("managedFields") or ()
    )


def owner_reference(batch: Batch) -> dict[str, Any]:
    """The ownerReference to the batch.

    Without blockOwnerDeletion: with it, `--cascade=foreground` would delete the children before the live template's
    deletionPolicy is written to them (rule 24). Our finalizer keeps the batch until they are gone anyway.
    """
    return {"apiVersion": API_VERSION, "kind": BATCH_KIND, "name": batch.name, "uid": batch.uid, "controller": True}


def manifest_of(
    batch: Batch, spec: SenderAccountBatchSpec, entry: Entry, child: Child | None, spelled: str | None = None
) -> dict[str, Any]:
    """The manifest of the child. It contains the UID of an existing child, so that an apply creates no new one.

    `spelled` is the address as the spec of an existing child spells it: the field is immutable, case included.
    """
    metadata = {
        "name": entry.name,
        "namespace": batch.namespace,
        "labels": {**dict(batch.labels), **domain_label(domain_of(entry.shown) or (child.domain if child else ""))},
        "ownerReferences": [owner_reference(batch)],
    }
    asked = child_spec(spec, BatchInbox.model_validate_json(entry.own))
    if spelled is not None and "emailAddress" in asked:
        asked["emailAddress"] = spelled
    if child is not None:
        metadata["uid"] = child.uid
        if child.orphan_by_hand:
            asked.pop("deletionPolicy", None)
    return {"apiVersion": API_VERSION, "kind": ACCOUNT_KIND, "metadata": metadata, "spec": asked}
