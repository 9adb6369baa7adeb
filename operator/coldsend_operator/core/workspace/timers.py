"""When to decide again without an event."""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

SPARE = 64  # outdated entries before a clean-up


class Timers(Generic[K]):
    """One timer for each key: the earliest of what was set since it last fired (one timer per object, rule 43)."""

    def __init__(self) -> None:
        self._at: dict[K, float] = {}
        self._heap: list[tuple[float, K]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, key: K, at: float) -> None:
        """Fire for this key at that time, or earlier if that was set before."""
        if at >= self._at.get(key, float("inf")):
            return
        self._at[key] = at
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) > 2 * len(self._at) + SPARE:
            self._heap = [(at, key) for key, at in self._at.items()]
            heapq.heapify(self._heap)

    def drop(self, key: K) -> None:
        self._at.pop(key, None)

    def fire(self, now: float) -> list[K]:
        """The keys whose time has come."""
        fired = []
        while self.first is not None and self.first <= now:
            key = heapq.heappop(self._heap)[1]
            del self._at[key]
            fired.append(key)
        return fired

    @property
    def first(self) -> float | None:
        """When the next one fires."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
