"""Closes unused workspaces and drops their keys and stored state (rule 43: nothing grows with what came and went)."""

import asyncio

from coldsend_operator.accounts.clients import Clients, OpenKey
from coldsend_operator.accounts.workspace_loop import WorkspaceLoop
from coldsend_operator.accounts.workspaces import Workspaces
from coldsend_operator.core.model.desired import OWN_KEY
from coldsend_operator.credentials.api_keys import KeyRing
from coldsend_operator.logs import Event, log
from coldsend_operator.tasks import Tasks

CLOSE_AFTER = 60.0  # seconds without an object; a key that is replaced comes back sooner
PRUNE_EVERY = 60.0


class Cleanup:
    """Closes workspaces and keys, and takes them out of `workspaces`."""

    def __init__(self, workspaces: Workspaces, ring: KeyRing, clients: Clients) -> None:
        self.closing = Tasks(operation="close")
        self._workspaces = workspaces
        self._loops = workspaces.loops
        self._ring = ring
        self._clients = clients
        self._unused_since: dict[str, float] = {}  # by digest of the workspace
        self._idle_keys: dict[tuple[str, str], float] = {}  # by digests of workspace and key, since when
        self._prune_at = 0.0

    async def run_once(self, *, leading: bool) -> None:
        """Close and drop what is due; called periodically. Only the leader writes to the state."""
        now = self._clients.clock()
        unused = {digest for digest, loop in self._loops.items() if self._is_unused(loop)}
        self._unused_since = {digest: self._unused_since.get(digest, now) for digest in unused}
        for digest, since in self._unused_since.items():
            if now >= since + CLOSE_AFTER:
                await self._close(digest, self._loops[digest], leading=leading)
        self._close_idle_keys(now)
        used = self._workspaces.trust.bound() | self._workspaces.keys
        self._ring.forget_keys(used)
        if leading and now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            for digest in await self._clients.bookings.prune(used):
                for loop in self._loops.values():
                    loop.workspace.digests -= {digest}

    def _is_unused(self, loop: WorkspaceLoop) -> bool:
        """Whether it can be closed: without objects, with nothing under way, and not of the operator's own key."""
        own = self._ring.state(OWN_KEY).digest
        stays = own in loop.keys and loop.workspace.merged_into is None
        return bool(loop.keys) and not stays and not loop.workspace.merged and loop.idle

    async def _close(self, digest: str, loop: WorkspaceLoop, *, leading: bool) -> None:
        """Store what was spent, then end the loop. The workspace can be opened again as after a restart."""
        workspace = loop.workspace
        if leading:
            await self._clients.bookings.save(workspace, block=0 if workspace.merged_into is None else None)
        if not self._is_unused(loop):
            return  # an object has arrived since
        del self._loops[digest]
        if workspace.merged_into is not None:
            workspace.merged_into.merged.remove(workspace)
        self.closing.start(self._end(digest, loop, self._workspaces.tasks.pop(digest, None)))

    async def _end(self, digest: str, loop: WorkspaceLoop, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await loop.stop(save=False)
            await asyncio.gather(running, return_exceptions=True)
            labels = ", ".join(sorted({key.label for key in loop.keys.values()}))
            log.info(Event.WORKSPACE_CLOSED, workspace=digest, key=labels)
        for key in loop.keys.values():
            await self._close_key(key)

    # -- unused keys of a workspace that stays open

    def _close_idle_keys(self, now: float) -> None:
        idle = {
            (digest, key): loop
            for digest, loop in self._loops.items()
            for key in loop.keys
            if len(loop.keys) > 1 and self._is_idle(loop, key)
        }
        self._idle_keys = {which: self._idle_keys.get(which, now) for which in idle}
        for (digest, key), loop in idle.items():
            if now >= self._idle_keys[digest, key] + CLOSE_AFTER and len(loop.keys) > 1:
                loop.workspace.keys.forget(key)
                self.closing.start(self._close_key(loop.keys.pop(key)))

    @staticmethod
    def _is_idle(loop: WorkspaceLoop, key: str) -> bool:
        """Whether no account uses the key, and no call with it is under way."""
        parts = loop.workspace.parts
        calls = (call for part in parts for call in part.in_flight.values())
        return not any(part.keys.count(key) for part in parts) and all(call.key != key for call in calls)

    async def _close_key(self, key: OpenKey) -> None:
        """Close its connections, unless the workspace into which this one was merged still uses them."""
        left = [other for loop in self._loops.values() for other in loop.keys.values()]
        if all(other is not key for other in left):
            if all(other.label != key.label for other in left):
                self._clients.metrics.forget_workspace(key.label)
            await key.client.aclose()
