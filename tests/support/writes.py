"""Applies the operator's writes to objects as an API server does: pure functions, with field owners."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from coldsend_operator.kube.client import FIELD_MANAGER
from coldsend_operator.kube.errors import Conflict, Invalid
from coldsend_operator.kube.objects import BATCH_FIELD_MANAGER
from coldsend_operator.resources.names import BATCH_KIND

Raw = dict[str, Any]
PERSON = "kubectl-edit"


def with_finalizers(raw: Raw, body: Raw) -> Raw:
    """Server-side apply of finalizers by our field manager: omitted ones are removed."""
    metadata = raw["metadata"]
    if body["metadata"]["uid"] != metadata["uid"]:
        raise Conflict("another UID", status=409, reason="Conflict")
    wanted = set(body["metadata"]["finalizers"])
    before = set(metadata.get("finalizers") or ())
    owned = _owned_finalizers(metadata)
    after = (before - (owned - wanted)) | wanted
    if "deletionTimestamp" in metadata and after - before:
        raise Invalid("no new finalizers can be added in deletion", status=422, reason="Invalid")
    if after == before and owned == wanted:
        return raw
    managed = [_entry_of_finalizers(wanted)]
    return raw | {"metadata": metadata | {"finalizers": sorted(after), "managedFields": [*_others(metadata), *managed]}}


def json_patched(raw: Raw, operations: list[Raw], manager: str) -> Raw:
    """A JSON patch of anything except status."""
    after = deepcopy(raw)
    for operation in operations:
        *way, last = operation["path"].strip("/").split("/")
        holder: Any = after
        for part in way:
            holder = _at(holder, int(part)) if isinstance(holder, list) else holder.get(part) or {}
        if isinstance(holder, list):
            _patch_list(holder, int(last), operation)
        elif operation["op"] == "test":
            tested(holder.get(last), operation["value"])
        else:
            holder[last] = operation["value"]
    metadata = after["metadata"]
    if manager == BATCH_FIELD_MANAGER:
        if after["spec"] != raw["spec"]:
            after["metadata"] = _owned(metadata, BATCH_FIELD_MANAGER, _changed(raw["spec"], after["spec"]), "Update")
    else:
        left = _owned_finalizers(metadata) & set(metadata.get("finalizers") or ())
        managed = [_entry_of_finalizers(left)] if left else []
        after["metadata"] = metadata | {"managedFields": [*_others(metadata), *managed]}
    return after


def _at(holder: list[Any], at: int) -> Any:
    if at >= len(holder):
        raise Invalid("there is nothing", status=422, reason="Invalid")
    return holder[at]


def _patch_list(holder: list[Any], at: int, operation: Raw) -> None:
    if operation["op"] == "test":
        tested(holder[at] if at < len(holder) else None, operation["value"])
    elif operation["op"] == "remove":
        del holder[at]
    else:
        holder[at] = operation["value"]


def tested(found: object, wanted: object) -> None:
    if found != wanted:
        raise Invalid("the test failed", status=422, reason="Invalid")


# -- children of batches


def with_manifest(raw: Raw, manifest: Raw) -> Raw:
    """Server-side apply of a child with force: omitted fields are removed."""
    metadata, wanted = raw["metadata"], manifest["metadata"]
    named = _spec_fields(metadata, BATCH_FIELD_MANAGER, "Apply")
    of_others = _spec_fields(metadata, PERSON, "Update") | _spec_fields(metadata, BATCH_FIELD_MANAGER, "Update")
    dropped = named - manifest["spec"].keys() - of_others
    spec = {key: value for key, value in raw["spec"].items() if key not in dropped} | manifest["spec"]
    strangers = [owner for owner in metadata.get("ownerReferences") or () if owner["kind"] != BATCH_KIND]
    metadata = _disowned(metadata, PERSON, _changed(raw["spec"], spec))
    entries = [
        entry for entry in metadata.get("managedFields") or () if not _is_of(entry, BATCH_FIELD_MANAGER, "Apply")
    ]
    return raw | {
        "metadata": metadata
        | {
            "labels": (metadata.get("labels") or {}) | wanted["labels"],
            "ownerReferences": [*strangers, *wanted["ownerReferences"]],
            "managedFields": [*entries, entry_of_batch(manifest)],
        },
        "spec": spec,
    }


def entry_of_batch(manifest: Raw) -> Raw:
    labels: Raw = {f"f:{name}": {} for name in manifest["metadata"]["labels"]}
    return _entry(BATCH_FIELD_MANAGER, "Apply", manifest["spec"], {"f:metadata": {"f:labels": labels}})


def owned_by_person(metadata: Raw, fields: Iterable[str]) -> Raw:
    """A person wrote these fields of spec."""
    return _owned(metadata, PERSON, fields, "Update")


# -- managedFields


def _owned(metadata: Raw, manager: str, fields: Iterable[str], operation: str) -> Raw:
    fields = set(fields)
    for other in (PERSON, BATCH_FIELD_MANAGER):
        metadata = _disowned(metadata, other, fields)
    kept = _spec_fields(metadata, manager, operation) | fields
    entries = [entry for entry in metadata.get("managedFields") or () if not _is_of(entry, manager, operation)]
    return metadata | {"managedFields": [*entries, _entry(manager, operation, kept, {})]}


def _disowned(metadata: Raw, manager: str, fields: Iterable[str]) -> Raw:
    """Another field manager wrote these fields of spec."""
    gone = {f"f:{name}" for name in fields}
    entries = deepcopy(list(metadata.get("managedFields") or ()))
    for entry in entries:
        if entry["manager"] == manager:
            spec = entry["fieldsV1"].get("f:spec", {})
            entry["fieldsV1"]["f:spec"] = {name: value for name, value in spec.items() if name not in gone}
    return metadata | {"managedFields": entries}


def _spec_fields(metadata: Raw, manager: str, operation: str) -> set[str]:
    entries = [entry for entry in metadata.get("managedFields") or () if _is_of(entry, manager, operation)]
    return {name.removeprefix("f:") for entry in entries for name in entry["fieldsV1"].get("f:spec", {})}


def _changed(before: Raw, after: Raw) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _entry(manager: str, operation: str, fields: Iterable[str], more: Raw) -> Raw:
    spec: Raw = {f"f:{name}": {} for name in sorted(fields)}
    return {"manager": manager, "operation": operation, "time": "", "fieldsV1": {"f:spec": spec, **more}}


def _is_of(entry: Raw, manager: str, operation: str) -> bool:
    return bool(entry["manager"] == manager and entry["operation"] == operation)


def _is_mark(entry: Raw) -> bool:
    return bool(entry["manager"] == FIELD_MANAGER)


def _others(metadata: Raw) -> list[Raw]:
    return [entry for entry in metadata.get("managedFields") or () if not _is_mark(entry)]


def _entry_of_finalizers(finalizers: set[str]) -> Raw:
    fields: dict[str, Raw] = {f'v:"{name}"': {} for name in finalizers}
    return {
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "time": "",
        "fieldsV1": {"f:metadata": {"f:finalizers": fields}},
    }


def _owned_finalizers(metadata: Raw) -> set[str]:
    owned: set[str] = set()
    for entry in metadata.get("managedFields") or ():
        if _is_mark(entry):
            owned |= {name[3:-1] for name in entry["fieldsV1"]["f:metadata"]["f:finalizers"]}
    return owned
