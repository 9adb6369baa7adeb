"""Thousands at once: real runs at the default limits, restarts and memory at size."""

import asyncio
import time
from datetime import datetime
from typing import Any

from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.paths import config_maps
from coldsend_operator.kube.reads import METADATA_LIST
from tests.bench.accounts import restarted, wait_until_quiet
from tests.bench.figures import Figure, Say, figure
from tests.bench.stack import (
    ACCOUNTS,
    OperatorProcess,
    Stack,
    count_objects,
    count_ready,
    create_all,
    delete_all,
    kube,
    native_account,
    smtp_account,
    wait_ready,
)

STATE = f"{config_maps('default')}/coldsend-operator-state"
LONGEST = 900.0
MINUTE = 60.0
EDITS, EDIT_PAUSE = 3, 25.0
TIMELINES: dict[str, list[tuple[float, int]]] = {}  # (seconds, Ready) of each run, for the drawing


async def forget_budget(client: KubeClient) -> None:
    """An unused key: what earlier measurements spent is not counted."""
    try:
        await client.delete(STATE)
    except Exception:  # noqa: BLE001 - it may not be there
        return


async def until_ready(
    client: KubeClient, operator: OperatorProcess, count: int, timeline: list[tuple[float, int]], begun: float
) -> None:
    """The operator counts what its last writes say; in the end the objects are read.

    To read all of them every few seconds took a fifth of the API server's time.
    """
    while True:
        ready = int(await asyncio.to_thread(operator.metric, "coldsend_accounts", state="Active"))
        if ready >= count:
            ready = await count_ready(client)
        timeline.append((round(time.monotonic() - begun, 1), ready))
        if ready >= count or time.monotonic() - begun > LONGEST:
            return
        await asyncio.sleep(3.0)


async def until_gone(client: KubeClient, begun: float) -> None:
    while await count_objects(client) and time.monotonic() - begun < LONGEST:
        await asyncio.sleep(2.0)


def ten_thousand(stack: Stack, say: Say, kind: str, count: int = 10_000) -> list[Figure]:
    """From the last object applied to all Ready at the default limits; then a restart; then all deleted."""
    body = smtp_account if kind == "SMTP" else native_account
    return asyncio.run(_ten_thousand(stack, say, kind, [body(number) for number in range(count)]))


async def _ten_thousand(stack: Stack, say: Say, kind: str, bodies: list[dict[str, Any]]) -> list[Figure]:
    count, figures = len(bodies), []
    edited = [smtp_account(number, "edited") for number in range(EDITS)]
    async with kube(stack.cluster) as client:
        await forget_budget(client)
        say(f"{count:,} {kind} accounts at the default limits (the key is unused)")
        stack.emulator.clear_request_log()
        with stack.operator() as operator:
            await create_all(client, edited)
            await wait_ready(client, EDITS)
            await create_all(client, bodies)
            begun = time.monotonic()
            timeline: list[tuple[float, int]] = []
            edits = asyncio.create_task(_edit(stack, client, edited))
            await until_ready(client, operator, count, timeline, begun)
            seconds = timeline[-1][0]
            counts = stack.emulator.request_counts()
            requests = counts["total"]
            say(", ".join(f"{number} {operation}" for operation, number in counts["by_operation"].items()))
            text = f"{seconds:.0f} s ({timeline[-1][1]:,} Ready), {requests} requests, peaks {_peaks(counts['peaks'])}"
            text += f", CPU {operator.cpu:.0f} s, {operator.memory('VmHWM'):.0f} MB"
            say(text)
            name = f"{count:,} {kind}"
            good = seconds <= 240 and timeline[-1][1] == count
            figures.append(figure(f"{name}: last applied to all Ready", "<= 4 min", text, good=good))
            good = requests <= 320
            figures.append(figure(f"{name}: requests", "<= 320", str(requests), good=good, count=requests))
            await asyncio.to_thread(wait_until_quiet, operator)
            waits = await edits
            text = f"{', '.join(f'{wait:.2f}' for wait in waits)} s from delete to call"
            figures.append(
                figure(f"{name}: an edit while they wait", "<= 2 s of a free slot", text, good=max(waits) <= 2)
            )
            TIMELINES[kind] = timeline
    return figures


async def _edit(stack: Stack, client: KubeClient, edited: list[dict[str, Any]]) -> list[float]:
    """Delete accounts of people while the others wait; the seconds until the call of each has left."""
    waits = []
    for number, body in enumerate(edited):
        await asyncio.sleep(EDIT_PAUSE)
        await client.delete(f"{ACCOUNTS}/{body['metadata']['name']}")
        begun = time.time()
        while len(calls := stack.emulator.requests(operation="deleteSenderAccount")) <= number:
            await asyncio.sleep(0.1)
        waits.append(max(0.0, datetime.fromisoformat(calls[-1]["at"]).timestamp() - begun))
    return waits


def restart(stack: Stack, say: Say, count: int) -> list[Figure]:
    """A restart with all of them Ready."""
    asyncio.run(_forgotten(stack))
    say(f"restart with {count:,}")
    before = stack.emulator.request_counts()["by_operation"]
    with stack.operator() as operator:
        return restarted(stack, operator, before, pages=-(-count // 100), accounts=count, cpu=12, memory=160)


async def _forgotten(stack: Stack) -> None:
    async with kube(stack.cluster) as client:
        await forget_budget(client)


async def delete_everything(stack: Stack, say: Say, count: int) -> list[Figure]:
    """Deletion of all accounts with the brake off."""
    async with kube(stack.cluster) as client:
        await forget_budget(client)
        say(f"deletion of {count:,}")
        names = []
        async for page in client.list_pages(ACCOUNTS, 500, {}, METADATA_LIST):
            names += [item["metadata"]["name"] for item in page["items"] or ()]
        stack.emulator.clear_request_log()
        with stack.operator(COLDSEND_DELETE_BRAKE="100%") as operator:
            while operator.metric("coldsend_sweep_age_seconds") == 0:
                await asyncio.sleep(0.5)
            await asyncio.sleep(MINUTE)  # the requests of the first sweep leave the window
            stack.emulator.clear_request_log()
            begun = time.monotonic()
            await delete_all(client, names)
            await until_gone(client, begun)
            seconds = time.monotonic() - begun
        counts = stack.emulator.request_counts()
        left = len(stack.emulator.inboxes())
        text = f"{seconds:.0f} s, {counts['total']} requests, {left} inboxes left in ColdSend"
        return [figure(f"deletion of {count:,}", "<= 5 min", text, good=seconds <= 300 and left == 0)]


def _peaks(peaks: dict[str, dict[str, int]]) -> str:
    worst = max(peaks.values(), key=lambda each: each["hour"], default={"minute": 0, "hour": 0})
    return f"{worst['minute']}/min {worst['hour']}/h"
