"""Looks at the metadata of one object, its UID compared."""

from typing import Any

from coldsend_operator.kube.errors import NotFound
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.reads import METADATA, KubeReads


async def metadata_of(client: KubeReads, ref: Ref) -> dict[str, Any] | None:
    """The object's metadata; None when it is gone, or when another object has its name by now."""
    metadata = await metadata_at(client, ref)
    return metadata if metadata and metadata["uid"] == ref.uid else None


async def metadata_at(client: KubeReads, ref: Ref) -> dict[str, Any] | None:
    """The metadata of whatever object has that name now."""
    try:
        answer = await client.get(ref.path, accept=METADATA)
    except NotFound:
        return None
    metadata: dict[str, Any] = answer["metadata"]
    return metadata


def version_number(version: str | None) -> int:
    """ResourceVersions of one kind are comparable numbers; 0 for one that is none."""
    return int(version) if version is not None and version.isdigit() else 0
