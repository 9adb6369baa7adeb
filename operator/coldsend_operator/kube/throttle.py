"""A bound on a rate: tokens that grow back."""

import time
from collections.abc import Callable


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
