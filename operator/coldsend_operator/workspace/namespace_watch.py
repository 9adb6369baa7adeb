"""Namespaces are looked at only while something of theirs waits for an approval or is being deleted."""

import asyncio
from collections.abc import Callable

from coldsend_operator.core.policy import NamespaceMarks, Policy
from coldsend_operator.core.reasons import Reason
from coldsend_operator.kube.client import KubeClient, KubeError
from coldsend_operator.kube.namespaces import get_namespace
from coldsend_operator.logs import Event, log
from coldsend_operator.objects.policy import namespace_marks
from coldsend_operator.workspace.runner import Runner

PAUSE = 2.0
NOTHING = NamespaceMarks()
WAITING = frozenset({Reason.DELETION_HELD, Reason.INVENTORY_IMPLAUSIBLE, Reason.SECRET_NOT_FOUND})


async def watch_namespaces(kube: KubeClient, policy: Policy, runners: Callable[[], tuple[Runner, ...]]) -> None:
    """Keep `policy.namespaces` fresh for the namespaces that matter now.

    Those that approve matter too: an annotation approves as long as it stands, and no longer.
    """
    while True:
        told = {name for name, marks in policy.namespaces.items() if marks != NOTHING}
        names = sorted(told.union(*(_waiting(runner) for runner in runners())))
        looks = await asyncio.gather(*(_look(kube, policy, runners, name) for name in names), return_exceptions=True)
        for name, failure in zip(names, looks, strict=True):
            if isinstance(failure, Exception):  # it costs that namespace alone (rule 38)
                log.error(Event.LOOP_FAILED, operation="read_namespace", namespace=name, exc_info=failure)
        await asyncio.sleep(PAUSE)


def _waiting(runner: Runner) -> set[str]:
    ledger = runner.ledger
    return {
        ledger.accounts[uid].desired.namespace
        for uid, step in ledger.steps.items()
        if step.reason in WAITING and uid in ledger.accounts
    }


async def _look(kube: KubeClient, policy: Policy, runners: Callable[[], tuple[Runner, ...]], namespace: str) -> None:
    try:
        found = await get_namespace(kube, namespace)
    except KubeError:
        return
    marks = namespace_marks(found)
    if policy.namespaces.get(namespace, NOTHING) == marks:
        return
    if marks == NOTHING:
        del policy.namespaces[namespace]
    else:
        policy.namespaces[namespace] = marks
    for runner in runners():
        ledger = runner.ledger
        ledger.touch_all(uid for uid, account in ledger.accounts.items() if account.desired.namespace == namespace)
        runner.wake()
