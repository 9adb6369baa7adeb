"""When to decide again without an event."""

import heapq

SPARE = 64  # outdated entries that are not worth a clean-up


class Timers:
    """One timer for each UID: the earliest of what was set since it last fired (one timer per object, rule 43)."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, uid: str, at: float) -> None:
        """Fire for this UID at that time, or earlier if that was set before."""
        if at >= self._at.get(uid, float("inf")):
            return
        self._at[uid] = at
        heapq.heappush(self._heap, (at, uid))
        if len(self._heap) > 2 * len(self._at) + SPARE:
            self._heap = [(at, uid) for uid, at in self._at.items()]
            heapq.heapify(self._heap)

    def drop(self, uid: str) -> None:
        self._at.pop(uid, None)

    def fire(self, now: float) -> list[str]:
        """The UIDs whose time has come."""
        fired = []
        while self.first is not None and self.first <= now:
            uid = heapq.heappop(self._heap)[1]
            del self._at[uid]
            fired.append(uid)
        return fired

    @property
    def first(self) -> float | None:
        """When the next one fires."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
