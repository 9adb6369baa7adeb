"""Accounts that wait for one kind of call; namespaces take turns (rule 29)."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from coldsend_operator.core.model.calls import Call, Lane
from coldsend_operator.core.model.decision import Action

LINGER = 2.0  # maximum time that a bulk call waits to fill
FILL = 5.0  # longest time it waits when what comes will have filled it by then
FLOOD_GAP = 0.2  # seconds without arrivals that end a burst
SHORT_GAP = 0.04
MAX_REMEMBERED = 200  # queues whose last call is remembered
SINGLES_BEFORE_GAP = 5  # after this many single calls within LINGER, wait for a short gap
LANES = {
    Action.CREATE: Lane.CREATE,
    Action.DELETE: Lane.DELETE,
    Action.SEARCH: Lane.PROBE,
    Action.GET: Lane.PROBE,
    Action.DOMAINS: Lane.PROBE,
    Action.MAIL: Lane.MAIL,
}


class CallKind(NamedTuple):
    """What a queue waits for: accounts of one kind may share a call, and so have one API key."""

    action: Action
    group: str = ""  # of creates see `decide`; of deletes "edit" or "delete"
    key: str = ""  # digest of the API key

    @property
    def lane(self) -> Lane:
        return Lane.EDIT if self.group == Lane.EDIT else LANES[self.action]


class Queue:
    """First come, first served within a namespace; namespaces take turns."""

    def __init__(self) -> None:
        self._namespaces: dict[str, dict[str, float]] = {}
        self._where: dict[str, str] = {}
        self.last_arrival = 0.0
        self.flood_until = 0.0
        self.in_flight = 0
        self.launches: list[float] = []

    def __len__(self) -> int:
        return len(self._where)

    def in_turn(self) -> Iterator[str]:
        """All UIDs in the order of their turns."""
        turns = deque(iter(waiting) for waiting in self._namespaces.values())
        while turns:
            turn = turns.popleft()
            uid = next(turn, None)
            if uid is not None:
                yield uid
                turns.append(turn)

    def __iter__(self) -> Iterator[str]:
        for waiting in self._namespaces.values():
            yield from waiting

    def add(self, uid: str, namespace: str, now: float) -> None:
        if uid in self._where:
            return
        if self._where or self.in_flight or now - self.last_arrival < SHORT_GAP:
            self.flood_until = now + LINGER / 2
        self.last_arrival = now
        self._where[uid] = namespace
        self._namespaces.setdefault(namespace, {})[uid] = now

    def remove(self, uid: str) -> None:
        namespace = self._where.pop(uid, None)
        if namespace is None:
            return
        waiting = self._namespaces[namespace]
        del waiting[uid]
        if not waiting:
            del self._namespaces[namespace]

    @property
    def since(self) -> float:
        """When the oldest entry arrived."""
        return min((next(iter(waiting.values())) for waiting in self._namespaces.values()), default=0.0)

    @property
    def namespaces(self) -> frozenset[str]:
        """Those of the accounts that wait here."""
        return frozenset(self._namespaces)

    def idle(self, now: float) -> bool:
        """Whether nothing waits or is under way, and nothing arrived or left recently."""
        lately = [self.last_arrival, *self.launches]
        return not self._where and not self.in_flight and now - max(lately) > LINGER

    def first(self, count: int, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The next `count` UIDs, skipping the namespaces in `without`; removes nothing."""
        taken: list[str] = []
        turns = [iter(waiting) for namespace, waiting in self._namespaces.items() if namespace not in without]
        share = max(1, count // max(1, len(turns)))
        while turns and len(taken) < count:
            left = []
            for turn in turns:
                some = list(islice(turn, min(share, count - len(taken))))
                taken += some
                if some and len(taken) < count:
                    left.append(turn)
            turns = left
            share = 1
        return tuple(taken)

    def launch(self, uids: tuple[str, ...], now: float) -> None:
        """A call for these leaves: their namespaces go to the end of the queue."""
        served = {self._where[uid] for uid in uids if uid in self._where}
        for uid in uids:
            self.remove(uid)
        for namespace in served & self._namespaces.keys():
            self._namespaces[namespace] = self._namespaces.pop(namespace)
        self.in_flight += 1
        self.launches = [*(at for at in self.launches if now - at < LINGER), now]

    def ready_at(self, now: float, full: int, *, plenty: bool) -> float:
        """When a call for what waits should leave: the first after silence at once, a flood when full.

        A flood that would not fill a call within 5 s waits for 2 s at most.
        What should have left long ago has that time: so lanes that wait grow older.

        `plenty`: much of the minute's budget is still there, so single calls are cheap.
        """
        if len(self._where) >= full:
            return self.since
        flood_ends = self.last_arrival + FLOOD_GAP
        deadline = self.since + (FILL if self._fills(full) else LINGER)
        if self.in_flight:
            return min(deadline, max(self.since + LINGER, flood_ends))
        if now < self.flood_until:
            return min(deadline, flood_ends)
        recent = sum(1 for at in self.launches if now - at < LINGER)
        if recent < SINGLES_BEFORE_GAP:
            return min(now, deadline)
        return min(deadline, self.last_arrival + SHORT_GAP if plenty else flood_ends)

    def _fills(self, full: int) -> bool:
        """Whether `full` accounts will have come within `FILL`, at the rate of those that wait."""
        return len(self._where) * FILL >= full * (self.last_arrival - self.since)


class Queues(dict[CallKind, Queue]):
    """The queues of a workspace; an account waits in one of them at most."""

    def __init__(self) -> None:
        super().__init__()
        self.last_served: dict[tuple[Lane, str, str], float] = {}  # by lane, group and key
        self._kind_of: dict[str, CallKind] = {}
        self._launched: dict[int, Queue] = {}  # by id of the call that carries some of its accounts

    def put(self, uid: str, namespace: str, kind: CallKind | None, now: float) -> None:
        """Let the account wait for a call of this kind and for no other; None: for none."""
        if self._kind_of.get(uid) == kind:
            return
        self.drop(uid)
        if kind is not None:
            if kind not in self:
                self._forget_idle(now)
            self.setdefault(kind, Queue()).add(uid, namespace, now)
            self._kind_of[uid] = kind

    def drop(self, uid: str) -> None:
        """The account waits for no call."""
        kind = self._kind_of.pop(uid, None)
        if kind is not None:
            self[kind].remove(uid)

    def launch(self, call: Call, now: float) -> None:
        """The call leaves: its accounts wait for none any more."""
        self.last_served[call.lane, call.group, call.key] = now
        kind = self._kind_of.get(call.uids[0]) if call.uids else None
        if kind is not None:
            self._launched[call.id] = self[kind]
            self[kind].launch(call.uids, now)
        for uid in call.uids:
            self.drop(uid)

    def end(self, call: Call) -> None:
        """The call has ended, or did not leave after all."""
        queue = self._launched.pop(call.id, None)
        if queue is not None:
            queue.in_flight -= 1

    def of(self, *actions: Action) -> list[tuple[CallKind, Queue]]:
        """The queues in which accounts wait for calls of these actions."""
        return [(kind, queue) for kind, queue in self.items() if kind.action in actions and len(queue)]

    def count(self, *actions: Action) -> int:
        """How many accounts wait for calls of these actions."""
        return sum(len(queue) for _, queue in self.of(*actions))

    def waiting(self, *actions: Action) -> tuple[str, ...]:
        """UIDs of the accounts that wait for calls of these actions."""
        return tuple(uid for _, queue in self.of(*actions) for uid in queue)

    def still_waiting(self, uids: tuple[str, ...], action: Action) -> dict[CallKind, tuple[str, ...]]:
        """Those of a bulk that are to go again, and wait for this now, by kind: some may wait for a probe instead."""
        found: dict[CallKind, tuple[str, ...]] = {}
        for uid in uids:
            kind = self._kind_of.get(uid)
            if kind is not None and kind.action is action:
                found[kind] = (*found.get(kind, ()), uid)
        return found

    def _forget_idle(self, now: float) -> None:
        """Each domain has a queue of its own: those of domains that nobody asks for any more go (rule 43)."""
        for kind in [kind for kind, queue in self.items() if queue.idle(now)]:
            del self[kind]
        served = sorted(self.last_served.items(), key=lambda item: item[1])
        self.last_served = dict(served[-MAX_REMEMBERED:])
