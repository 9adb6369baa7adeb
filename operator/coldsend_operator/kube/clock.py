"""Our clock, and how far the API server's is ahead of it."""

import time
from email.utils import parsedate_to_datetime

_START = time.time() - time.monotonic()

SAMPLE_SECONDS = 1.0  # the Date header has whole seconds; to read each one would tell no more


def unix_seconds() -> float:
    """Wall time at the start, moved on by the monotonic clock: a corrected wall clock bends nothing.

    The one clock of the process: the offsets of other clocks are offsets from it.
    """
    return _START + time.monotonic()


class ServerClock:
    """Narrows the offset down with each answer.

    A Date header D means that the server's clock stood somewhere in [D, D+1) between our sending and receiving, so each
    answer is an interval for the offset, and their intersection soon is narrow. An empty intersection says that a clock
    was set: only the newest answer counts then.
    """

    def __init__(self) -> None:
        self._low: float | None = None
        self._high = 0.0
        self._sampled = float("-inf")

    @property
    def offset(self) -> float:
        """Server's clock minus ours, seconds; 0 until known."""
        return 0.0 if self._low is None else (self._low + self._high) / 2

    def observe(self, date: str | None, sent: float, received: float) -> None:
        """Take in a Date header; `sent` and `received` are Unix seconds of our clock."""
        if date is None or abs(received - self._sampled) < SAMPLE_SECONDS:
            return
        try:
            server = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        self._sampled = received
        low, high = server - received, server + 1 - sent
        if self._low is not None and max(low, self._low) <= min(high, self._high):
            low, high = max(low, self._low), min(high, self._high)
        self._low, self._high = low, high
