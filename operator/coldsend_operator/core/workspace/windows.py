"""Sliding windows of requests."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

MINUTE = 60.0
HOUR = 3600.0


@dataclass(slots=True)
class _Bucket:
    first: float
    latest: float
    count: int


class Window:
    """A sliding window. Requests count when they end, so that slow responses never cause a burst.

    Requests that end within `grain` seconds share a bucket, which leaves the window with its latest request.
    """

    def __init__(self, length: float, grain: float) -> None:
        self.length = length
        self._grain = grain
        self._buckets: deque[_Bucket] = deque()  # oldest first
        self._total = 0

    def add(self, when: float, count: int = 1) -> None:
        self._forget(when)
        self._total += count
        last = self._buckets[-1] if self._buckets else None
        if last is not None and last.first <= when < last.first + self._grain:
            last.latest = max(last.latest, when)
            last.count += count
            return
        position = len(self._buckets)
        while position and self._buckets[position - 1].latest > when:
            position -= 1
        self._buckets.insert(position, _Bucket(when, when, count))

    def _forget(self, now: float) -> None:
        while self._buckets and self._buckets[0].latest + self.length <= now:
            self._total -= self._buckets.popleft().count

    def used(self, now: float) -> int:
        self._forget(now)
        return self._total

    def used_at(self, when: float) -> int:
        """How many will still count then, if nothing else is spent until then."""
        return sum(bucket.count for bucket in self._buckets if bucket.latest + self.length > when)

    @property
    def ends(self) -> list[float]:
        """When what is spent leaves the window."""
        return [bucket.latest + self.length for bucket in self._buckets]

    def free_at(self, now: float, limit: int, wanted: int = 1) -> float:
        """When `wanted` more fit below `limit`, if nothing else is spent until then."""
        excess = self.used(now) + wanted - limit
        if excess <= 0:
            return now
        for bucket in self._buckets:
            excess -= bucket.count
            if excess <= 0:
                return bucket.latest + self.length
        return now + self.length

    def to_json(self, now: float) -> list[list[float]]:
        self._forget(now)
        return [[stored(bucket.latest), bucket.count] for bucket in self._buckets]

    def load(self, entries: Sequence[Sequence[float]], now: float, ahead: float = 0.0) -> None:
        """Add what `to_json` returned, with `ahead` seconds added to each time; one in the future counts as now."""
        for entry in entries:
            latest, count = float(entry[0]) + ahead, int(entry[1])
            if latest + self.length > now:
                self.add(min(latest, now), count)


def stored(when: float) -> float:
    """Rounded up: a request that counted too short would cause a burst after a restart."""
    return ceil(when * 10) / 10
