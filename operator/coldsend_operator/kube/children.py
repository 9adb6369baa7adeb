"""The children of a batch: applied as a whole, deleted by UID."""

from typing import Any
from urllib.parse import quote

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import APPLY_PATCH, JSON_PATCH, Conflict, KubeClient, NotFound, Ref
from coldsend_operator.kube.metadata import metadata_of

BATCH_FIELD_MANAGER = "coldsend-operator-batch"


async def apply_child(client: KubeClient, manifest: dict[str, Any]) -> dict[str, Any]:
    """Apply the manifest (server-side apply, overriding others). Returns the stored object.

    With a metadata.uid in the manifest, the call creates no new object but raises Conflict.
    """
    metadata = manifest["metadata"]
    path = f"{paths.collection(manifest['kind'], metadata['namespace'])}/{quote(metadata['name'], safe='')}"
    return await client.patch(path, manifest, APPLY_PATCH, {"fieldManager": BATCH_FIELD_MANAGER, "force": "true"})


async def delete_object(client: KubeClient, ref: Ref, resource_version: str | None = None) -> None:
    """Delete this very object, by UID; succeeds if it is gone.

    Raises Conflict if it has another resourceVersion than the given one.
    """
    preconditions = {"uid": ref.uid}
    if resource_version is not None:
        preconditions["resourceVersion"] = resource_version
    body = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": preconditions,
        "propagationPolicy": "Background",
    }
    try:
        await client.delete(ref.path, body)
    except NotFound:
        return
    except Conflict:
        if await metadata_of(client, ref) is not None:
            raise


async def change_object(client: KubeClient, ref: Ref, operations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Apply a JSON patch to this very object. Returns the stored object, None if it is gone.

    Raises Invalid if a test of the patch fails.
    """
    patch = [{"op": "test", "path": "/metadata/uid", "value": ref.uid}, *operations]
    try:
        return await client.patch(ref.path, patch, JSON_PATCH, {"fieldManager": BATCH_FIELD_MANAGER})
    except NotFound:
        return None
