"""The loop of one workspace: wake, decide, plan, call, fold, write."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from coldsend_operator.audit_log import AuditLog
from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.masking import Member
from coldsend_operator.core import folding
from coldsend_operator.core.answers import Answer, BulkAnswer, Failure, FailureKind, Page
from coldsend_operator.core.audit import fields_of
from coldsend_operator.core.calls import Call, Operation, Scope
from coldsend_operator.core.deciding import give_up, settle
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning import Candidate, make_plan
from coldsend_operator.core.steps import Move, still_due
from coldsend_operator.core.turns import estimate
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.clock import ServerClock
from coldsend_operator.kube.lease import Leadership
from coldsend_operator.logs import Event, Recurring, log
from coldsend_operator.metrics import Metrics
from coldsend_operator.workspace.calling import perform
from coldsend_operator.workspace.credentials import Passwords, SecretReader
from coldsend_operator.workspace.job_secrets import JobSecrets
from coldsend_operator.workspace.marks import Marks
from coldsend_operator.workspace.set_aside import CHORE, DECIDE, MARK, READ_SECRETS, SetAside
from coldsend_operator.workspace.store import Store
from coldsend_operator.workspace.writer import StatusWriter, ref_of

LONGEST_SLEEP = 5.0
STALE_LEASE_PAUSE = 0.5
MOST_CHORES = 16
MANY = 2_000  # accounts
STUBBORN = 3  # a cached answer has an old date, and machines behind one address may differ
LONGEST_GATHERING = 0.05
LONGEST_STOP = 10.0  # the process exits within 20 s (interfaces.md)


@dataclass(frozen=True, slots=True)
class Doors:
    """What every workspace shares of the outside world."""

    kube: KubeClient
    status_kube: KubeClient  # slots of its own: marks and bookings wait for no flood of status
    store: Store
    leadership: Leadership
    metrics: Metrics
    clock: Callable[[], float]
    reader: Callable[[], SecretReader]
    set_aside: SetAside
    audit: AuditLog


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that leaves now, and what is sent with it."""

    call: Call
    client: ColdSendClient
    passwords: Mapping[str, Passwords]
    job_members: Sequence[Member]


