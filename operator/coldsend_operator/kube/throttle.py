"""Bounds on a rate: tokens that grow back, and pauses that grow."""

import time
from collections.abc import Callable, Iterator

MANY = 5  # as many namespaces may be loud at the same time


class Throttle:
    """Lets `burst` pass at once and `rate` per second in the long run."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self.burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled = clock()
        self.refused = 0

    def passes(self) -> bool:
        """Whether one more may pass now; counts the refused ones."""
        now = self._clock()
        self._tokens = min(self.burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        return True

    @property
    def full(self) -> bool:
        """Whether a new one would let just as many pass."""
        return self._tokens + (self._clock() - self._filled) * self._rate >= self.burst


class Throttles:
    """A throttle for each namespace and kind, within one for each kind.

    A namespace that has much to tell silences no other: only several of them together meet the bound of the kind.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._of_kind: dict[str, Throttle] = {}
        self._of_namespace: dict[tuple[str, str], Throttle] = {}

    def refused_by(self, namespace: str, kind: str) -> Throttle | None:
        """What keeps one more from passing now; None when it may."""
        of_kind = self._of_kind.setdefault(kind, Throttle(self._rate * MANY, self._burst * MANY, self._clock))
        if (namespace, kind) not in self._of_namespace:
            self._of_namespace = {key: each for key, each in self._of_namespace.items() if not each.full}
            self._of_namespace[namespace, kind] = Throttle(self._rate, self._burst, self._clock)
        throttles = (self._of_namespace[namespace, kind], of_kind)
        return next((throttle for throttle in throttles if not throttle.passes()), None)


class Pauses:
    """Seconds to wait between tries that fail: each pause is twice the one before, up to the longest."""

    def __init__(self, first: float = 1.0, longest: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        pause, self._next = self._next, min(self._longest, self._next * 2)
        return pause

    def reset(self) -> None:
        """A try succeeded."""
        self._next = self._first

    def __iter__(self) -> Iterator[float]:
        """Pauses without end, from the first one on."""
        pauses = Pauses(self._first, self._longest)
        while True:
            yield pauses.next()
