"""The one writer of SenderAccountBatch status: at most once a second, and only what has changed."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal

from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.accounts.workspace_loop import WorkspaceLoop
from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.child_writer import batch_ref
from coldsend_operator.core.batch.counts import InboxState
from coldsend_operator.core.batch.domains import without_counters
from coldsend_operator.core.batch.estimate import completion, told
from coldsend_operator.core.batch.jobs import RUNNING, Ended, JobRow, job_rows
from coldsend_operator.core.batch.model import Batch, Child
from coldsend_operator.core.batch.status import counts_told, project_batch, tells_of_empty_list
from coldsend_operator.core.model.conditions import condition, new_notes, reasons
from coldsend_operator.core.model.reasons import ANNOTATION_IGNORED, ConditionType, Reason
from coldsend_operator.core.model.stored_status import batch_status
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.kube.set_aside import REPORT, WRITE_STATUS, SetAside
from coldsend_operator.kube.status import difference, write_status
from coldsend_operator.logs import Event, log

REPORT_SECONDS = 1.0
COUNTER_SECONDS = 60.0  # counters of mails come one after the other, from each child: they are written together
COUNTS_SECONDS = 60.0  # between Events that tell of other counts for the same reason
NEVER = float("inf")
TOLD = ("Ready", "Synced")
UNTOLD = frozenset({Reason.IN_SYNC, Reason.PROVISIONING, Reason.DELETING})
"""Reasons that are no news: a batch passes through them by itself."""


class BatchReporter:
    """Gathers figures, jobs and the estimate of each batch, and writes its status."""

    def __init__(
        self,
        kube: KubeClient,
        controller: AccountController,
        clock: Callable[[], float],
        owned_by: Callable[[Batch], Callable[[], Iterator[Child]]],
        go_on: Callable[[BatchWork], None],
        job_finished: Callable[[str, str], None],
        set_aside: SetAside,
    ) -> None:
        self._kube = kube
        self._controller = controller
        self._clock = clock
        self._owned_by = owned_by
        self._go_on = go_on
        self._job_finished = job_finished
        self._set_aside = set_aside
        self._tasks: set[asyncio.Task[None]] = set()
        self._looked_at = float("-inf")
        self._batches_of: dict[str, frozenset[str]] = {}  # by id of a running job: UIDs of the batches that it serves

    def flush(self, works: Iterable[BatchWork], now: float) -> float:
        """Start the writes that are due; how long until the next may be."""
        works = tuple(works)
        if now - self._looked_at >= REPORT_SECONDS:
            self._looked_at = now
            self._look_at_jobs({work.batch.uid: work for work in works}, now)
        pause = NEVER
        for work in works:
            if work.writing:
                continue
            if self._set_aside.waits(work.batch.uid, WRITE_STATUS):
                continue
            due = work.reported_at + REPORT_SECONDS
            work.changed |= work.counters_at is not None and work.counters_at <= now
            if work.changed and due <= now and work.counted:
                with self._set_aside.trying(batch_ref(work.batch), REPORT, partial(self._again, work)):
                    self._report(work, now)
            if work.changed or self._moves(work):
                pause = min(pause, max(due - now, 0.05))
            if work.counters_at is not None:
                pause = min(pause, max(work.counters_at - now, 0.05))
            pause = min(pause, self._follow_counts(work, now))
        return min(pause, REPORT_SECONDS) if self._jobs_run() else pause

    def _moves(self, work: BatchWork) -> bool:
        """Whether jobs or the estimate may change without an event of a child."""
        return bool(work.estimate) or any(row.get("state") == RUNNING for row in _known_jobs(work))

    def _jobs_run(self) -> bool:
        return any(loop.workspace.jobs or loop.workspace.finished_jobs for loop in self._controller.loops.values())

    # -- jobs and the estimate

    def _look_at_jobs(self, works: dict[str, BatchWork], now: float) -> None:
        running: dict[str, list[Job]] = {}
        ended: dict[str, list[Ended]] = {}
        present: set[str] = set()
        for loop in self._controller.loops.values():
            workspace = loop.workspace
            for job in workspace.jobs.values():
                present.add(job.id)
                for uid in self._served(job):
                    running.setdefault(uid, []).append(job)
            finished, workspace.finished_jobs = workspace.finished_jobs, []
            for each in finished:
                self._job_finished(each[0].operation, each[1])
                for uid in self._served(each[0]):
                    ended.setdefault(uid, []).append(each)
        self._batches_of = {job: uids for job, uids in self._batches_of.items() if job in present}
        for uid, work in works.items():
            self._take_jobs(work, running.get(uid, []), ended.get(uid, []), now)

    def _served(self, job: Job) -> frozenset[str]:
        known = self._batches_of.get(job.id) if job.id else None
        if known is None:
            accounts = (self._controller.accounts.get(uid) for uid in job.members)
            known = frozenset(account.desired.batch for account in accounts if account and account.desired.batch)
            self._batches_of[job.id] = known
        return known

    def _take_jobs(self, work: BatchWork, running: list[Job], ended: list[Ended], now: float) -> None:
        if running or ended or self._moves(work):
            work.jobs = job_rows(_known_jobs(work), running, ended, now)
            work.changed = True

    def _estimate(self, work: BatchWork, now: float) -> str | None:
        """When the inboxes that are still open are likely done."""
        left = work.counts.count(InboxState.OPEN)
        before = work.estimate or work.batch.status.get("estimatedCompletionTime")
        if not left or work.batch.deleting or work.batch.paused or self._controller.policy.freeze:
            return None
        loop = self._loop_of(work.batch)
        if loop is None:
            return None
        return told(before, completion(loop.workspace, work.batch.namespace, left, now), now)

    def _loop_of(self, batch: Batch) -> WorkspaceLoop | None:
        """The workspace of the batch: its children share one key."""
        for child in self._owned_by(batch)():
            account = self._controller.accounts.get(child.uid)
            loop = self._controller.loops.get(account.workspace_digest) if account is not None else None
            if loop is not None:
                return loop if loop.client is not None else None
        return None

    # -- writing

    def _report(self, work: BatchWork, now: float) -> None:
        batch = work.batch
        work.changed = False
        work.estimate = self._estimate(work, now)
        status = project_batch(batch, work.counts, _known_jobs(work), work.estimate, now)
        if status is None:
            return
        changed = difference(batch.status, self._kube.pruning.without("SenderAccountBatch", status))
        work.counters_at = None
        if not changed:
            if self._may_empty(work):  # an earlier run has told of it
                work.empty_told = batch.generation
                self._go_on(work)
            return
        if _counters_only(batch, changed) and now < work.reported_at + COUNTER_SECONDS:
            work.counters_at = work.reported_at + COUNTER_SECONDS
            return
        work.writing, work.reported_at = True, now
        task = asyncio.create_task(self._write(work, status))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, work: BatchWork, status: dict[str, Any]) -> None:
        with self._set_aside.trying(batch_ref(work.batch), WRITE_STATUS, partial(self._again, work)):
            await self._bring(work, status)

    def _again(self, work: BatchWork) -> None:
        work.changed = True
        self._go_on(work)

    async def _bring(self, work: BatchWork, status: dict[str, Any]) -> None:
        batch = work.batch
        previous = batch.status
        try:
            written = await write_status(self._kube, batch_ref(batch), previous, status)
        finally:
            work.writing = False
            self._go_on(work)
        if written is not None:
            batch.version = max(batch.version, version_number(written.resource_version))
            batch.status = batch_status(written.status)
            await self._tell(work, previous, status)
            if self._may_empty(work):
                work.empty_told = batch.generation
                message = condition(batch.status, ConditionType.SYNCED)["message"]
                await emit(self._kube, batch_ref(batch), "Warning", Reason.DELETING, message, "Reconcile")
                self._go_on(work)

    def _may_empty(self, work: BatchWork) -> bool:
        """Whether status tells of a list that was emptied, and its children still wait for that."""
        return tells_of_empty_list(work.batch) and work.empty_told != work.batch.generation

    async def _tell(self, work: BatchWork, previous: dict[str, Any], status: dict[str, Any]) -> None:
        """One log line and one Event for each reason that is new."""
        batch = work.batch
        before, after = reasons(previous), reasons(status)
        known = {reason for _, reason, _ in before.values()}
        counted, counted_before = counts_told(status), counts_told(previous)
        if counted is None or counted[0] not in known:  # the Event of the new reason tells it
            work.counts_said, work.counts_said_at = counted and counted[1], self._clock()
        elif work.counts_said is None:
            work.counts_said = counted_before[1] if counted_before is not None else counted[1]
        for kind in TOLD:
            state, reason, message = after[kind]
            if reason in known or reason in UNTOLD:
                continue
            known.add(reason)
            names = {"namespace": batch.namespace, "name": batch.name}
            log.info(Event.CONDITION_CHANGED, condition=kind, status=state, reason=reason, **names)
            level: Literal["Normal", "Warning"] = "Normal" if state == "True" else "Warning"
            await emit(self._kube, batch_ref(batch), level, reason, message, "Reconcile")
        for note in new_notes(batch.all_notes, status, previous):
            await emit(self._kube, batch_ref(batch), "Warning", ANNOTATION_IGNORED, note, "Reconcile")

    def _follow_counts(self, work: BatchWork, now: float) -> float:
        """Let an Event tell of counts that have changed since the last one; how long until it may."""
        counted = counts_told(work.batch.status)
        if counted is None or work.counts_said in {None, counted[1]}:
            return NEVER
        wait = work.counts_said_at + COUNTS_SECONDS - now
        if wait > 0:
            return wait
        work.counts_said, work.counts_said_at = counted[1], now
        task = asyncio.create_task(emit(self._kube, batch_ref(work.batch), "Warning", *counted, "Reconcile"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return NEVER

    async def drain(self) -> None:
        """Wait for the writes under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _counters_only(batch: Batch, changed: dict[str, Any]) -> bool:
    """Whether nothing has changed but how many mails the domains have sent."""
    if changed.keys() != {"domains"}:
        return False
    return without_counters(changed["domains"]) == without_counters(batch.status.get("domains"))


def _known_jobs(work: BatchWork) -> list[JobRow]:
    """Those of this run, else those that an earlier one has left in status."""
    stored: list[JobRow] = work.batch.status.get("jobs") or []
    return work.jobs or stored
