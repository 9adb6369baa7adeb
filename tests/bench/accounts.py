"""Measurements of single accounts, restarts and idling (issue of the first release)."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from coldsend_operator.kube.client import KubeClient
from tests.bench.figures import Figure, Say, figure
from tests.bench.stack import ACCOUNTS, OperatorProcess, Stack, create_all, is_ready, kube, smtp_account, wait_ready

AMPLE = {"COLDSEND_REQUESTS_PER_MINUTE": "1000000", "COLDSEND_REQUESTS_PER_HOUR": "1000000"}
QUIET_SECONDS = 5.0
WRITES = "coldsend_kubernetes_writes_total"


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


def wait_until_quiet(operator: OperatorProcess) -> None:
    """What the last accounts brought along, such as their first health score, is written."""
    writes = -1.0
    while writes != (writes := account_writes(operator)):
        time.sleep(QUIET_SECONDS)


def single(stack: Stack, say: Say) -> list[Figure]:
    """One account, alone in the cluster."""
    say("one account at a time, alone in the cluster")
    with stack.operator(**AMPLE):
        seconds = asyncio.run(_with_client(stack, lambda client: latency(client, 50, "alone")))
    p50, p99 = percentiles(seconds[1:])
    text = f"p50 {p50:.3f} s, p99 {p99:.3f} s (n={len(seconds) - 1})"
    goal = "p50 <= 0.1 s, p99 <= 0.5 s (peer 0.12 s)"
    return [figure("apply to Ready, alone, emulator delay 0", goal, text, good=p50 <= 0.1 and p99 <= 0.5)]


def lifted(stack: Stack, say: Say) -> list[Figure]:
    """1,000 accounts with the limits lifted: what the operator itself costs, for users who are granted more."""
    say("1,000 SMTP accounts with the limits lifted")
    with stack.operator(**AMPLE) as operator:
        operator.metric("coldsend_leader")
        spent = operator.cpu
        asyncio.run(_with_client(stack, lambda client: create_all(client, [smtp_account(n) for n in range(1000)])))
        asyncio.run(_with_client(stack, lambda client: wait_ready(client, 1000)))
        spent = operator.cpu - spent
        text = f"{spent:.1f} s, {1000 / spent:.0f} accounts in each"
    return [figure("CPU for 1,000 accounts created, limits lifted", "<= 10 s", text, good=spent <= 10)]


def thousand(stack: Stack, say: Say) -> list[Figure]:
    """1,000 accounts: requests and writes until Ready, latency of one more, restart, idling."""
    with stack.operator() as operator:
        figures = _flood(stack, operator, say)
        say("one account at a time beside 1,000 that are Ready")
        p50, most = percentiles(asyncio.run(_with_client(stack, lambda client: latency(client, 10, "late"))))
        text = f"p50 {p50:.3f} s, max {most:.3f} s"
        figures.append(
            figure("apply to Ready with 1,000 others Ready", "p50 <= 0.1 s (peer 41 s)", text, good=p50 <= 0.1)
        )
        wait_until_quiet(operator)
    say("restart with 1,010 accounts, then 60 s of idling")
    before = stack.emulator.request_counts()["by_operation"]
    with stack.operator() as operator:
        figures += restarted(stack, operator, before, pages=11, accounts=1010, cpu=1.5, memory=100)
        figures.append(_idle(stack, operator))
    return figures


def _flood(stack: Stack, operator: OperatorProcess, say: Say) -> list[Figure]:
    say("1,000 SMTP accounts, from the first object applied to all Ready")
    requests = stack.emulator.request_counts()["total"]
    writes = account_writes(operator)
    begun = time.monotonic()
    asyncio.run(_with_client(stack, lambda client: create_all(client, [smtp_account(n) for n in range(1000)])))
    asyncio.run(_with_client(stack, lambda client: wait_ready(client, 1000)))
    seconds = time.monotonic() - begun
    requests = stack.emulator.request_counts()["total"] - requests
    writes = account_writes(operator) - writes
    asked = f"{requests} in {seconds:.0f} s"
    wrote = f"{writes:,.0f} ({other_writes(operator)})"
    return [
        figure("requests per 1,000 SMTP accounts", "<= 40 (peer 3,094)", asked, good=requests <= 40, count=requests),
        figure("writes of SenderAccounts for them", "<= 3,000 (peer 10,218)", wrote, good=writes <= 3000, count=writes),
    ]


def _idle(stack: Stack, operator: OperatorProcess) -> Figure:
    writes, requests = account_writes(operator), stack.emulator.request_counts()["total"]
    time.sleep(60)
    writes = account_writes(operator) - writes
    requests = stack.emulator.request_counts()["total"] - requests
    text = f"{writes:.0f} writes, {requests} requests"
    goal = "0 writes; requests of the sweep only"
    count = writes + requests
    return figure("idle for 60 s with 1,010 accounts", goal, text, good=count == 0, count=count)


def restarted(
    stack: Stack,
    operator: OperatorProcess,
    before: dict[str, int],
    *,
    pages: int,
    accounts: int,
    cpu: float,
    memory: float,
) -> list[Figure]:
    """What a restart costs until the first sweep is folded in."""
    imports = import_cpu()
    spent, size = wait_for_sweep(stack, operator, before, pages)
    spent -= imports
    counts = stack.emulator.request_counts()["by_operation"]
    lists = _lists(stack, before)
    others = sum(counts.values()) - sum(before.values()) - lists
    writes = account_writes(operator)
    name = f"restart with {accounts:,}"
    wrote = f"{writes:.0f} ({other_writes(operator)})"
    return [
        figure(f"{name}: writes of SenderAccounts", "0", wrote, good=writes == 0, count=writes),
        figure(
            f"{name}: requests",
            f"{pages} list pages + at most 2",
            f"{lists} + {others}",
            good=lists <= pages and others <= 2,
            count=lists + others,
        ),
        figure(f"{name}: CPU beyond imports", f"<= {cpu} s", f"{spent:.2f} s", good=spent <= cpu),
        figure(
            f"{name}: memory (RSS)",
            f"<= {memory} MB",
            f"{size:.0f} MB (peak {operator.memory('VmHWM'):.0f})",
            good=size <= memory,
        ),
    ]


def wait_for_sweep(stack: Stack, operator: OperatorProcess, before: dict[str, int], pages: int) -> tuple[float, float]:
    """CPU seconds and megabytes until the first sweep is folded in: taken before a scrape adds its own to them."""
    while _lists(stack, before) < pages:
        time.sleep(0.2)
    time.sleep(3.0)  # what the sweep has touched is looked at
    cost = operator.cpu, operator.memory()
    if operator.metric("coldsend_sweep_age_seconds") == 0:
        raise RuntimeError("all pages were read, but the sweep is not folded in")
    return cost


def _lists(stack: Stack, before: dict[str, int]) -> int:
    counts: dict[str, int] = stack.emulator.request_counts()["by_operation"]
    return counts.get("listSenderAccounts", 0) - before.get("listSenderAccounts", 0)


def import_cpu() -> float:
    """CPU seconds of the imports alone."""
    code = "import coldsend_operator.handlers, time; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


async def _with_client(stack: Stack, work: Callable[[KubeClient], Any]) -> Any:
    async with kube(stack.cluster) as client:
        return await work(client)
