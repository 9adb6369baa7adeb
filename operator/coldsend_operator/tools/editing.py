"""The client of the commands that change objects of the two kinds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from coldsend_operator.kube.client import MERGE_PATCH, KubeClient
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.paths import Ref
from coldsend_operator.resources.names import API_VERSION
from coldsend_operator.tools.clients import ReadingConnection, connected
from coldsend_operator.tools.options import Access

EDITOR = "kubectl-coldsend"  # field manager


class EditingConnection(ReadingConnection):
    """A connection that can also change objects of the two kinds, but not create or delete them."""

    def may_send(self, method: str, target: str) -> bool:
        return method == "GET" or (method == "PATCH" and target.startswith(f"/apis/{API_VERSION}/"))


@asynccontextmanager
async def kube_editor(access: Access) -> AsyncIterator[KubeClient]:
    """As `kube_reader`, for the commands that change objects."""
    client = KubeClient(lambda _kind, _verb: None)
    client.connection = EditingConnection(access)
    async with connected(client):
        yield client


async def change(kube: KubeClient, ref: Ref, patch: dict[str, Any]) -> str | None:
    """Merge the patch into this very object. Returns the error, if any."""
    metadata = {**patch.get("metadata", {}), "uid": ref.uid}
    body = {**patch, "metadata": metadata}  # another object of the name has another UID: that is a conflict
    try:
        await kube.patch(ref.path, body, MERGE_PATCH, {"fieldManager": EDITOR})
    except KubeError as error:
        return f"{ref.kind} {ref.namespace}/{ref.name}: {error.message}"
    return None
