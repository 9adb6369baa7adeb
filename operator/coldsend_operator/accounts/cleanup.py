"""Closes unused workspaces and drops their keys and stored state (rule 43: nothing grows with what came and went)."""

import asyncio
from collections.abc import Callable

from coldsend_operator.accounts.bookings import Bookings
from coldsend_operator.accounts.workspace_loop import WorkspaceLoop
from coldsend_operator.core.model.account import OWN_KEY
from coldsend_operator.core.workspace.trust import Trust
from coldsend_operator.credentials.api_keys import KeyRing
from coldsend_operator.logs import Event, log
from coldsend_operator.metrics import Metrics

CLOSE_AFTER = 60.0  # seconds without an object; a key that is replaced comes back sooner
PRUNE_EVERY = 60.0


class Cleanup:
    """Removes closed workspaces from `loops` and `tasks`, which belong to the controller."""

    def __init__(
        self,
        loops: dict[str, WorkspaceLoop],
        tasks: "dict[str, asyncio.Task[None]]",
        ring: KeyRing,
        trust: Trust,
        store: Bookings,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self.closing: set[asyncio.Task[None]] = set()
        self._runners = loops
        self._tasks = tasks
        self._ring = ring
        self._trust = trust
        self._bookings = store
        self._metrics = metrics
        self._clock = clock
        self._unused_since: dict[str, float] = {}
        self._prune_at = 0.0

    async def run_once(self, *, leading: bool) -> None:
        """Close and drop what is due; called periodically. Only the leader writes to the state."""
        now = self._clock()
        unused = {digest for digest, loop in self._runners.items() if self._is_unused(digest, loop)}
        self._unused_since = {digest: self._unused_since.get(digest, now) for digest in unused}
        for digest, since in self._unused_since.items():
            if now >= since + CLOSE_AFTER:
                await self._close(digest, self._runners[digest], leading=leading)
        used = self._trust.bound() | self._runners.keys()
        self._ring.forget_keys(used)
        if leading and now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            for digest in await self._bookings.prune(used):
                for loop in self._runners.values():
                    loop.workspace.digests -= {digest}

    def _is_unused(self, digest: str, loop: WorkspaceLoop) -> bool:
        """Whether there is no object and nothing is under way. The workspace of the operator's own key stays open."""
        return loop.client is not None and digest != self._ring.state(OWN_KEY).digest and loop.idle

    async def _close(self, digest: str, loop: WorkspaceLoop, *, leading: bool) -> None:
        """Store what was spent, then end the loop. The workspace can be opened again as after a restart."""
        workspace = loop.workspace
        if leading:
            await self._bookings.save(workspace, block=0 if len(workspace.kin) == 1 else None)
        if not self._is_unused(digest, loop):
            return  # an object arrived meanwhile
        del self._runners[digest]
        workspace.kin.remove(workspace)
        if all(other.label != loop.label for other in self._runners.values() if other.client is not None):
            self._metrics.forget_workspace(loop.label)
        task = asyncio.create_task(self._end(digest, loop, self._tasks.pop(digest, None)))
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    async def _end(self, digest: str, loop: WorkspaceLoop, running: "asyncio.Task[None] | None") -> None:
        if running is not None:
            await loop.stop(save=False)
            await asyncio.gather(running, return_exceptions=True)
            log.info(Event.WORKSPACE_CLOSED, workspace=digest, key=loop.label)
        if loop.client is not None:
            await loop.client.aclose()
