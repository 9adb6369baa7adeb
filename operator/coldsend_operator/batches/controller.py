"""The controller of SenderAccountBatch: keeps the children of each batch as its list asks, and reports on them."""

import asyncio
from functools import partial

from coldsend_operator.accounts.clients import Clients
from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.accounts.reading import Raw
from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.child_index import ChildIndex
from coldsend_operator.batches.child_writer import ChildWriter, batch_ref
from coldsend_operator.batches.lists import ListReader
from coldsend_operator.batches.overrides import BatchOverrides
from coldsend_operator.batches.reading import ListReading, see_batch
from coldsend_operator.batches.reporter import BatchReporter
from coldsend_operator.batches.writes import BatchWrites
from coldsend_operator.core.batch.counts import InboxState, count_child, count_list
from coldsend_operator.core.batch.decide import ChildAction, decide_child
from coldsend_operator.core.batch.model import Batch
from coldsend_operator.core.work_queue import WorkQueue
from coldsend_operator.kube.leadership import STALE_LEASE_PAUSE
from coldsend_operator.kube.objects import version_number
from coldsend_operator.kube.set_aside import DECIDE
from coldsend_operator.tasks import Tasks

MAX_WRITES = 8  # at once, with separate slots: many writes of finalizers and status do not delay new children
SLICE = 200  # decisions in one round
MAX_SLEEP = 5.0
ACT = "act"


