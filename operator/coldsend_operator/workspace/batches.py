"""SenderAccountBatch: keeps the children of each batch as its list asks, and reports on them."""

import asyncio
import heapq
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from typing import Any

from coldsend_operator.core.batch import Batch, Child, Family, Refusal
from coldsend_operator.core.batch_plan import Decision, Deed, Mark, decide, mark_of_batch
from coldsend_operator.core.batch_tally import reckon, reckon_entry
from coldsend_operator.core.reasons import Reason
from coldsend_operator.kube.client import Conflict, Forbidden, Invalid, KubeClient, KubeError, NotFound
from coldsend_operator.kube.lease import Leadership
from coldsend_operator.logs import Event, log
from coldsend_operator.resources.names import BATCH_KIND, BATCH_LABEL
from coldsend_operator.workspace.batch_children import ChildWriter, StaleLease
from coldsend_operator.workspace.batch_following import Following
from coldsend_operator.workspace.batch_reading import ChildReader, ListReading, read_list, see_batch
from coldsend_operator.workspace.batch_reports import Reports
from coldsend_operator.workspace.batch_terms import BatchTerms
from coldsend_operator.workspace.desired import Raw, version_number
from coldsend_operator.workspace.registry import Registry

MOST_DEEDS = 8  # at once; they have slots of their own, so that a flood of marks and status lets new children come
SLICE = 200  # decisions before others have theirs
LONGEST_SLEEP = 5.0
STALE_LEASE_PAUSE = 0.5
TROUBLE_PAUSE = 1.0
NAME_OF_A_CHILD = re.compile(r".*-[a-z2-7]{10}")

Key = tuple[str, str]


