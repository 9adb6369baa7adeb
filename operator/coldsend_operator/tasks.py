"""Background tasks: counted and awaited at the end of their owner, and reported if they fail."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from coldsend_operator.logs import Event, log

CANCEL_AGAIN_SECONDS = 1.0


class Tasks:
    """Running tasks; `len` is their number.

    A failed task is logged with `names` and does not cancel the others, unlike in an `asyncio.TaskGroup`. `on_end` is
    called after each task.
    """

    def __init__(self, on_end: Callable[[], None] = lambda: None, **names: str) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_end = on_end
        self._names = names

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def wait_for_one(self, seconds: float | None = None) -> None:
        """Wait until one task ends, at most this many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def wait_for_all(self, seconds: float | None = None) -> None:
        """Wait until all current tasks have ended, at most this many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def drain(self) -> None:
        """Wait until no task runs, including tasks that are started during the wait."""
        while self._tasks:
            await self.wait_for_all()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        _report_failure(task, **self._names)
        self._on_end()


async def end(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    """Cancel tasks until they have ended; their results and errors are left to the caller.

    A cancellation can be lost, as `asyncio.wait_for` of Python 3.11 swallows one that arrives together with its
    result. Whoever cancels once may wait for ever.
    """
    left = {task for task in tasks if task is not None and not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)


def report_end(task: asyncio.Task[None]) -> None:
    """Log the exception of a background task; the liveness probe fails from then on."""
    _report_failure(task, operation=task.get_name())


def _report_failure(task: asyncio.Task[None], **names: str) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error(Event.LOOP_FAILED, **names, exc_info=task.exception())
