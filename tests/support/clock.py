"""A fake clock that only the test moves, and an event loop that runs on it."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime
from itertools import count
from typing import Any

START = 1_700_000_000.0  # 2023-11-14T22:13:20Z


class FakeClock:
    """Unix seconds. Call it to read the time."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class FakeLoop(asyncio.AbstractEventLoop):
    """Runs real coroutines on a fake clock: what is ready runs, first come first served; timers wait for the clock.

    There is no I/O in it, so the order in which the fake clients answer is the only thing left to chance, and a test
    chooses that order.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = count()
        self.troubles: list[dict[str, Any]] = []

    def run_ready(self) -> None:
        """Run until nothing can continue without an external response or more time."""
        asyncio._set_running_loop(self)
        try:
            while self._ready or self._due():
                while self._due():
                    self._ready.append(heapq.heappop(self._timers)[2])
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def _due(self) -> bool:
        return bool(self._timers) and self._timers[0][0] <= self._clock()

    @property
    def next_timer(self) -> float | None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    # -- the interface that asyncio needs

    def time(self) -> float:
        return self._clock()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:  # type: ignore[override] # the base has variadic generics
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override] # the base has variadic generics
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override] # the base has variadic generics
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._count), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by asyncio; a cancelled timer is skipped when its time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> Any:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":  # type: ignore[override] # the base has variadic generics
        """Run work for threads at once; its result arrives in order."""
        future = self.create_future()
        self.call_soon(future.set_result, func(*args))
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.troubles.append(context)