class BatchController:
    """Takes the watch events of batches; `children` takes those of accounts.

    `run` starts after both kinds are listed (rule 1: no write leaves before).
    """

    def __init__(self, controller: AccountController, clients: Clients) -> None:
        self._controller = controller
        self._leadership = clients.leadership
        self._clock = clients.clock
        self._set_aside = clients.set_aside
        self._tasks = Tasks(self.wake, operation="batches")
        self.children = ChildIndex(self._decide_again)
        own = clients.kube.beside(MAX_WRITES)
        self._writes = BatchWrites(
            own,
            self._set_aside,
            ChildWriter(own, self._spelling),
            self.children,
            self._clock,
            self._tasks,
            self._decide_again,
            self._activate,
        )
        self._lists = ListReader(self.children, self._set_aside, self._tasks, self._use_list, self._activate)
        self._overrides = BatchOverrides(controller)
        self._reporter = BatchReporter(own, clients, controller, self.children, self._activate, self.wake)
        self._deciding = WorkQueue[str]()  # UIDs of batches with decisions to make, in turns
        self._acting = WorkQueue[str]()  # UIDs of batches with writes to make, in turns
        self._wake = asyncio.Event()
        self._stopping = False
        self.last_round_at = self._clock()

    def wake(self) -> None:
        self._wake.set()

    # -- watch events

    def batch_seen(self, raw: Raw) -> None:
        """Take in a batch from a watch event; it may be new, changed or unchanged."""
        metadata = raw["metadata"]
        work = self.children.follow(metadata)
        batch = work.batch
        if version_number(metadata.get("resourceVersion")) < batch.version:
            return  # older than our last write, whose own event follows
        before = _outline(batch)
        see_batch(batch, raw)
        self._overrides.see(batch, self.children.owned_by(batch))
        self._reporter.changed(work)
        if not batch.deleting and work.read_generation != batch.generation:
            work.read_generation = batch.generation
            self._lists.read(work, raw.get("spec") or {})
        if _outline(batch) != before:
            self._decide_all_again(work)
        self._activate(work)

    def batch_gone(self, uid: str) -> None:
        """The batch no longer exists or left the shard; Kubernetes decides about its children."""
        batch = self.children.forget(uid)
        for queue in (self._deciding, self._acting, self._reporter.queue):
            queue.drop(uid)
        if batch is not None:
            self._overrides.forget(batch)

    def namespace_changed(self, namespace: str) -> None:
        """The namespace was read for the first time, or its settings changed."""
        for work in self.children.in_namespace(namespace):
            batch = work.batch
            before = _outline(batch)
            self._overrides.see(batch, self.children.owned_by(batch))
            self._reporter.changed(work)
            if _outline(batch) != before:
                self._decide_all_again(work)
            self._activate(work)

    def _decide_again(self, work: BatchWork, name: str) -> None:
        work.decide_again(name)
        self._activate(work)

    def _decide_all_again(self, work: BatchWork) -> None:
        wanted = work.batch.desired
        for name in (*work.batch.children, *(wanted.by_name if wanted is not None else ()), *work.counts.known):
            if not name.startswith("#"):
                self._decide_again(work, name)

    def _activate(self, work: BatchWork) -> None:
        """Give the batch a turn; a batch that is gone gets none."""
        self._deciding.add(work.batch.uid)
        self.wake()

    def _use_list(self, work: BatchWork, reading: ListReading) -> None:
        batch = work.batch
        self._decide_all_again(work)  # entries of the old list
        work.spec, batch.desired = reading.spec, reading.desired
        batch.refusals.clear()
        batch.contested.clear()
        batch.kept.clear()
        work.start_again()
        self._overrides.see(batch, self.children.owned_by(batch))
        count_list(work.counts, reading.desired)
        self._reporter.changed(work)
        self._decide_all_again(work)

    # -- the loop

    async def run(self) -> None:
        """Run rounds until `stop`."""
        while not self._stopping:
            pause = self._round()
            self.last_round_at = self._clock()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            await asyncio.sleep(0)  # let more events arrive

    async def stop(self) -> None:
        """Begin nothing new, and wait for running writes."""
        self._stopping = True
        self.wake()
        await self._tasks.drain()
        await self._reporter.drain()

    def _round(self) -> float:
        """Run one round. Returns the seconds to sleep if no event comes."""
        self._wake.clear()
        if not self._leadership.fresh():
            return STALE_LEASE_PAUSE
        now = self._clock()
        self._decide(now)
        self._overrides.settle()
        self._act(now)
        pause = min(self._reporter.report(now), MAX_SLEEP)
        if self._deciding.ready():
            return 0.0
        due = self._deciding.next_at
        return pause if due is None else min(pause, max(0.0, due - now))

    def _decide(self, now: float) -> None:
        """Decide about children; batches take turns."""
        self._deciding.wake(now)
        for _ in range(SLICE):
            work = self._next(self._deciding)
            if work is None:
                return
            name = work.next_undecided(now)
            if name is None:
                with self._set_aside.trying(batch_ref(work.batch), DECIDE, partial(self._activate, work)):
                    self._announce(work)
                    self._acting.add(work.batch.uid)
            else:
                self._deciding.add(work.batch.uid)
                with self._set_aside.trying(
                    batch_ref(work.batch), f"{DECIDE} {name}", partial(self._decide_again, work, name)
                ):
                    self._decide_one(work, name, now)

    def _next(self, turns: WorkQueue[str]) -> BatchWork | None:
        """Take the batch whose turn it is."""
        while (uid := turns.take()) is not None:
            turns.done(uid)
            work = self.children.get(uid)
            if work is not None:
                return work
        return None

    def _decide_one(self, work: BatchWork, name: str, now: float) -> None:
        batch = work.batch
        child = self.children.child(batch, name)
        decision = decide_child(batch, name, child)
        self._overrides.await_child(batch, name, child, decision)
        if decision.action is ChildAction.NONE and work.held_until(name, now) is None:
            batch.contested.pop(name, None)
        if count_child(work.counts, batch, name, child, decision):
            self._reporter.changed(work)
        work.decided(name, decision.action, now, new=child is None)

    def announce_all(self) -> None:
        """Call this at the start, before the first call: the brake counts the deletions of all batches (rule 45)."""
        for work in self.children:
            batch = work.batch
            self._overrides.announce(batch, self.children.owned_by(batch), leaving=batch.deleting)

    def _announce(self, work: BatchWork) -> None:
        """Count the inboxes to delete with the batch: after all decisions, and before the first write."""
        batch, leaving = work.batch, work.counts.count(InboxState.LEAVING) > 0
        generation = batch.desired.generation if batch.desired is not None else 0
        counted_for = (generation, batch.deleting, batch.released, batch.orphans, batch.paused, leaving)
        if counted_for != work.announced:
            work.announced = counted_for
            self._overrides.announce(batch, self.children.owned_by(batch), leaving=leaving)

    def _act(self, now: float) -> None:
        """Start writes; batches take turns."""
        while len(self._tasks) < MAX_WRITES and (work := self._next(self._acting)) is not None:
            with self._set_aside.trying(batch_ref(work.batch), ACT, partial(self._activate, work)):
                if self._act_on(work, now):
                    self._acting.add(work.batch.uid)
                elif work.next_at is not None:
                    self._deciding.add_at(work.batch.uid, work.next_at)

    def _act_on(self, work: BatchWork, now: float) -> bool:
        """Start the next write of the batch. Returns whether more may follow."""
        batch, write = work.batch, work.next_write()
        if write is None:
            self._writes.keep_finalizer(work)
            return False
        name, action = write
        child = self.children.child(batch, name)
        if action is ChildAction.APPLY and not batch.finalized:  # rule 24: the finalizer comes before the children
            work.write_later(name)
            self._writes.keep_finalizer(work)
            return False
        if action is ChildAction.DELETE and self._emptied_unreported(work):
            work.write_later(name)
            self._reporter.changed(work)
            return False
        if action is ChildAction.APPLY and child is None and now < work.quota.full_until:
            work.children.done(name)
            self._decide_again(work, name)
        else:
            self._tasks.start(self._writes.carry_out(work, name, action, child))
        return True

    def _emptied_unreported(self, work: BatchWork) -> bool:
        """Whether the emptied list is not reported yet: that comes before the first child is deleted."""
        return work.batch.emptied and work.empty_reported != work.batch.generation

    def _spelling(self, uid: str) -> str | None:
        account = self._controller.accounts.get(uid)
        return account.desired.spec.email_address if account is not None else None


def _outline(batch: Batch) -> tuple[object, ...]:
    """The parts of a batch, apart from its list, on which every child depends."""
    return (batch.waits, batch.deleting, batch.released, batch.paused, batch.orphan, batch.orphans, batch.labels)
