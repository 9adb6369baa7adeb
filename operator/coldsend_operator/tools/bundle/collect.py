"""The content of a bundle, read with the user's own permissions; unreadable parts are noted and left out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coldsend_operator.kube import paths
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.paths import KINDS
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.kube.state import state_path
from coldsend_operator.resources.names import API_VERSION
from coldsend_operator.setting_texts import PREFIX
from coldsend_operator.tools.cluster import items, objects
from coldsend_operator.tools.installation import Installation, installations
from coldsend_operator.tools.terminal import Progress

T = TypeVar("T")
Raw = dict[str, Any]

LOG_LINES = "20000"
CLUSTER_NAMESPACE = "kube-system"  # its UID identifies the cluster
METRICS_PORT = 8080
MASK = "(not shown)"


@dataclass(slots=True)
class Findings:
    """All that was read. `unread`: what could not be read, and why."""

    objects: dict[str, list[Raw]] = field(default_factory=dict)
    events: list[Raw] = field(default_factory=list)
    versions: Raw = field(default_factory=dict)
    settings: Raw = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    unread: list[dict[str, str]] = field(default_factory=list)
    cluster: str = ""


class Collector:
    """Reads one part after the other."""

    def __init__(self, kube: KubeReads, namespace: str | None, lease: tuple[str, str]) -> None:
        self._kube, self._namespace, self._lease = kube, namespace, lease
        self.found = Findings()

    async def run(self) -> Findings:
        found = self.found
        parts: list[Callable[[], Awaitable[None]]] = [self._objects, self._events, self._installed]
        with Progress("parts of the bundle") as progress:
            for position, part in enumerate(parts):
                progress.show(position, len(parts))
                await part()
        space = await self._try("the UID of the cluster", self._kube.get(paths.namespace_path(CLUSTER_NAMESPACE)))
        found.cluster = str(space["metadata"]["uid"]) if space else ""
        return found

    async def _try(self, what: str, reading: Awaitable[T]) -> T | None:
        try:
            return await reading
        except KubeError as error:
            self.found.unread.append({"what": what, "why": error.message})
            return None

    async def _objects(self) -> None:
        kube, found = self._kube, self.found
        where = f"namespace {self._namespace}" if self._namespace else "all namespaces"
        for kind in KINDS:
            listed = await self._try(f"{kind} objects of {where}", objects(kube, kind, self._namespace))
            found.objects[kind] = [{"apiVersion": API_VERSION, "kind": kind, **raw} for raw in listed or ()]
        spaces = sorted({raw["metadata"]["namespace"] for raws in found.objects.values() for raw in raws})
        read = [await self._try(f"Namespace {name}", kube.get(paths.namespace_path(name))) for name in spaces]
        found.objects["Namespace"] = [raw for raw in read if raw is not None]

    async def _events(self) -> None:
        spaces = {raw["metadata"]["namespace"] for kind in KINDS for raw in self.found.objects[kind]}
        for space in sorted(spaces | ({self._namespace} if self._namespace else set())):
            listed = await self._try(f"Events of namespace {space}", items(self._kube, paths.events(space)))
            self.found.events += [
                raw for raw in listed or () if str((raw.get("regarding") or {}).get("apiVersion")) == API_VERSION
            ]

    async def _installed(self) -> None:
        kube, found = self._kube, self.found
        version = await self._try("the version of Kubernetes", kube.get("/version"))
        found.versions["kubernetes"] = (version or {}).get("gitVersion")
        listed = await self._try("Deployments", installations(kube, self._lease[0]))
        found.objects["Deployment"] = [_without_secrets(each.raw) for each in listed or ()]
        places = {self._lease}
        for each in listed or ():
            found.versions[f"deployment {each.namespace}/{each.name}"] = {
                "version": each.version,
                "images": each.images,
            }
            found.settings[f"{each.namespace}/{each.name}"] = _settings(each)
            places.add((each.setting("LEASE_NAMESPACE") or each.namespace, each.setting("LEASE_NAME") or each.name))
            await self._pods(each)
        for namespace, name in sorted(places):
            await self._state(namespace, name)

    async def _state(self, namespace: str, name: str) -> None:
        for kind, path in (
            ("Lease", f"{paths.leases(namespace)}/{name}"),
            ("ConfigMap", state_path(namespace, name)),
        ):
            place = path.rpartition("/")[2]
            raw = await self._try(f"{kind} {namespace}/{place}", self._kube.get(path))
            self.found.objects.setdefault(kind, []).extend([raw] if raw else [])

    async def _pods(self, installed: Installation) -> None:
        kube, found, namespace = self._kube, self.found, installed.namespace
        base = f"/api/v1/namespaces/{namespace}/pods"
        pods = await self._try(
            f"pods of {namespace}/{installed.name}", items(kube, base, {"labelSelector": installed.selector})
        )
        for raw in pods or ():
            name = str(raw["metadata"]["name"])
            found.objects.setdefault("Pod", []).append(_without_secrets(raw))
            given = {"tailLines": LOG_LINES, "timestamps": "true", "container": installed.container}
            log, before, metrics = await asyncio.gather(
                self._try(f"log of pod {namespace}/{name}", kube.get_text(f"{base}/{name}/log", given)),
                self._before(f"{base}/{name}/log", given),
                self._try(
                    f"metrics of pod {namespace}/{name}", kube.get_text(f"{base}/{name}:{METRICS_PORT}/proxy/metrics")
                ),
            )
            texts = {f"{namespace}-{name}": log, f"{namespace}-{name}-previous": before}
            found.logs.update({title: text for title, text in texts.items() if text is not None})
            if metrics is not None:
                found.metrics[f"{namespace}-{name}"] = metrics

    async def _before(self, path: str, given: Mapping[str, str]) -> str | None:
        """The log of the container that ran before, which most pods do not have."""
        try:
            return await self._kube.get_text(path, {**given, "previous": "true"})
        except KubeError:
            return None


def _without_secrets(raw: Mapping[str, Any]) -> Raw:
    """The object without values of environment variables, except settings that are not secret."""

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        told = {name: walk(each) for name, each in value.items()}
        if "name" in told and isinstance(told.get("value"), str) and not _may_show(str(told["name"])):
            told["value"] = MASK
        return told

    walked: Raw = walk(raw)
    return walked


def _may_show(variable: str) -> bool:
    return variable.startswith(PREFIX) and variable != f"{PREFIX}API_KEY"


def _settings(installed: Installation) -> Raw:
    """Variables of the operator with their values; of all others, only that they are set."""
    told: Raw = {}
    for variable in installed.variables:
        name = str(variable.get("name"))
        if "value" not in variable:
            told[name] = "(from elsewhere)"
        else:
            told[name] = variable["value"] if _may_show(name) else MASK
    return {"variables": told, "arguments": installed.arguments}
