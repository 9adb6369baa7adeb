"""Reads the metadata of one object and compares its UID."""

from typing import Any

from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.reads import METADATA, KubeReads


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
