"""The one writer of SenderAccountBatch status: at most once a second, and only what has changed."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal

from coldsend_operator.core.batch import Batch, Child
from coldsend_operator.core.batch_domains import without_counters
from coldsend_operator.core.batch_estimate import completion, told
from coldsend_operator.core.batch_jobs import RUNNING, Ended, JobRow, job_rows
from coldsend_operator.core.batch_status import counts_told, project_batch, tells_of_empty_list
from coldsend_operator.core.batch_tally import Fate
from coldsend_operator.core.conditions import condition, new_notes, reasons
from coldsend_operator.core.jobs import Job
from coldsend_operator.core.reasons import ANNOTATION_IGNORED, Condition, Reason
from coldsend_operator.core.stored_status import batch_status
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.kube.status import difference, write_status
from coldsend_operator.logs import Event, log
from coldsend_operator.workspace.batch_children import batch_ref
from coldsend_operator.workspace.batch_following import Following
from coldsend_operator.workspace.registry import Registry
from coldsend_operator.workspace.runner import Runner
from coldsend_operator.workspace.set_aside import REPORT, WRITE_STATUS, SetAside

REPORT_SECONDS = 1.0
COUNTER_SECONDS = 60.0  # counters of mails come one after the other, from each child: they are written together
COUNTS_SECONDS = 60.0  # between Events that tell of other counts for the same reason
NEVER = float("inf")
TOLD = ("Ready", "Synced")
UNTOLD = frozenset({Reason.IN_SYNC, Reason.PROVISIONING, Reason.DELETING})
"""Reasons that are no news: a batch passes through them by itself."""


class Reports:
    """Gathers figures, jobs and the estimate of each batch, and writes its status."""

    def __init__(
        self,
        kube: KubeClient,
        registry: Registry,
        clock: Callable[[], float],
        owned_by: Callable[[Batch], Callable[[], Iterator[Child]]],
        go_on: Callable[[Following], None],
        job_finished: Callable[[str, str], None],
        set_aside: SetAside,
    ) -> None:
        self._kube = kube
        self._registry = registry
        self._clock = clock
        self._owned_by = owned_by
        self._go_on = go_on
        self._job_finished = job_finished
        self._set_aside = set_aside
        self._tasks: set[asyncio.Task[None]] = set()
        self._looked_at = float("-inf")
        self._batches_of: dict[str, frozenset[str]] = {}  # by id of a running job: UIDs of the batches that it serves

    def flush(self, followings: Iterable[Following], now: float) -> float:
        """Start the writes that are due; how long until the next may be."""
        followings = tuple(followings)
        if now - self._looked_at >= REPORT_SECONDS:
            self._looked_at = now
            self._look_at_jobs({following.batch.uid: following for following in followings}, now)
        pause = NEVER
        for following in followings:
            if following.writing:
                continue
            if self._set_aside.waits(following.batch.uid, WRITE_STATUS):
                continue
            due = following.reported_at + REPORT_SECONDS
            following.changed |= following.counters_at is not None and following.counters_at <= now
            if following.changed and due <= now and following.counted:
                with self._set_aside.trying(batch_ref(following.batch), REPORT, partial(self._again, following)):
                    self._report(following, now)
            if following.changed or self._moves(following):
                pause = min(pause, max(due - now, 0.05))
            if following.counters_at is not None:
                pause = min(pause, max(following.counters_at - now, 0.05))
            pause = min(pause, self._follow_counts(following, now))
        return min(pause, REPORT_SECONDS) if self._jobs_run() else pause

    def _moves(self, following: Following) -> bool:
        """Whether jobs or the estimate may change without an event of a child."""
        return bool(following.estimate) or any(row.get("state") == RUNNING for row in _known_jobs(following))

    def _jobs_run(self) -> bool:
        return any(runner.ledger.jobs or runner.ledger.finished_jobs for runner in self._registry.runners.values())

    # -- jobs and the estimate

    def _look_at_jobs(self, followings: dict[str, Following], now: float) -> None:
        running: dict[str, list[Job]] = {}
        ended: dict[str, list[Ended]] = {}
        present: set[str] = set()
        for runner in self._registry.runners.values():
            ledger = runner.ledger
            for job in ledger.jobs.values():
                present.add(job.id)
                for uid in self._served(job):
                    running.setdefault(uid, []).append(job)
            finished, ledger.finished_jobs = ledger.finished_jobs, []
            for each in finished:
                self._job_finished(each[0].operation, each[1])
                for uid in self._served(each[0]):
                    ended.setdefault(uid, []).append(each)
        self._batches_of = {job: uids for job, uids in self._batches_of.items() if job in present}
        for uid, following in followings.items():
            self._take_jobs(following, running.get(uid, []), ended.get(uid, []), now)

    def _served(self, job: Job) -> frozenset[str]:
        known = self._batches_of.get(job.id) if job.id else None
        if known is None:
            accounts = (self._registry.accounts.get(uid) for uid in job.members)
            known = frozenset(account.desired.batch for account in accounts if account and account.desired.batch)
            self._batches_of[job.id] = known
        return known

    def _take_jobs(self, following: Following, running: list[Job], ended: list[Ended], now: float) -> None:
        if running or ended or self._moves(following):
            following.jobs = job_rows(_known_jobs(following), running, ended, now)
            following.changed = True

    def _estimate(self, following: Following, now: float) -> str | None:
        """When the inboxes that are still open are likely done."""
        left = following.tally.count(Fate.OPEN)
        before = following.estimate or following.batch.status.get("estimatedCompletionTime")
        if not left or following.batch.deleting or following.batch.paused or self._registry.policy.freeze:
            return None
        runner = self._runner_of(following.batch)
        if runner is None:
            return None
        return told(before, completion(runner.ledger, following.batch.namespace, left, now), now)

    def _runner_of(self, batch: Batch) -> Runner | None:
        """The workspace of the batch: its children share one key."""
        for child in self._owned_by(batch)():
            account = self._registry.accounts.get(child.uid)
            runner = self._registry.runners.get(account.ledger_digest) if account is not None else None
            if runner is not None:
                return runner if runner.client is not None else None
        return None

    # -- writing

    def _report(self, following: Following, now: float) -> None:
        batch = following.batch
        following.changed = False
        following.estimate = self._estimate(following, now)
        status = project_batch(batch, following.tally, _known_jobs(following), following.estimate, now)
        if status is None:
            return
        changed = difference(batch.status, self._kube.pruning.without("SenderAccountBatch", status))
        following.counters_at = None
        if not changed:
            if self._may_empty(following):  # an earlier run has told of it
                following.empty_told = batch.generation
                self._go_on(following)
            return
        if _counters_only(batch, changed) and now < following.reported_at + COUNTER_SECONDS:
            following.counters_at = following.reported_at + COUNTER_SECONDS
            return
        following.writing, following.reported_at = True, now
        task = asyncio.create_task(self._write(following, status))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, following: Following, status: dict[str, Any]) -> None:
        with self._set_aside.trying(batch_ref(following.batch), WRITE_STATUS, partial(self._again, following)):
            await self._bring(following, status)

    def _again(self, following: Following) -> None:
        following.changed = True
        self._go_on(following)

    async def _bring(self, following: Following, status: dict[str, Any]) -> None:
        batch = following.batch
        previous = batch.status
        try:
            written = await write_status(self._kube, batch_ref(batch), previous, status)
        finally:
            following.writing = False
            self._go_on(following)
        if written is not None:
            batch.version = max(batch.version, version_number(written.resource_version))
            batch.status = batch_status(written.status)
            await self._tell(following, previous, status)
            if self._may_empty(following):
                following.empty_told = batch.generation
                message = condition(batch.status, Condition.SYNCED)["message"]
                await emit(self._kube, batch_ref(batch), "Warning", Reason.DELETING, message, "Reconcile")
                self._go_on(following)

    def _may_empty(self, following: Following) -> bool:
        """Whether status tells of a list that was emptied, and its children still wait for that."""
        return tells_of_empty_list(following.batch) and following.empty_told != following.batch.generation

    async def _tell(self, following: Following, previous: dict[str, Any], status: dict[str, Any]) -> None:
        """One log line and one Event for each reason that is new."""
        batch = following.batch
        before, after = reasons(previous), reasons(status)
        known = {reason for _, reason, _ in before.values()}
        counted, counted_before = counts_told(status), counts_told(previous)
        if counted is None or counted[0] not in known:  # the Event of the new reason tells it
            following.counts_said, following.counts_said_at = counted and counted[1], self._clock()
        elif following.counts_said is None:
            following.counts_said = counted_before[1] if counted_before is not None else counted[1]
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

    def _follow_counts(self, following: Following, now: float) -> float:
        """Let an Event tell of counts that have changed since the last one; how long until it may."""
        counted = counts_told(following.batch.status)
        if counted is None or following.counts_said in {None, counted[1]}:
            return NEVER
        wait = following.counts_said_at + COUNTS_SECONDS - now
        if wait > 0:
            return wait
        following.counts_said, following.counts_said_at = counted[1], now
        task = asyncio.create_task(emit(self._kube, batch_ref(following.batch), "Warning", *counted, "Reconcile"))
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


def _known_jobs(following: Following) -> list[JobRow]:
    """Those of this run, else those that an earlier one has left in status."""
    stored: list[JobRow] = following.batch.status.get("jobs") or []
    return following.jobs or stored
