"""The loop of one workspace: wake, decide, plan, call, fold, write."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from coldsend_operator.accounts.bookings import Bookings
from coldsend_operator.accounts.calls import perform
from coldsend_operator.accounts.finalizers import FinalizerWriter
from coldsend_operator.accounts.status_writer import AccountStatusWriter, ref_of
from coldsend_operator.audit_log import AuditLog
from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.masking import Member
from coldsend_operator.core import apply
from coldsend_operator.core.decide import still_due
from coldsend_operator.core.decide.changed_accounts import decide_changed, give_up
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.answers import Answer, BulkAnswer, Failure, FailureKind, Page
from coldsend_operator.core.model.calls import Call, Operation, Scope
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan import Candidate, make_plan
from coldsend_operator.core.workspace.audit import fields_of
from coldsend_operator.core.workspace.wait_estimate import estimate_waits
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.job_passwords import JobPasswords
from coldsend_operator.credentials.passwords import Passwords, SecretReader
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.clock import ServerClock
from coldsend_operator.kube.leadership import Leadership
from coldsend_operator.kube.set_aside import ADD_FINALIZER, DECIDE, PATCH_FINALIZERS, READ_SECRETS, SetAside
from coldsend_operator.logs import Event, Recurring, log
from coldsend_operator.metrics import Metrics

LONGEST_SLEEP = 5.0
STALE_LEASE_PAUSE = 0.5
MOST_PATCHES = 16
MANY = 2_000  # accounts
STUBBORN = 3  # a cached answer has an old date, and machines behind one address may differ
LONGEST_GATHERING = 0.05
LONGEST_STOP = 10.0  # the process exits within 20 s


@dataclass(frozen=True, slots=True)
class Clients:
    """What every workspace shares of the outside world."""

    kube: KubeClient
    status_kube: KubeClient  # slots of its own: marks and bookings wait for no flood of status
    bookings: Bookings
    leadership: Leadership
    metrics: Metrics
    clock: Callable[[], float]
    reader: Callable[[], SecretReader]
    set_aside: SetAside
    audit: AuditLog
    jitter: Callable[[], float]  # 0 to 1


@dataclass(slots=True)
class OpenKey:
    """An API key that calls are made with. `namespace` is that of its Secret, empty for the operator's own."""

    client: ColdSendClient
    label: str
    namespace: str
    answered: bool = False  # ColdSend has answered to this key, be it with a refusal


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that leaves now, and what is sent with it."""

    call: Call
    client: ColdSendClient
    passwords: Mapping[str, Passwords]
    job_members: Sequence[Member]


class WorkspaceLoop:
    """Runs one workspace. Without a key (none can be had) it only writes status and lets objects go."""

    def __init__(self, workspace: Workspace, clients: Clients) -> None:
        self.workspace = workspace
        self.keys: dict[str, OpenKey] = {}  # by digest
        self._clients = clients
        self._wake = asyncio.Event()
        self._call_ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._saving = False
        self._undecided: set[str] = set()  # told to be set aside
        self._told_faults: set[str] = set()
        self._job_secrets = JobPasswords(workspace)
        self._finalizers = FinalizerWriter(clients.kube, workspace, clients.leadership.fresh)
        self._audit_trouble = Recurring(Event.AUDIT_FAILED, workspace=workspace.digest)
        self.server_clock = ServerClock(STUBBORN)
        self.came_round_at = clients.clock()
        self.writer = AccountStatusWriter(
            clients.status_kube, workspace, clients.clock, clients.metrics.account_ready, clients.set_aside
        )
        self.writer.wake = self.wake
        self.on_list: Callable[[WorkspaceLoop], None] = lambda _: None
        self.may_call: Callable[[], bool] = lambda: True

    def wake(self) -> None:
        self._wake.set()

    # -- the loop

    async def run(self) -> None:
        """Go round until told to stop."""
        while not self._stopping:
            pause = await self._try_round()
            self.came_round_at = self._clients.clock()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            await self._batch_wake_ups()

    async def _try_round(self) -> float:
        """A round that fails is made again after a while: what is under way goes on, and so do other workspaces."""
        faults: list[Exception] = []
        try:
            return await self._round(faults)
        except Exception as fault:  # noqa: BLE001 - no fault of one workspace ends the process, which serves all
            faults.append(fault)
            return LONGEST_SLEEP
        finally:
            self._tell_faults(faults)

    def _tell_faults(self, faults: Sequence[Exception]) -> None:
        """Once for each that is new: a round is made many times a second."""
        said = {repr(fault) for fault in faults}
        for fault in faults:
            if repr(fault) not in self._told_faults:
                log.error(Event.LOOP_FAILED, workspace=self.workspace.digest, exc_info=fault)
        self._told_faults = said

    async def _batch_wake_ups(self) -> None:
        """What woke us may come with more: rounds with many thousands of accounts cost some milliseconds each.

        The end of a call is waited for by the next one: pages that are turned slowly move on under our hands.
        """
        pause = min(LONGEST_GATHERING, 0.01 * (len(self.workspace.accounts) // MANY))
        if pause and not self._call_ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._call_ended.wait(), pause)
        else:
            await asyncio.sleep(0)
        self._call_ended.clear()

    @property
    def untried(self) -> bool:
        """Whether its key is of a Secret, wanted, and neither answered nor known by an inbox yet."""
        if not self.keys or any(key.answered or not key.namespace for key in self.keys.values()):
            return False
        return bool(self.workspace.accounts) and not any(self.workspace.managed.values())

    @property
    def namespaces(self) -> frozenset[str]:
        """Those of the Secrets of its keys; empty for the operator's own."""
        return frozenset(key.namespace for key in self.keys.values())

    @property
    def idle(self) -> bool:
        """Whether there is no account, and nothing under way that may yet tell of one."""
        workspace = self.workspace
        return not (
            workspace.accounts or workspace.in_flight or workspace.jobs or workspace.finished_jobs or self._tasks
        )

    async def stop(self, *, save: bool = True) -> None:
        """Begin nothing new, end what is under way, leave the unspent requests in the budget.

        A create that takes longer than a stop may is left as after a crash: its mark tells of it. Nothing is recorded
        once the Lease may be another's.
        """
        self._stopping = True
        self.wake()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LONGEST_STOP)
        if self._clients.leadership.fresh():
            decide_changed(self.workspace, self._clients.clock())
            self.writer.flush()
        await self.writer.drain()
        if save and self.keys and self._clients.leadership.fresh():
            await self._clients.bookings.save(self.workspace, block=0)

    async def _round(self, faults: list[Exception]) -> float:
        """One round; how long to sleep without an event."""
        self._wake.clear()
        if not self._clients.leadership.fresh():
            return STALE_LEASE_PAUSE
        workspace, now = self.workspace, self._clients.clock()
        workspace.kube_offset = self._clients.kube.clock_offset
        decide_changed(workspace, now)
        self._write_audit_log()
        self._set_aside_undecided()
        self._start_patches()
        if workspace.brake.changed and self.keys and not self._saving:
            self._saving = True
            self._spawn(self._save())
        wake_at = workspace.timers.first
        if self.keys and self.may_call():
            wake_at = await self._call(now, faults)
        try:
            estimate_waits(workspace, now)
        except Exception as fault:  # noqa: BLE001 - without estimates all else goes on
            faults.append(fault)
        self.writer.flush()
        now = self._clients.clock()
        return LONGEST_SLEEP if wake_at is None else min(LONGEST_SLEEP, max(0.0, wake_at - now))

    def _set_aside_undecided(self) -> None:
        """Tell of accounts whose decision failed; they are decided again after a pause, and at their next event."""
        for uid in self._undecided - self.workspace.undecided.keys():
            self._clients.set_aside.succeeded(uid, DECIDE)
        for uid, error in self.workspace.undecided.items():
            if not self._clients.set_aside.waits(uid, DECIDE):
                self._clients.set_aside.failed(
                    ref_of(self.workspace.accounts[uid]), DECIDE, error, partial(self._decide_again, uid)
                )
        self._undecided = set(self.workspace.undecided)

    def _decide_again(self, uid: str) -> None:
        self.workspace.touch(uid)
        self.wake()

    async def _save(self) -> None:
        """What the brake holds must be held after a restart too."""
        try:
            await self._clients.bookings.save(self.workspace)
        finally:
            self._saving = False

    async def _call(self, now: float, faults: list[Exception]) -> float | None:
        """Plan, and start what leaves now; when to plan again."""
        plan = make_plan(self.workspace, now)
        if plan.booking:
            await self._clients.bookings.book(self.workspace)
            now = self._clients.clock()
            decide_changed(self.workspace, now)  # events may have come meanwhile
            plan = make_plan(self.workspace, now)
        faults += plan.faults
        for uid, fault in plan.unplanned.items():
            give_up(self.workspace, uid, fault)
        for candidate in plan.calls:
            self._start_call(candidate, now)
        self._clients.metrics.planned(self._clients.clock() - now)
        return now if plan.booking or plan.unplanned else plan.wake_at

    # -- calls to ColdSend

    def _start_call(self, candidate: Candidate, now: float) -> None:
        call = apply.launch(self.workspace, candidate, now)
        generations = {uid: self.workspace.accounts[uid].desired.generation for uid in call.uids}
        self._spawn(self._carry_out(call, generations))

    async def _carry_out(self, call: Call, generations: Mapping[str, int]) -> None:
        """Prepare the call and send it: one that has left is never taken back, whatever goes wrong after it."""
        ready: Ready | None = None
        try:
            ready = await self._ready(call, generations)
        finally:
            if ready is None:
                apply.cancel(self.workspace, self.workspace.in_flight.get(call.id, call), self._clients.clock())
                apply.pause(self.workspace, call, self._clients.clock())
        if ready is not None:
            await self._send(ready)
        self._call_ended.set()
        self.wake()

    async def _ready(self, call: Call, generations: Mapping[str, int]) -> Ready | None:
        """The call with all that it needs; None when it is not to leave."""
        members = call.uids
        passwords: dict[str, Passwords] = {}
        job_members: tuple[Member, ...] = ()
        if call.operation is Operation.POLL_CREATE_JOB:
            job_members = await self._job_secrets.of(call.job or "", self._clients.reader())
        elif call.operation.creates:
            call, passwords = await self._prepare(call)
        elif call.operation.scope is Scope.DELETE:
            self.workspace.brake.leave(call.uids, self._clients.clock())
            await self._clients.bookings.save(self.workspace)
        elif call.operation is Operation.SEND_TEST_EMAIL:
            await self._clients.bookings.save(self.workspace)  # a restart must not begin a new share of mails (rule 45)
        call = self._still_due(call, generations)
        key = self.keys.get(call.key)
        if (members and not call.uids) or key is None:  # none is left of those that it was for
            return None
        if not self._clients.leadership.fresh():
            return None
        call = apply.leave(self.workspace, call, self._clients.clock()) if call.operation.creates else call
        if call.writes:
            self.workspace.audit.intend(self.workspace, call)
            if not self._write_audit_log():
                self.workspace.audit.take_back(call)
                return None
        return Ready(call, key.client, passwords, job_members)

    async def _send(self, ready: Ready) -> None:
        """Without an answer that can be taken in the call counts as lost: to take it back would send it twice."""
        call, accounts = ready.call, self.workspace.accounts
        outcome: Answer | Failure = Failure(FailureKind.LOST, "the answer could not be taken in")
        try:
            outcome = await perform(ready.client, call, accounts, ready.passwords, ready.job_members)
            if call.operation.creates and isinstance(outcome, BulkAnswer) and outcome.job_id is not None:
                sent = [(accounts[uid], ready.passwords[uid]) for uid in call.uids if uid in accounts]
                self._job_secrets.keep(outcome.job_id, sent)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call may have left
            log.error(Event.LOOP_FAILED, workspace=self.workspace.digest, exc_info=error)
        finally:
            self._apply(call, outcome)

    def _apply(self, call: Call, outcome: Answer | Failure) -> None:
        try:
            apply.fold(self.workspace, call, outcome, self._clients.clock())
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one answer costs its accounts alone
            log.error(
                Event.LOOP_FAILED, workspace=self.workspace.digest, operation=call.operation.value, exc_info=error
            )
        self._write_audit_log()
        self._log(call, outcome)
        if isinstance(outcome, Page):
            self.on_list(self)

    def _write_audit_log(self) -> bool:
        """Whether all lines are written; else they are kept, and no call leaves that writes."""
        trail = self.workspace.audit
        if trail.lines:
            try:
                self._clients.audit.write([fields_of(line) for line in trail.lines], self._clients.clock())
            except OSError as error:
                self._audit_trouble.failed(f"nothing is written to ColdSend while the audit log cannot be: {error}")
                return False
            trail.lines.clear()
        self._audit_trouble.ended()
        return True

    def _still_due(self, call: Call, generations: Mapping[str, int]) -> Call:
        """The call without those that are gone, name another key now, or do not want it any more."""
        accounts = self.workspace.accounts
        out = {
            uid
            for uid in call.uids
            if uid not in accounts
            or accounts[uid].key != call.key
            or not still_due(accounts[uid], call, generations[uid], self.workspace)
        }
        return apply.drop(self.workspace, call, out) if out else call

    async def _prepare(self, call: Call) -> tuple[Call, dict[str, Passwords]]:
        """Read the Secrets, then put the mark on each object: a refused mark takes that member out (rule 2).

        What goes wrong with one member costs that member alone (rule 38).
        """
        passwords = await self._passwords(call, self._clients.reader())
        since = float(int(self._clients.clock() + self._clients.kube.clock_offset))
        marks = await asyncio.gather(*(self._add_mark(uid, since) for uid in passwords))
        kept = {uid for uid, good in zip(passwords, marks, strict=True) if good}
        dropped = set(call.uids) - kept
        if dropped:
            call = apply.drop(self.workspace, call, dropped)
        return call, passwords

    async def _add_mark(self, uid: str, since: float) -> bool:
        """Whether the mark stands; an account whose mark is refused waits, a little longer each time."""
        put, account = False, self.workspace.accounts.get(uid)
        if account is None:
            return False  # it went while the Secrets were read
        with self._clients.set_aside.trying(ref_of(account), ADD_FINALIZER, partial(self._decide_again, uid)):
            put = await self._finalizers.add_before_call(uid, since)
        if not put:
            transitions.postponed(account, self._clients.clock())
        return put

    async def _passwords(self, call: Call, reader: SecretReader) -> dict[str, Passwords]:
        found: dict[str, Passwords] = {}
        await reader.fetch(self.workspace.accounts[uid] for uid in call.uids if uid in self.workspace.accounts)
        for uid in call.uids:
            account = self.workspace.accounts.get(uid)
            if account is None:
                continue
            with self._clients.set_aside.trying(ref_of(account), READ_SECRETS, partial(self._decide_again, uid)):
                found[uid] = await reader.passwords(account)
            if uid not in found:
                transitions.postponed(account, self._clients.clock())
                continue
            passwords = found[uid]
            if account.desired.spec.smtp is not None:
                transitions.secret_read(account, passwords.credentials)
                if passwords.credentials.reason is not None:
                    self.workspace.stale_secrets.add(uid)
                    del found[uid]
                    continue
            transitions.create_prepared(account, passwords.credentials.digest)
        return found

    def _log(self, call: Call, outcome: Answer | Failure) -> None:
        names = {}
        if len(call.uids) == 1 and call.uids[0] in self.workspace.accounts:
            desired = self.workspace.accounts[call.uids[0]].desired
            names = {"namespace": desired.namespace, "name": desired.name}
        elif call.uids:
            names = {"accounts": str(len(call.uids))}
        # a 404 to the question whether an inbox is there is an answer: each deletion may end with one
        asked = call.operation is Operation.GET_ACCOUNT
        if isinstance(outcome, Failure) and not (asked and outcome.kind is FailureKind.NOT_FOUND):
            log.warning(
                Event.CALL_FAILED,
                workspace=self.workspace.digest,
                operation=call.operation.value,
                kind=outcome.kind.value,
                code=outcome.status,
                message=outcome.message,
                **names,
            )
        elif call.writes:
            log.info(Event.CALL, workspace=self.workspace.digest, operation=call.operation.value, **names)
        else:
            log.debug(
                Event.CALL, workspace=self.workspace.digest, operation=call.operation.value, page=call.page, **names
            )

    # -- writes to Kubernetes that steps ask for

    def _start_patches(self) -> None:
        for uid, action in list(self.workspace.patches.items()):
            if len(self.workspace.patching) >= MOST_PATCHES:
                return
            if uid not in self.workspace.patching and not self._clients.set_aside.waits(uid, PATCH_FINALIZERS):
                self.workspace.patching.add(uid)
                self._spawn(self._patch(uid, action))

    async def _patch(self, uid: str, action: Action) -> None:
        account = self.workspace.accounts.get(uid)
        try:
            if account is not None:
                with self._clients.set_aside.trying(
                    ref_of(account), PATCH_FINALIZERS, partial(self._decide_again, uid)
                ):
                    self.workspace.audit.ending(self.workspace, account, action)
                    self._write_audit_log()
                    await self._finalizers.patch(uid, action)
        finally:
            self.workspace.patching.discard(uid)
            self.workspace.touch(uid)
            self.wake()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error(Event.LOOP_FAILED, workspace=self.workspace.digest, exc_info=task.exception())
