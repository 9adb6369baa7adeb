"""Writes status: only what changed."""

from dataclasses import dataclass
from typing import Any

from coldsend_operator.kube.client import FIELD_MANAGER, JSON_PATCH, KubeClient
from coldsend_operator.kube.errors import Conflict, Invalid, KubeError, NotFound
from coldsend_operator.kube.paths import Ref

TRIES = 3


@dataclass(frozen=True, slots=True)
class WrittenStatus:
    """The stored status. `resource_version` is None if no call was needed."""

    resource_version: str | None
    status: dict[str, Any]


async def write_status(client: KubeClient, ref: Ref, old: dict[str, Any], new: dict[str, Any]) -> WrittenStatus | None:
    """Change the status from `old` to `new`. Returns None if the object is gone, or another one has its name by now.

    This is a JSON patch that tests the UID: on the status subresource the API server ignores the metadata of a merge
    patch or an apply, including a foreign UID, so these would change a new object of the same name. If the status is
    not `old`, the difference of old and new is applied to the stored one. Fields that an older CRD drops are left out
    (rule 35).
    """
    change = difference(old, client.pruning.without(ref.kind, new))
    if not change:
        return WrittenStatus(None, old)
    held, refusal = old or None, None
    for _ in range(TRIES):
        patch = [{"op": "test", "path": "/metadata/uid", "value": ref.uid}, *_operations(held, change)]
        try:
            answer = await client.patch(f"{ref.path}/status", patch, JSON_PATCH, {"fieldManager": FIELD_MANAGER})
        except NotFound:
            return None
        except (Conflict, Invalid) as error:
            refusal = error
        else:
            written = _written(answer)
            client.pruning.learn(ref.kind, change, written.status)
            return written
        found = await client.find(ref.path)
        if found is None or found["metadata"]["uid"] != ref.uid:
            return None
        held = found.get("status")
        if not difference(held or {}, {**(held or {}), **change}):
            return _written(found)
    raise refusal or KubeError("no try was made")


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The new values of the top-level fields that differ; None for a field to remove."""
    old, new = compact(old), compact(new)
    return {key: new.get(key) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def compact(value: Any) -> Any:
    """The value as the API server stores it: without null fields."""
    if isinstance(value, dict):
        return {key: compact(within) for key, within in value.items() if within is not None}
    return [compact(item) for item in value] if isinstance(value, list) else value


def _operations(held: dict[str, Any] | None, change: dict[str, Any]) -> list[dict[str, Any]]:
    """The patch of a status that is `held`; None: the object has none, which an empty one is not."""
    kept = {key: value for key, value in change.items() if value is not None}
    if held is None:
        return [{"op": "test", "path": "/status", "value": None}, {"op": "add", "path": "/status", "value": kept}]
    gone = [key for key, value in change.items() if value is None and key in held]
    return [
        *({"op": "add", "path": f"/status/{key}", "value": value} for key, value in kept.items()),
        *({"op": "remove", "path": f"/status/{key}"} for key in gone),
    ]


def _written(answer: dict[str, Any]) -> WrittenStatus:
    return WrittenStatus(answer["metadata"]["resourceVersion"], answer.get("status") or {})
