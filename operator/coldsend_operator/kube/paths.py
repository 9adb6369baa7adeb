"""Paths of objects on the API server."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from coldsend_operator.resources.names import ACCOUNT_KIND, ACCOUNT_PLURAL, API_VERSION, BATCH_KIND, BATCH_PLURAL

Kind = Literal["SenderAccount", "SenderAccountBatch"]

KINDS: tuple[Kind, ...] = (ACCOUNT_KIND, BATCH_KIND)
PLURALS: dict[Kind, str] = {ACCOUNT_KIND: ACCOUNT_PLURAL, BATCH_KIND: BATCH_PLURAL}
_KINDS = {
    ACCOUNT_PLURAL: ACCOUNT_KIND,
    BATCH_PLURAL: BATCH_KIND,
    "configmaps": "ConfigMap",
    "events": "Event",
    "leases": "Lease",
    "namespaces": "Namespace",
    "secrets": "Secret",
}


@dataclass(frozen=True, slots=True)
class Ref:
    """One object of ours; the UID tells it from a later one of the same name."""

    kind: Kind
    namespace: str
    name: str
    uid: str

    @property
    def path(self) -> str:
        return f"{collection(self.kind, self.namespace)}/{quote(self.name, safe='')}"


def collection(kind: Kind, namespace: str | None) -> str:
    """The path of the objects of a kind, in one namespace or in all."""
    return _collection(f"/apis/{API_VERSION}", namespace, PLURALS[kind])


def secrets(namespace: str) -> str:
    return _collection("/api/v1", namespace, "secrets")


def config_maps(namespace: str) -> str:
    return _collection("/api/v1", namespace, "configmaps")


def leases(namespace: str) -> str:
    return _collection("/apis/coordination.k8s.io/v1", namespace, "leases")


def events(namespace: str) -> str:
    return _collection("/apis/events.k8s.io/v1", namespace, "events")


def namespace_path(name: str) -> str:
    return f"/api/v1/namespaces/{quote(name, safe='')}"


def _collection(prefix: str, namespace: str | None, plural: str) -> str:
    within = f"namespaces/{quote(namespace, safe='')}/" if namespace else ""
    return f"{prefix}/{within}{plural}"


def kind_of(path: str) -> str:
    """The kind that a path refers to, for the counters: /apis/GROUP/VERSION/[namespaces/NS/]PLURAL[/NAME[/SUB]]."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    plural = rest[0] if rest else ""
    return _KINDS.get(plural, plural)