class Batches:
    """Fed with the watch events of both kinds; `run` does the work once both are listed whole (safety.md, 1)."""

    def __init__(
        self,
        kube: KubeClient,
        leadership: Callable[[], Leadership],
        registry: Registry,
        clock: Callable[[], float],
    ) -> None:
        self._leadership = leadership
        self._clock = clock
        self._registry = registry
        self._reader = ChildReader()
        own = kube.beside(MOST_DEEDS)
        self._writer = ChildWriter(own, leadership, self._spelling)
        self._terms = BatchTerms(registry)
        self._reports = Reports(own, registry, clock, self._owned_by, self.wake)
        self._by_uid: dict[str, Following] = {}
        self._by_key: dict[Key, Following] = {}
        self._by_namespace: dict[str, dict[str, Following]] = {}
        self._children: dict[Key, Child] = {}
        self._families: dict[Key, Family] = {}  # by namespace and name of the batch
        self._active: dict[str, Following] = {}  # those with decisions to make, in turns
        self._retries: list[tuple[float, str, str]] = []
        self._departed: set[str] = set()  # UIDs of children that went while a write to them was under way
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
        following = self._by_uid.get(metadata["uid"]) or self._follow(metadata)
        batch = following.batch
        if version_number(metadata.get("resourceVersion")) < batch.version:
            return  # older than our own last write; an event of that one follows
        before = _outline(batch)
        see_batch(batch, raw)
        self._terms.see(batch, self._owned_by(batch))
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
        following = self._by_uid.pop(uid, None)
        if following is None:
            return
        batch = following.batch
        self._active.pop(uid, None)
        self._by_namespace[batch.namespace].pop(uid, None)
        if self._by_key.get((batch.namespace, batch.name)) is following:
            del self._by_key[batch.namespace, batch.name]
        self._terms.forget(batch)

    def child_seen(self, raw: Raw) -> None:
        """The API server shows a SenderAccount."""
        metadata = raw["metadata"]
        key = (metadata["namespace"], metadata["name"])
        known = self._children.get(key)
        if known is None and not _could_be_child(metadata):
            return
        if known is not None and version_number(metadata.get("resourceVersion")) <= known.version:
            return
        if metadata["uid"] in self._departed:
            return
        child = self._reader.read(raw, known)
        self._children[key] = child
        self._relate(key, known, child)
        self._concern(key, known, child)

    def child_gone(self, namespace: str, name: str, uid: str) -> None:
        """The SenderAccount has left the API server."""
        key = (namespace, name)
        known = self._children.get(key)
        if any(name in following.busy for following in self._by_namespace.get(namespace, {}).values()):
            self._departed.add(uid)
        if known is None or known.uid != uid:
            return
        del self._children[key]
        self._relate(key, known, None)
        self._concern(key, known, None)

    def _follow(self, metadata: Raw) -> Following:
        batch = Batch(metadata["uid"], metadata["namespace"], metadata["name"])
        key = (batch.namespace, batch.name)
        batch.family = self._families.setdefault(key, Family())
        following = Following(batch)
        self._by_uid[batch.uid] = following
        self._by_key[key] = following
        self._by_namespace.setdefault(batch.namespace, {})[batch.uid] = following
        self._look_at_all(following)
        return following

    def _relate(self, key: Key, known: Child | None, child: Child | None) -> None:
        """Keep the families: a child belongs to the batch that its ownerReference names."""
        namespace, name = key
        old = (known.owner_name, known.owner) if known is not None else (None, None)
        new = (child.owner_name, child.owner) if child is not None else (None, None)
        if old == new:
            return
        if old[0] is not None and old[0] != new[0]:
            self._families[namespace, old[0]].put(name, None)
        if new[0] is not None:
            self._families.setdefault((namespace, new[0]), Family()).put(name, new[1])

    def _concern(self, key: Key, known: Child | None, child: Child | None) -> None:
        """Have the batches that the child matters to decide anew."""
        namespace, name = key
        owners = {each.owner_name for each in (known, child) if each is not None and each.owner_name is not None}
        concerned = {owner: following for owner in owners if (following := self._by_key.get((namespace, owner)))}
        if known is None or child is None or known.owner != child.owner or child.owner is None:
            for following in self._by_namespace.get(namespace, {}).values():
                if following.batch.entry(name) is not None:
                    concerned[following.batch.name] = following
        for following in concerned.values():
            self._look(following, name)

    def _look(self, following: Following, name: str) -> None:
        child = self._children.get((following.batch.namespace, name))
        urgent = child is not None and following.batch.inherits(child) and not child.deleting
        following.look(name, urgent=urgent)
        self._activate(following)

    def _look_at_all(self, following: Following) -> None:
        wanted = following.batch.wanted
        for name in (*following.batch.family, *(wanted.by_name if wanted is not None else ()), *following.tally.known):
            if not name.startswith("#"):
                self._look(following, name)

    def _activate(self, following: Following) -> None:
        self._active[following.batch.uid] = following
        self.wake()

    # -- reading lists

    async def _read(self, following: Following) -> None:
        """Read the newest spec off the event loop; what came meanwhile is read after it."""
        batch = following.batch
        try:
            while following.unread is not None:
                raw, following.unread = following.unread, None
                reading = await asyncio.to_thread(read_list, batch.name, following.read_generation, raw)
                if following.unread is None and not batch.deleting and batch.uid in self._by_uid:
                    self._take_list(following, reading)
        finally:
            following.reading = False
            if batch.uid in self._by_uid:
                self._activate(following)

    def _take_list(self, following: Following, reading: ListReading) -> None:
        batch = following.batch
        self._look_at_all(following)  # what stood in the old list
        following.spec, batch.wanted = reading.spec, reading.wanted
        batch.refusals.clear()
        following.start_anew()
        self._terms.see(batch, self._owned_by(batch))
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
            if uid in self._by_uid:
                self._look(self._by_uid[uid], name)
        more = self._start_deeds(now)
        pause = self._reports.flush(self._by_uid.values(), now)
        if self._retries:
            pause = min(pause, max(0.0, self._retries[0][0] - now))
        return 0.0 if more else min(pause, LONGEST_SLEEP)

    def _start_deeds(self, now: float) -> bool:
        """Decide, a turn for each batch, and start writes; whether the next round may go on at once."""
        for _ in range(SLICE):
            if not self._active or len(self._tasks) >= MOST_DEEDS:
                return False
            uid, following = next(iter(self._active.items()))
            del self._active[uid]
            if self._step(following, now):
                self._active[uid] = following
        return bool(self._active)

    def _step(self, following: Following, now: float) -> bool:
        """Decide for one child; whether the batch has more to decide."""
        batch, name = following.batch, following.take()
        if name is None:
            self._keep_mark(following)
            return False
        child = self._children.get((batch.namespace, name))
        decision = decide(batch, name, child)
        if reckon(following.tally, batch, name, child, decision):
            following.changed = True
        if decision.deed is Deed.REST or following.held(name, now):
            return True
        if decision.deed is Deed.APPLY and not batch.finalized:  # safety.md, 24: the mark comes before the children
            following.look(name)
            self._keep_mark(following)
            return False
        following.busy.add(name)
        following.renewing += decision.deed is Deed.RENEW
        self._spawn(self._carry_out(following, name, decision, child))
        return True

    # -- writes

    def _keep_mark(self, following: Following) -> None:
        """Put the finalizer on the batch, or take it off; both end in another look."""
        batch = following.batch
        if following.marking or not self._running:
            return
        mark = mark_of_batch(batch, self._owned_by(batch), idle=following.idle and not following.reading)
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
            if batch.uid in self._by_uid:
                self._activate(following)

    async def _carry_out(self, following: Following, name: str, decision: Decision, child: Child | None) -> None:
        batch, deed = following.batch, decision.deed
        failure: KubeError | None = None
        try:
            stored = await self._writer.carry_out(deed, batch, following.spec, batch.entry(name), child)
            if stored is not None:
                self.child_seen(stored)
            batch.refusals.pop(name, None)
            log.debug(Event.CALL, operation=f"{deed} child", namespace=batch.namespace, name=name)
        except KubeError as error:
            failure = error
        finally:
            following.renewing -= deed is Deed.RENEW
        following.done(name)
        if child is not None or failure is not None:
            self._pace(following, name, failure)
        if failure is not None:
            self._refused(following, name, deed, failure)
        elif deed is Deed.DELETE:
            self._ask_once(batch, name, child)
        if not any(each.busy for each in self._by_uid.values()):
            self._departed.clear()
        if batch.uid in self._by_uid:
            self._look(following, name)

    def _pace(self, following: Following, name: str, failure: KubeError | None) -> None:
        until = following.hold(name, self._clock(), failed=failure is not None)
        if until is not None:
            heapq.heappush(self._retries, (until, following.batch.uid, name))

    def _ask_once(self, batch: Batch, name: str, child: Child | None) -> None:
        """The deletion was asked for; its event may take a moment."""
        key = (batch.namespace, name)
        known = self._children.get(key)
        if known is not None and child is not None and known.uid == child.uid:
            self._children[key] = replace(known, deleting=True)

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

    def _owned_by(self, batch: Batch) -> Callable[[], Iterator[Child]]:
        """Its children, when somebody asks: they may be 5,000."""

        def owned() -> Iterator[Child]:
            for name in batch.family:
                child = self._children.get((batch.namespace, name))
                if child is not None and batch.owns(child):
                    yield child

        return owned

    def _spelling(self, uid: str) -> str | None:
        account = self._registry.accounts.get(uid)
        return account.desired.spec.email_address if account is not None else None


def _outline(batch: Batch) -> tuple[object, ...]:
    """What of a batch, its list aside, each of its children depends on."""
    return (batch.deleting, batch.released, batch.paused, batch.orphan, batch.labels)


def _could_be_child(metadata: Raw) -> bool:
    owners: Iterable[Raw] = metadata.get("ownerReferences") or ()
    if BATCH_LABEL in (metadata.get("labels") or {}) or any(owner.get("kind") == BATCH_KIND for owner in owners):
        return True
    return NAME_OF_A_CHILD.fullmatch(metadata["name"]) is not None


def _complain(batch: Batch, deed: str, name: str, error: KubeError) -> None:
    log.warning(Event.CALL_FAILED, operation=f"{deed} child", namespace=batch.namespace, name=name, message=str(error))
