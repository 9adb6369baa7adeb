"""Measurements of single accounts, restarts and idling (issue of the first release)."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coldsend_operator.kube.client import KubeClient
from tests.bench.stack import (
    ACCOUNTS,
    OperatorProcess,
    Stack,
    create_all,
    delete_all,
    is_ready,
    kube,
    smtp_account,
    wait_ready,
)

AMPLE = {"COLDSEND_REQUESTS_PER_MINUTE": "1000000", "COLDSEND_REQUESTS_PER_HOUR": "1000000"}
WRITES = "coldsend_kubernetes_writes_total"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    goal: str
    measured: str
    good: bool


Say = Callable[[str], None]


async def latency(client: KubeClient, count: int, prefix: str) -> list[float]:
    """Apply one account after the other; seconds from apply to Ready of each."""
    seconds = []
    for number in range(count):
        body = smtp_account(number, prefix)
        begun = time.monotonic()
        await client.create(ACCOUNTS, body)
        while not is_ready(await client.get(f"{ACCOUNTS}/{body['metadata']['name']}")):
            await asyncio.sleep(0.002)
        seconds.append(time.monotonic() - begun)
        await asyncio.sleep(0.2)
    return seconds


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """The median, and the 99th percentile (the largest of a hundred or fewer)."""
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[max(0, -(-len(ordered) * 99 // 100) - 1)]


def account_writes(operator: OperatorProcess) -> float:
    return operator.metric(WRITES, kind="SenderAccount")


def other_writes(operator: OperatorProcess) -> str:
    kinds = ("Event", "ConfigMap", "Lease", "Secret")
    return ", ".join(f"{kind} {operator.metric(WRITES, kind=kind):.0f}" for kind in kinds)


def single(stack: Stack, say: Say) -> list[Figure]:
    """One account, alone in the cluster."""
    say("one account at a time, alone in the cluster")
    with stack.operator(**AMPLE):
        seconds = asyncio.run(_with_client(stack, lambda client: latency(client, 50, "alone")))
    p50, p99 = percentiles(seconds[1:])
    asyncio.run(_with_client(stack, lambda client: _orphan_all(stack, client)))
    text = f"p50 {p50:.3f} s, p99 {p99:.3f} s (n={len(seconds) - 1})"
    return [Figure("apply to Ready, alone, emulator delay 0", "p50 <= 0.1 s, p99 <= 0.5 s", text, p50 <= 0.1 and p99 <= 0.5)]


def thousand(stack: Stack, say: Say) -> list[Figure]:
    """1,000 accounts: requests and writes until Ready, latency of one more, idling, restart."""
    figures = []
    with stack.operator() as operator:
        say("1,000 SMTP accounts, from the first object applied to all Ready")
        requests = stack.emulator.request_counts()["total"]
        writes = account_writes(operator)
        begun = time.monotonic()
        asyncio.run(_with_client(stack, lambda client: create_all(client, [smtp_account(n) for n in range(1000)])))
        asyncio.run(_with_client(stack, lambda client: wait_ready(client, 1000)))
        seconds = time.monotonic() - begun
        requests = stack.emulator.request_counts()["total"] - requests
        writes = account_writes(operator) - writes
        figures += [
            Figure("requests per 1,000 SMTP accounts", "<= 40 (peer 3,094)", f"{requests} in {seconds:.0f} s", requests <= 40),
            Figure("writes of SenderAccounts for them", "<= 3,000 (peer 10,218)", f"{writes:.0f} ({other_writes(operator)})", writes <= 3000),
        ]
        say("one account at a time beside 1,000 that are Ready")
        p50, p99 = percentiles(asyncio.run(_with_client(stack, lambda client: latency(client, 10, "late"))))
        figures.append(Figure("apply to Ready with 1,000 others Ready", "p50 <= 0.1 s (peer 41 s)", f"p50 {p50:.3f} s, max {p99:.3f} s", p50 <= 0.1))
    say("restart with 1,000 accounts, then 60 s of idling")
    before = stack.emulator.request_counts()["by_operation"]
    with stack.operator(COLDSEND_SWEEP_SECONDS="300") as operator:
        figures += _restarted(stack, operator, before, pages=11, accounts=1010, cpu=1.5, memory=90)
        writes, requests = account_writes(operator), stack.emulator.request_counts()["total"]
        time.sleep(60)
        writes = account_writes(operator) - writes
        requests = stack.emulator.request_counts()["total"] - requests
        figures.append(Figure("idle for 60 s with 1,000 accounts", "0 writes; requests of the sweep only", f"{writes:.0f} writes, {requests} requests", writes == 0 and requests == 0))
    return figures


def _restarted(
    stack: Stack, operator: OperatorProcess, before: dict[str, int], *, pages: int, accounts: int, cpu: float, memory: float
) -> list[Figure]:
    imports = import_cpu()
    while operator.metric("coldsend_sweep_age_seconds") == 0 or _lists(stack, before) < pages:
        time.sleep(0.1)
    time.sleep(1.0)
    spent, size = operator.cpu - imports, operator.memory("VmHWM")
    counts = stack.emulator.request_counts()["by_operation"]
    lists = _lists(stack, before)
    others = sum(counts.values()) - sum(before.values()) - lists
    writes = account_writes(operator)
    return [
        Figure(f"restart with {accounts:,}: writes of SenderAccounts", "0", f"{writes:.0f} ({other_writes(operator)})", writes == 0),
        Figure(f"restart with {accounts:,}: requests", f"{pages} list pages + at most 2", f"{lists} + {others}", lists <= pages and others <= 2),
        Figure(f"restart with {accounts:,}: CPU beyond imports until the first sweep is folded in", f"<= {cpu} s", f"{spent:.2f} s", spent <= cpu),
        Figure(f"restart with {accounts:,}: memory (peak RSS)", f"<= {memory} MB", f"{size:.0f} MB", size <= memory),
    ]


def _lists(stack: Stack, before: dict[str, int]) -> int:
    counts: dict[str, int] = stack.emulator.request_counts()["by_operation"]
    return counts.get("listSenderAccounts", 0) - before.get("listSenderAccounts", 0)


def import_cpu() -> float:
    """CPU seconds of the imports alone."""
    import subprocess  # noqa: PLC0415 - only this figure needs it
    import sys  # noqa: PLC0415 - as above

    code = "import coldsend_operator.handlers, time; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


async def _with_client(stack: Stack, work: Callable[[KubeClient], Any]) -> Any:
    async with kube(stack.cluster) as client:
        return await work(client)


async def _orphan_all(stack: Stack, client: KubeClient) -> None:
    """Clear the table for the next measurement: objects without their finalizer, inboxes by hand."""
    names = []
    async for page in client.list_pages(ACCOUNTS, 500, {}, "application/json"):
        names += [item["metadata"]["name"] for item in page["items"] or ()]
    for name in names:
        await client.patch(f"{ACCOUNTS}/{name}", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    await delete_all(client, names)
    stack.emulator.delete_many()
