"""The intent mark: our finalizer, owned by our field manager, put just before a call leaves (safety.md, 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coldsend_operator.kube.client import (
    APPLY_PATCH,
    FIELD_MANAGER,
    JSON_PATCH,
    METADATA,
    Conflict,
    Invalid,
    KubeClient,
    KubeError,
    NotFound,
    Ref,
)
from coldsend_operator.kube.metadata import metadata_at, metadata_of
from coldsend_operator.resources.names import API_VERSION, FINALIZER

TRIES = 5
# An apply that changes nothing (the finalizer came with a copy, or an entry of ours with a restore) gets an entry
# without a time, or keeps the old one. To come and go, this one makes a change, and ours never leaves the object.
_RENEWAL = f"{FINALIZER}-renewal"


@dataclass(frozen=True, slots=True)
class Mark:
    """`since` is the time of the mark in Unix seconds of the API server's clock, whole seconds."""

    since: float
    resource_version: str


def has_finalizer(metadata: Mapping[str, Any]) -> bool:
    """Whether our finalizer stands there, whoever put it."""
    return FINALIZER in (metadata.get("finalizers") or ())


def mark_of(metadata: Mapping[str, Any]) -> float | None:
    """When we put our finalizer there; None when it is not there or not ours.

    An entry older than the object itself came with a copy or a restore, and proves nothing.
    """
    if not has_finalizer(metadata):
        return None
    entries = metadata.get("managedFields") or ()
    times = {entry.get("operation"): _seconds(entry.get("time")) for entry in entries if _owns_finalizer(entry)}
    since = times.get("Apply") or times.get("Update")
    created = _seconds(metadata.get("creationTimestamp"))
    return None if since is None or created is None or since < created else since


async def mark(client: KubeClient, ref: Ref) -> Mark:
    """Put the mark; where it stands already, `since` stays what it was.

    Raises NotFound when the object is gone, Conflict when another object has its name by now, Invalid when it is in
    deletion without our finalizer.
    """
    metadata = await _apply(client, ref, FINALIZER)
    if mark_of(metadata) is None:
        await _apply(client, ref, FINALIZER, _RENEWAL)
        metadata = await _apply(client, ref, FINALIZER)
    since = mark_of(metadata)
    if since is None:
        raise KubeError("the API server does not say since when our finalizer stands there", reason="NoTime")
    return Mark(since, metadata["resourceVersion"])


async def unmark(client: KubeClient, ref: Ref) -> str | None:
    """Take our finalizer away, whoever put it there, and no other one; the object's resourceVersion then.

    An object that is gone counts as done (None).
    """
    refusal: KubeError | None = None
    metadata: Mapping[str, Any] | None = {"finalizers": [FINALIZER]}  # as a rule: no need to read it first
    for turn in range(TRIES):
        names = (metadata or {}).get("finalizers") or []
        ours = [at for at, name in enumerate(names) if name in {FINALIZER, _RENEWAL}]
        if not ours:
            return (metadata or {}).get("resourceVersion")
        patch: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/uid", "value": ref.uid}]
        if turn == 0:
            patch.append({"op": "test", "path": "/metadata/finalizers", "value": names})
        for at in reversed(ours):
            path = f"/metadata/finalizers/{at}"
            patch += [{"op": "test", "path": path, "value": names[at]}, {"op": "remove", "path": path}]
        try:
            answer = await client.patch(ref.path, patch, JSON_PATCH, {"fieldManager": FIELD_MANAGER}, METADATA)
        except NotFound:
            return None
        except (Conflict, Invalid) as error:  # a failed test answers 422: the list is not as we took it to be
            refusal = error
            metadata = await metadata_of(client, ref)
        else:
            version: str | None = answer["metadata"]["resourceVersion"]
            return version
    raise refusal or Conflict("the finalizers keep changing", status=409)


async def _apply(client: KubeClient, ref: Ref, *finalizers: str) -> dict[str, Any]:
    body = {
        "apiVersion": API_VERSION,
        "kind": ref.kind,
        # the UID keeps the apply from creating an object anew, and from marking another one
        "metadata": {"name": ref.name, "namespace": ref.namespace, "uid": ref.uid, "finalizers": list(finalizers)},
    }
    try:
        answer = await client.patch(ref.path, body, APPLY_PATCH, {"fieldManager": FIELD_MANAGER}, METADATA)
    except (Conflict, Invalid) as error:
        found = await metadata_at(client, ref)
        if found is None:
            raise NotFound("the object is gone", status=404, reason="NotFound") from error
        if found["uid"] != ref.uid:
            raise Conflict("another object has the name by now", status=409, reason="Conflict") from error
        raise
    metadata: dict[str, Any] = answer["metadata"]
    return metadata


def _owns_finalizer(entry: Mapping[str, Any]) -> bool:
    """Whether the entry of managedFields is our claim of the finalizer."""
    if entry.get("manager") != FIELD_MANAGER or entry.get("subresource"):
        return False
    owned = ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:finalizers") or {}
    return f'v:"{FINALIZER}"' in owned


def _seconds(time: str | None) -> float | None:
    return None if time is None else datetime.fromisoformat(time).timestamp()
