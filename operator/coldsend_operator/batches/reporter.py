"""Writes the status of SenderAccountBatches, at most once a second and only the changes."""

from collections.abc import Callable
from typing import Any

from coldsend_operator.accounts.clients import Clients
from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.child_index import ChildIndex
from coldsend_operator.batches.child_writer import batch_ref
from coldsend_operator.core.batch.counts import InboxState
from coldsend_operator.core.batch.domains import without_counters
from coldsend_operator.core.batch.jobs import RUNNING, Ended, JobRow, completion, job_rows, told
from coldsend_operator.core.batch.model import Batch
from coldsend_operator.core.batch.status import counts_told, project_batch, tells_of_empty_list
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.conditions import condition, reasons
from coldsend_operator.core.model.reasons import ConditionType, Reason
from coldsend_operator.core.model.stored_status import Status, batch_status
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.objects import version_number
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.status import WrittenStatus, difference
from coldsend_operator.kube.status_writer import EventType, StatusChange, StatusWriter
from coldsend_operator.resources.names import BATCH_KIND

REPORT_SECONDS = 1.0
COUNTING_PAUSE = 0.05
COUNTER_SECONDS = 60.0  # between writes of mail counters alone, which each child changes one after the other
COUNTS_SECONDS = 60.0  # between Events about other counts for the same reason
COUNTING_SECONDS = 10.0  # until the Event about held deletions: the children report one after the other
NEVER = float("inf")
REPORTED = ("Ready", "Synced")
NOT_REPORTED = frozenset({Reason.IN_SYNC, Reason.PROVISIONING, Reason.DELETING})
"""Reasons without an Event: a batch passes through them without anybody's help."""


