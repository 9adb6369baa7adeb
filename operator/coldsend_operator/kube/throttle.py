"""Rate limits: token buckets, and growing pauses."""

import time
from collections.abc import Callable, Iterator

NAMESPACES_AT_FULL_RATE = 5  # at the same time


class Throttle:
    """Allows `burst` at once and `rate` per second in the long run."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self.burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled = clock()
        self.refused = 0

    def passes(self) -> bool:
        """Whether one more is allowed now; counts the refused ones."""
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
        """Whether it is in the state of a new one."""
        return self._tokens + (self._clock() - self._filled) * self._rate >= self.burst


class Throttles:
    """A throttle per namespace and kind, within one per kind.

    A busy namespace silences no other: only several of them together reach the limit of the kind.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._of_kind: dict[str, Throttle] = {}
        self._of_namespace: dict[tuple[str, str], Throttle] = {}

    def refused_by(self, namespace: str, kind: str) -> Throttle | None:
        """The throttle that refuses one more now; None if allowed."""
        of_kind = self._of_kind.setdefault(
            kind, Throttle(self._rate * NAMESPACES_AT_FULL_RATE, self._burst * NAMESPACES_AT_FULL_RATE, self._clock)
        )
        if (namespace, kind) not in self._of_namespace:
            self._of_namespace = {key: each for key, each in self._of_namespace.items() if not each.full}
            self._of_namespace[namespace, kind] = Throttle(self._rate, self._burst, self._clock)
        throttles = (self._of_namespace[namespace, kind], of_kind)
        return next((throttle for throttle in throttles if not throttle.passes()), None)


class Pauses:
    """Pauses between failing tries, in seconds: each is twice the one before, up to a maximum."""

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
        """Endless pauses, starting with the first."""
        pauses = Pauses(self._first, self._longest)
        while True:
            yield pauses.next()
