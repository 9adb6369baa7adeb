"""The reads of the cluster that several commands share, with the user's own permissions."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from coldsend_operator.kube import paths
from coldsend_operator.kube.errors import Expired, Forbidden, NotFound
from coldsend_operator.kube.paths import Kind
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.kube.state import state_name, state_path
from coldsend_operator.settings import Settings
from coldsend_operator.tools.terminal import Progress

LIST_TRIES = 3


async def items(kube: KubeReads, path: str, params: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """All items of a list."""
    found: list[dict[str, Any]] = []
    with Progress(path.rpartition("/")[2]) as progress:
        async for page in kube.list_pages(path, params=params):
            found += page["items"] or ()
            left = (page.get("metadata") or {}).get("remainingItemCount")
            progress.show(len(found), None if left is None else len(found) + int(left))
    return found


async def objects(kube: KubeReads, kind: Kind, namespace: str | None) -> list[dict[str, Any]]:
    """All objects of a kind, in a namespace or in all of them."""
    for _ in range(LIST_TRIES - 1):
        try:
            return await items(kube, paths.collection(kind, namespace))
        except Expired:  # the list took longer than the API server keeps its snapshot
            continue
    return await items(kube, paths.collection(kind, namespace))


async def find_object(kube: KubeReads, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
    """One object; None if it does not exist. Raises NotFound if its kind does not."""
    try:
        return await kube.get(f"{paths.collection(kind, namespace)}/{quote(name, safe='')}")
    except NotFound as error:
        if error.reason != "NotFound":  # the API server does not know the path at all
            raise
        return None


async def operator_state(kube: KubeReads, settings: Settings) -> tuple[str, dict[str, Any] | None]:
    """The place of the operator's state and its entries; None if it does not exist, or may not be read."""
    place = f"{settings.lease_namespace}/{state_name(settings.lease_name)}"
    try:
        found = await kube.get(state_path(settings.lease_namespace, settings.lease_name))
    except (Forbidden, NotFound):
        return place, None
    entries: dict[str, Any] = {}
    for digest, text in (found.get("data") or {}).items():
        with suppress(ValueError):  # somebody edited it
            entries[digest] = json.loads(text)
    return place, entries
