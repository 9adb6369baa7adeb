"""The work queue of a controller: keys that wait, when each may be taken, and which are being worked on."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Set
from typing import Generic, TypeVar

from coldsend_operator.core.workspace.timers import Timers

K = TypeVar("K", bound=Hashable)


def _one_turn(_: Hashable) -> Hashable:
    return None


class WorkQueue(Generic[K]):
    """A key waits once, however often it is added; like the work queues of Kubernetes controllers.

    The smallest priority goes first. Within one, keys that share a turn (`turn_of` names it, say their namespace) go in
    the order in which they came, and turns alternate. A key that was taken is in progress until `done`: if it is added
    meanwhile, it waits again after that, so that no two workers have the same key.
    """

    def __init__(self, turn_of: Callable[[K], Hashable] = _one_turn) -> None:
        self._turn_of = turn_of
        self._ready: dict[K, int] = {}  # priority
        # The same, by priority and turn. The first of a plain dict is ever slower to find, the more were taken before.
        self._lanes: dict[int, OrderedDict[Hashable, OrderedDict[K, None]]] = {}
        self._later: Timers[K] = Timers()
        self._in_progress: set[K] = set()
        self._again: dict[K, int] = {}  # in progress and added meanwhile: priority

    def add(self, key: K, priority: int = 0) -> None:
        """The key may be taken from now on. It gets no less urgent by that."""
        self._later.drop(key)
        if key in self._in_progress:
            self._again[key] = min(priority, self._again.get(key, priority))
            return
        before = self._ready.get(key)
        if before is not None:
            if before <= priority:
                return
            self.drop(key)
        self._ready[key] = priority
        lane = self._lanes.setdefault(priority, OrderedDict())
        lane.setdefault(self._turn_of(key), OrderedDict())[key] = None

    def add_at(self, key: K, at: float) -> None:
        """The key may be taken from then on, unless it may be earlier anyway."""
        if key not in self._ready and key not in self._again:
            self._later.set(key, at)

    def wake(self, now: float) -> None:
        """Keys whose time has come may be taken."""
        for key in self._later.fire(now):
            self.add(key)

    def take(self, priority: int | None = None) -> K | None:
        """The next key, which is in progress from now on. None when there is none, or none as urgent as `priority`."""
        if not self.ready(priority):
            return None
        priority = min(self._lanes)
        lane = self._lanes[priority]
        turn, keys = next(iter(lane.items()))
        key = next(iter(keys))
        lane.move_to_end(turn)
        self.drop(key)
        self._in_progress.add(key)
        return key

    def done(self, key: K) -> None:
        """The work on the key has ended."""
        self._in_progress.discard(key)
        priority = self._again.pop(key, None)
        if priority is not None:
            self.add(key, priority)

    def drop(self, key: K) -> None:
        """The key waits no more; work on it that is in progress goes on."""
        self._later.drop(key)
        self._again.pop(key, None)
        priority = self._ready.pop(key, None)
        if priority is None:
            return
        lane, turn = self._lanes[priority], self._turn_of(key)
        del lane[turn][key]
        if not lane[turn]:
            del lane[turn]
        if not lane:
            del self._lanes[priority]

    def ready(self, priority: int | None = None) -> bool:
        """Whether `take` gives a key."""
        return any(priority is None or each <= priority for each in self._lanes)

    @property
    def next_at(self) -> float | None:
        """When the next key that waits for its time may be taken."""
        return self._later.first

    @property
    def in_progress(self) -> Set[K]:
        return self._in_progress
