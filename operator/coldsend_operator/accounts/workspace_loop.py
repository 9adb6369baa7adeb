"""The loop of one workspace: wake, decide, plan, call, fold, write."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from coldsend_operator.accounts.call_runner import CallRunner
from coldsend_operator.accounts.clients import Clients, OpenKey
from coldsend_operator.accounts.finalizers import FinalizerWriter
from coldsend_operator.accounts.status_writer import AccountStatusWriter, ref_of
from coldsend_operator.core import apply
from coldsend_operator.core.decide import decide_changed, give_up
from coldsend_operator.core.model.calls import Call
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan import make_plan
from coldsend_operator.core.workspace.wait_estimate import estimate_waits
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.clock import ServerClock
from coldsend_operator.kube.leadership import STALE_LEASE_PAUSE
from coldsend_operator.kube.set_aside import DECIDE, PATCH_FINALIZERS
from coldsend_operator.logs import Event, log
from coldsend_operator.tasks import Tasks

MAX_SLEEP = 5.0
MAX_PATCHES = 16
ACCOUNTS_PER_10_MS = 2_000
CLOCK_SAMPLES = 3  # a cached response has an old date, and the clocks of machines behind one address may differ
MAX_BATCHING_PAUSE = 0.05
MAX_STOP_SECONDS = 10.0  # the process exits within 20 s


class WorkspaceLoop:
    """Runs one workspace. The one without a key only writes status and removes finalizers."""

    def __init__(self, workspace: Workspace, clients: Clients) -> None:
        self.workspace = workspace
        self.keys: dict[str, OpenKey] = {}  # by digest
        self._clients = clients
        self._wake = asyncio.Event()
        self._call_ended = asyncio.Event()
        self._tasks = Tasks(workspace=workspace.digest)
        self._stopping = False
        self._saving = False
        self._undecided: set[str] = set()  # reported as set aside
        self._logged_faults: set[str] = set()
        self._finalizers = FinalizerWriter(workspace, clients)
        self.server_clock = ServerClock(CLOCK_SAMPLES)
        self.last_round_at = clients.clock()
        self.writer = AccountStatusWriter(workspace, clients, self.wake)
        self.on_list: Callable[[WorkspaceLoop], None] = lambda _: None
        self._calls = CallRunner(
            workspace,
            clients,
            self.keys,
            self._finalizers,
            decide_again=self.decide_again,
            listed=lambda: self.on_list(self),
            ended=self._end_call,
        )
        self.may_call: Callable[[], bool] = lambda: True

    def wake(self) -> None:
        self._wake.set()

    def decide_again(self, uid: str) -> None:
        """Decide about this account in the next round."""
        self.workspace.touch(uid)
        self.wake()

    # -- the loop

    async def run(self) -> None:
        """Run rounds until `stop`."""
        while not self._stopping:
            pause = await self._try_round()
            self.last_round_at = self._clients.clock()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            await self._batch_wake_ups()

    async def _try_round(self) -> float:
        """Run a round; one that fails is repeated later, while running calls and other workspaces go on."""
        faults: list[Exception] = []
        try:
            return await self._round(faults)
        except Exception as fault:  # noqa: BLE001 - a fault of one workspace must not end the process, which serves all
            faults.append(fault)
            return MAX_SLEEP
        finally:
            self._log_faults(faults)

    def _log_faults(self, faults: Sequence[Exception]) -> None:
        """Log those that the last round did not have: there are many rounds a second."""
        for fault in faults:
            if repr(fault) not in self._logged_faults:
                log.error(Event.LOOP_FAILED, workspace=self.workspace.digest, exc_info=fault)
        self._logged_faults = {repr(fault) for fault in faults}

    async def _batch_wake_ups(self) -> None:
        """Batch wake-ups for up to 50 ms, as a round with many thousands of accounts costs some milliseconds.

        The end of a call ends the wait: the next page of a list has to follow soon, before rows move to other pages.
        """
        pause = min(MAX_BATCHING_PAUSE, 0.01 * (len(self.workspace.accounts) // ACCOUNTS_PER_10_MS))
        if pause and not self._call_ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._call_ended.wait(), pause)
        else:
            await asyncio.sleep(0)
        self._call_ended.clear()

    @property
    def untried(self) -> bool:
        """Whether accounts wait for its key of a Secret, which has neither been answered nor shown an inbox yet."""
        if not self.keys or any(key.answered or not key.namespace for key in self.keys.values()):
            return False
        return bool(self.workspace.accounts) and not any(self.workspace.managed.values())

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of its keys; an empty one for the operator's own key."""
        return frozenset(key.namespace for key in self.keys.values())

    @property
    def idle(self) -> bool:
        """Whether it has no account, and nothing is under way that may still concern one."""
        workspace = self.workspace
        return not (
            workspace.accounts or workspace.in_flight or workspace.jobs or workspace.finished_jobs or self._tasks
        )

    async def stop(self, *, save: bool = True) -> None:
        """Begin nothing new, wait for what is under way, and give unspent requests back to the budget.

        A create that takes longer than a stop may is left as after a crash, with its mark. Nothing is written once
        another replica may hold the Lease.
        """
        self._stopping = True
        self.wake()
        await self._tasks.wait_for_all(MAX_STOP_SECONDS)
        if self._clients.leadership.fresh():
            decide_changed(self.workspace, self._clients.clock())
            self._calls.write_audit_log()
            self.writer.flush()
        await self.writer.drain()
        if save and self.keys and self._clients.leadership.fresh():
            await self._clients.bookings.save(self.workspace, block=0)

    async def _round(self, faults: list[Exception]) -> float:
        """Run one round. Returns the seconds to sleep if no event comes."""
        self._wake.clear()
        if not self._clients.leadership.fresh():
            return STALE_LEASE_PAUSE
        workspace, now = self.workspace, self._clients.clock()
        workspace.kube_offset = self._clients.kube.clock_offset
        decide_changed(workspace, now)
        self._calls.write_audit_log()
        self._set_aside_undecided()
        self._start_patches()
        if (workspace.brake.changed or workspace.keys.changed) and self.keys and not self._saving:
            self._saving = True
            self._tasks.start(self._save())
        wake_at = workspace.timers.first
        if self.keys and self.may_call():
            wake_at = await self._call(now, faults)
        try:
            estimate_waits(workspace, now)
        except Exception as fault:  # noqa: BLE001 - a round is complete without estimates
            faults.append(fault)
        self.writer.flush()
        now = self._clients.clock()
        return MAX_SLEEP if wake_at is None else min(MAX_SLEEP, max(0.0, wake_at - now))

    def _set_aside_undecided(self) -> None:
        """Report accounts whose decision failed; they are decided again after a pause, and at their next event."""
        for uid in self._undecided - self.workspace.undecided.keys():
            self._clients.set_aside.succeeded(uid, DECIDE)
        for uid, error in self.workspace.undecided.items():
            if not self._clients.set_aside.waits(uid, DECIDE):
                self._clients.set_aside.failed(
                    ref_of(self.workspace.accounts[uid]), DECIDE, error, partial(self.decide_again, uid)
                )
        self._undecided = set(self.workspace.undecided)

    async def _save(self) -> None:
        """Store what the brake holds and which keys may not create, so that both hold after a restart too."""
        try:
            await self._clients.bookings.save(self.workspace)
        finally:
            self._saving = False

    async def _call(self, now: float, faults: list[Exception]) -> float | None:
        """Plan, and start the calls that leave now. Returns when to plan again."""
        plan = make_plan(self.workspace, now)
        if plan.booking:
            await self._clients.bookings.book(self.workspace)
            now = self._clients.clock()
            decide_changed(self.workspace, now)  # events may have arrived meanwhile
            plan = make_plan(self.workspace, now)
        faults += plan.faults
        for uid, fault in plan.unplanned.items():
            give_up(self.workspace, uid, fault)
        for planned in plan.calls:
            self._start_call(planned, now)
        self._clients.metrics.planned(self._clients.clock() - now)
        return now if plan.booking or plan.unplanned else plan.wake_at

    # -- calls to ColdSend

    def _start_call(self, planned: Call, now: float) -> None:
        call = apply.launch(self.workspace, planned, now)
        generations = {uid: self.workspace.accounts[uid].desired.generation for uid in call.uids}
        self._tasks.start(self._calls.carry_out(call, generations))

    def _end_call(self) -> None:
        self._call_ended.set()
        self.wake()

    # -- writes to Kubernetes that decisions ask for

    def _start_patches(self) -> None:
        for uid, action in list(self.workspace.patches.items()):
            if len(self.workspace.patching) >= MAX_PATCHES:
                return
            if uid not in self.workspace.patching and not self._clients.set_aside.waits(uid, PATCH_FINALIZERS):
                self.workspace.patching.add(uid)
                self._tasks.start(self._patch(uid, action))

    async def _patch(self, uid: str, action: Action) -> None:
        account = self.workspace.accounts.get(uid)
        try:
            if account is not None:
                with self._clients.set_aside.trying(ref_of(account), PATCH_FINALIZERS, partial(self.decide_again, uid)):
                    self.workspace.audit.ending(self.workspace, account, action)
                    self._calls.write_audit_log()
                    await self._finalizers.patch(uid, action)
        finally:
            self.workspace.patching.discard(uid)
            self.decide_again(uid)
