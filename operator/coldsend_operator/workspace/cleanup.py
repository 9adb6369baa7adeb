"""What nobody uses any more goes: workspaces without objects, keys, and what is stored of them (rule 43)."""

import asyncio
from collections.abc import Callable

from coldsend_operator.core.records import OWN_KEY
from coldsend_operator.core.trust import Trust
from coldsend_operator.logs import Event, log
from coldsend_operator.metrics import Metrics
from coldsend_operator.workspace.keys import KeyRing
from coldsend_operator.workspace.runner import Runner
from coldsend_operator.workspace.store import Store

CLOSE_AFTER = 60.0  # seconds without an object: a key that is written anew comes back sooner
PRUNE_EVERY = 60.0


class Cleanup:
    """Takes workspaces that are closed out of `runners` and `tasks`, which are the registry's."""

    def __init__(
        self,
        runners: dict[str, Runner],
        tasks: "dict[str, asyncio.Task[None]]",
        ring: KeyRing,
        trust: Trust,
        store: Store,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self.closing: set[asyncio.Task[None]] = set()
        self._runners = runners
        self._tasks = tasks
        self._ring = ring
        self._trust = trust
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._unused_since: dict[str, float] = {}
        self._prune_at = 0.0

    async def run_once(self, *, leading: bool) -> None:
        """Close and forget what is due; called every now and then. Only who leads writes to the state."""
        now = self._clock()
        unused = {digest for digest, runner in self._runners.items() if self._is_unused(digest, runner)}
        self._unused_since = {digest: self._unused_since.get(digest, now) for digest in unused}
        for digest, since in self._unused_since.items():
            if now >= since + CLOSE_AFTER:
                await self._close(digest, self._runners[digest], leading=leading)
        used = self._trust.bound() | self._runners.keys()
        self._ring.forget_keys(used)
        if leading and now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            for digest in await self._store.prune(used):
                for runner in self._runners.values():
                    runner.ledger.digests -= {digest}

    def _is_unused(self, digest: str, runner: Runner) -> bool:
        """Whether no object is there and nothing is under way. The workspace of the operator's own key stays open."""
        return runner.client is not None and digest != self._ring.state(OWN_KEY).digest and runner.idle

    async def _close(self, digest: str, runner: Runner, *, leading: bool) -> None:
        """Store what was spent, then end the loop. The workspace is opened again as after a restart."""
        ledger = runner.ledger
        if leading:
            await self._store.save(ledger, block=0 if len(ledger.kin) == 1 else None)
        if not self._is_unused(digest, runner):
            return  # an object came meanwhile
        del self._runners[digest]
        ledger.kin.remove(ledger)
        if all(other.label != runner.label for other in self._runners.values() if other.client is not None):
            self._metrics.forget_workspace(runner.label)
        task = asyncio.create_task(self._end(digest, runner, self._tasks.pop(digest, None)))
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    async def _end(self, digest: str, runner: Runner, loop: "asyncio.Task[None] | None") -> None:
        if loop is not None:
            await runner.stop(save=False)
            await asyncio.gather(loop, return_exceptions=True)
            log.info(Event.WORKSPACE_CLOSED, workspace=digest, key=runner.label)
        if runner.client is not None:
            await runner.client.aclose()
