"""All objects and all workspaces: which account belongs to which key, and what comes and goes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from coldsend_operator.accounts.cleanup import Cleanup
from coldsend_operator.accounts.reading import read_desired, read_object
from coldsend_operator.accounts.status_writer import ref_of
from coldsend_operator.accounts.workspace_loop import Clients, WorkspaceLoop
from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.core.decide.changed_accounts import ask_brake_for_all
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account, Desired, KeyRef
from coldsend_operator.core.model.membership import Membership
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored_status import Status, account_status, to_text
from coldsend_operator.core.status.stored import stored_of
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.trust import Trust
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.api_keys import NOT_FOR_NAMESPACE, TOO_MANY, KeyRing
from coldsend_operator.kube.set_aside import PLACE
from coldsend_operator.logs import Event, log

NO_WORKSPACE = ""
KEY_PAUSE = 1.0
UNREADABLE = "The operator could not read the latest state of this object; see its Events and the operator's log."
SHARED = (
    "other clients use more requests of this API key than COLDSEND_RESERVE leaves them; give each shard that uses the "
    "key its share (COLDSEND_REQUESTS_PER_MINUTE, COLDSEND_REQUESTS_PER_HOUR), or raise COLDSEND_RESERVE"
)

__all__ = ["AccountController"]


class AccountController:
    """Takes watch events in, finds the workspace of each account and runs the workspaces."""

    def __init__(
        self, policy: Policy, ring: KeyRing, clients: Clients, client_of: Callable[..., ColdSendClient]
    ) -> None:
        self.policy = policy
        self.accounts: dict[str, Account] = {}
        self.loops: dict[str, WorkspaceLoop] = {}
        self.on_seen: list[Callable[[Account], None]] = []
        self.on_spec_change: list[Callable[[Account], None]] = []
        self.on_gone: list[Callable[[Account], None]] = []
        self.on_placed: Callable[[], None] = lambda: None  # an account has found its workspace
        self.on_unread: Callable[[], None] = lambda: None  # an object has come whose namespace was not read yet
        self._claims = Claims()
        self._trust = Trust()
        self._ring = ring
        self._clients = clients
        self._client_of = client_of
        self._refs = Membership[KeyRef]()
        self._namespaces = Membership[str]()
        self._moves: dict[str, asyncio.TimerHandle] = {}  # accounts that may not leave their workspace yet
        self._unplaced: set[str] = set()
        self._from_elsewhere: set[str] = set()  # accounts that named another key before, and wait for this one
        self._crowded_out: set[str] = set()  # their namespace uses too many keys
        self._key_wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cleanup = Cleanup(
            self.loops, self._tasks, ring, self._trust, clients.bookings, clients.metrics, clients.clock
        )
        self._running = False

    # -- watch events

    def seen(self, raw: Mapping[str, Any]) -> None:
        """The API server shows an object: new, changed, or just again."""
        uid = raw["metadata"]["uid"]
        account = self.accounts.get(uid)
        if account is None:
            account = read_object(raw)
            transitions.shown(account, self._with_default(account.desired))
            self.accounts[uid] = account
            self._place(account)
            _tell(self.on_seen, account)
            return
        if not self._running:
            self._read_again(account, raw)
            return
        desired = self._with_default(read_desired(raw))
        if desired.resource_version < max(account.desired.resource_version, account.written_version):
            if desired.generation <= account.desired.generation:
                return  # older than what we know: our own write came before this event
            desired = replace(
                desired,
                resource_version=account.desired.resource_version,
                finalizers=account.desired.finalizers,
            )
        else:
            self._see_status(account, account_status(raw.get("status")))
        if desired.reconcile != account.desired.reconcile:
            self.hasten(account)
        changed_spec = desired.generation != account.desired.generation
        transitions.shown(account, desired)
        loop = self.loops.get(account.workspace_digest)
        if loop is not None and uid in loop.workspace.accounts:
            loop.workspace.update(account, desired)
        self._place(account)
        if changed_spec:
            _tell(self.on_spec_change, account)
        _tell(self.on_seen, account)

    def _read_again(self, account: Account, raw: Mapping[str, Any]) -> None:
        """A standby has done nothing itself: all that it knows of an object is what another replica wrote there."""
        loop = self.loops.get(account.workspace_digest)
        if loop is not None:
            loop.workspace.remove(account.uid)
        self._unplaced.discard(account.uid)
        fresh = read_object(raw)
        transitions.shown(fresh, self._with_default(fresh.desired))
        self.accounts[fresh.uid] = fresh
        self._place(fresh)
        _tell(self.on_seen, fresh)

    def _see_status(self, account: Account, status: Status) -> None:
        if to_text(status) != account.raw_status:
            transitions.status_kept(account, status)
            transitions.status_shown(account, stored_of(status))

    def unreadable(self, uid: str) -> None:
        """The newest state of the object cannot be read: nothing is begun for it (rule 38)."""
        account = self.accounts.get(uid)
        loop = self.loops.get(account.workspace_digest) if account is not None else None
        if account is not None and loop is not None and uid in loop.workspace.accounts:
            transitions.unreadable(account, UNREADABLE)
            loop.workspace.touch(uid)
            loop.wake()

    def roll_back(self, uid: str) -> None:
        """The API server was restored: what it shows of the object now is older than what is known, and holds."""
        account = self.accounts.get(uid)
        if account is not None:
            transitions.restored(account)

    def gone(self, uid: str) -> None:
        """The object has left the API server."""
        account = self.accounts.pop(uid, None)
        if account is None:
            return
        self._found_workspace(account)
        self._crowded_out.discard(uid)
        self._from_elsewhere.discard(uid)
        self._refs.place(uid, None)
        self._namespaces.place(uid, None)
        self._cancel_move(uid)
        loop = self.loops.get(account.workspace_digest)
        if loop is not None:
            loop.workspace.depart(uid, self._clients.clock())
            loop.wake()
        _tell(self.on_gone, account)

    # -- namespaces

    def knows(self, namespace: str) -> bool:
        """Whether what the namespace says is known: nothing is decided for its objects before."""
        known = namespace in self.policy.namespaces
        if not known:
            self.on_unread()
        return known

    @property
    def namespaces(self) -> set[str]:
        """Those that have accounts."""
        return set(self._namespaces.counts())

    def namespace_changed(self, namespace: str) -> None:
        """The namespace was read for the first time, or says something else now."""
        for uid in self._namespaces.members(namespace):
            account = self.accounts[uid]
            desired = self._with_default(account.desired)
            if desired is not account.desired:
                transitions.shown(account, desired)
                loop = self.loops.get(account.workspace_digest)
                if loop is not None and uid in loop.workspace.accounts:
                    loop.workspace.update(account, desired)
            self._place(account)

    def _with_default(self, desired: Desired) -> Desired:
        """With the API key that the namespace gives to objects that name none."""
        marks = self.policy.namespaces.get(desired.namespace)
        key = marks.key if marks is not None else desired.default_key
        return desired if key == desired.default_key else replace(desired, default_key=key)

    # -- placing accounts

    def _place(self, account: Account) -> None:
        """Put the account into the workspace of its key; into none while no key can be had."""
        self._namespaces.place(account.uid, account.desired.namespace)
        if not self.knows(account.desired.namespace):
            self._await_workspace(account)
            return
        ref = account.desired.key_ref
        if self._refs.key_of(account.uid) not in {None, ref}:
            self._from_elsewhere.add(account.uid)
        self._refs.place(account.uid, ref)
        self._cancel_move(account.uid)
        state = self._ring.admit(ref, held=account.stored.held)
        self._crowded_out.discard(account.uid)
        if state.problem is TOO_MANY:
            self._crowded_out.add(account.uid)
        if state.digest is None and state.problem is None:
            self._await_workspace(account)
            # where the key leads is not known: nothing is created with the one before
            transitions.moving(account, away=True)
            self._key_wake.set()
            return
        problem = state.problem if self._ring.allowed(account) else NOT_FOR_NAMESPACE
        digest = state.digest if self._ring.allowed(account) else None
        digest, problem = self._for_deletion(account, digest, problem)
        transitions.key_read(account, _by_default(problem) if account.desired.spec.key is None else problem)
        if self._running and state.digest is not None and account.uid in self._from_elsewhere:
            self._trust.begin(ref, state.digest, account.uid)
        self._from_elsewhere.discard(account.uid)
        self._move(account, digest or NO_WORKSPACE, ref)

    def _await_workspace(self, account: Account) -> None:
        """Nothing is decided for it yet, but no younger object may take its address meanwhile (rule 13)."""
        self._unplaced.add(account.uid)
        loop = self.loops.get(account.workspace_digest)
        if loop is None or account.uid not in loop.workspace.accounts:
            transitions.addressed(account)
            self._claims.await_workspace(account)
            self._touch_others(account)  # perhaps it no longer claims the address for which they wait

    def _found_workspace(self, account: Account) -> None:
        """It stands in line in its own workspace now, or is gone: others need not wait for it any more."""
        self._unplaced.discard(account.uid)
        if self._claims.found_workspace(account.uid):
            self._touch_others(account)

    def _touch_others(self, account: Account) -> None:
        """Decide again for those that claim the same address in any workspace."""
        for loop in self.loops.values():
            loop.workspace.touch_others(account)
            loop.wake()

    def _for_deletion(
        self, account: Account, digest: str | None, problem: tuple[Reason, str] | None
    ) -> tuple[str | None, tuple[Reason, str] | None]:
        """Rule 26: a deletion uses any key in memory that leads to the workspace of its inbox."""
        if account.desired.deleting is None:
            return digest, problem
        bound = account.stored.applied.workspace if account.stored.applied else account.workspace_digest
        if problem is None and digest in self.loops and bound in self.loops[digest].workspace.digests:
            return digest, None  # a rotated key: the old one may be refused by now
        if problem is None and digest is not None and digest != bound and self._refused(bound):
            return digest, None  # rule 15 holds: only the own inboxID, seen with it, is deleted with it
        if bound in self._ring.keys:
            return bound, None
        if digest is not None and problem is not None and digest in self._ring.keys:
            return digest, None
        return digest, problem

    def _move(self, account: Account, digest: str, ref: KeyRef) -> None:
        old = self.loops.get(account.workspace_digest)  # still there while a new key was waited for
        transitions.moving(account, away=False)
        if old is not None and account.uid in old.workspace.accounts:
            if old.workspace.digest == digest:
                old.workspace.touch(account.uid)
                old.wake()
                return
            if not self._may_leave(account, old):
                transitions.moving(account, away=True)
                old.workspace.touch(account.uid)
                old.wake()
                self._moves[account.uid] = asyncio.get_running_loop().call_later(KEY_PAUSE, self._again, account.uid)
                return
            old.workspace.remove(account.uid)
            transitions.left_workspace(account)
        loop = self._loop(digest, ref)
        loop.workspace.add(account, self._clients.clock())
        self._found_workspace(account)
        if self._running:
            self._settle_trust(loop.workspace, ref)
        loop.wake()
        self.on_placed()

    def hasten(self, account: Account) -> None:
        """Read its API key again now."""
        self._ring.hasten(account.desired.key_ref)
        self._key_wake.set()

    def _settle_trust(self, workspace: Workspace, ref: KeyRef) -> None:
        """Once all objects are known and the key of a reference leads here; a deletion may use another (rule 40)."""
        if self._ring.state(ref).digest == workspace.digest:
            self._trust.settle(ref, workspace.digests)

    def _may_leave(self, account: Account, loop: WorkspaceLoop) -> bool:
        """What is under way with the old key ends there, unless ColdSend refuses that key, or there was none."""
        if account.busy is not None:
            return False
        if loop.client is None:
            return True
        return self._refused(loop.workspace.digest) or (account.unknown_create is None and account.job is None)

    def _refused(self, digest: str | None) -> bool:
        """Whether ColdSend refuses the key."""
        loop = self.loops.get(digest or NO_WORKSPACE)
        return loop is not None and loop.workspace.breaker.key_refused

    def _cancel_move(self, uid: str) -> None:
        move = self._moves.pop(uid, None)
        if move is not None:
            move.cancel()

    def _again(self, uid: str) -> None:
        """A fault with one account costs that account alone (rule 38): this is no event of its own that tries it."""
        account = self.accounts.get(uid)
        if account is not None:
            with self._clients.set_aside.trying(ref_of(account), PLACE, partial(self._again, uid)):
                self._place(account)

    def _loop(self, digest: str, ref: KeyRef) -> WorkspaceLoop:
        loop = self.loops.get(digest)
        if loop is not None:
            return loop
        workspace = Workspace(digest, self.policy, self._claims, self._trust, self._clients.jitter())
        workspace.leads = self._running
        client = None
        if digest != NO_WORKSPACE:
            client = self._client_of(self._ring.keys[digest], lambda op, meta: self._answered(digest, ref, op, meta))
            if self._running:
                log.info(Event.WORKSPACE_OPENED, workspace=digest, key=ref.label)
        loop = WorkspaceLoop(workspace, client, self._clients, ref.label)
        loop.namespace, loop.may_call = ref.namespace, lambda: self._may_call(loop)
        self.loops[digest] = loop
        if self._running:
            self._start(digest, loop)
        return loop

    def _may_call(self, loop: WorkspaceLoop) -> bool:
        """Keys that were never of use yet are tried one at a time in each namespace (rule 43)."""
        if not loop.untried:
            return True
        waiting = (each for each in self.loops.values() if each.untried and each.namespace == loop.namespace)
        return next(waiting, loop) is loop

    def _answered(self, digest: str, ref: KeyRef, operation: str, meta: Meta) -> None:
        self._clients.metrics.request(ref.label, operation, meta.status, meta.seconds)
        loop, now = self.loops[digest], self._clients.clock()
        workspace = loop.workspace
        if not loop.answered:
            loop.answered = True
            for other in self.loops.values():
                if other.namespace == loop.namespace:
                    other.wake()
        if meta.server_time is not None:
            loop.server_clock.observe_time(meta.server_time, now - meta.seconds, now)
            workspace.server_offset = loop.server_clock.offset
        if meta.rate is not None:
            told = workspace.budget.crowded
            workspace.budget.see(meta.rate, now, workspace.server_offset)
            if workspace.budget.crowded and not told:
                log.warning(Event.BUDGET_SHARED, workspace=digest, message=SHARED)

    # -- running

    def start(self) -> None:
        """Both kinds are listed whole, the state is loaded, the Lease is ours: calls may leave (rule 1).

        What waited as a standby may be old: budget and brake are those stored last, and a create of the replica that
        led before may have left just now.
        """
        self._running = True
        now = self._clients.clock()
        self._clients.bookings.restore_trust(self._trust)
        for digest, loop in list(self.loops.items()):
            loop.workspace.kube_offset = self._clients.kube.clock_offset
            loop.workspace.resume(now)
            self._start(digest, loop)
        for loop in self.loops.values():
            for ref in loop.workspace.refs:
                self._settle_trust(loop.workspace, ref)
            loop.workspace.kube_offset = self._clients.kube.clock_offset
            ask_brake_for_all(loop.workspace, now)

    def _start(self, digest: str, loop: WorkspaceLoop) -> None:
        if loop.client is not None:
            loop.on_list = self._join
            carried = self._clients.bookings.restore(loop.workspace)
            # A key that was rotated while nobody ran: most likely the windows are those of its workspace still.
            for digest_before in loop.workspace.former_digests - carried - self.loops.keys():
                self._clients.bookings.restore(loop.workspace, digest_before)
            for kin in carried & self._tasks.keys():
                self.loops[kin].workspace.join(loop.workspace, self._clients.clock(), counted=True)
        self._tasks[digest] = asyncio.create_task(loop.run(), name=f"workspace {digest}")
        self._tasks[digest].add_done_callback(report_end)

    def _join(self, loop: WorkspaceLoop) -> None:
        """Keys whose lists share an inbox lead to one workspace (rule 13)."""
        for other in self.loops.values():
            if other.workspace not in loop.workspace.kin and loop.workspace.shares_inboxes(other.workspace):
                other.workspace.join(loop.workspace, self._clients.clock())
                other.wake()

    async def stop(self) -> None:
        ends = await asyncio.gather(*(loop.stop() for loop in self.loops.values()), return_exceptions=True)
        for failure in ends:
            if isinstance(failure, Exception):  # it keeps no other workspace from storing what it has spent (rule 38)
                log.error(Event.LOOP_FAILED, operation="stop", exc_info=failure)
        await asyncio.gather(*self._tasks.values(), *self._cleanup.closing, return_exceptions=True)
        for loop in self.loops.values():
            if loop.client is not None:
                await loop.client.aclose()

    async def watch_keys(self) -> None:
        """Read keys when they are due; move the accounts of those that changed."""
        while True:
            freed = self._ring.forget(set(self._refs.counts()))
            self._place_all(self._crowded_out_of(freed))
            self._ring.hasten_refused(frozenset(filter(self._refused, self.loops)))
            changed = await self._ring.refresh()
            for ref in changed:
                self._place_all(self._refs.members(ref))
            if changed:
                self._place_all(self._without_key())
            self._place_all(self._with_refused_key())
            await self._tidy()
            due = self._ring.next_due()
            pause = KEY_PAUSE if due is None else min(KEY_PAUSE, max(0.0, due - self._clients.clock()))
            self._key_wake.clear()
            try:
                await asyncio.wait_for(self._key_wake.wait(), pause)
            except TimeoutError:
                continue

    async def _tidy(self) -> None:
        if self._running:
            self._trust.forget(frozenset(self._refs.counts()), self._trust.bound() | self.loops.keys())
            if self._trust.to_be_stored():
                await self._clients.bookings.save_trust(self._trust)
        await self._cleanup.run_once(leading=self._running)

    def _crowded_out_of(self, namespaces: frozenset[str]) -> list[str]:
        """Objects of these namespaces whose key was one too many: there is room now."""
        if not namespaces:
            return []
        return [uid for uid in self._crowded_out if self.accounts[uid].desired.namespace in namespaces]

    def _without_key(self) -> list[str]:
        """Objects in deletion that wait for a key: one that was given elsewhere may serve them (rule 26)."""
        found = (account for account in self.accounts.values() if account.key_problem is not None)
        return [account.uid for account in found if account.desired.deleting is not None]

    def _with_refused_key(self) -> list[str]:
        """Objects in deletion that wait for a key which is refused: the one that is given now may serve them."""
        refused = [loop.workspace for digest, loop in self.loops.items() if self._refused(digest)]
        found = (
            account for workspace in refused for account in workspace.accounts.values() if account.desired.deleting
        )
        return [account.uid for account in found if self._has_another_key(account)]

    def _has_another_key(self, account: Account) -> bool:
        state = self._ring.state(account.desired.key_ref)
        return state.problem is None and state.digest not in {None, account.workspace_digest}

    def _place_all(self, uids: Iterable[str]) -> None:
        for uid in list(uids):
            self._again(uid)

    @property
    def loop_ended(self) -> bool:
        """Whether the loop of a workspace has ended, which none does before the stop."""
        return any(task.done() for task in self._tasks.values())

    @property
    def placed(self) -> bool:
        """Whether every account has found its workspace."""
        return not self._unplaced


def _by_default(problem: tuple[Reason, str] | None) -> tuple[Reason, str] | None:
    """What is wrong with a key that the namespace names."""
    if problem is None:
        return None
    return problem[0], problem[1].replace("(spec.apiKeySecretRef)", "(coldsend.pro/api-key-secret of the namespace)")


def _tell(listeners: list[Callable[[Account], None]], account: Account) -> None:
    for listener in listeners:
        listener(account)


def report_end(task: "asyncio.Task[None]") -> None:
    """A background task that ended with an exception is told of; the liveness probe fails from then on."""
    if not task.cancelled() and task.exception() is not None:
        log.error(Event.LOOP_FAILED, operation=task.get_name(), exc_info=task.exception())
