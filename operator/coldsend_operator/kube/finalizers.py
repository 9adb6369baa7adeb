"""Our finalizers on an object: added by server-side apply, removed whoever added them (rules 2 and 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coldsend_operator.core.model.create_marks import is_mark
from coldsend_operator.kube.client import APPLY_PATCH, FIELD_MANAGER, JSON_PATCH, KubeClient
from coldsend_operator.kube.errors import UNDONE, Conflict, Invalid, KubeError, NotFound
from coldsend_operator.kube.objects import metadata_at, metadata_of
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.reads import METADATA
from coldsend_operator.resources.names import API_VERSION, FINALIZER

PLAIN = (FINALIZER,)  # thousands of objects share it
TRIES = 5
MAX_KEPT = 8  # of our finalizers on one object, in case somebody adds many


@dataclass(frozen=True, slots=True)
class OwnFinalizers:
    """Our finalizers on the object after a write of ours."""

    finalizers: tuple[str, ...]
    resource_version: str


def has_finalizer(metadata: Mapping[str, Any]) -> bool:
    """Whether our plain finalizer is set, whoever added it."""
    return FINALIZER in (metadata.get("finalizers") or ())


def own_finalizers(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Our finalizers in their order, at most MAX_KEPT: the plain one and create marks, forged or not."""
    found = tuple(name for name in metadata.get("finalizers") or () if _is_ours(name))
    return PLAIN if found == PLAIN else found[:MAX_KEPT]


async def add_finalizers(client: KubeClient, ref: Ref, *marks: str) -> OwnFinalizers:
    """Set our finalizer and these create marks; those we set before and do not name now are removed in the same write.

    Raises NotFound if the object is gone, Conflict if another object has its name by now, Invalid if it is in
    deletion and lacks one of them, or if a policy of the cluster has removed one from the write.
    """
    wanted = [FINALIZER, *marks]
    body = {
        "apiVersion": API_VERSION,
        "kind": ref.kind,
        # with the UID the apply neither recreates the object nor changes another one
        "metadata": {"name": ref.name, "namespace": ref.namespace, "uid": ref.uid, "finalizers": wanted},
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
    metadata = answer["metadata"]
    if not set(wanted) <= set(metadata.get("finalizers") or ()):
        raise Invalid("a mutating policy or webhook removes them from what is written", reason=UNDONE)
    kept = own_finalizers(metadata)
    return OwnFinalizers((*kept, *(name for name in wanted if name not in kept)), metadata["resourceVersion"])


async def remove_finalizers(client: KubeClient, ref: Ref, known: tuple[str, ...] = PLAIN) -> str | None:
    """Remove our finalizers, forged marks too, and no others. Returns the object's new resourceVersion.

    `known` are the expected finalizers of the object: if it has just these, it is not read first. An object
    that is gone counts as done (None).
    """
    refusal: KubeError | None = None
    metadata: Mapping[str, Any] | None = {"finalizers": list(known)} if known else await metadata_of(client, ref)
    for turn in range(TRIES):
        names = (metadata or {}).get("finalizers") or []
        ours = [at for at, name in enumerate(names) if _is_ours(name)]
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
        except (Conflict, Invalid) as error:  # a failed test returns 422: the list is not as expected
            refusal = error
            metadata = await metadata_of(client, ref)
        else:
            version: str | None = answer["metadata"]["resourceVersion"]
            return version
    raise refusal or Conflict("the finalizers keep changing", status=409)


def _is_ours(name: str) -> bool:
    return name == FINALIZER or is_mark(name)
