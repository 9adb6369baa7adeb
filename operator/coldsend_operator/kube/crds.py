"""Whether the API server serves both kinds, and whether one of their CRDs is being deleted."""

from dataclasses import dataclass
from typing import Final

from coldsend_operator.kube.errors import Forbidden
from coldsend_operator.kube.paths import PLURALS
from coldsend_operator.kube.reads import METADATA, KubeReads
from coldsend_operator.resources.names import API_VERSION, GROUP

LAG_SECONDS: Final = 1.0  # seconds by which discovery may lag behind a CRD


@dataclass(frozen=True, slots=True)
class Definitions:
    """Names of CRDs, such as `senderaccounts.coldsend.pro`.

    `generations` change when a CRD changes.
    """

    missing: tuple[str, ...] = ()
    deleting: tuple[str, ...] = ()
    generations: tuple[int | str, ...] = ()

    @property
    def usable(self) -> bool:
        return not self.missing and not self.deleting


async def served(client: KubeReads) -> Definitions:
    """The state by discovery, which everybody may read: a CRD in deletion accepts no creates."""
    answer = await client.find(f"/apis/{API_VERSION}")
    if answer is None:
        return Definitions(missing=tuple(map(_name, PLURALS.values())))
    verbs = {entry["name"]: entry.get("verbs") or () for entry in answer.get("resources") or ()}
    return Definitions(
        missing=tuple(_name(plural) for plural in PLURALS.values() if plural not in verbs),
        deleting=tuple(
            _name(plural) for plural in PLURALS.values() if plural in verbs and "create" not in verbs[plural]
        ),
    )


async def schemas(client: KubeReads) -> tuple[str, ...]:
    """Where the API server serves the schemas of both kinds: the URL contains their hash. Empty if nothing tells."""
    try:
        index = await client.find("/openapi/v3") or {}
    except Forbidden:  # by default everybody may read it
        return ()
    shown = (index.get("paths") or {}).get(f"apis/{API_VERSION}") or {}
    return (str(shown.get("serverRelativeURL")),)


async def defined(client: KubeReads) -> Definitions:
    """The current state by the CRDs themselves. Raises Forbidden if they may not be read."""
    missing, deleting, generations = [], [], []
    for plural in PLURALS.values():
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{_name(plural)}"
        found = await client.find(path, METADATA)
        if found is None:
            missing.append(_name(plural))
            continue
        metadata = found["metadata"]
        generations.append(int(metadata.get("generation") or 0))
        if metadata.get("deletionTimestamp"):
            deleting.append(_name(plural))
    return Definitions(tuple(missing), tuple(deleting), tuple(generations))


def _name(plural: str) -> str:
    return f"{plural}.{GROUP}"
