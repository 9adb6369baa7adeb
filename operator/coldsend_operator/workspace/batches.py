"""SenderAccountBatch: keeps the children of each batch as its list asks, and reports on them."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from coldsend_operator.core.batch import Batch, Child, Refusal
from coldsend_operator.core.batch_plan import Deed, Mark, decide, mark_of_batch
from coldsend_operator.core.batch_tally import Fate, reckon, reckon_entry
from coldsend_operator.core.reasons import Reason
from coldsend_operator.kube.client import (
    Conflict,
    Forbidden,
    Invalid,
    KubeClient,
    KubeError,
    NotFound,
    Ref,
    StaleLease,
)
from coldsend_operator.kube.lease import Leadership
from coldsend_operator.kube.metadata import version_number
from coldsend_operator.logs import Event, log
from coldsend_operator.objects.batch_reading import ListReading, read_list, see_batch
from coldsend_operator.objects.desired import Raw
from coldsend_operator.workspace.batch_children import ChildWriter, batch_ref
from coldsend_operator.workspace.batch_following import Following
from coldsend_operator.workspace.batch_kin import Kin
from coldsend_operator.workspace.batch_reports import Reports
from coldsend_operator.workspace.batch_terms import BatchTerms
from coldsend_operator.workspace.registry import Registry
from coldsend_operator.workspace.set_aside import DECIDE, SetAside

MOST_DEEDS = 8  # at once; they have slots of their own, so that a flood of marks and status lets new children come
SLICE = 200  # decisions before others have theirs
LONGEST_SLEEP = 5.0
STALE_LEASE_PAUSE = 0.5
TROUBLE_PAUSE = 1.0
READ_LIST, ACT = "read_list", "act"
QUOTA = "exceeded quota"  # how the API server words that a ResourceQuota is used up
TRY_QUOTA = ""  # in the place of a child's name: whichever waits for the quota


class Batches:
    """Fed with the watch events of both kinds; `run` does the work once both are listed whole (safety.md, 1)."""

    def __init__(
        self,
        kube: KubeClient,
        leadership: Callable[[], Leadership],
        registry: Registry,
        clock: Callable[[], float],
        job_finished: Callable[[str, str], None],
        set_aside: SetAside,
    ) -> None:
        self._leadership = leadership
        self._clock = clock
        self._registry = registry
        self._set_aside = set_aside
        self._kin = Kin(self._look)
        own = kube.beside(MOST_DEEDS)
        self._writer = ChildWriter(own, leadership, self._spelling)
        self._terms = BatchTerms(registry)
        self._reports = Reports(own, registry, clock, self._kin.owned_by, self._go_on, job_finished, set_aside)
        self._looking: dict[str, Following] = {}  # batches with decisions to make, in turns
        self._acting: dict[str, Following] = {}  # batches with writes to make, in turns
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
        following = self._kin.follow(metadata)
        batch = following.batch
        if version_number(metadata.get("resourceVersion")) < batch.version:
            return  # older than our own last write; an event of that one follows
        before = _outline(batch)
        see_batch(batch, raw)
        self._terms.see(batch, self._kin.owned_by(batch))
        following.changed = True
        if not batch.deleting and following.read_generation != batch.generation:
            following.unread, following.read_generation = raw.get("spec") or {}, batch.generation
            if not following.reading:
                following.reading = True
                self._spawn(self._read(following))
        if _outline(batch) != before:
            self._look_at_all(following)
        self._activate(following)

    def batch_gone(self, uid: str) -> None:
        """The batch has left the API server, or our shard; its children are left to Kubernetes."""
        batch = self._kin.forget(uid)
        self._looking.pop(uid, None)
        self._acting.pop(uid, None)
        if batch is not None:
            self._terms.forget(batch)

    @property
    def namespaces(self) -> set[str]:
        """Those that have batches."""
        return self._kin.namespaces

    def namespace_changed(self, namespace: str) -> None:
        """The namespace was read for the first time, or says something else now."""
        for following in self._kin.in_namespace(namespace):
            batch = following.batch
            before = _outline(batch)
            self._terms.see(batch, self._kin.owned_by(batch))
            following.changed = True
            if _outline(batch) != before:
                self._look_at_all(following)
            self._activate(following)

    def roll_back(self, ref: Ref) -> None:
        """The API server was restored, and shows an older state of the object."""
        self._kin.roll_back(ref)

    def child_seen(self, raw: Raw) -> None:
        """The API server shows a SenderAccount."""
        self._kin.see_child(raw)

    def child_gone(self, namespace: str, name: str, uid: str) -> None:
        """The SenderAccount has left the API server."""
        self._kin.lose_child(namespace, name, uid)

    def _look(self, following: Following, name: str) -> None:
        following.look(name)
        self._activate(following)

    def _look_at_all(self, following: Following) -> None:
        wanted = following.batch.wanted
        for name in (*following.batch.family, *(wanted.by_name if wanted is not None else ()), *following.tally.known):
            if not name.startswith("#"):
                self._look(following, name)

    def _activate(self, following: Following) -> None:
        self._looking[following.batch.uid] = following
        self.wake()

    def _go_on(self, following: Following) -> None:
        """Something was written for the batch: what waits for it follows."""
        if self._kin.get(following.batch.uid) is following:
            self._activate(following)
        self.wake()

    # -- reading lists

    async def _read(self, following: Following) -> None:
        """Read the newest spec off the event loop; what came meanwhile is read after it."""
        batch = following.batch
        try:
            while following.unread is not None:
                raw, following.unread = following.unread, None
                with self._set_aside.trying(batch_ref(batch), READ_LIST, partial(self._read_anew, following, raw)):
                    reading = await asyncio.to_thread(read_list, batch.name, following.read_generation, raw)
                    if following.unread is None and not batch.deleting and self._kin.get(batch.uid) is following:
                        self._take_list(following, reading)
        finally:
            following.reading = False
            if self._kin.get(batch.uid) is following:
                self._activate(following)

    def _read_anew(self, following: Following, raw: Any) -> None:
        """Reading the list has failed: once more, unless a newer one came."""
        if following.unread is None and not following.reading and self._kin.get(following.batch.uid) is following:
            following.unread, following.reading = raw, True
            self._spawn(self._read(following))

    def _take_list(self, following: Following, reading: ListReading) -> None:
        batch = following.batch
        self._look_at_all(following)  # what stood in the old list
        following.spec, batch.wanted = reading.spec, reading.wanted
        batch.refusals.clear()
        batch.contested.clear()
        following.start_anew()
        self._terms.see(batch, self._kin.owned_by(batch))
        self._reckon_list(following)
        self._look_at_all(following)

    def _reckon_list(self, following: Following) -> None:
        for key in following.tally.known:
            if key.startswith("#"):
                following.tally.put(key, None)
        for entry in following.batch.wanted.entries if following.batch.wanted is not None else ():
            if entry.name is None:
                reckon_entry(following.tally, entry)
        following.changed = True

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
        await self._reports.drain()

    def _round(self) -> float:
        """One round; how long to sleep without an event."""
        self._wake.clear()
        if not self._leadership().fresh():
            return STALE_LEASE_PAUSE
        now = self._clock()
        while self._retries and self._retries[0][0] <= now:
            _, uid, name = heapq.heappop(self._retries)
            following = self._kin.get(uid)
            if following is not None:
                self._try_again(following, name)
        self._decide(now)
        self._terms.settle()
        self._act()
        pause = self._reports.flush(self._kin, now)
        if self._retries:
            pause = min(pause, max(0.0, self._retries[0][0] - now))
        return 0.0 if self._looking else min(pause, LONGEST_SLEEP)

    def _try_again(self, following: Following, name: str) -> None:
        """A pause is over. Of all that wait for the quota one is tried that is to be made still."""
        while name == TRY_QUOTA:
            parked = following.next_parked()
            if parked is None:
                following.see_room()
                return
            batch = following.batch
            child = self._kin.child(batch, parked)
            if child is None and decide(batch, parked, None).deed is Deed.APPLY:
                name = parked
        self._look(following, name)

    def _decide(self, now: float) -> None:
        """Decide what children need, a turn for each batch."""
        for _ in range(SLICE):
            if not self._looking:
                return
            uid, following = _next(self._looking)
            name = following.looked_at()
            if name is None:
                with self._set_aside.trying(batch_ref(following.batch), DECIDE, partial(self._activate, following)):
                    self._announce(following)
                    self._acting[uid] = following
            else:
                self._looking[uid] = following
                with self._set_aside.trying(
                    batch_ref(following.batch), f"{DECIDE} {name}", partial(self._look, following, name)
                ):
                    self._decide_one(following, name, now)

    def _decide_one(self, following: Following, name: str, now: float) -> None:
        batch = following.batch
        child = self._kin.child(batch, name)
        decision = decide(batch, name, child)
        self._terms.await_child(batch, name, child, decision)
        held = following.held(name, now)
        if decision.deed is Deed.REST and not held:
            batch.contested.pop(name, None)
        if reckon(following.tally, batch, name, child, decision):
            following.changed = True
        if decision.deed is Deed.REST or held:
            return
        if decision.deed is Deed.APPLY and child is None and now < following.full_until:
            following.park(name)
        else:
            following.want(name, urgent=decision.deed is Deed.RENEW)

    def announce_all(self) -> None:
        """At a start, before the first call: the brake must know what goes with the batches in deletion (rule 45)."""
        for following in self._kin:
            batch = following.batch
            self._terms.announce(batch, self._kin.owned_by(batch), leaving=batch.deleting)

    def _announce(self, following: Following) -> None:
        """Count what is to be deleted with the batch once all is decided, which is before the first write."""
        batch, leaving = following.batch, following.tally.count(Fate.LEAVING) > 0
        generation = batch.wanted.generation if batch.wanted is not None else 0
        counted_for = (generation, batch.deleting, batch.released, batch.orphans, batch.paused, leaving)
        if counted_for != following.announced:
            following.announced = counted_for
            self._terms.announce(batch, self._kin.owned_by(batch), leaving=leaving)

    def _act(self) -> None:
        """Start writes, a turn for each batch."""
        while self._acting and len(self._tasks) < MOST_DEEDS:
            uid, following = _next(self._acting)
            name = following.take()
            with self._set_aside.trying(batch_ref(following.batch), ACT, partial(self._activate, following)):
                if name is None:
                    self._keep_mark(following)
                elif self._act_on(following, name):
                    self._acting[uid] = following

    def _act_on(self, following: Following, name: str) -> bool:
        """Start the write that the child needs now; whether the batch may go on."""
        batch = following.batch
        child = self._kin.child(batch, name)
        deed = decide(batch, name, child).deed
        if deed is Deed.APPLY and not batch.finalized:  # safety.md, 24: the mark comes before the children
            following.want(name, urgent=False)
            self._keep_mark(following)
            return False
        if deed is Deed.APPLY and child is None and self._clock() < following.full_until:
            self._look(following, name)
            return True
        if deed is Deed.DELETE and self._empties_untold(following):
            following.want(name, urgent=False)
            following.changed = True
            return False
        if deed is not Deed.REST:
            following.busy.add(name)
            following.renewing += deed is Deed.RENEW
            self._spawn(self._carry_out(following, name, deed, child))
        return True

    def _empties_untold(self, following: Following) -> bool:
        """Whether the list was emptied and nobody was told yet: that comes before the first child goes."""
        batch = following.batch
        emptied = not batch.deleting and batch.wanted is not None and not batch.wanted.total
        return emptied and following.empty_told != batch.generation

    # -- writes

    def _keep_mark(self, following: Following) -> None:
        """Put the finalizer on the batch, or take it off; both end in another look."""
        batch = following.batch
        if following.marking or not self._running:
            return
        mark = mark_of_batch(batch, self._kin.owned_by(batch), idle=following.idle)
        if mark is not Mark.KEEP:
            following.marking = True
            self._spawn(self._write_mark(following, mark))

    async def _write_mark(self, following: Following, mark: Mark) -> None:
        batch = following.batch
        try:
            if mark is Mark.PUT:
                await self._writer.mark(batch)
            else:
                await self._writer.unmark(batch)
            batch.finalized = mark is Mark.PUT
        except KubeError as error:
            if not isinstance(error, NotFound | Conflict | StaleLease):
                _complain(batch, mark.value, batch.name, error)
            await asyncio.sleep(TROUBLE_PAUSE)
        finally:
            following.marking = False
            if self._kin.get(batch.uid) is following:
                self._activate(following)

    async def _carry_out(self, following: Following, name: str, deed: Deed, child: Child | None) -> None:
        batch = following.batch
        failure: KubeError | None = None
        try:
            if deed is Deed.APPLY and child is not None and following.undone(name) and name not in batch.refusals:
                await self._see_who_changes(following, name, child)
            stored = await self._writer.carry_out(deed, batch, following.spec, batch.entry(name), child)
            if stored is not None:
                self._kin.see_child(stored)
            batch.refusals.pop(name, None)
            log.debug(Event.CALL, operation=f"{deed} child", namespace=batch.namespace, name=name)
        except KubeError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one child costs that child alone
            log.error(
                Event.LOOP_FAILED, operation=f"{deed} child", namespace=batch.namespace, name=name, exc_info=error
            )
            failure = KubeError(f"the operator failed to write it ({type(error).__name__})", reason="Failed")
        finally:
            following.renewing -= deed is Deed.RENEW
        following.done(name)
        full = child is None and isinstance(failure, Forbidden) and QUOTA in failure.message
        if full:
            self._wait_for_quota(following, name)
        elif child is not None or failure is not None:
            self._pace(following, name, failure)
        elif deed is Deed.APPLY:
            for waiting in following.see_room():
                self._look(following, waiting)
        if failure is not None:
            self._refused(following, name, deed, failure)
        elif deed is Deed.DELETE and child is not None:
            self._kin.see_end_asked(batch, child)
        self._kin.see_write_ended()
        if self._kin.get(batch.uid) is following:
            self._look(following, name)

    async def _see_who_changes(self, following: Following, name: str, child: Child) -> None:
        batch = following.batch
        change = await self._writer.who_changes(batch, following.spec, batch.entry(name), child)
        if change is not None:
            batch.contested[name] = change

    def _wait_for_quota(self, following: Following, name: str) -> None:
        """The namespace is full: one child at a time finds out whether there is room again."""
        following.park(name)
        if following.see_full(self._clock()):
            heapq.heappush(self._retries, (following.full_until, following.batch.uid, TRY_QUOTA))

    def _pace(self, following: Following, name: str, failure: KubeError | None) -> None:
        until = following.hold(name, self._clock(), failed=failure is not None)
        if until is not None:
            heapq.heappush(self._retries, (until, following.batch.uid, name))

    def _refused(self, following: Following, name: str, deed: Deed, error: KubeError) -> None:
        """An answer that waiting does not cure is told on the inbox; others are tried again."""
        if deed is Deed.APPLY and isinstance(error, Invalid | Forbidden):
            reason = Reason.INVALID_SPEC if isinstance(error, Invalid) else Reason.REJECTED
            message = f"Kubernetes refuses the SenderAccount of this inbox: {error.message}"
            following.batch.refusals[name] = Refusal(reason, message)
        if not isinstance(error, NotFound | Conflict | StaleLease):
            _complain(following.batch, deed.value, name, error)

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
        account = self._registry.accounts.get(uid)
        return account.desired.spec.email_address if account is not None else None


def _next(turns: dict[str, Following]) -> tuple[str, Following]:
    """The batch whose turn it is; it leaves the line."""
    uid, following = next(iter(turns.items()))
    del turns[uid]
    return uid, following


def _outline(batch: Batch) -> tuple[object, ...]:
    """What of a batch, its list aside, each of its children depends on."""
    return (batch.waits, batch.deleting, batch.released, batch.paused, batch.orphan, batch.orphans, batch.labels)


def _complain(batch: Batch, deed: str, name: str, error: KubeError) -> None:
    log.warning(Event.CALL_FAILED, operation=f"{deed} child", namespace=batch.namespace, name=name, message=str(error))
