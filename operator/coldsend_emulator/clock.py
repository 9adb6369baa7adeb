"""The emulator's clock, and a schedule of later work, which is done before the next request."""

import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

from coldsend_emulator.switches import Switches


class Clock:
    """`steady` is a monotonic clock, `told` the wall clock of the server; both in seconds."""

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
        """Monotonic seconds, for windows, jobs and delays."""
        return self._steady() + self._ahead

    def wall(self) -> float:
        """Unix seconds by the server's wall clock."""
        return self._told() + self._switches.amount("date_skew_seconds")

    def wall_at(self, moment: float) -> float:
        """Unix seconds of a moment of `now()`."""
        return self.wall() + moment - self.now()

    def advance(self, seconds: float) -> None:
        """Move windows, jobs and delays forward, but not the server's wall clock."""
        self._ahead += seconds


class Schedule:
    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def at(self, moment: float, act: Callable[[float], None]) -> None:
        """Call `act(moment)` at that moment."""
        heapq.heappush(self._due, (moment, next(self._order), act))

    @property
    def next_at(self) -> float | None:
        """When the next work is due; None if there is none."""
        return self._due[0][0] if self._due else None

    def run(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            moment, _, act = heapq.heappop(self._due)
            act(moment)


def rfc3339(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
