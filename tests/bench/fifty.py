"""50,000 objects: what a restart costs for each of them, beside 1,000.

To make them through the operator would take an hour of the limits and more, so they are written as it leaves them: one
account becomes Ready for real, and all others get its finalizer and status with their own address and id.
"""

import asyncio
import time
from typing import Any

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.kube.client import APPLY_PATCH, FIELD_MANAGER, KubeClient
from tests.bench.accounts import AMPLE, import_cpu, wait_for_sweep
from tests.bench.figures import Figure, Say, figure
from tests.bench.stack import ACCOUNTS, Stack, each, is_ready, kube, smtp_account

FINALIZER = "coldsend.pro/finalizer"
SMALL, LARGE = 1_000, 50_000
BLOCK = 5_000


async def _model(stack: Stack, client: KubeClient) -> dict[str, Any]:
    """The status of one account that the operator has made Ready."""
    body = smtp_account(0, "model")
    with stack.operator(**AMPLE):
        await client.create(ACCOUNTS, body)
        path = f"{ACCOUNTS}/{body['metadata']['name']}"
        while not is_ready(found := await client.get(path)) or "healthScore" not in found["status"]:
            await asyncio.sleep(0.1)
    status: dict[str, Any] = found["status"]
    return status


async def _fill(stack: Stack, client: KubeClient, model: dict[str, Any], first: int, last: int) -> None:
    """Objects and their inboxes, Ready as after a real create."""
    rows = []
    for number in range(first, last):
        spec = smtp_account(number)["spec"]
        names = {"email_address": spec["emailAddress"], "display_name": spec["displayName"]}
        rows.append({**names, "inbox_type": spec["inboxType"], "daily_limit": spec["dailyLimit"]})
    ids = dict(zip(range(first, last), stack.emulator.seed(*rows), strict=True))
    shown = {row["email_address"]: row for row in stack.emulator.inboxes()}

    async def one(number: int) -> None:
        body = smtp_account(number)
        path = f"{ACCOUNTS}/{body['metadata']['name']}"
        await client.create(ACCOUNTS, body)
        mark = {**body, "metadata": {**body["metadata"], "finalizers": [FINALIZER]}}
        mark.pop("spec")
        stored = await client.patch(path, mark, APPLY_PATCH, {"fieldManager": FIELD_MANAGER, "force": "true"})
        row = shown[body["spec"]["emailAddress"]]
        status = {
            **model,
            "inboxID": ids[number],
            "emailAddress": row["email_address"],
            "createdAt": row["created_at"],
            "healthScore": row["health_score"],
            "emailsSentToday": row["emails_sent_today"],
            "lastApplied": {**model["lastApplied"], "specHash": read_object(stored).desired.spec.hash},
        }
        await client.patch(f"{path}/status", {"status": status}, "application/merge-patch+json")

    await each(list(range(first, last)), one)


def fifty_thousand(stack: Stack, say: Say) -> list[Figure]:
    """Memory and CPU of a restart, until the first sweep is folded in."""
    return asyncio.run(_fifty_thousand(stack, say))


async def _fifty_thousand(stack: Stack, say: Say) -> list[Figure]:
    async with kube(stack.cluster) as client:
        model = await _model(stack, client)
        await _fill(stack, client, model, 0, SMALL)
        say(f"restart with {SMALL:,}")
        few, _, _ = _restart(stack, SMALL + 1)
        for first in range(SMALL, LARGE, BLOCK):
            last = min(first + BLOCK, LARGE)
            await _fill(stack, client, model, first, last)
            say(f"  {last:,} of {LARGE:,} objects made")
        say(f"restart with {LARGE:,}")
        many, memory, writes = _restart(stack, LARGE + 1)
    ratio = (many / LARGE) / (few / SMALL)
    each_text = f"{1e3 * many / LARGE:.2f} ms each, {1e3 * few / SMALL:.2f} ms with {SMALL:,}: {ratio:.2f} x"
    return [
        figure(f"{LARGE:,} objects: memory (RSS)", "<= 450 MB", f"{memory:.0f} MB", good=memory <= 450),
        figure(f"{LARGE:,} objects: CPU of each against {SMALL:,}", "<= 1.2 x", each_text, good=ratio <= 1.2),
        figure(f"{LARGE:,} objects: writes at a restart", "0", f"{writes:.0f}", good=writes == 0, count=writes),
    ]


def _restart(stack: Stack, count: int) -> tuple[float, float, float]:
    """CPU seconds beyond the imports, megabytes and writes of SenderAccounts until the first sweep is folded in."""
    imports, before = import_cpu(), stack.emulator.request_counts()["by_operation"]
    with stack.operator(**AMPLE, COLDSEND_ACCOUNT_METRICS="off") as operator:
        spent, size = wait_for_sweep(stack, operator, before, -(-count // 100))
        time.sleep(3.0)
        writes = operator.metric("coldsend_kubernetes_writes_total", kind="SenderAccount")
        return spent - imports, size, writes
