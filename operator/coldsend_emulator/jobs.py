"""Bulk jobs, which do their items one by one while the client polls."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from coldsend_emulator.clock import Clock, Schedule, rfc3339
from coldsend_emulator.refusals import Refusal, job_not_found
from coldsend_emulator.results import Result, count
from coldsend_emulator.switches import Switches

SMTP_CREATE, NATIVE_CREATE, DELETE = "smtp_create", "native_create", "delete"

Act = Callable[[int, float], Result]  # does the item at this place in the request, at this moment


@dataclass(frozen=True)
class Words:
    queued: str | None = "PENDING"
    running: str | None = "IN_PROGRESS"
    done: str | None = "COMPLETED"
    partly: str | None = "COMPLETED"  # done, some items failed
    failed: str | None = "FAILED"  # done, all items failed
    cancelled: str | None = "CANCELLED"


def _same(word: str | None, running: str | None = "PROCESSING") -> Words:
    return Words("QUEUED", running, word, word, word, word)


_WORDS = {
    "usual": Words(),
    "lower_case": Words("pending", "in_progress", "completed", "completed", "failed", "cancelled"),
    "complete": _same("COMPLETE"),
    "success": _same("SUCCESS"),
    "succeeded": _same("SUCCEEDED"),
    "done": _same("DONE"),
    "finished": _same("FINISHED"),
    "partial": Words(running="VALIDATING", partly="PARTIAL"),
    "partially_completed": Words(running="VALIDATING", partly="PARTIALLY_COMPLETED"),
    "completed_with_errors": Words(running="PROCESSING", partly="COMPLETED_WITH_ERRORS"),
    "failed": Words(partly="FAILED"),
    "error": Words(partly="ERROR", failed="ERROR"),
    "canceled": Words(cancelled="CANCELED"),
    "unknown": _same("WRAPPED_UP", "IN_THE_OVEN"),
    "absent": _same(None, None),
    "always_running": _same("IN_PROGRESS", "IN_PROGRESS"),
}


@dataclass(slots=True)
class Job:
    job_id: str
    kind: str
    workspace: str
    total: int
    started_on: float  # on the emulator's clock, as ended_on
    started_at: float  # Unix seconds, as ended_at
    results: list[Result] = field(default_factory=list)
    ended_on: float | None = None
    ended_at: float = 0.0
    cut_short: str | None = None  # "cancelled" or "failed" if it ended before all items were done


@dataclass(frozen=True)
class Submission:
    job_id: str | None
    results: list[Result] | None  # None: not done yet


class JobBoard:
    def __init__(self, switches_of: Callable[[str], Switches], clock: Clock, schedule: Schedule) -> None:
        self._switches_of = switches_of
        self._clock = clock
        self._schedule = schedule
        self._jobs: dict[str, Job] = {}

    def all(self) -> list[Job]:
        return list(self._jobs.values())

    def submit(self, kind: str, workspace: str, total: int, act: Act) -> Submission:
        """Start a job, or do its work at once (row 4: when `job_id` is null). Raises Refusal if too many run."""
        self._check_parallel(kind, workspace)
        job = Job(str(uuid.uuid4()), kind, workspace, total, self._clock.now(), self._clock.wall())
        self._jobs[job.job_id] = job
        form = self._switches_of(workspace).choice("job_id")
        if form in {"given_done", "null_done"}:
            job.results = [act(place, job.started_on) for place in range(total)]
            self._end(job, None, job.started_on)
        else:
            self._plan(job, act)
        return Submission(
            job.job_id if form.startswith("given") else None, job.results if job.ended_on is not None else None
        )

    def find(self, job_id: str, kind: str, workspace: str) -> Job:
        """Raises Refusal 404 if there is no such job, or it ended too long ago."""
        job = self._jobs.get(job_id)
        if job is None or job.workspace != workspace or job.kind != kind:
            raise job_not_found()
        kept = self._switches_of(workspace).amount("job_ttl_seconds")
        if job.ended_on is not None and self._clock.now() > job.ended_on + kept:
            raise job_not_found()
        return job

    def progress(self, job: Job) -> dict[str, Any]:
        """The `job` field of a progress response, without results."""
        counts = count(job.results)
        shown: dict[str, Any] = {
            "job_id": job.job_id,
            "status": self._word(job),
            "progress_percentage": 100 * len(job.results) // job.total,
            "total_rows": job.total,
            "processed_count": len(job.results),
            "success_count": counts.succeeded,
            "failed_count": counts.failed,
            "started_at": rfc3339(job.started_at),
        }
        if job.kind == DELETE:
            shown |= {"deleted_count": counts.succeeded, "skipped_count": counts.skipped}
        self._hide_counters(shown, job)
        completed = self._switches_of(job.workspace).choice("job_completed_at")
        if completed != "absent":
            finished = completed == "given" and job.ended_on is not None
            shown["completed_at"] = rfc3339(job.ended_at) if finished else None
        return shown

    def _hide_counters(self, shown: dict[str, Any], job: Job) -> None:
        form = self._switches_of(job.workspace).choice("job_counters")
        if form == "full":
            return
        for name in ("progress_percentage", "total_rows", "processed_count", "success_count", "failed_count"):
            del shown[name]
            if form == "zero":
                shown[name] = 0

    def _word(self, job: Job) -> str | None:
        words = _WORDS[self._switches_of(job.workspace).choice("job_words")]
        counts = count(job.results)
        if job.cut_short:
            return words.cancelled if job.cut_short == "cancelled" else words.failed
        if job.ended_on is None:
            return words.running if job.results else words.queued
        if counts.failed == job.total:
            return words.failed
        return words.partly if counts.failed else words.done

    def _check_parallel(self, kind: str, workspace: str) -> None:
        running = [j for j in self._jobs.values() if j.kind == kind and j.workspace == workspace and j.ended_on is None]
        switches = self._switches_of(workspace)
        if len(running) >= switches.amount("parallel_jobs"):
            code = int(switches.choice("parallel_jobs_code"))
            raise Refusal(code, "Another bulk job is still running")

    def _plan(self, job: Job, act: Act) -> None:
        switches = self._switches_of(job.workspace)
        ending = switches.choice("job_ending")
        step = switches.amount("job_seconds") / job.total
        to_do = job.total if ending == "complete" else job.total // 2
        for place in range(to_do):
            self._schedule.at(job.started_on + step * (place + 1), partial(self._do, job, act, place))
        if ending == "stuck_halfway":
            return
        cut_short = None if ending == "complete" else ending.removesuffix("_halfway")
        self._schedule.at(job.started_on + step * max(to_do, 1), partial(self._end, job, cut_short))

    @staticmethod
    def _do(job: Job, act: Act, place: int, moment: float) -> None:
        job.results.append(act(place, moment))

    def _end(self, job: Job, cut_short: str | None, moment: float) -> None:
        job.ended_on = moment
        job.ended_at = self._clock.wall_at(moment)
        job.cut_short = cut_short
