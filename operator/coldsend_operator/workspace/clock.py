"""The one clock of the process: Unix seconds that never jump while it runs."""

import time


class Clock:
    """Wall time at the start, moved on by the monotonic clock: a corrected wall clock bends no window."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self._start + time.monotonic()
