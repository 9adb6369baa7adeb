"""Finds the field of a child that differs from what its batch wrote, and who changed it."""

from collections.abc import Mapping
from typing import Any

from coldsend_operator.kube.client import FIELD_MANAGER
from coldsend_operator.kube.objects import BATCH_FIELD_MANAGER

Raw = dict[str, Any]
Path = tuple[str, ...]

OURS = frozenset({BATCH_FIELD_MANAGER, FIELD_MANAGER})
MAX_PATH_LENGTH = 100
MAX_MANAGER_LENGTH = 60


def change_by_others(stored: Raw, manifest: Raw) -> str | None:
    """A message about the first field that differs from the manifest; None if none does."""
    path = _difference(stored.get("spec"), manifest["spec"], ("spec",))
    labels = stored["metadata"].get("labels") or {}
    wanted = manifest["metadata"]["labels"]
    if path is None and any(labels.get(name) != value for name, value in wanted.items()):
        name = min(name for name, value in wanted.items() if labels.get(name) != value)
        path = ("metadata", "labels", name)
    if path is None:
        return None
    who = _manager(stored["metadata"], path)
    by = f"the field manager {who[:MAX_MANAGER_LENGTH]!r}" if who else "an admission policy or webhook"
    return f"{'.'.join(path)[:MAX_PATH_LENGTH]} of SenderAccount {stored['metadata']['name']} is changed by {by}"


def _difference(stored: object, wanted: object, path: Path) -> Path | None:
    """The first path at which the two differ, except deletionPolicy: a person may set Orphan on a child (rule 24)."""
    if not (isinstance(stored, Mapping) and isinstance(wanted, Mapping)):
        return None if stored == wanted else path
    for name in sorted(stored.keys() | wanted.keys()):
        inner = (*path, name)
        if inner == ("spec", "deletionPolicy"):
            continue
        found = _difference(stored.get(name), wanted.get(name), inner)
        if found is not None:
            return found
    return None


def _manager(metadata: Raw, path: Path) -> str | None:
    """The last field manager of the field that is not ours, by managedFields."""
    entries = [entry for entry in metadata.get("managedFields") or () if entry.get("manager") not in OURS]
    owners = [entry for entry in entries if _owns(entry.get("fieldsV1"), path)]
    last = max(owners, key=lambda entry: str(entry.get("time") or ""), default=None)
    return str(last["manager"]) if last is not None and last.get("manager") else None


def _owns(fields: object, path: Path) -> bool:
    for name in path:
        fields = fields.get(f"f:{name}") if isinstance(fields, Mapping) else None
        if fields is None:
            return False
    return True
