"""The objects of our two kinds: listed, looked up, applied, changed and deleted, each by its UID."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import APPLY_PATCH, JSON_PATCH, KubeClient
from coldsend_operator.kube.errors import Conflict, Expired, Forbidden, NotFound
from coldsend_operator.kube.paths import Kind, Ref
from coldsend_operator.kube.reads import METADATA, METADATA_LIST, KubeReads

BATCH_FIELD_MANAGER = "coldsend-operator-batch"
PAGE = 100  # metadata with managed fields is 3 kB each; larger pages save little time
TRIES = 3


async def metadata_of(client: KubeReads, ref: Ref) -> dict[str, Any] | None:
    """The object's metadata; None if it is gone, or another object has its name by now."""
    metadata = await metadata_at(client, ref)
    return metadata if metadata and metadata["uid"] == ref.uid else None


async def metadata_at(client: KubeReads, ref: Ref) -> dict[str, Any] | None:
    """The metadata of the object that has this name now."""
    found = await client.find(ref.path, METADATA)
    return None if found is None else found["metadata"]


def version_number(version: str | None) -> int:
    """The resourceVersion as a number, which is comparable within a kind; 0 if it is not a number."""
    return int(version) if version is not None and version.isdigit() else 0


@dataclass(frozen=True, slots=True)
class ListedObjects:
    """`versions` are resourceVersions by UID. Objects in the `forbidden` namespaces are unknown."""

    versions: dict[str, int] = field(default_factory=dict)
    forbidden: frozenset[str] = frozenset()


async def list_versions(
    client: KubeClient, kind: Kind, namespaces: tuple[str, ...], label_selector: str
) -> ListedObjects:
    """The operator's own list, as kopf does not tell when its first list is done (rule 1).

    No namespaces means all of them. A namespace that may not be listed is skipped. Raises Forbidden if there is no
    other.
    """
    versions: dict[str, int] = {}
    forbidden: dict[str, Forbidden] = {}
    for namespace in namespaces or (None,):
        try:
            versions.update(await _listed(client, paths.collection(kind, namespace), label_selector))
        except Forbidden as error:
            if namespace is None:
                raise
            forbidden[namespace] = error
    if forbidden and len(forbidden) == len(namespaces):
        raise forbidden[namespaces[0]]
    return ListedObjects(versions, frozenset(forbidden))


async def _listed(client: KubeClient, path: str, label_selector: str) -> dict[str, int]:
    params = {"labelSelector": label_selector} if label_selector else {}
    for _ in range(TRIES - 1):
        try:
            return await _once(client, path, params)
        except Expired:  # the list took longer than the API server keeps its snapshot
            continue
    return await _once(client, path, params)


async def _once(client: KubeClient, path: str, params: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    async for page in client.list_pages(path, PAGE, params, METADATA_LIST):
        for item in page["items"] or ():  # null if empty
            metadata = item["metadata"]
            found[metadata["uid"]] = version_number(metadata["resourceVersion"])
    return found


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
