"""Our clock, and the offset of a server's clock."""

import time
from email.utils import parsedate_to_datetime

_START = time.time() - time.monotonic()

SAMPLE_SECONDS = 1.0  # the Date header has whole seconds; more readings would not help


def unix_seconds() -> float:
    """Wall time at the start plus the monotonic clock, so that corrections of the wall clock have no effect.

    The one clock of the process: the offsets of other clocks are offsets from it.
    """
    return _START + time.monotonic()


class ServerClock:
    """Narrows the offset with each response.

    A Date header D means that the server's clock was somewhere in [D, D+1) between our sending and receiving, so each
    response gives an interval for the offset, and their intersection soon is narrow. An empty intersection means that a
    clock was set, or that the response came from a cache or another machine: it counts once `stubborn` responses in a
    row agree with each other and not with the known offset.
    """

    def __init__(self, stubborn: int = 1) -> None:
        self._stubborn = stubborn
        self._low: float | None = None
        self._high = 0.0
        self._others: list[tuple[float, float]] = []  # intervals that agree, but not with the known offset
        self._sampled = float("-inf")

    @property
    def offset(self) -> float:
        """Server's clock minus ours, seconds; 0 until known."""
        return 0.0 if self._low is None else (self._low + self._high) / 2

    def observe(self, date: str | None, sent: float, received: float) -> None:
        """Add a Date header; `sent` and `received` are Unix seconds of our clock."""
        if date is None or self._is_sampled(received):
            return
        try:
            server = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        self.observe_time(server, sent, received)

    def _is_sampled(self, received: float) -> bool:
        """Whether the last reading is so recent that this one would not help."""
        return abs(received - self._sampled) < SAMPLE_SECONDS

    def observe_time(self, server: float, sent: float, received: float) -> None:
        """Add the time of a Date header, in Unix seconds."""
        if self._is_sampled(received):
            return
        self._sampled = received
        seen = (server - received, server + 1 - sent)
        if self._low is None:
            self._low, self._high = seen
            return
        known = _common((self._low, self._high), seen)
        if known is not None:
            (self._low, self._high), self._others = known, []
            return
        self._others = [*(other for other in self._others if _common(other, seen) is not None), seen]
        if len(self._others) >= self._stubborn:
            (self._low, self._high), self._others = seen, []


def _common(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float] | None:
    """The intersection of two intervals."""
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else None
