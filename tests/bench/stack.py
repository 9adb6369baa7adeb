"""What a measurement runs on: a control plane, the emulator, and the operator as a process of its own."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from coldsend_emulator.running import RunningEmulator, running_emulator
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.paths import collection, secrets
from coldsend_operator.kube.reads import METADATA_LIST
from demo.operator_run import free_port
from devcluster import Cluster

ROOT = Path(__file__).parents[2]
API_KEY = "cs_live_bench"
NAMESPACE = "bench"
DOMAIN = "mail.example.com"
ACCOUNTS = collection("SenderAccount", NAMESPACE)
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
STOP_SECONDS = 30.0
PARALLEL = 16


@dataclass
class OperatorProcess:
    """A running operator; figures come from /proc and from its own metrics."""

    process: subprocess.Popen[bytes]
    metrics_url: str
    log: Path
    imports: float = 0.0

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's series that have these labels."""
        total = 0.0
        for line in httpx.get(f"{self.metrics_url}/metrics", timeout=30).text.splitlines():
            if line.startswith((f"{name}{{", f"{name} ")) and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    @property
    def cpu(self) -> float:
        """Seconds of processor time since the start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name: str = "VmRSS") -> float:
        """Megabytes: VmRSS now, VmHWM at the most."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:")) / 1024

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Stack:
    """One set of real parts. `settings` are COLDSEND_ variables of every operator that it starts."""

    cluster: Cluster
    emulator: RunningEmulator
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def operator(self, **settings: str) -> Iterator[OperatorProcess]:
        """Run the operator until the block ends."""
        port = free_port()
        log = self.folder / f"operator-{time.monotonic_ns()}.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COLDSEND_")}
        environment |= {
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "COLDSEND_API_URL": self.emulator.api_url,
            "COLDSEND_API_KEY": API_KEY,
            "COLDSEND_METRICS_ADDRESS": f"127.0.0.1:{port}",
            "COLDSEND_PROBES_ADDRESS": "off",
            **self.settings,
            **settings,
        }
        with log.open("wb") as lines:
            process = subprocess.Popen(
                [sys.executable, "-m", "coldsend_operator", "run"], env=environment, stdout=lines, stderr=lines
            )
        running = OperatorProcess(process, f"http://127.0.0.1:{port}", log)
        try:
            _wait_for_port(port, process)
            yield running
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


@contextmanager
def stack(cluster: Cluster, folder: Path, **limits: Any) -> Iterator[Stack]:
    """CRDs, a namespace and a fresh emulator on a running control plane."""
    with running_emulator([API_KEY], domains=[f"{DOMAIN}=20000"], **limits) as emulator:
        asyncio.run(_prepare(cluster))
        yield Stack(cluster, emulator, folder)


async def _prepare(cluster: Cluster) -> None:
    async with kube(cluster) as client:
        for path in sorted((ROOT / "crds").glob("*.yaml")):
            crd = yaml.safe_load(path.read_text())
            await _apply(client, f"{DEFINITIONS}/{crd['metadata']['name']}", crd)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await _apply(client, f"/api/v1/namespaces/{NAMESPACE}", body)
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "smtp", "namespace": NAMESPACE},
            "stringData": {"password": "bench password"},
        }
        await _apply(client, f"{secrets(NAMESPACE)}/smtp", secret)
        while not await _served(client):
            await asyncio.sleep(0.2)


def kube(cluster: Cluster) -> KubeClient:
    os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
    return KubeClient(lambda kind, verb: None)


async def _served(client: KubeClient) -> bool:
    try:
        await client.get(ACCOUNTS, {"limit": "1"})
        await client.get(collection("SenderAccountBatch", NAMESPACE), {"limit": "1"})
    except Exception:  # noqa: BLE001 - not there yet, whatever the answer
        return False
    return True


async def _apply(client: KubeClient, path: str, body: dict[str, Any]) -> None:
    await client.patch(path, body, "application/apply-patch+yaml", {"fieldManager": "bench", "force": "true"})


def smtp_account(number: int, prefix: str = "account") -> dict[str, Any]:
    return {
        "apiVersion": "coldsend.pro/v1alpha1",
        "kind": "SenderAccount",
        "metadata": {"name": f"{prefix}-{number:05}", "namespace": NAMESPACE},
        "spec": {
            "inboxType": "GOOGLE_WORKSPACE",
            "emailAddress": f"{prefix}-{number:05}@example.com",
            "displayName": f"Account {number}",
            "dailyLimit": 50,
            "smtp": {"passwordSecretRef": {"name": "smtp"}},
        },
    }


def native_account(number: int, prefix: str = "native") -> dict[str, Any]:
    return {
        "apiVersion": "coldsend.pro/v1alpha1",
        "kind": "SenderAccount",
        "metadata": {"name": f"{prefix}-{number:05}", "namespace": NAMESPACE},
        "spec": {
            "inboxType": "COLDSEND",
            "displayName": f"Account {number}",
            "native": {"domainName": DOMAIN, "emailPrefix": f"{prefix}-{number:05}"},
        },
    }


async def create_all(client: KubeClient, bodies: list[dict[str, Any]]) -> None:
    """Create objects as fast as the API server takes them."""
    await each(bodies, lambda body: client.create(ACCOUNTS, body))


async def delete_all(client: KubeClient, names: list[str]) -> None:
    await each(names, lambda name: client.delete(f"{ACCOUNTS}/{name}"))


async def each(items: list[Any], work: Any) -> None:
    """Do the work for all items, so many at a time."""
    queue = iter(items)

    async def one() -> None:
        for item in queue:
            await work(item)

    await asyncio.gather(*(one() for _ in range(PARALLEL)))


async def wait_ready(client: KubeClient, count: int, timeline: list[tuple[float, int]] | None = None) -> float:
    """Seconds until `count` accounts are Ready; `timeline` collects (seconds, Ready) on the way."""
    begun = time.monotonic()
    while True:
        ready = await count_ready(client)
        if timeline is not None:
            timeline.append((time.monotonic() - begun, ready))
        if ready >= count:
            return time.monotonic() - begun
        await asyncio.sleep(0.5 if count < 2000 else 2.0)


async def count_ready(client: KubeClient) -> int:
    ready = 0
    async for page in client.list_pages(ACCOUNTS, 500, {}, "application/json"):
        ready += sum(1 for item in page["items"] or () if is_ready(item))
    return ready


def is_ready(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", ())
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


async def count_objects(client: KubeClient) -> int:
    found = 0
    async for page in client.list_pages(ACCOUNTS, 500, {}, METADATA_LIST):
        found += len(page["items"] or ())
    return found


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the operator ended before it served metrics")
