"""Reads of Namespaces."""

from typing import Any

from coldsend_operator.kube import paths
from coldsend_operator.kube.errors import NotFound
from coldsend_operator.kube.reads import KubeReads


async def get_namespace(client: KubeReads, name: str) -> dict[str, Any] | None:
    """The current Namespace (`metadata.annotations`, `status.phase`); None if it does not exist."""
    try:
        return await client.get(paths.namespace_path(name))
    except NotFound:
        return None
