"""SenderAccountBatch: keeps the children of each batch as its list asks, and reports on them."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.accounts.reading import Raw
from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.child_index import ChildIndex
from coldsend_operator.batches.child_writer import ChildWriter, batch_ref
from coldsend_operator.batches.overrides import BatchOverrides
from coldsend_operator.batches.reading import ListReading, read_list, see_batch
from coldsend_operator.batches.reporter import BatchReporter
from coldsend_operator.core.batch.counts import InboxState, count_child, count_entry
from coldsend_operator.core.batch.decide import ChildAction, FinalizerChange, decide_child, finalizer_change
from coldsend_operator.core.batch.model import Batch, Child, EntryRefusal
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.kube.client import Conflict, Forbidden, Invalid, KubeClient, KubeError, NotFound, Ref, StaleLease
from coldsend_operator.kube.leadership import Leadership
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.kube.set_aside import DECIDE, SetAside
from coldsend_operator.logs import Event, log

MOST_WRITES = 8  # at once; they have slots of their own, so that a flood of marks and status lets new children come
SLICE = 200  # decisions before others have theirs
LONGEST_SLEEP = 5.0
STALE_LEASE_PAUSE = 0.5
TROUBLE_PAUSE = 1.0
READ_LIST, ACT = "read_list", "act"
QUOTA = "exceeded quota"  # how the API server words that a ResourceQuota is used up
TRY_QUOTA = ""  # in the place of a child's name: whichever waits for the quota


class BatchController:
    """Fed with the watch events of both kinds; `run` does the work once both are listed whole (rule 1)."""

    def __init__(
        self,
        kube: KubeClient,
        leadership: Callable[[], Leadership],
        controller: AccountController,
        clock: Callable[[], float],
        job_finished: Callable[[str, str], None],
        set_aside: SetAside,
    ) -> None:
        self._leadership = leadership
        self._clock = clock
        self._controller = controller
        self._set_aside = set_aside
        self._children = ChildIndex(self._decide_again)
        own = kube.beside(MOST_WRITES)
        self._writer = ChildWriter(own, leadership, self._spelling)
        self._overrides = BatchOverrides(controller)
        self._reporter = BatchReporter(
            own, controller, clock, self._children.owned_by, self._go_on, job_finished, set_aside
        )
        self._deciding: dict[str, BatchWork] = {}  # batches with decisions to make, in turns
        self._acting: dict[str, BatchWork] = {}  # batches with writes to make, in turns
        self._retries: list[tuple[float, str, str]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._running = self._stopping = False
        self.came_round_at = clock()

    def wake(self) -> None:
        self._wake.set()

    # -- watch events

    def batch_seen(self, raw: Raw) -> None:
        """The API server shows a batch: new, changed, or just again."""
        metadata = raw["metadata"]
        work = self._children.follow(metadata)
        batch = work.batch
        if version_number(metadata.get("resourceVersion")) < batch.version:
            return  # older than our own last write; an event of that one follows
        before = _outline(batch)
        see_batch(batch, raw)
        self._overrides.see(batch, self._children.owned_by(batch))
        work.changed = True
        if not batch.deleting and work.read_generation != batch.generation:
            work.unread, work.read_generation = raw.get("spec") or {}, batch.generation
            if not work.reading:
                work.reading = True
                self._spawn(self._read(work))
        if _outline(batch) != before:
            self._decide_all_again(work)
        self._activate(work)

    def batch_gone(self, uid: str) -> None:
        """The batch has left the API server, or our shard; its children are left to Kubernetes."""
        batch = self._children.forget(uid)
        self._deciding.pop(uid, None)
        self._acting.pop(uid, None)
        if batch is not None:
            self._overrides.forget(batch)

    @property
    def namespaces(self) -> set[str]:
        """Those that have batches."""
        return self._children.namespaces

    def namespace_changed(self, namespace: str) -> None:
        """The namespace was read for the first time, or says something else now."""
        for work in self._children.in_namespace(namespace):
            batch = work.batch
            before = _outline(batch)
            self._overrides.see(batch, self._children.owned_by(batch))
            work.changed = True
            if _outline(batch) != before:
                self._decide_all_again(work)
            self._activate(work)

    def roll_back(self, ref: Ref) -> None:
        """The API server was restored, and shows an older state of the object."""
        self._children.roll_back(ref)

    def child_seen(self, raw: Raw) -> None:
        """The API server shows a SenderAccount."""
        self._children.see_child(raw)

    def child_gone(self, namespace: str, name: str, uid: str) -> None:
        """The SenderAccount has left the API server."""
        self._children.lose_child(namespace, name, uid)

    def _decide_again(self, work: BatchWork, name: str) -> None:
        work.decide_again(name)
        self._activate(work)

    def _decide_all_again(self, work: BatchWork) -> None:
        wanted = work.batch.desired
        for name in (*work.batch.children, *(wanted.by_name if wanted is not None else ()), *work.counts.known):
            if not name.startswith("#"):
                self._decide_again(work, name)

    def _activate(self, work: BatchWork) -> None:
        self._deciding[work.batch.uid] = work
        self.wake()

    def _go_on(self, work: BatchWork) -> None:
        """Something was written for the batch: what waits for it follows."""
        if self._children.get(work.batch.uid) is work:
            self._activate(work)
        self.wake()

    # -- reading lists

    async def _read(self, work: BatchWork) -> None:
        """Read the newest spec off the event loop; what came meanwhile is read after it."""
        batch = work.batch
        try:
            while work.unread is not None:
                raw, work.unread = work.unread, None
                with self._set_aside.trying(batch_ref(batch), READ_LIST, partial(self._read_again, work, raw)):
                    reading = await asyncio.to_thread(read_list, batch.name, work.read_generation, raw)
                    if work.unread is None and not batch.deleting and self._children.get(batch.uid) is work:
                        self._use_list(work, reading)
        finally:
            work.reading = False
            if self._children.get(batch.uid) is work:
                self._activate(work)

    def _read_again(self, work: BatchWork, raw: Any) -> None:
        """Reading the list has failed: once more, unless a newer one came."""
        if work.unread is None and not work.reading and self._children.get(work.batch.uid) is work:
            work.unread, work.reading = raw, True
            self._spawn(self._read(work))

    def _use_list(self, work: BatchWork, reading: ListReading) -> None:
        batch = work.batch
        self._decide_all_again(work)  # what stood in the old list
        work.spec, batch.desired = reading.spec, reading.desired
        batch.refusals.clear()
        batch.contested.clear()
        work.start_again()
        self._overrides.see(batch, self._children.owned_by(batch))
        self._count_list(work)
        self._decide_all_again(work)

    def _count_list(self, work: BatchWork) -> None:
        for key in work.counts.known:
            if key.startswith("#"):
                work.counts.put(key, None)
        for entry in work.batch.desired.entries if work.batch.desired is not None else ():
            if entry.name is None:
                count_entry(work.counts, entry)
        work.changed = True

    # -- the loop

    async def run(self) -> None:
        """Go round until told to stop."""
        self._running = True
        while not self._stopping:
            pause = self._round()
            self.came_round_at = self._clock()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            await asyncio.sleep(0)  # what woke us may come with more

    async def stop(self) -> None:
        """Begin nothing new, end what is under way."""
        self._stopping = True
        self.wake()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reporter.drain()

    def _round(self) -> float:
        """One round; how long to sleep without an event."""
        self._wake.clear()
        if not self._leadership().fresh():
            return STALE_LEASE_PAUSE
        now = self._clock()
        while self._retries and self._retries[0][0] <= now:
            _, uid, name = heapq.heappop(self._retries)
            work = self._children.get(uid)
            if work is not None:
                self._try_again(work, name)
        self._decide(now)
        self._overrides.settle()
        self._act()
        pause = self._reporter.flush(self._children, now)
        if self._retries:
            pause = min(pause, max(0.0, self._retries[0][0] - now))
        return 0.0 if self._deciding else min(pause, LONGEST_SLEEP)

    def _try_again(self, work: BatchWork, name: str) -> None:
        """A pause is over. Of all that wait for the quota one is tried that is to be made still."""
        while name == TRY_QUOTA:
            parked = work.next_parked()
            if parked is None:
                work.see_room()
                return
            batch = work.batch
            child = self._children.child(batch, parked)
            if child is None and decide_child(batch, parked, None).action is ChildAction.APPLY:
                name = parked
        self._decide_again(work, name)

    def _decide(self, now: float) -> None:
        """Decide what children need, a turn for each batch."""
        for _ in range(SLICE):
            if not self._deciding:
                return
            uid, work = _next(self._deciding)
            name = work.next_undecided()
            if name is None:
                with self._set_aside.trying(batch_ref(work.batch), DECIDE, partial(self._activate, work)):
                    self._announce(work)
                    self._acting[uid] = work
            else:
                self._deciding[uid] = work
                with self._set_aside.trying(
                    batch_ref(work.batch), f"{DECIDE} {name}", partial(self._decide_again, work, name)
                ):
                    self._decide_one(work, name, now)

    def _decide_one(self, work: BatchWork, name: str, now: float) -> None:
        batch = work.batch
        child = self._children.child(batch, name)
        decision = decide_child(batch, name, child)
        self._overrides.await_child(batch, name, child, decision)
        held = work.held(name, now)
        if decision.action is ChildAction.NONE and not held:
            batch.contested.pop(name, None)
        if count_child(work.counts, batch, name, child, decision):
            work.changed = True
        if decision.action is ChildAction.NONE or held:
            return
        if decision.action is ChildAction.APPLY and child is None and now < work.full_until:
            work.park(name)
        else:
            work.write_later(name, urgent=decision.action is ChildAction.RENEW)

    def announce_all(self) -> None:
        """At a start, before the first call: the brake must know what goes with the batches in deletion (rule 45)."""
        for work in self._children:
            batch = work.batch
            self._overrides.announce(batch, self._children.owned_by(batch), leaving=batch.deleting)

    def _announce(self, work: BatchWork) -> None:
        """Count what is to be deleted with the batch once all is decided, which is before the first write."""
        batch, leaving = work.batch, work.counts.count(InboxState.LEAVING) > 0
        generation = batch.desired.generation if batch.desired is not None else 0
        counted_for = (generation, batch.deleting, batch.released, batch.orphans, batch.paused, leaving)
        if counted_for != work.announced:
            work.announced = counted_for
            self._overrides.announce(batch, self._children.owned_by(batch), leaving=leaving)

    def _act(self) -> None:
        """Start writes, a turn for each batch."""
        while self._acting and len(self._tasks) < MOST_WRITES:
            uid, work = _next(self._acting)
            name = work.next_write()
            with self._set_aside.trying(batch_ref(work.batch), ACT, partial(self._activate, work)):
                if name is None:
                    self._keep_finalizer(work)
                elif self._act_on(work, name):
                    self._acting[uid] = work

    def _act_on(self, work: BatchWork, name: str) -> bool:
        """Start the write that the child needs now; whether the batch may go on."""
        batch = work.batch
        child = self._children.child(batch, name)
        action = decide_child(batch, name, child).action
        if action is ChildAction.APPLY and not batch.finalized:  # rule 24: the mark comes before the children
            work.write_later(name, urgent=False)
            self._keep_finalizer(work)
            return False
        if action is ChildAction.APPLY and child is None and self._clock() < work.full_until:
            self._decide_again(work, name)
            return True
        if action is ChildAction.DELETE and self._empties_untold(work):
            work.write_later(name, urgent=False)
            work.changed = True
            return False
        if action is not ChildAction.NONE:
            work.busy.add(name)
            work.renewing += action is ChildAction.RENEW
            self._spawn(self._carry_out(work, name, action, child))
        return True

    def _empties_untold(self, work: BatchWork) -> bool:
        """Whether the list was emptied and nobody was told yet: that comes before the first child goes."""
        batch = work.batch
        emptied = not batch.deleting and batch.desired is not None and not batch.desired.total
        return emptied and work.empty_told != batch.generation

    # -- writes

    def _keep_finalizer(self, work: BatchWork) -> None:
        """Put the finalizer on the batch, or take it off; both end in another look."""
        batch = work.batch
        if work.writing_finalizer or not self._running:
            return
        mark = finalizer_change(batch, self._children.owned_by(batch), idle=work.idle)
        if mark is not FinalizerChange.NONE:
            work.writing_finalizer = True
            self._spawn(self._write_finalizer(work, mark))

    async def _write_finalizer(self, work: BatchWork, mark: FinalizerChange) -> None:
        batch = work.batch
        try:
            if mark is FinalizerChange.ADD:
                await self._writer.add_finalizer(batch)
            else:
                await self._writer.remove_finalizer(batch)
            batch.finalized = mark is FinalizerChange.ADD
        except KubeError as error:
            if not isinstance(error, NotFound | Conflict | StaleLease):
                _complain(batch, mark.value, batch.name, error)
            await asyncio.sleep(TROUBLE_PAUSE)
        finally:
            work.writing_finalizer = False
            if self._children.get(batch.uid) is work:
                self._activate(work)

    async def _carry_out(self, work: BatchWork, name: str, action: ChildAction, child: Child | None) -> None:
        batch = work.batch
        failure: KubeError | None = None
        try:
            if action is ChildAction.APPLY and child is not None and work.undone(name) and name not in batch.refusals:
                await self._see_who_changes(work, name, child)
            stored = await self._writer.carry_out(action, batch, work.spec, batch.entry(name), child)
            if stored is not None:
                self._children.see_child(stored)
            batch.refusals.pop(name, None)
            log.debug(Event.CALL, operation=f"{action} child", namespace=batch.namespace, name=name)
        except KubeError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one child costs that child alone
            log.error(
                Event.LOOP_FAILED, operation=f"{action} child", namespace=batch.namespace, name=name, exc_info=error
            )
            failure = KubeError(f"the operator failed to write it ({type(error).__name__})", reason="Failed")
        finally:
            work.renewing -= action is ChildAction.RENEW
        work.done(name)
        full = child is None and isinstance(failure, Forbidden) and QUOTA in failure.message
        if full:
            self._wait_for_quota(work, name)
        elif child is not None or failure is not None:
            self._pace(work, name, failure)
        elif action is ChildAction.APPLY:
            for waiting in work.see_room():
                self._decide_again(work, waiting)
        if failure is not None:
            self._refused(work, name, action, failure)
        elif action is ChildAction.DELETE and child is not None:
            self._children.see_end_asked(batch, child)
        self._children.see_write_ended()
        if self._children.get(batch.uid) is work:
            self._decide_again(work, name)

    async def _see_who_changes(self, work: BatchWork, name: str, child: Child) -> None:
        batch = work.batch
        change = await self._writer.who_changes(batch, work.spec, batch.entry(name), child)
        if change is not None:
            batch.contested[name] = change

    def _wait_for_quota(self, work: BatchWork, name: str) -> None:
        """The namespace is full: one child at a time finds out whether there is room again."""
        work.park(name)
        if work.see_full(self._clock()):
            heapq.heappush(self._retries, (work.full_until, work.batch.uid, TRY_QUOTA))

    def _pace(self, work: BatchWork, name: str, failure: KubeError | None) -> None:
        until = work.hold(name, self._clock(), failed=failure is not None)
        if until is not None:
            heapq.heappush(self._retries, (until, work.batch.uid, name))

    def _refused(self, work: BatchWork, name: str, action: ChildAction, error: KubeError) -> None:
        """An answer that waiting does not cure is told on the inbox; others are tried again."""
        if action is ChildAction.APPLY and isinstance(error, Invalid | Forbidden):
            reason = Reason.INVALID_SPEC if isinstance(error, Invalid) else Reason.REJECTED
            message = f"Kubernetes refuses the SenderAccount of this inbox: {error.message}"
            work.batch.refusals[name] = EntryRefusal(reason, message)
        if not isinstance(error, NotFound | Conflict | StaleLease):
            _complain(work.batch, action.value, name, error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.wake()
        if not task.cancelled() and task.exception() is not None:
            log.error(Event.LOOP_FAILED, operation="batches", exc_info=task.exception())

    # -- small change

    def _spelling(self, uid: str) -> str | None:
        account = self._controller.accounts.get(uid)
        return account.desired.spec.email_address if account is not None else None


def _next(turns: dict[str, BatchWork]) -> tuple[str, BatchWork]:
    """The batch whose turn it is; it leaves the line."""
    uid, work = next(iter(turns.items()))
    del turns[uid]
    return uid, work


def _outline(batch: Batch) -> tuple[object, ...]:
    """What of a batch, its list aside, each of its children depends on."""
    return (batch.waits, batch.deleting, batch.released, batch.paused, batch.orphan, batch.orphans, batch.labels)


def _complain(batch: Batch, action: str, name: str, error: KubeError) -> None:
    log.warning(
        Event.CALL_FAILED, operation=f"{action} child", namespace=batch.namespace, name=name, message=str(error)
    )
