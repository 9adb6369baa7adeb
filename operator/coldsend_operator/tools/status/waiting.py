"""`wait`: until an object reaches a state, or cannot reach it by waiting."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from coldsend_operator.core.model.conditions import condition
from coldsend_operator.core.model.reasons import LASTING, ConditionType, KstatusType, Reason
from coldsend_operator.core.model.stored_status import account_status, batch_status
from coldsend_operator.kube.errors import Unreachable
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.resources.annotations import read_annotations
from coldsend_operator.resources.names import BATCH_KIND
from coldsend_operator.tools.clients import kube_reader
from coldsend_operator.tools.cluster import find_object
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.names import object_of
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import remark

POLL = 2.0
SETTLE = 5.0  # seconds for the operator to notice what is not in the spec
Goal = Literal["ready", "synced", "deleted"]
_HOPELESS = LASTING | {
    Reason.RECONCILIATION_PAUSED,
    Reason.PAUSED,
    Reason.DISABLED,
    Reason.DELETION_HELD,
    Reason.UNAUTHORIZED,
    Reason.INVENTORY_IMPLAUSIBLE,
    Reason.UPDATE_NOT_SUPPORTED,
    Reason.DRIFTED,
    Reason.SECRET_CHANGED,
}
_OUTSIDE_SPEC = {  # an annotation, a Secret or the deletion of another object may have ended these a moment ago
    Reason.RECONCILIATION_PAUSED,
    Reason.DELETION_HELD,
    Reason.UNAUTHORIZED,
    Reason.MISSING_SCOPES,
    Reason.SECRET_NOT_FOUND,
    Reason.SECRET_KEY_NOT_FOUND,
    Reason.SECRET_INVALID,
    Reason.SECRET_CHANGED,
    Reason.CONNECTION_FAILED,
    Reason.ADDRESS_CONFLICT,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of an object. `done` None: waiting may still help.

    `settles`: something outside the spec may have ended that a moment ago, and status does not tell whether the
    operator has seen it.
    """

    done: bool | None
    sentence: str
    settles: bool = False


async def run(access: Access, namespace: str, text: str, goal: Goal, seconds: float) -> None:
    """Raises CommandError if the state cannot be reached, or was not reached in time."""
    async with kube_reader(access) as kube:
        await wait_for(kube, namespace, text, goal, seconds)


async def wait_for(kube: KubeReads, namespace: str, text: str, goal: Goal, seconds: float) -> None:
    """The same, with an open connection. Raises KubeError if the first read fails; later the API server may restart."""
    kind, name = object_of(text)
    began, answered = time.monotonic(), False
    until = began + seconds
    while True:
        try:
            verdict = judge(await find_object(kube, kind, namespace, name), kind, goal)
            answered = True
        except Unreachable as error:
            if not answered:
                raise
            verdict = Verdict(None, f"Kubernetes: {error.message}")
        if verdict.done:
            remark(f"{text}: {verdict.sentence}")
            return
        if verdict.done is False and not (verdict.settles and time.monotonic() < min(until, began + SETTLE)):
            raise CommandError(f"{text} will not become {goal} by waiting: {verdict.sentence}")
        if time.monotonic() >= until:
            raise CommandError(f"{text} is not {goal} after {seconds:g} s: {verdict.sentence}")
        await asyncio.sleep(min(POLL, max(0.0, until - time.monotonic())))


def judge(raw: Mapping[str, Any] | None, kind: str, goal: Goal) -> Verdict:
    """The verdict for the goal of an object; None: it does not exist."""
    if raw is None:
        return Verdict(goal == "deleted", "it does not exist")
    status = batch_status(raw.get("status")) if kind == BATCH_KIND else account_status(raw.get("status"))
    deleting = raw["metadata"].get("deletionTimestamp") is not None
    if deleting != (goal == "deleted"):
        return Verdict(done=False, sentence="it is being deleted" if deleting else "it is not being deleted")
    current = status.get("observedGeneration") == raw["metadata"].get("generation")
    wanted = condition(status, ConditionType.SYNCED if goal == "synced" else ConditionType.READY)
    reason = wanted.get("reason")
    if current and not deleting and wanted.get("status") == "True":
        return Verdict(done=True, sentence=_said(wanted))
    approved = read_annotations(raw["metadata"].get("annotations")).approve_deletion
    stalled = goal == "ready" and condition(status, KstatusType.STALLED).get("status") == "True"
    hopeless = current and (stalled or reason in _HOPELESS) and not (reason == Reason.DELETION_HELD and approved)
    return Verdict(False if hopeless else None, _said(wanted), reason in _OUTSIDE_SPEC)


def _said(told: Mapping[str, Any]) -> str:
    if not told:
        return "the operator has not reported on it yet; does it run, and does it watch this namespace?"
    return f"{told.get('reason', 'Unknown')}: {told.get('message', '')}"
