"""The writer of status: what changed, and nothing when nothing changed."""

from dataclasses import dataclass
from typing import Any

from coldsend_operator.kube.client import FIELD_MANAGER, MERGE_PATCH, Conflict, Invalid, KubeClient, NotFound, Ref
from coldsend_operator.kube.metadata import metadata_of


@dataclass(frozen=True, slots=True)
class Written:
    """What the API server holds now. `resource_version` is None when no call was needed."""

    resource_version: str | None
    status: dict[str, Any]


async def write_status(client: KubeClient, ref: Ref, old: dict[str, Any], new: dict[str, Any]) -> Written | None:
    """Bring the status from `old` to `new` by a merge patch of the difference.

    None when the object is gone, or another one has its name by now.
    """
    change = difference(old, new)
    if not change:
        return Written(None, old)
    body = {"metadata": {"uid": ref.uid}, "status": change}
    try:
        answer = await client.patch(f"{ref.path}/status", body, MERGE_PATCH, {"fieldManager": FIELD_MANAGER})
    except NotFound:
        return None
    except (Conflict, Invalid):  # of another UID, or of the status itself
        if await metadata_of(client, ref) is None:
            return None
        raise
    return Written(answer["metadata"]["resourceVersion"], answer.get("status") or {})


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that makes `new` of `old`; lists go whole. None in `new` means: absent."""
    change: dict[str, Any] = {}
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            within = difference(before, after)
            if within:
                change[key] = within
        elif before != after:
            change[key] = _without_nulls(after) if isinstance(after, dict) else after
    return change


def _without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    return {k: _without_nulls(v) if isinstance(v, dict) else v for k, v in value.items() if v is not None}
