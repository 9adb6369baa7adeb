"""The deletion brake: deleting a Git folder by mistake does not silently empty a workspace (rules 23, 31 and 45)."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from math import inf
from typing import Any

from coldsend_operator.core.model.policy import Threshold
from coldsend_operator.core.workspace.brake_records import Asked, Called, LeftDeletion, Whole
from coldsend_operator.core.workspace.holds import WINDOW, Holds

SMALL = 10
SETTLE_SECONDS = 1.5  # seconds without a new deletion before the waiting ones are decided together
MAX_WAIT = 30.0  # maximum seconds that a deletion waits for others: `kubectl delete` sends them one by one
CLOCK_TOLERANCE = 5.0  # tolerance in seconds for the API server's clock


class Brake:
    """Counts the requested deletions, and holds all that have not left if they are too many."""

    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        self._left: deque[LeftDeletion] = deque()  # deletions that nobody approved, booked within the window
        self._earlier: dict[str, deque[LeftDeletion]] = {}  # of an earlier run; they may ask again
        self._waiting: dict[str, Asked] = {}
        self._called: dict[str, Called] = {}
        self._wholes: dict[str, Whole] = {}  # by UID of the Batch
        self.holds = Holds()
        self._held_at_once: set[str] = set()  # by `ask`, since the last decision
        self._managed: Mapping[str, int] = {}
        self._base = 0
        self._asked_last = 0.0
        self._hold_all = False
        self._dirty = False  # something was asked or withdrawn since the last decision
        self.changed = False  # the stored state is out of date

    # -- who asks, and who leaves

    def ask(
        self, uid: str, namespace: str, asked_at: float, *, approved: bool, batch: str | None = None, size: int = 0
    ) -> None:
        """An inbox waits for its deletion. `asked_at`: deletionTimestamp, or when a replacement became due.

        `size` tells how many inboxes of the Batch are to be deleted with it: they are one decision.
        """
        whole = self._wholes.setdefault(batch, Whole()) if batch is not None else None
        if whole is not None and whole.size != size:
            whole.size, whole.count = size, max(whole.count, size + self._gone_of(batch))
            self._dirty = True
        asked = self._waiting.get(uid)
        if asked is not None and asked.approved == approved:
            return
        self._waiting[uid] = Asked(namespace, asked_at, approved, batch, asked.known_at if asked else None)
        self._dirty = True
        if approved:
            self.holds.release(uid)
        elif not self._is_let(batch) and self.holds.hold_as_before(uid, namespace, asked_at):
            self._waiting[uid].held_at = asked_at
            self._held_at_once.add(uid)
        elif asked is None:
            self._recall(uid, namespace, asked_at)

    @property
    def waiting(self) -> Set[str]:
        """UIDs of those that wait for their deletion."""
        return self._waiting.keys()

    def withdraw(self, uid: str) -> None:
        """The object no longer asks for its deletion."""
        if self._waiting.pop(uid, None) is not None:
            self._dirty = True
            self.holds.release(uid)

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self.withdraw(uid)
        if uid in self._called:
            self._called[uid].gone = True

    def leave(self, uids: Iterable[str], now: float) -> None:
        """The deletes are about to be sent: they count from now on, sent or not, unless a person approved them."""
        leaving = {uid: self._waiting[uid] for uid in uids if uid in self._waiting}
        counts = Counter((asked.namespace, asked.batch) for uid, asked in leaving.items() if self._is_new(uid))
        known, _ = self._of_batches()
        for (namespace, batch), count in counts.items():
            if batch is not None:
                whole = self._wholes[batch]
                whole.let, whole.let_at = max(whole.let, whole.count, known[batch]), now
            own = self._managed.get(namespace, 0)
            self._left.append(LeftDeletion(now, namespace, count, sum(self._managed.values()), own, batch))
        for uid, asked in leaving.items():
            self._called[uid] = Called(asked.asked_at, now, asked.batch, asked.approved)
            self.withdraw(uid)
        self.changed = True

    def leaves_at(self, uids: Iterable[str]) -> float:
        """When deletions without approval may leave: related ones are decided together."""
        known, announced = list[float](), list[float]()
        for asked in (self._waiting[uid] for uid in uids if uid in self._waiting and self._is_new(uid)):
            if asked.known_at is not None:
                whole = self._wholes.get(asked.batch or "")
                (announced if whole is not None and whole.size else known).append(asked.known_at)
        # the number of a Batch is known; another object may still ask for its inboxes (rule 30)
        at = min(announced) + SETTLE_SECONDS if announced else 0.0
        if not known:
            return at
        off = self.threshold.allowed(self._base) == inf  # wait only for what holds regardless of the number
        return max(at, min(self._asked_last + SETTLE_SECONDS, min(known) + (SETTLE_SECONDS if off else MAX_WAIT)))

    def _is_new(self, uid: str) -> bool:
        """Whether a deletion that waits counts: nobody approved it, and this very one was not sent in this window."""
        asked, called = self._waiting[uid], self._called.get(uid)
        sent = called is not None and abs(called.asked_at - asked.asked_at) < CLOCK_TOLERANCE
        return not asked.approved and not sent

    def _recall(self, uid: str, namespace: str, asked_at: float) -> None:
        """A deletion that an earlier run sent may ask again after a restart: it does not count twice."""
        for left in self._earlier.get(namespace, ()):
            if left.count and asked_at <= left.at:
                left.count -= 1
                self._called[uid] = Called(asked_at, left.at, None)
                return

    # -- Batches

    def _is_let(self, batch: str | None, known: Counter[str | None] | None = None) -> bool:
        """Whether deletions of the Batch have begun and it asks for no more than then: it leaves as a whole."""
        whole = self._wholes.get(batch or "")
        if whole is None or not whole.let:
            return False
        known = self._of_batches()[0] if known is None else known
        return whole.let >= max(whole.count, known[batch])

    def _of_batches(self) -> tuple[Counter[str | None], Counter[str | None]]:
        """By Batch: the deletions that left or wait, and the approved ones."""
        known, approved = Counter[str | None](), Counter[str | None]()
        for uid, asked in self._waiting.items():
            if asked.approved:
                approved[asked.batch] += 1
            elif self._is_new(uid):
                known[asked.batch] += 1
        for called in self._called.values():
            approved[called.batch] += called.approved
        for left in self._left:
            known[left.batch] += left.count
        return known, approved

    def _gone_of(self, batch: str | None) -> int:
        """How many of the Batch have left, and their objects with them."""
        there = sum(called.batch == batch and not (called.gone or called.approved) for called in self._called.values())
        return max(0, sum(left.count for left in self._left if left.batch == batch) - there)

    # -- the decision

    def decide(self, managed: Mapping[str, int], now: float, *, hold_all: bool = False) -> set[str]:
        """Decide again. Returns the UIDs that are newly held, or whose message changed.

        `managed` counts the held inboxes by namespace. `hold_all` holds regardless of the number.
        """
        self._managed = managed
        self._forget(now)
        if hold_all != self._hold_all:
            self._hold_all, self._dirty = hold_all, True
        if not self._dirty:
            return self._tell(now)
        self._dirty = False
        for asked in self._waiting.values():
            if asked.known_at is None:
                asked.known_at = now
                if not asked.approved:
                    self._asked_last = now
        self._base = self._left[0].managed if self._left else sum(managed.values())
        newly = self._hold(now)
        moved = newly | {uid for uid in self._held_at_once if uid in self.holds}
        self._held_at_once.clear()
        namespaces = {uid: asked.namespace for uid, asked in self._waiting.items()}
        self.changed = self.holds.remember(newly, namespaces, now) or self.changed
        return moved | self._tell(now)

    def _hold(self, now: float) -> set[str]:
        """Hold those that may not leave. Returns their UIDs."""
        allowed = self.threshold.allowed(self._base)
        new = {uid: asked for uid, asked in self._waiting.items() if self._is_new(uid)}
        known, approved = self._of_batches()
        asking = self._asking(new, known, approved, now)
        over = sum(asking.values()) > allowed
        with_batch = {
            asked.batch: hold
            for uid, asked in new.items()
            if asked.batch is not None and (hold := self.holds.of(uid)) is not None
        }
        small = {namespace for namespace, count in asking.items() if self._is_small(namespace, count, allowed)}
        newly = {
            uid
            for uid, asked in new.items()
            if uid not in self.holds
            and (
                self._hold_all
                or asked.batch in with_batch
                or (over and asked.namespace not in small and not self._is_let(asked.batch, known))
            )
        }
        decided = bool(newly) and (over or self._hold_all)
        limit = None if self._hold_all else allowed
        hold = self.holds.decided(sum(asking.values()), self._base, limit, now) if decided else None
        for uid in newly:
            new[uid].held_at = now
            self.holds.put(uid, hold or with_batch[new[uid].batch or ""])
        return newly

    def _asking(
        self, new: Mapping[str, Asked], known: Counter[str | None], approved: Counter[str | None], now: float
    ) -> Counter[str]:
        """The deletions that each namespace asks for in the window; those held for long do not count (rule 45)."""
        asking, waiting = Counter[str](), Counter[tuple[str, str | None]]()
        stale: set[str | None] = set()
        for uid, asked in new.items():
            if uid in self.holds and asked.held_at + WINDOW <= now:
                stale.add(asked.batch)
            else:
                waiting[asked.namespace, asked.batch] += 1
        left = Counter[str | None]()
        for each in self._left:
            asking[each.namespace] += each.count
            left[each.batch] += each.count
        for (namespace, batch), count in waiting.items():
            whole = 0
            if batch is not None and batch not in stale:
                whole = max(known[batch], self._wholes[batch].count - approved[batch]) - left[batch]
            asking[namespace] += max(count, whole)
        return asking

    def _is_small(self, namespace: str, count: int, allowed: float) -> bool:
        """Whether the deletions of a namespace are few and a minor part of its inboxes (rule 23)."""
        left = [each for each in self._left if each.namespace == namespace]
        own = left[0].own if left else self._managed.get(namespace, 0)
        if own is None:
            own = self._managed.get(namespace, 0) + sum(each.count for each in left)
        return count <= min(SMALL, allowed) and count < own / 2

    def _tell(self, now: float) -> set[str]:
        told = self.holds.tell(now)
        self.changed = self.changed or bool(told)
        return told

    def _forget(self, now: float) -> None:
        """Drop entries older than the window."""
        while self._left and self._left[0].at + WINDOW <= now:
            self._left.popleft()
        self._called = {uid: called for uid, called in self._called.items() if called.at + WINDOW > now}
        if self._wholes:
            alive = {asked.batch for asked in self._waiting.values()}
            self._wholes = {
                batch: whole for batch, whole in self._wholes.items() if batch in alive or whole.let_at + WINDOW > now
            }

    # -- surviving a restart

    def to_json(self) -> dict[str, Any]:
        self.changed = False
        return {
            "left": [[round(left.at, 1), left.namespace, left.count] for left in self._left],
            **self.holds.to_json(),
            "let": {batch: whole.let for batch, whole in self._wholes.items() if whole.let},
            "base": self._base,
        }

    def load(self, state: dict[str, Any], now: float) -> None:
        """Load what an earlier run stored, also one of an earlier version."""
        self._dirty = True
        self._base = max(self._base, int(state.get("base", 0)))
        for at, namespace, count in state.get("left", ()):
            left = LeftDeletion(min(float(at), now), str(namespace), int(count), self._base)
            if left.at + WINDOW > now:
                self._left.append(left)
                self._earlier.setdefault(left.namespace, deque()).append(replace(left))
        self._left = deque(sorted(self._left, key=lambda left: left.at))
        self.holds.load(state, now)
        for batch, let in state.get("let", {}).items():
            self._wholes[str(batch)] = Whole(let=int(let), let_at=now)

    def absorb(self, other: "Brake", now: float) -> None:
        """Two keys lead to one workspace: merge the other's counts into this brake (rule 13)."""
        self._dirty = self.changed = True
        # another Brake
        self._left = deque(sorted([*self._left, *other._left], key=lambda left: left.at))  # noqa: SLF001
        for left in self._left:
            left.managed = max(left.managed, self._base + other._base)  # noqa: SLF001
        self._waiting |= other._waiting  # noqa: SLF001
        self._called |= other._called  # noqa: SLF001
        self._wholes = other._wholes | self._wholes  # noqa: SLF001
        self.holds.absorb(other.holds)
        self._asked_last = max(self._asked_last, other._asked_last)  # noqa: SLF001
        self._forget(now)
