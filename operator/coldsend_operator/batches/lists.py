"""Reads the lists of batches in threads: 5,000 inboxes would block the event loop."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from coldsend_operator.batches.batch_work import BatchWork
from coldsend_operator.batches.child_index import ChildIndex
from coldsend_operator.batches.child_writer import batch_ref
from coldsend_operator.batches.reading import ListReading, read_list
from coldsend_operator.kube.set_aside import SetAside
from coldsend_operator.tasks import Tasks

READ_LIST = "read_list"


class ListReader:
    """Calls `use` with the newest list of a batch, and `ended` when no list of the batch is being read any more."""

    def __init__(
        self,
        children: ChildIndex,
        set_aside: SetAside,
        tasks: Tasks,
        use: Callable[[BatchWork, ListReading], None],
        ended: Callable[[BatchWork], None],
    ) -> None:
        self._children = children
        self._set_aside = set_aside
        self._tasks = tasks
        self._use = use
        self._ended = ended

    def read(self, work: BatchWork, spec: Any) -> None:
        """Read the list of this spec; if another one is being read, after it."""
        work.unread = spec
        if not work.reading:
            work.reading = True
            self._tasks.start(self._read(work))

    async def _read(self, work: BatchWork) -> None:
        batch = work.batch
        try:
            while work.unread is not None:
                spec, work.unread = work.unread, None
                with self._set_aside.trying(batch_ref(batch), READ_LIST, partial(self._read_again, work, spec)):
                    reading = await asyncio.to_thread(read_list, batch.name, work.read_generation, spec)
                    if work.unread is None and not batch.deleting and self._children.has(work):
                        self._use(work, reading)
        finally:
            work.reading = False
            if self._children.has(work):
                self._ended(work)

    def _read_again(self, work: BatchWork, spec: Any) -> None:
        """Read the list again after a failure, unless a newer one came."""
        if work.unread is None and not work.reading and self._children.has(work):
            self.read(work, spec)
