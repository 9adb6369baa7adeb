"""Namespaces are looked at only while something of theirs waits for an approval or is being deleted."""

import asyncio
from collections.abc import Callable

from coldsend_operator.core.policy import NamespaceMarks, Policy
from coldsend_operator.core.reasons import Reason
from coldsend_operator.kube.client import KubeClient, KubeError
from coldsend_operator.kube.namespaces import get_namespace
from coldsend_operator.resources.names import APPROVE_DELETION_ANNOTATION, APPROVE_RECREATION_ANNOTATION
from coldsend_operator.workspace.runner import Runner

PAUSE = 2.0
WAITING = frozenset({Reason.DELETION_HELD, Reason.INVENTORY_IMPLAUSIBLE, Reason.SECRET_NOT_FOUND})


async def watch_namespaces(kube: KubeClient, policy: Policy, runners: Callable[[], tuple[Runner, ...]]) -> None:
    """Keep `policy.namespaces` fresh for the namespaces that matter now."""
    while True:
        for runner in runners():
            for namespace in _waiting(runner):
                await _look(kube, policy, runner, namespace)
        await asyncio.sleep(PAUSE)


def _waiting(runner: Runner) -> set[str]:
    ledger = runner.ledger
    return {
        ledger.accounts[uid].desired.namespace
        for uid, step in ledger.steps.items()
        if step.reason in WAITING and uid in ledger.accounts
    }


async def _look(kube: KubeClient, policy: Policy, runner: Runner, namespace: str) -> None:
    try:
        found = await get_namespace(kube, namespace)
    except KubeError:
        return
    annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
    marks = NamespaceMarks(
        approve_deletion=annotations.get(APPROVE_DELETION_ANNOTATION) == "true",
        approve_recreation=annotations.get(APPROVE_RECREATION_ANNOTATION) == "true",
        terminating=((found or {}).get("status") or {}).get("phase") == "Terminating",
    )
    if policy.namespaces.get(namespace) != marks:
        policy.namespaces[namespace] = marks
        ledger = runner.ledger
        ledger.touch_all(uid for uid, account in ledger.accounts.items() if account.desired.namespace == namespace)
        runner.wake()
