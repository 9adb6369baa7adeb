"""Bulk jobs: when to poll, and when a response means that a job has ended (contract rows 1 to 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from coldsend_operator.core.model.answers import JobProgress, ResultRow, address_key
from coldsend_operator.core.model.calls import Operation

ENDED = frozenset(
    {
        "COMPLETED",
        "COMPLETE",
        "SUCCESS",
        "SUCCEEDED",
        "DONE",
        "FINISHED",
        "PARTIAL",
        "PARTIALLY_COMPLETED",
        "COMPLETED_WITH_ERRORS",
        "FAILED",
        "ERROR",
        "CANCELLED",
        "CANCELED",
    }
)
MAX_PARALLEL = 4  # of one kind at once, after ColdSend has finished a first one
STUCK_SECONDS = 600.0
IDLE_SECONDS = 60.0  # without progress: the job is still polled, but others need not wait for it
MAX_PAUSE = 60.0
SOONER = 0.95  # a job that had ended at its first poll may take less time than estimated


@dataclass(slots=True)
class Job:
    """A running bulk job. Times are Unix seconds; `next_poll` is None until all members store its id."""

    id: str
    operation: str  # Create | Delete
    members: set[str]  # UIDs
    begun: float
    next_poll: float | None = None
    polls: int = 0
    processed: int = -1
    moved_at: float = 0.0
    asked_at: float = 0.0  # when it was polled last
    unstored: set[str] = field(default_factory=set)  # members whose status does not show the id yet
    progress: JobProgress | None = None
    size: int = 0
    in_flight: bool = False
    left_at: float | None = None  # when its call left; None when an earlier run sent it


def job_operation(call: Operation) -> str:
    """The operation of the jobs that such calls begin."""
    return "Create" if call.creates else "Delete"


def ended(progress: JobProgress) -> bool:
    """An unknown word counts as running, until a deadline (contract row 1)."""
    if progress.completed_at:
        return True
    if progress.total and progress.processed is not None and progress.processed >= progress.total > 0:
        return True
    return progress.status.strip().upper().replace(" ", "_").replace("-", "_") in ENDED


def fold(job: Job, progress: JobProgress, now: float) -> None:
    """Apply a response; only a moving counter shows that the job is alive."""
    processed = progress.processed if progress.processed is not None else int(progress.progress_percentage or 0)
    if processed > job.processed:
        job.processed, job.moved_at = processed, now
    job.progress = progress
    job.asked_at = now
    job.polls += 1


def tells_of_each(job: Job, failures: Mapping[str, str]) -> bool:
    """Whether ColdSend counts every member as done, and no failure beside those that its rows name."""
    progress = job.progress
    if progress is None or progress.succeeded is None or progress.failed is None:
        return False
    return progress.failed <= len(failures) and progress.succeeded + len(failures) >= len(job.members)


def idle(job: Job) -> bool:
    """Whether polls have shown no progress for a minute."""
    return job.asked_at - max(job.moved_at, job.begun) >= IDLE_SECONDS


def stuck(job: Job, now: float) -> bool:
    return now - max(job.moved_at, job.begun) >= STUCK_SECONDS


class PollIntervals:
    """Estimates when a job is done, from earlier jobs, so that one poll is often enough."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], float] = {}

    def learn(self, job: Job) -> None:
        """The poll that was due at `next_poll` found the job ended.

        A poll that left late, as the budget was spent, tells nothing about the duration of jobs.
        """
        took = (job.next_poll or 0.0) - job.begun
        if took <= 0:
            return  # it was started before a restart
        if job.polls <= 1:
            took *= SOONER
        known = self._seconds.get(_size(job))
        self._seconds[_size(job)] = took if known is None else 0.5 * known + 0.5 * took

    def first_poll(self, job: Job, shortest: float) -> float:
        expected = self._seconds.get(_size(job), 0.0)
        return job.begun + min(max(shortest, expected), MAX_PAUSE)

    def next_poll(self, job: Job, now: float, shortest: float) -> float:
        """The remaining time by the progress so far; longer while nothing moves."""
        total = (job.progress.total if job.progress else None) or job.size
        if job.processed > 0 and total:
            speed = job.processed / max(now - job.begun, 0.001)
            pause = max(0.0, total - job.processed) / speed
        else:
            pause = shortest * 2 ** min(job.polls, 5)
        return now + min(max(shortest, pause), MAX_PAUSE)


def _size(job: Job) -> tuple[str, int]:
    """Jobs of about the same size take about the same time."""
    return (job.operation, job.size.bit_length())


def failures(results: tuple[ResultRow, ...]) -> dict[str, str]:
    """Addresses whose row reports a failure, with its message: a hint only; the list decides (contract row 2)."""
    words = {"FAILED", "ERROR", "FAILURE", "REJECTED", "INVALID", "SKIPPED"}
    still_to_do = {"QUEUED", "PENDING", "ACCEPTED", "VALIDATING", "PROCESSING", "IN_PROGRESS", "RUNNING"}
    hints: dict[str, str] = {}
    for row in results:
        word = (row.status or "").upper()
        failed = word not in still_to_do and (row.success is False or (row.success is None and word in words))
        if failed and row.email_address:
            hints[address_key(row.email_address)] = row.message
    return hints
