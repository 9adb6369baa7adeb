"""How far a batch is: `status.jobs`, its bulk jobs, and `status.estimatedCompletionTime`."""

from collections.abc import Iterable
from typing import Any

from coldsend_operator.core.model.calls import BULK, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.stored_status import present
from coldsend_operator.core.model.times import rfc3339, unix_of
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.core.workspace.wait_estimate import REQUESTS_PER_BULK
from coldsend_operator.core.workspace.workspace import Workspace

MAX_FINISHED = 20
LOST = "Lost"
RUNNING = "Running"
COMPLETED = "Completed"

JobRow = dict[str, Any]
Ended = tuple[Job, str, float]


def job_rows(before: Iterable[JobRow], running: Iterable[Job], ended: Iterable[Ended], now: float) -> list[JobRow]:
    """The rows of status, newest first. `before` are the previous rows, possibly of an earlier run."""
    known = {row["id"]: row for row in before if "id" in row}
    rows = [_row(job, RUNNING, known) for job in running]
    rows += [_row(job, state, known) | {"completedAt": rfc3339(at)} for job, state, at in ended]
    current = {row["id"] for row in rows if "id" in row}
    for row in before:
        if row.get("id") in current:
            continue
        if row.get("state") == RUNNING:  # an earlier run started it, and no child refers to it any more
            rows.append({**row, "state": LOST, "completedAt": rfc3339(now)})
        else:
            rows.append(row)
    rows.sort(key=lambda row: str(row.get("startedAt", "")), reverse=True)
    finished = [row for row in rows if row.get("state") != RUNNING][:MAX_FINISHED]
    return [row for row in rows if row.get("state") == RUNNING or any(row is kept for kept in finished)]


def _row(job: Job, state: str, known: dict[str, JobRow]) -> JobRow:
    progress, before = job.progress, known.get(job.id, {})
    total = (progress.total if progress else None) or job.size
    percentage = 100 if state == COMPLETED else _percentage(job, total)
    processed = progress.processed if progress is not None else None
    return present(
        id=job.id or None,
        operation=job.operation,
        state=state,
        total=total,
        processed=max(total * percentage // 100 if processed is None else processed, before.get("processed", 0)),
        succeeded=progress.succeeded if progress else before.get("succeeded", 0),
        failed=progress.failed if progress else before.get("failed", 0),
        progressPercentage=max(percentage, before.get("progressPercentage", 0)),
        startedAt=before.get("startedAt") or rfc3339(job.begun),
    )


def _percentage(job: Job, total: int) -> int:
    progress = job.progress
    if progress is None:
        return 0
    if progress.progress_percentage is not None:
        return int(min(100, max(0, progress.progress_percentage)))
    return min(100, 100 * (progress.processed or 0) // total) if total else 0


MOVED_SHARE = 0.1  # of the time left
MOVED_LEAST = 30.0


def completion(workspace: Workspace, key: str, namespace: str, left: int, now: float) -> float | None:
    """When `left` inboxes and all others that wait in the workspace are done; None while no creates are possible.

    All waiting inboxes count, as the order of their turns is not known.
    """
    if workspace.keys.breaker(key).block_of(Operation.CREATE_SMTP, frozenset({namespace})) is not None:
        return None
    waiting = workspace.queues.count(Action.CREATE, Action.DELETE)
    carried = sum(len(job.members) for job in workspace.jobs.values())
    calls = -(-max(left - carried, waiting, 0) // BULK)
    return (
        workspace.budget.done_at(now, REQUESTS_PER_BULK * calls + len(workspace.jobs)) + workspace.policy.poll_seconds
    )


def told(before: str | None, at: float | None, now: float) -> str | None:
    """The time for status: the previous one, as long as it is about right."""
    if at is None:
        return None
    if before is not None:
        known = unix_of(before) or 0.0
        if known > now and abs(known - at) <= max(MOVED_LEAST, MOVED_SHARE * (at - now)):
            return before
    return rfc3339(at)
