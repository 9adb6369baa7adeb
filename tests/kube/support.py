"""Shared by the tests of the Kubernetes client: a namespace, objects in it, a failing connection."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import yaml

import devcluster
from coldsend_operator.kube import paths
from coldsend_operator.kube.client import MERGE_PATCH, KubeClient
from coldsend_operator.kube.lease import LeaseTimes
from coldsend_operator.kube.paths import Ref
from coldsend_operator.resources.names import ACCOUNT_KIND, API_VERSION

CRDS = Path(__file__).parents[2] / "crds"
PATIENCE = 90.0  # on a busy machine


def install_crds(cluster: devcluster.Cluster) -> None:
    kubectl(cluster, "apply", "--server-side", "-f", str(CRDS))
    established(cluster, "-f", str(CRDS))


def established(cluster: devcluster.Cluster, *crds: str) -> None:
    """Wait until the API server serves these CRDs."""
    kubectl(cluster, "wait", "--for=condition=Established", "--timeout=120s", *crds)


def kubectl(cluster: devcluster.Cluster, *args: str, given: str | None = None) -> str:
    command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), *args]
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout


async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; the time limit of the test ends the wait."""
    async with asyncio.timeout(PATIENCE):
        while not await true():  # noqa: ASYNC110 - what it waits for is on the other side of a network
            await asyncio.sleep(0.05)


@dataclass
class World:
    """A client and a fresh namespace; `writes` are those that the client counted."""

    client: KubeClient
    writes: list[tuple[str, str]]
    namespace: str = field(default_factory=lambda: f"kube-{uuid4().hex[:8]}")

    async def make_namespace(self, name: str) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await self.client.create("/api/v1/namespaces", body)

    def manifest(self, name: str, **metadata: Any) -> dict[str, Any]:
        return {
            "apiVersion": API_VERSION,
            "kind": ACCOUNT_KIND,
            "metadata": {"namespace": self.namespace, "name": name, **metadata},
            "spec": {
                "inboxType": "COLDSEND",
                "displayName": name,
                "native": {"domainName": "mail.example.com", "emailPrefix": name[:60]},
            },
        }

    async def account(self, name: str = "john", **metadata: Any) -> Ref:
        """A SenderAccount as created with kubectl."""
        made = await self.client.create(
            paths.collection("SenderAccount", metadata.get("namespace", self.namespace)),
            self.manifest(name, **metadata),
            {"fieldManager": "kubectl"},
        )
        return Ref("SenderAccount", made["metadata"]["namespace"], name, made["metadata"]["uid"])

    async def account_again(self, ref: Ref) -> Ref:
        """Deletes the object and makes another one of the same name."""
        await self.client.delete(ref.path)
        return await self.account(ref.name)

    async def metadata(self, ref: Ref) -> dict[str, Any]:
        metadata: dict[str, Any] = (await self.client.get(ref.path))["metadata"]
        return metadata

    async def edit(self, ref: Ref, metadata: dict[str, Any], manager: str = "kubectl") -> dict[str, Any]:
        return await self.client.patch(ref.path, {"metadata": metadata}, MERGE_PATCH, {"fieldManager": manager})


class Wire:
    """A TCP proxy to the API server, which can be cut and muted.

    `cut`: nobody gets through. `mute`: what is sent arrives, but no answer comes back.
    """

    def __init__(self, cluster: devcluster.Cluster) -> None:
        self._cluster = cluster
        host, _, port = cluster.url.removeprefix("https://").partition(":")
        self._target = (host, int(port))
        self.cut = False
        self.mute = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.kubeconfig = cluster.folder / f"wire-{uuid4().hex[:8]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        config = yaml.safe_load(self._cluster.kubeconfig.read_text())
        for entry in config["clusters"]:
            entry["cluster"]["server"] = f"https://127.0.0.1:{port}"
        self.kubeconfig.write_text(yaml.safe_dump(config))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()

    def drop(self) -> None:
        """Closes every connection that is open now."""
        for writer in list(self._open):
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(OSError):
            if not self.cut:
                upstream, down = await asyncio.open_connection(*self._target)
                self._open.add(down)
                await asyncio.gather(
                    self._pump(reader, down, lambda: self.cut), self._pump(upstream, writer, lambda: self.mute)
                )
        writer.close()

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallow: Callable[[], bool]) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                if not swallow():
                    writer.write(chunk)
                    await writer.drain()
        writer.close()


async def token_of_account_with(world: World, rule: dict[str, Any]) -> str:
    """The token of a ServiceAccount that may do in its namespace what the rule says."""
    namespace, name = world.namespace, f"account-{uuid4().hex[:8]}"
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    metadata = {"name": name, "namespace": namespace}
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    await world.client.create(account, {"metadata": metadata})
    await world.client.create(f"{rbac}/roles", {"metadata": metadata, "rules": [rule]})
    binding = {
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    await world.client.create(f"{rbac}/rolebindings", binding)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = await world.client.create(f"{account}/{name}/token", request)
    return str(answer["status"]["token"])


def audited(cluster: devcluster.Cluster, namespace: str, resource: str, user: str) -> list[dict[str, Any]]:
    """The requests that the API server saw, as its audit log tells."""
    assert cluster.audit_log is not None
    entries = [json.loads(line) for line in cluster.audit_log.read_text().splitlines()]
    return [
        entry
        for entry in entries
        if entry.get("objectRef", {}).get("namespace") == namespace
        and entry["objectRef"]["resource"] == resource
        and entry["user"]["username"].startswith(user)
    ]


QUICK = LeaseTimes(duration=2, fresh=1.2, renew=0.3, retry=0.1, call=0.4)  # a real one, some eight times as fast
