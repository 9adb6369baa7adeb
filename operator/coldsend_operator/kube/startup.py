"""The operator's own list at start, as kopf does not tell when its first list is done (rule 1)."""

from dataclasses import dataclass, field

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import METADATA_LIST, Expired, Forbidden, Kind, KubeClient
from coldsend_operator.kube.metadata import version_number

PAGE = 100  # metadata with managed fields is 3 kB each; larger pages save little time
TRIES = 3


@dataclass(frozen=True, slots=True)
class ListedObjects:
    """`versions` are resourceVersions by UID. Objects in the `forbidden` namespaces are unknown."""

    versions: dict[str, int] = field(default_factory=dict)
    forbidden: frozenset[str] = frozenset()


async def list_versions(
    client: KubeClient, kind: Kind, namespaces: tuple[str, ...], label_selector: str
) -> ListedObjects:
    """List the objects; no namespaces means all of them.

    A namespace that may not be listed is skipped. Raises Forbidden if there is no other.
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
