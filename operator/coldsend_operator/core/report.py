"""The usage and the queues of one workspace, for `report` in the state ConfigMap and for metrics."""

from dataclasses import dataclass
from typing import Any

from coldsend_operator.core.model.calls import BULK, Lane
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.plan import pages_of, sweep_period
from coldsend_operator.core.workspace.trust import is_implausible
from coldsend_operator.core.workspace.wait_estimate import REQUESTS_PER_BULK
from coldsend_operator.core.workspace.workspace import Workspace

UNTRIED = "Untried"  # ColdSend has not answered to the key yet
PASSING = frozenset({"minute", "hour", "sweep", "doneAt"})  # what moves all the time


@dataclass(frozen=True, slots=True)
class LaneState:
    """How many accounts wait in a lane, and since when the oldest waits."""

    count: int = 0
    oldest: float | None = None


def waiting_by_lane(workspace: Workspace, key: str | None = None) -> dict[Lane, LaneState]:
    """The lanes that are not empty, and always CREATE; POLL counts the running bulk jobs.

    `key` is the digest of the API key whose accounts are counted; None: all.
    """
    found = {Lane.CREATE: LaneState()}
    for kind, queue in workspace.queues.items():
        if key not in {None, kind.key}:
            continue
        before = found.get(kind.lane, LaneState())
        if len(queue):
            oldest = queue.since if before.oldest is None else min(before.oldest, queue.since)
            found[kind.lane] = LaneState(before.count + len(queue), oldest)
    jobs = workspace.jobs.values()
    found[Lane.POLL] = LaneState(len(jobs), min((job.begun for job in jobs), default=None))
    return found


def inboxes_by_holder(workspace: Workspace) -> dict[bool, int]:
    """The number of inboxes that an object created or adopted, and of others; empty before the first list."""
    if not workspace.inventory.swept_at:
        return {}
    accounts = (account for part in workspace.parts for account in part.accounts.values())
    held = {account.stored.inbox_id for account in accounts if account.stored.held}
    managed = sum(inbox_id in held for inbox_id in workspace.inventory.rows)
    return {True: managed, False: len(workspace.inventory.rows) - managed}


def done_at(workspace: Workspace, now: float) -> float | None:
    """When all that waits now is expected to be done within the budget; None if nothing waits."""
    lanes = waiting_by_lane(workspace)
    count = {lane: waiting.count for lane, waiting in lanes.items()}
    bulks = sum(-(-count.get(lane, 0) // BULK) for lane in (Lane.EDIT, Lane.DELETE, Lane.CREATE))
    probes = min(count.get(Lane.PROBE, 0), pages_of(workspace))
    requests = REQUESTS_PER_BULK * bulks + probes + count.get(Lane.MAIL, 0) + count.get(Lane.POLL, 0)
    return workspace.budget.done_at(now, requests) if requests else None


def key_state(workspace: Workspace, digest: str, now: float, *, answered: bool) -> str:
    """The state of the API key in one word: the first that applies."""
    if workspace.keys.refused(digest):
        return "Refused"
    if is_implausible(workspace):
        return "Implausible"
    if now < workspace.budget.refused_until:
        return "RateLimited"
    if workspace.keys.breaker(digest).down:
        return "Unavailable"
    return "Accepted" if answered else UNTRIED


def workspace_report(workspace: Workspace, digest: str, now: float, *, key: str, answered: bool) -> dict[str, Any]:
    """`report.workspaces.<digest>` of one API key: times are RFC 3339, spans are seconds.

    Keys of one workspace differ in how the key is and in what waits for calls with it.
    """
    minute, hour = workspace.budget.remaining(now)
    inboxes = inboxes_by_holder(workspace)
    swept_at, finished = workspace.inventory.swept_at, done_at(workspace, now)
    return {
        "key": key,
        "keyState": key_state(workspace, digest, now, answered=answered),
        "minute": _window(minute, workspace.budget.minute_limit),
        "hour": _window(hour, workspace.budget.hour_limit),
        "queue": {
            lane.value: {"waiting": waiting.count, "oldest": _time(waiting.oldest)}
            for lane, waiting in waiting_by_lane(workspace, digest).items()
            if waiting.count
        },
        "jobs": {
            operation: sum(job.operation == operation for job in workspace.jobs.values())
            for operation in ("Create", "Delete")
        },
        "sweep": {
            "ageSeconds": round(now - swept_at) if swept_at else None,
            "periodSeconds": round(sweep_period(workspace)),
        },
        "managed": inboxes.get(True),
        "unmanaged": inboxes.get(False),
        "held": len(workspace.brake.holds),
        "doneAt": _time(finished),
    }


def _window(left: int, limit: int) -> dict[str, int]:
    return {"used": limit - left, "left": left, "limit": limit}


def _time(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)


def worth_a_write(workspace: dict[str, Any]) -> dict[str, Any]:
    """The part of a report whose change is worth a write of the ConfigMap.

    Probes and the windows of the budget move all day and are not.
    """
    lasting = {name: value for name, value in workspace.items() if name not in PASSING}
    return lasting | {"queue": {lane: each for lane, each in workspace["queue"].items() if lane != Lane.PROBE}}
