"""What one namespace can do to another: a single account beside floods, storms, churn, poison and junk keys."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from coldsend_emulator.running import RunningEmulator
from coldsend_operator.kube.client import MERGE_PATCH, KubeClient
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.paths import collection, secrets
from devcluster import Cluster
from tests.bench.figures import Figure, Say, figure
from tests.bench.scale import forget_budget
from tests.bench.stack import NAMESPACE, Stack, each, kube, smtp_account, stack

VICTIM = "victim"
GOAL = 60.0
LONGEST = 900.0
FLOOD = 10_000
JUNK_KEYS = 1_000
SETTLED = 15.0  # how long a disturbance lasts before the victim's account is applied
STORM_PAUSE = 0.2
RECONCILE = "coldsend.pro/reconcile"

Disturbance = Callable[[KubeClient, RunningEmulator], Awaitable[None]]


def tenants(cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    """The first call for a victim's account beside each disturbance, and memory after a flood that went."""
    disturbances: dict[str, Disturbance] = {
        f"{FLOOD:,} creations of another namespace": _flood,
        "an annotation storm on one object": _storm,
        "an object made and deleted once a second": _churn,
        "an item that ColdSend always answers with 500": _poison,
        f"{JUNK_KEYS:,} API keys that ColdSend refuses": _junk_keys,
    }
    figures = [_beside(cluster, folder, say, name, disturb) for name, disturb in disturbances.items()]
    return [*figures, _memory(cluster, folder, say)]


def _beside(cluster: Cluster, folder: Path, say: Say, name: str, disturb: Disturbance) -> Figure:
    say(f"one account beside {name}")
    with stack(cluster, folder, per_minute=100, per_hour=1000) as parts:
        seconds = asyncio.run(_seconds_beside(parts, disturb))
    return figure(
        f"first call for an account beside {name}", f"<= {GOAL:.0f} s", f"{seconds:.1f} s", good=seconds <= GOAL
    )


async def _seconds_beside(parts: Stack, disturb: Disturbance) -> float:
    async with kube(parts.cluster) as client:
        await forget_budget(client)
        await _make_namespace(client, VICTIM)
        with parts.operator():
            async with _under_way(disturb(client, parts.emulator)):
                await asyncio.sleep(SETTLED)
                seconds = await _first_call(client, parts.emulator)
        await _clear(client)
    return seconds


@asynccontextmanager
async def _under_way(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _first_call(client: KubeClient, emulator: RunningEmulator) -> float:
    """Seconds from apply until ColdSend has the victim's inbox."""
    body = _of(VICTIM, smtp_account(0, "victim"))
    begun = time.monotonic()
    await client.create(collection("SenderAccount", VICTIM), body)
    while not emulator.inboxes(address=body["spec"]["emailAddress"]):
        if time.monotonic() - begun > LONGEST:
            break
        await asyncio.sleep(0.2)
    return time.monotonic() - begun


# -- disturbances, all in the namespace `bench`


async def _flood(client: KubeClient, _: RunningEmulator) -> None:
    await each([smtp_account(number) for number in range(FLOOD)], lambda body: _create(client, body))


async def _storm(client: KubeClient, _: RunningEmulator) -> None:
    body = smtp_account(0, "storm")
    await _create(client, body)
    path = f"{collection('SenderAccount', NAMESPACE)}/{body['metadata']['name']}"
    for turn in range(1_000_000):
        await client.patch(path, {"metadata": {"annotations": {RECONCILE: str(turn)}}}, MERGE_PATCH)
        await asyncio.sleep(STORM_PAUSE)


async def _churn(client: KubeClient, _: RunningEmulator) -> None:
    for turn in range(1_000_000):
        body = smtp_account(turn, "churn")
        body["spec"]["smtp"]["passwordSecretRef"]["name"] = "missing"
        await _create(client, body)
        await asyncio.sleep(0.5)
        await client.delete(f"{collection('SenderAccount', NAMESPACE)}/{body['metadata']['name']}")
        await asyncio.sleep(0.5)


async def _poison(client: KubeClient, emulator: RunningEmulator) -> None:
    emulator.fault("status", method="POST", status=500, body_contains="poison-")
    for number in range(3):
        await _create(client, smtp_account(number, "poison"))


async def _junk_keys(client: KubeClient, _: RunningEmulator) -> None:
    keys = {f"key-{number}": f"cs_live_junk_{number:05}" for number in range(JUNK_KEYS)}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "junk", "namespace": NAMESPACE}}
    with contextlib.suppress(KubeError):
        await client.create(secrets(NAMESPACE), {**secret, "stringData": keys})
    bodies = [smtp_account(number, "junk") for number in range(JUNK_KEYS)]
    for number, body in enumerate(bodies):
        body["spec"]["apiKeySecretRef"] = {"name": "junk", "key": f"key-{number}"}
    await each(bodies, lambda body: _create(client, body))


# -- memory


def _memory(cluster: Cluster, folder: Path, say: Say) -> Figure:
    """Objects that came and went leave nothing behind. Their Secret is missing, so none of them costs a request."""
    say(f"memory after {FLOOD:,} objects came and went, twice")
    with stack(cluster, folder) as parts:
        sizes = asyncio.run(_sizes(parts))
    text = f"{sizes[0]:.0f} MB, then {sizes[1]:.0f} MB"
    good = sizes[1] <= 1.1 * sizes[0]
    return figure(f"memory after {FLOOD:,} objects came and went again", "<= 10 % more", text, good=good)


async def _sizes(parts: Stack) -> list[float]:
    sizes = []
    async with kube(parts.cluster) as client:
        await forget_budget(client)
        with parts.operator() as operator:
            for turn in range(2):  # the first time fills caches and arenas that stay
                bodies = [smtp_account(number, f"turn{turn}") for number in range(FLOOD)]
                for body in bodies:
                    body["spec"]["smtp"]["passwordSecretRef"]["name"] = "missing"
                await each(bodies, lambda body: _create(client, body))
                await _clear(client)
                await asyncio.sleep(SETTLED)
                sizes.append(operator.memory())
    return sizes


# -- objects


async def _create(client: KubeClient, body: dict[str, Any]) -> None:
    with contextlib.suppress(KubeError):  # a full API server refuses some: the flood goes on
        await client.create(collection("SenderAccount", body["metadata"]["namespace"]), body)


def _of(namespace: str, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


async def _make_namespace(client: KubeClient, name: str) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "smtp", "namespace": name},
        "stringData": {"password": "password of the victim"},
    }
    for path, wanted in (("/api/v1/namespaces", body), (secrets(name), secret)):
        with contextlib.suppress(KubeError):  # it is there from the case before
            await client.create(path, wanted)


async def _clear(client: KubeClient) -> None:
    """Remove all accounts without a call to ColdSend."""
    for namespace in (NAMESPACE, VICTIM):
        path = collection("SenderAccount", namespace)
        names = []
        async for page in client.list_pages(path, 500):
            names += [item["metadata"]["name"] for item in page["items"] or ()]
        await each(names, lambda name, path=path: _remove(client, f"{path}/{name}"))


async def _remove(client: KubeClient, path: str) -> None:
    with contextlib.suppress(KubeError):
        await client.patch(path, {"metadata": {"finalizers": None}}, MERGE_PATCH)
        await client.delete(path)
