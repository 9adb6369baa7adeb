"""Namespaces, looked at for annotations and for their end."""

from typing import Any

from coldsend_operator.kube import paths
from coldsend_operator.kube.errors import NotFound
from coldsend_operator.kube.reads import KubeReads


async def get_namespace(client: KubeReads, name: str) -> dict[str, Any] | None:
    """The Namespace as it stands now (`metadata.annotations`, `status.phase`); None when it is not there."""
    try:
        return await client.get(paths.namespace_path(name))
    except NotFound:
        return None