class BatchReporter(StatusWriter[BatchWork]):
    """Collects counts, jobs and the estimate of each batch, and writes its status."""

    def __init__(
        self,
        kube: KubeClient,
        clients: Clients,
        controller: AccountController,
        children: ChildIndex,
        activate: Callable[[BatchWork], None],
        wake: Callable[[], None],
    ) -> None:
        super().__init__(kube, clients.clock, clients.set_aside, wake)
        self._controller = controller
        self._children = children
        self._activate = activate
        self._metrics = clients.metrics
        self._jobs_updated_at = float("-inf")
        self._batches_of: dict[str, frozenset[str]] = {}  # by id of a running job: UIDs of the batches that it serves

    def changed(self, work: BatchWork) -> None:
        """The status may have changed."""
        self.queue.add_at(work.batch.uid, work.reported_at + REPORT_SECONDS)

    def report(self, now: float) -> float:
        """Start the writes that are due. Returns the seconds until the next may be due."""
        if now - self._jobs_updated_at >= REPORT_SECONDS:
            self._jobs_updated_at = now
            self._update_jobs(now)
        self.flush()
        pause = NEVER if self.queue.next_at is None else max(self.queue.next_at - now, COUNTING_PAUSE)
        moves = self._jobs_run() or any(map(self._moves, self._children))
        return min(pause, REPORT_SECONDS) if moves else pause

    def _moves(self, work: BatchWork) -> bool:
        """Whether jobs or the estimate may change without an event of a child."""
        return bool(work.estimate) or any(row.get("state") == RUNNING for row in _known_jobs(work))

    def _jobs_run(self) -> bool:
        return any(loop.workspace.jobs or loop.workspace.finished_jobs for loop in self._controller.loops.values())

    # -- jobs and the estimate

    def _update_jobs(self, now: float) -> None:
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
                self._metrics.job_finished(each[0].operation, each[1])
                for uid in self._served(each[0]):
                    ended.setdefault(uid, []).append(each)
        self._batches_of = {job: uids for job, uids in self._batches_of.items() if job in present}
        for work in self._children:
            uid = work.batch.uid
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
            self.changed(work)

    def _estimate(self, work: BatchWork, now: float) -> str | None:
        """The estimated time at which all open inboxes are done that wait for nothing but their turn."""
        left = work.counts.count(InboxState.OPEN, working=True)
        before = work.estimate or work.batch.status.get("estimatedCompletionTime")
        if not left or work.batch.deleting or work.batch.paused or self._controller.policy.freeze:
            return None
        child = self._placed_child(work.batch)
        loop = self._controller.loop_of(child)
        if child is None or loop is None or not loop.keys:
            return None
        return told(before, completion(loop.workspace, child.key, work.batch.namespace, left, now), now)

    def _placed_child(self, batch: Batch) -> Account | None:
        """A child whose workspace is known; children share one key."""
        for child in self._children.owned_by(batch)():
            account = self._controller.accounts.get(child.uid)
            if account is not None and account.workspace_digest in self._controller.loops:
                return account
        return None

    # -- writing

    def find(self, uid: str) -> BatchWork | None:
        return self._children.get(uid)

    def ref_of(self, item: BatchWork) -> Ref:
        return batch_ref(item.batch)

    def change_of(self, item: BatchWork) -> StatusChange | None:
        batch, now = item.batch, self._clock()
        if not item.counted:
            self.queue.add_at(batch.uid, now + COUNTING_PAUSE)
            return None
        self._report_counts(item)
        item.estimate = self._estimate(item, now)
        status = project_batch(batch, item.counts, _known_jobs(item), item.estimate, now)
        if status is None:
            return None
        changed = difference(batch.status, self._kube.pruning.without(BATCH_KIND, status))
        if not changed:
            if self._may_empty(item):  # an earlier run reported it
                self._let_children_go(item)
            return None
        if _counters_only(batch, changed) and now < item.reported_at + COUNTER_SECONDS:
            self.queue.add_at(batch.uid, item.reported_at + COUNTER_SECONDS)
            return None
        item.reported_at = now
        return StatusChange(batch_ref(batch), batch.status, status)

    async def stored(self, item: BatchWork, change: StatusChange, written: WrittenStatus) -> None:
        batch = item.batch
        batch.version = max(batch.version, version_number(written.resource_version))
        batch.status = batch_status(written.status)
        self._remember_counts(item, change)
        await self.report_reasons(
            change, batch.all_notes, later=Reason.DELETION_HELD if _counts_held(change.new) else None
        )
        self._report_counts(item)
        if self._may_empty(item):
            message = condition(batch.status, ConditionType.SYNCED)["message"]
            await emit(self._kube, change.ref, "Warning", Reason.DELETING, message, "Reconcile")
            self._let_children_go(item)

    def is_reported(self, kind: str, reason: str, before: str | None) -> bool:  # noqa: ARG002 - whatever it was before
        return kind in REPORTED and reason not in NOT_REPORTED

    def event_type(self, state: str, reason: str) -> EventType:  # noqa: ARG002 - the type depends on the state alone
        return "Normal" if state == "True" else "Warning"

    # -- a list that was emptied

    def _may_empty(self, work: BatchWork) -> bool:
        """Whether status reports the emptied list, for which the deletions of its children wait."""
        return tells_of_empty_list(work.batch) and work.empty_reported != work.batch.generation

    def _let_children_go(self, work: BatchWork) -> None:
        work.empty_reported = work.batch.generation
        self._activate(work)

    # -- Events about counts of inboxes that need a person

    def _remember_counts(self, work: BatchWork, change: StatusChange) -> None:
        """Remember the counts that are reported already, or are in the Event about a new reason."""
        known = {reason for _, reason, _ in reasons(change.old).values()}
        counted, before, now = counts_told(change.new), counts_told(change.old), self._clock()
        if _counts_held(change.new) and Reason.DELETION_HELD not in known:
            work.counts_reported, work.counts_reported_at = "", now + COUNTING_SECONDS - COUNTS_SECONDS
        elif counted is None or counted[0] not in known:
            work.counts_reported, work.counts_reported_at = counted and counted[1], now
        elif work.counts_reported is None:
            work.counts_reported = before[1] if before is not None else counted[1]

    def _report_counts(self, work: BatchWork) -> None:
        """Send an Event about counts that changed since the last one, at most once a minute."""
        counted, now = counts_told(work.batch.status), self._clock()
        if counted is None or work.counts_reported in {None, counted[1]}:
            return
        due = work.counts_reported_at + COUNTS_SECONDS
        if now < due:
            self.queue.add_at(work.batch.uid, due)
            return
        work.counts_reported, work.counts_reported_at = counted[1], now
        self.tasks.start(emit(self._kube, batch_ref(work.batch), "Warning", *counted, "Reconcile"))


def _counts_held(status: Status) -> bool:
    """Whether Synced counts the held deletions: the Event about them is sent when the count has settled."""
    counted = counts_told(status)
    return counted is not None and counted[0] == Reason.DELETION_HELD


def _counters_only(batch: Batch, changed: dict[str, Any]) -> bool:
    """Whether only the mail counters of domains changed."""
    if changed.keys() != {"domains"}:
        return False
    return without_counters(changed["domains"]) == without_counters(batch.status.get("domains"))


def _known_jobs(work: BatchWork) -> list[JobRow]:
    """The jobs of this run, else those that an earlier run wrote to status."""
    stored: list[JobRow] = work.batch.status.get("jobs") or []
    return work.jobs or stored
