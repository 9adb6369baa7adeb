"""Time as the emulator sees it. Work that is due later waits in a schedule and is done before the next request."""

import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

from coldsend_emulator.switches import Switches


class Clock:
    """`steady` never goes back, `told` is what the server takes for the time; both in seconds."""

    def __init__(
        self,
        switches: Switches,
        steady: Callable[[], float] = time.monotonic,
        told: Callable[[], float] = time.time,
    ) -> None:
        self._switches = switches
        self._steady = steady
        self._told = told
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds on a clock that never goes back; windows, jobs and delays run on it."""
        return self._steady() + self._ahead

    def wall(self) -> float:
        """Unix seconds as the server tells them."""
        return self._told() + self._switches.amount("date_skew_seconds")

    def wall_at(self, moment: float) -> float:
        """Unix seconds of a moment of `now()`."""
        return self.wall() + moment - self.now()

    def advance(self, seconds: float) -> None:
        """Let windows, jobs and delays be so much later, without touching the time that the server tells."""
        self._ahead += seconds


class Schedule:
    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def at(self, moment: float, act: Callable[[float], None]) -> None:
        """Have `act(moment)` called once that moment has come."""
        heapq.heappush(self._due, (moment, next(self._order), act))

    @property
    def next_at(self) -> float | None:
        """When something is due next."""
        return self._due[0][0] if self._due else None

    def run(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            moment, _, act = heapq.heappop(self._due)
            act(moment)


def rfc3339(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