class Runner:
    """Runs one ledger. Without a client (no key can be had) it only writes status and lets objects go."""

    def __init__(self, ledger: Ledger, client: ColdSendClient | None, doors: Doors, label: str) -> None:
        self.ledger = ledger
        self.client = client
        self.label = label
        self._doors = doors
        self._wake = asyncio.Event()
        self._call_ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._saving = False
        self._undecided: set[str] = set()  # told to be set aside
        self._told_faults: set[str] = set()
        self._job_secrets = JobSecrets(ledger)
        self._marks = Marks(doors.kube, ledger, doors.leadership.fresh)
        self._audit_trouble = Recurring(Event.AUDIT_FAILED, workspace=ledger.digest)
        self.server_clock = ServerClock(STUBBORN)
        self.came_round_at = doors.clock()
        self.writer = StatusWriter(doors.status_kube, ledger, doors.clock, doors.metrics.account_ready, doors.set_aside)
        self.writer.wake = self.wake
        self.on_list: Callable[[Runner], None] = lambda _: None
        self.namespace = ""  # of the Secret of the key; empty for the operator's own
        self.may_call: Callable[[], bool] = lambda: True
        self.answered = False  # ColdSend has answered to this key, be it with a refusal

    def wake(self) -> None:
        self._wake.set()

    # -- the loop

    async def run(self) -> None:
        """Go round until told to stop."""
        while not self._stopping:
            pause = await self._try_round()
            self.came_round_at = self._doors.clock()
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue
            await self._gather()

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
                log.error(Event.LOOP_FAILED, workspace=self.ledger.digest, exc_info=fault)
        self._told_faults = said

    async def _gather(self) -> None:
        """What woke us may come with more: rounds with many thousands of accounts cost some milliseconds each.

        The end of a call is waited for by the next one: pages that are turned slowly move on under our hands.
        """
        pause = min(LONGEST_GATHERING, 0.01 * (len(self.ledger.accounts) // MANY))
        if pause and not self._call_ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._call_ended.wait(), pause)
        else:
            await asyncio.sleep(0)
        self._call_ended.clear()

    @property
    def untried(self) -> bool:
        """Whether its key is of a Secret, wanted, and neither answered nor known by an inbox yet."""
        if self.client is None or not self.namespace or self.answered:
            return False
        return bool(self.ledger.accounts) and not any(self.ledger.managed.values())

    @property
    def idle(self) -> bool:
        """Whether there is no account, and nothing under way that may yet tell of one."""
        ledger = self.ledger
        return not (ledger.accounts or ledger.flying or ledger.jobs or ledger.finished_jobs or self._tasks)

    async def stop(self, *, save: bool = True) -> None:
        """Begin nothing new, end what is under way, leave the unspent requests in the budget.

        A create that takes longer than a stop may is left as after a crash: its mark tells of it. Nothing is recorded
        once the Lease may be another's.
        """
        self._stopping = True
        self.wake()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LONGEST_STOP)
        if self._doors.leadership.fresh():
            settle(self.ledger, self._doors.clock())
            self.writer.flush()
        await self.writer.drain()
        if save and self.client is not None and self._doors.leadership.fresh():
            await self._doors.store.save(self.ledger, block=0)

    async def _round(self, faults: list[Exception]) -> float:
        """One round; how long to sleep without an event."""
        self._wake.clear()
        if not self._doors.leadership.fresh():
            return STALE_LEASE_PAUSE
        ledger, now = self.ledger, self._doors.clock()
        ledger.kube_offset = self._doors.kube.clock_offset
        settle(ledger, now)
        self._write_audit_log()
        self._set_aside_undecided()
        self._start_chores()
        if ledger.brake.changed and self.client is not None and not self._saving:
            self._saving = True
            self._spawn(self._save())
        wake_at = ledger.timers.first
        if self.client is not None and self.may_call():
            wake_at = await self._call(now, faults)
        try:
            estimate(ledger, now)
        except Exception as fault:  # noqa: BLE001 - without estimates all else goes on
            faults.append(fault)
        self.writer.flush()
        now = self._doors.clock()
        return LONGEST_SLEEP if wake_at is None else min(LONGEST_SLEEP, max(0.0, wake_at - now))

    def _set_aside_undecided(self) -> None:
        """Tell of accounts whose decision failed; they are decided again after a pause, and at their next event."""
        for uid in self._undecided - self.ledger.undecided.keys():
            self._doors.set_aside.succeeded(uid, DECIDE)
        for uid, error in self.ledger.undecided.items():
            if not self._doors.set_aside.waits(uid, DECIDE):
                self._doors.set_aside.failed(ref_of(self.ledger.accounts[uid]), DECIDE, error, partial(self._look, uid))
        self._undecided = set(self.ledger.undecided)

    def _look(self, uid: str) -> None:
        self.ledger.touch(uid)
        self.wake()

    async def _save(self) -> None:
        """What the brake holds must be held after a restart too."""
        try:
            await self._doors.store.save(self.ledger)
        finally:
            self._saving = False

    async def _call(self, now: float, faults: list[Exception]) -> float | None:
        """Plan, and start what leaves now; when to plan again."""
        plan = make_plan(self.ledger, now)
        if plan.booking:
            await self._doors.store.book(self.ledger)
            now = self._doors.clock()
            settle(self.ledger, now)  # events may have come meanwhile
            plan = make_plan(self.ledger, now)
        faults += plan.faults
        for uid, fault in plan.unplanned.items():
            give_up(self.ledger, uid, fault)
        for candidate in plan.calls:
            self._start_call(candidate, now)
        self._doors.metrics.planned(self._doors.clock() - now)
        return now if plan.booking or plan.unplanned else plan.wake_at

    # -- calls to ColdSend

    def _start_call(self, candidate: Candidate, now: float) -> None:
        call = folding.launch(self.ledger, candidate, now)
        generations = {uid: self.ledger.accounts[uid].desired.generation for uid in call.uids}
        self._spawn(self._carry_out(call, generations))

    async def _carry_out(self, call: Call, generations: Mapping[str, int]) -> None:
        """Prepare the call and send it: one that has left is never taken back, whatever goes wrong after it."""
        ready: Ready | None = None
        try:
            ready = await self._ready(call, generations)
        finally:
            if ready is None:
                folding.cancel(self.ledger, self.ledger.flying.get(call.id, call), self._doors.clock())
                folding.pause(self.ledger, call, self._doors.clock())
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
            job_members = await self._job_secrets.of(call.job or "", self._doors.reader())
        elif call.operation.creates:
            call, passwords = await self._prepare(call)
        elif call.operation.scope is Scope.DELETE:
            self.ledger.brake.leave(call.uids, self._doors.clock())
            await self._doors.store.save(self.ledger)
        elif call.operation is Operation.SEND_TEST_EMAIL:
            await self._doors.store.save(self.ledger)  # a restart must not begin a new share of mails (rule 45)
        call = self._still_due(call, generations)
        if (members and not call.uids) or self.client is None:  # none is left of those that it was for
            return None
        if not self._doors.leadership.fresh():
            return None
        call = folding.leave(self.ledger, call, self._doors.clock()) if call.operation.creates else call
        if call.writes:
            self.ledger.audit.intend(self.ledger, call)
            if not self._write_audit_log():
                self.ledger.audit.take_back(call)
                return None
        return Ready(call, self.client, passwords, job_members)

    async def _send(self, ready: Ready) -> None:
        """Without an answer that can be taken in the call counts as lost: to take it back would send it twice."""
        call, accounts = ready.call, self.ledger.accounts
        outcome: Answer | Failure = Failure(FailureKind.LOST, "the answer could not be taken in")
        try:
            outcome = await perform(ready.client, call, accounts, ready.passwords, ready.job_members)
            if call.operation.creates and isinstance(outcome, BulkAnswer) and outcome.job_id is not None:
                sent = [(accounts[uid], ready.passwords[uid]) for uid in call.uids if uid in accounts]
                self._job_secrets.keep(outcome.job_id, sent)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call may have left
            log.error(Event.LOOP_FAILED, workspace=self.ledger.digest, exc_info=error)
        finally:
            self._take_in(call, outcome)

    def _take_in(self, call: Call, outcome: Answer | Failure) -> None:
        try:
            folding.fold(self.ledger, call, outcome, self._doors.clock())
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one answer costs its accounts alone
            log.error(Event.LOOP_FAILED, workspace=self.ledger.digest, operation=call.operation.value, exc_info=error)
        self._write_audit_log()
        self._log(call, outcome)
        if isinstance(outcome, Page):
            self.on_list(self)

    def _write_audit_log(self) -> bool:
        """Whether all lines are written; else they are kept, and no call leaves that writes."""
        trail, workspace = self.ledger.audit, self.ledger.digest
        if trail.lines:
            lines = [{**fields_of(line), "workspace": workspace} for line in trail.lines]
            try:
                self._doors.audit.write(lines, self._doors.clock())
            except OSError as error:
                self._audit_trouble.failed(f"nothing is written to ColdSend while the audit log cannot be: {error}")
                return False
            trail.lines.clear()
        self._audit_trouble.ended()
        return True

    def _still_due(self, call: Call, generations: Mapping[str, int]) -> Call:
        """The call without those that are gone, or for which it is not wanted any more."""
        accounts = self.ledger.accounts
        out = {
            uid
            for uid in call.uids
            if uid not in accounts or not still_due(accounts[uid], call, generations[uid], self.ledger)
        }
        return folding.drop(self.ledger, call, out) if out else call

    async def _prepare(self, call: Call) -> tuple[Call, dict[str, Passwords]]:
        """Read the Secrets, then put the mark on each object: a refused mark takes that member out (safety.md, 2).

        What goes wrong with one member costs that member alone (rule 38).
        """
        passwords = await self._passwords(call, self._doors.reader())
        since = float(int(self._doors.clock() + self._doors.kube.clock_offset))
        marks = await asyncio.gather(*(self._put_mark(uid, since) for uid in passwords))
        kept = {uid for uid, good in zip(passwords, marks, strict=True) if good}
        dropped = set(call.uids) - kept
        if dropped:
            call = folding.drop(self.ledger, call, dropped)
        return call, passwords

    async def _put_mark(self, uid: str, since: float) -> bool:
        """Whether the mark stands; an account whose mark is refused waits, a little longer each time."""
        put, account = False, self.ledger.accounts.get(uid)
        if account is None:
            return False  # it went while the Secrets were read
        with self._doors.set_aside.trying(ref_of(account), MARK, partial(self._look, uid)):
            put = await self._marks.put(uid, since)
        if not put:
            folding.hold(account, self._doors.clock())
        return put

    async def _passwords(self, call: Call, reader: SecretReader) -> dict[str, Passwords]:
        found: dict[str, Passwords] = {}
        await reader.fetch(self.ledger.accounts[uid] for uid in call.uids if uid in self.ledger.accounts)
        for uid in call.uids:
            account = self.ledger.accounts.get(uid)
            if account is None:
                continue
            with self._doors.set_aside.trying(ref_of(account), READ_SECRETS, partial(self._look, uid)):
                found[uid] = await reader.passwords(account)
            if uid not in found:
                folding.hold(account, self._doors.clock())
                continue
            passwords = found[uid]
            if account.desired.spec.smtp is not None:
                account.credentials = passwords.credentials
                if passwords.credentials.reason is not None:
                    self.ledger.stale_secrets.add(uid)
                    del found[uid]
                    continue
            account.sent = (account.desired.spec.hash, passwords.credentials.digest)
            account.sent_name = account.desired.spec.display_name
        return found

    def _log(self, call: Call, outcome: Answer | Failure) -> None:
        names = {}
        if len(call.uids) == 1 and call.uids[0] in self.ledger.accounts:
            desired = self.ledger.accounts[call.uids[0]].desired
            names = {"namespace": desired.namespace, "name": desired.name}
        elif call.uids:
            names = {"accounts": str(len(call.uids))}
        if isinstance(outcome, Failure):
            log.warning(
                Event.CALL_FAILED,
                workspace=self.ledger.digest,
                operation=call.operation.value,
                kind=outcome.kind.value,
                code=outcome.status,
                message=outcome.message,
                **names,
            )
        elif call.writes:
            log.info(Event.CALL, workspace=self.ledger.digest, operation=call.operation.value, **names)
        else:
            log.debug(Event.CALL, workspace=self.ledger.digest, operation=call.operation.value, page=call.page, **names)

    # -- writes to Kubernetes that steps ask for

    def _start_chores(self) -> None:
        for uid, move in list(self.ledger.chores.items()):
            if len(self.ledger.working) >= MOST_CHORES:
                return
            if uid not in self.ledger.working and not self._doors.set_aside.waits(uid, CHORE):
                self.ledger.working.add(uid)
                self._spawn(self._chore(uid, move))

    async def _chore(self, uid: str, move: Move) -> None:
        account = self.ledger.accounts.get(uid)
        try:
            if account is not None:
                with self._doors.set_aside.trying(ref_of(account), CHORE, partial(self._look, uid)):
                    self.ledger.audit.ending(self.ledger, account, move)
                    self._write_audit_log()
                    await self._marks.chore(uid, move)
        finally:
            self.ledger.working.discard(uid)
            self.ledger.touch(uid)
            self.wake()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error(Event.LOOP_FAILED, workspace=self.ledger.digest, exc_info=task.exception())
