"""Background work of one owner: started, bounded by a count, waited for at the end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from coldsend_operator.logs import Event, log


class Tasks:
    """The tasks that are under way; `len` counts them.

    One that fails is logged, with `names`, and ends no other, as it would in an `asyncio.TaskGroup`. `on_end` is called
    after each of them.
    """

    def __init__(self, on_end: Callable[[], None] = lambda: None, **names: str) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_end = on_end
        self._names = names

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def wait_for_one(self, seconds: float | None = None) -> None:
        """Return when the first of them ends, or after this many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def wait_for_all(self, seconds: float | None = None) -> None:
        """Return when those of this moment have ended, or after this many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def drain(self) -> None:
        """Return when there is none any more, including those that are started meanwhile."""
        while self._tasks:
            await self.wait_for_all()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error(Event.LOOP_FAILED, **self._names, exc_info=task.exception())
        self._on_end()
