"""Names of the cluster for the shell, within two seconds. Errors yield no names."""

import asyncio
from collections.abc import Sequence

from coldsend_operator.kube import paths
from coldsend_operator.kube.login import context_names
from coldsend_operator.kube.paths import Kind
from coldsend_operator.kube.reads import METADATA_LIST, KubeReads
from coldsend_operator.resources.names import ACCOUNT_KIND, ACCOUNT_SHORT_NAME, BATCH_KIND, BATCH_SHORT_NAME
from coldsend_operator.tools.clients import default_namespace, kube_reader
from coldsend_operator.tools.completion.engine import CommandLine, Parameter
from coldsend_operator.tools.options import Access

SECONDS = 2.0
MOST = "500"  # names of one kind
_SHORT: dict[Kind, str] = {ACCOUNT_KIND: ACCOUNT_SHORT_NAME, BATCH_KIND: BATCH_SHORT_NAME}
_NAMESPACES = "/api/v1/namespaces"


def names(line: CommandLine, parameter: Parameter) -> Sequence[str]:
    """The names in the cluster that the command line selects."""
    access = Access(
        kubeconfig=line.given.get("kubeconfig", ""),
        context=line.given.get("context", ""),
        impersonate=line.given.get("impersonate", ""),
        groups=[line.given["groups"]] if "groups" in line.given else None,
    )
    try:
        if parameter.name == "context":
            return context_names(access.kubeconfig)
        return asyncio.run(_within(access, line, parameter))
    except Exception:  # noqa: BLE001 - a shell that completes shows no errors
        return ()


async def _within(access: Access, line: CommandLine, parameter: Parameter) -> list[str]:
    async with asyncio.timeout(SECONDS), kube_reader(access) as kube:
        if parameter.name == "namespace":
            return await _names(kube, _NAMESPACES)
        namespace = line.given.get("namespace") or default_namespace(access)
        if parameter.name == "to" and line.command == "hand-over":
            return [f"{namespace}/{name}" for name in await _of_kind(kube, ACCOUNT_KIND, namespace)]
        found: list[str] = []
        for kind in _kinds(line, parameter):
            words = await _of_kind(kube, kind, namespace)
            found += words if line.command == "status" else [f"{_SHORT[kind]}/{name}" for name in words]
        return found


def _kinds(line: CommandLine, parameter: Parameter) -> tuple[Kind, ...]:
    """The kinds that an argument accepts."""
    match line.command, parameter.name:
        case "tree", "batch":
            return (BATCH_KIND,)
        case ("status" | "wait", "name"):
            return (BATCH_KIND, ACCOUNT_KIND)
        case ("reconcile" | "hand-over" | "test-email", "names"):
            return (ACCOUNT_KIND,)
        case _, "names":
            return (ACCOUNT_KIND, BATCH_KIND)
    return ()


async def _of_kind(kube: KubeReads, kind: Kind, namespace: str) -> list[str]:
    return await _names(kube, paths.collection(kind, namespace))


async def _names(kube: KubeReads, path: str) -> list[str]:
    page = await kube.get(path, {"limit": MOST}, METADATA_LIST)
    return [str(each["metadata"]["name"]) for each in page.get("items") or ()]
