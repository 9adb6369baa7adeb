"""The open workspaces: which API key leads to which, and how two that turn out to be one are merged."""

import asyncio
from collections.abc import Callable, Iterable, Set

from coldsend_operator.accounts.clients import Clients, OpenKey
from coldsend_operator.accounts.workspace_loop import WorkspaceLoop
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.desired import KeyRef
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.workspace.claims import NO_WORKSPACE, Claims
from coldsend_operator.core.workspace.merging import merge
from coldsend_operator.core.workspace.trust import Trust, former_digests
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.api_keys import KeyRing
from coldsend_operator.logs import Event, log
from coldsend_operator.tasks import report_end

SHARED = (
    "other clients use more requests of this API key than COLDSEND_RESERVE leaves them; give each shard that uses the "
    "key its share (COLDSEND_REQUESTS_PER_MINUTE, COLDSEND_REQUESTS_PER_HOUR), or raise COLDSEND_RESERVE"
)


class Workspaces:
    """Opens a workspace with the first key that leads to it, and merges those that turn out to be one (rule 13).

    `place_again` is called with the UIDs of accounts that have to be placed again.
    """

    def __init__(self, policy: Policy, ring: KeyRing, clients: Clients) -> None:
        self.claims = Claims()
        self.trust = Trust()
        self.loops: dict[str, WorkspaceLoop] = {}  # by the digest that names the workspace
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.running = False
        self.place_again: Callable[[Iterable[str]], None] = lambda _: None
        self._policy = policy
        self._ring = ring
        self._clients = clients

    # -- by account and by key

    def of_account(self, account: Account) -> WorkspaceLoop | None:
        """The workspace of the account; None while it has none."""
        loop = self.loops.get(account.workspace_digest)
        return loop if loop is not None and account.uid in loop.workspace.accounts else None

    def of_key(self, digest: str) -> WorkspaceLoop | None:
        """The workspace that the key leads to, as far as known."""
        loop = self.loops.get(digest) or next((loop for loop in self.loops.values() if digest in loop.keys), None)
        whole = loop.workspace.merged_into if loop is not None else None
        return loop if whole is None else self.loops[whole.digest]

    def open(self, digest: str, ref: KeyRef) -> WorkspaceLoop:
        """The workspace of the key, opened if it is not, and ready for calls with this key."""
        loop = self.of_key(digest)
        if loop is not None:
            if digest != NO_WORKSPACE and digest not in loop.keys:
                self._open_key(loop, digest, ref)
            return loop
        workspace = Workspace(digest, self._policy, self.claims, self.trust, self._clients.jitter())
        workspace.leads = self.running
        workspace.kube_offset = self._clients.kube.clock_offset
        opened = self.loops[digest] = WorkspaceLoop(workspace, self._clients)
        opened.may_call = lambda: self._may_call(opened)
        if digest != NO_WORKSPACE:
            self._open_key(opened, digest, ref)
        if self.running:
            self._start(digest, opened)
        return self.of_key(digest) or opened  # by the stored state, the key may lead to a workspace that is open

    def _open_key(self, loop: WorkspaceLoop, digest: str, ref: KeyRef) -> None:
        client = self._clients.coldsend(self._ring.keys[digest], lambda op, meta: self._answered(digest, ref, op, meta))
        loop.keys[digest] = OpenKey(client, ref.label, ref.namespace)
        if self.running:
            log.info(Event.WORKSPACE_OPENED, workspace=loop.workspace.digest, key=ref.label)

    def refused(self, digest: str | None) -> bool:
        """Whether ColdSend refuses the key."""
        if not digest:
            return False
        loop = self.of_key(digest)
        return loop is not None and loop.workspace.keys.refused(digest)

    def users(self, digest: str) -> Set[str]:
        """UIDs of the accounts that use the key."""
        loop = self.of_key(digest)
        return frozenset() if loop is None else loop.workspace.keys.users(digest)

    @property
    def keys(self) -> Set[str]:
        """Digests of all keys that are open for calls."""
        return self.loops.keys() | {digest for loop in self.loops.values() for digest in loop.keys}

    def _may_call(self, loop: WorkspaceLoop) -> bool:
        """Whether it is its turn: keys that never worked are tried one at a time in each namespace (rule 43)."""
        if not loop.untried:
            return True
        waiting = (each for each in self.loops.values() if each.untried and each.namespaces & loop.namespaces)
        return next(waiting, loop) is loop

    def _answered(self, digest: str, ref: KeyRef, operation: str, meta: Meta) -> None:
        self._clients.metrics.request(ref.label, operation, meta.status, meta.seconds)
        loop, now = self.of_key(digest), self._clients.clock()
        key = loop.keys.get(digest) if loop is not None else None
        if loop is None or key is None:
            return  # closed meanwhile
        workspace = loop.workspace
        if not key.answered:
            key.answered = True
            for other in self.loops.values():
                if key.namespace in other.namespaces:
                    other.wake()
        if meta.server_time is not None:
            loop.server_clock.observe_time(meta.server_time, now - meta.seconds, now)
            for part in workspace.parts:
                part.server_offset = loop.server_clock.offset
        if meta.rate is not None:
            reported = workspace.budget.crowded
            workspace.budget.see(meta.rate, now, workspace.server_offset)
            if workspace.budget.crowded and not reported:
                log.warning(Event.BUDGET_SHARED, workspace=workspace.digest, message=SHARED)

    # -- running

    def start(self) -> None:
        """Send calls from now on.

        A standby's knowledge may be old: budget and brake are loaded again, and the former leader may have sent a
        create just now.
        """
        self.running = True
        now = self._clients.clock()
        self._clients.bookings.restore_trust(self.trust)
        for digest, loop in list(self.loops.items()):
            loop.workspace.kube_offset = self._clients.kube.clock_offset
            loop.workspace.resume(now)
            self._start(digest, loop)
        for loop in self.loops.values():
            for ref in loop.workspace.refs:
                self.settle_trust(loop.workspace, ref)
        self.trust.settle_unrecorded()

    def settle_trust(self, workspace: Workspace, ref: KeyRef) -> None:
        """Trust the reference if its own key leads here; call this once all objects are known (rule 40)."""
        if self._ring.state(ref).digest in workspace.keys.breakers:
            self.trust.settle(ref, workspace.digests)

    def _start(self, digest: str, loop: WorkspaceLoop) -> None:
        carried = frozenset[str]()
        if loop.keys:
            loop.on_list = self._merge_with_same
            carried = self._clients.bookings.restore(loop.workspace)
            # A key rotated while no operator ran most likely still belongs to the same workspace, with its windows.
            for digest_before in former_digests(loop.workspace) - carried - self.keys:
                self._clients.bookings.restore(loop.workspace, digest_before)
        self.tasks[digest] = asyncio.create_task(loop.run(), name=f"workspace {digest}")
        self.tasks[digest].add_done_callback(report_end)
        for other in [self.loops[each] for each in self.tasks if each in self.loops]:
            if other is not loop and carried & other.workspace.digests:
                self._merge(other, loop, counted=True)

    def _merge_with_same(self, loop: WorkspaceLoop) -> None:
        """Keys whose lists share an inbox lead to one workspace (rule 13)."""
        for other in list(self.loops.values()):
            inboxes = loop.workspace.inventory.rows.keys()
            if other.workspace not in loop.workspace.parts and not inboxes.isdisjoint(other.workspace.inventory.rows):
                self._merge(other, loop)

    def _merge(self, one: WorkspaceLoop, other: WorkspaceLoop, *, counted: bool = False) -> None:
        """Keep the workspace with more accounts; the accounts of the other move to it as soon as they may."""
        wholes = [self.loops[(loop.workspace.merged_into or loop.workspace).digest] for loop in (one, other)]
        if wholes[0] is wholes[1]:
            return
        kept, merged = sorted(wholes, key=lambda loop: -len(loop.workspace.accounts))
        merge(kept.workspace, merged.workspace, self._clients.clock(), counted=counted)
        for digest, key in merged.keys.items():
            kept.keys.setdefault(digest, key)
        log.info(Event.WORKSPACES_MERGED, workspace=kept.workspace.digest, merged=merged.workspace.digest)
        for ref in kept.workspace.refs | merged.workspace.refs:
            self.settle_trust(kept.workspace, ref)
        self.place_again([uid for part in kept.workspace.merged for uid in part.accounts])
        kept.wake()
        merged.wake()

    async def stop(self) -> None:
        ends = await asyncio.gather(*(loop.stop() for loop in self.loops.values()), return_exceptions=True)
        for failure in ends:
            if isinstance(failure, Exception):  # rule 38: the other workspaces have stored what they spent
                log.error(Event.LOOP_FAILED, operation="stop", exc_info=failure)
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def close_clients(self) -> None:
        for client in {
            id(key.client): key.client for loop in self.loops.values() for key in loop.keys.values()
        }.values():
            await client.aclose()
