"""Looks at the metadata of one object, its UID compared."""

from typing import Any

from coldsend_operator.kube.client import METADATA, KubeClient, NotFound, Ref


async def metadata_of(client: KubeClient, ref: Ref) -> dict[str, Any] | None:
    """The object's metadata; None when it is gone, or when another object has its name by now."""
    try:
        answer = await client.get(ref.path, accept=METADATA)
    except NotFound:
        return None
    metadata: dict[str, Any] = answer["metadata"]
    return metadata if metadata["uid"] == ref.uid else None
