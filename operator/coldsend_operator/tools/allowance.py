"""The requests that a command may send: the share of both windows that the operator leaves to people."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

from coldsend_operator.tools.errors import CommandError

MINUTE = 60.0


class Allowance:
    """Waits when the share of the minute is used up, and ends the command when that of the hour is."""

    def __init__(
        self,
        per_minute: int,
        per_hour: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.per_minute = per_minute
        self.per_hour = per_hour
        self.taken = 0
        self._clock = clock
        self._sleep = sleep
        self._latest: deque[float] = deque(maxlen=per_minute)

    @classmethod
    def of(cls, per_minute: int, per_hour: int, reserve: float) -> Self:
        return cls(max(1, int(per_minute * reserve)), max(1, int(per_hour * reserve)))

    async def take(self) -> None:
        """One more request. Raises CommandError when it is one too many."""
        if self.taken >= self.per_hour:
            raise CommandError(
                f"this takes more than the {self.per_hour} requests per hour that commands may send "
                "(COLDSEND_RESERVE); narrow the selection, or raise COLDSEND_RESERVE"
            )
        if len(self._latest) == self.per_minute:
            await self._sleep(max(0.0, self._latest[0] + MINUTE - self._clock()))
        self._latest.append(self._clock())
        self.taken += 1

    def seconds(self, requests: int) -> float:
        """The approximate time for this many more requests."""
        beyond = max(0, len(self._latest) + requests - self.per_minute)
        return -(-beyond // self.per_minute) * MINUTE
