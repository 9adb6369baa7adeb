"""Floods in simulated time: how many requests they take, and how long, under the limits of ColdSend."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog

from coldsend_operator.core import apply
from coldsend_operator.core.decide import decide_changed
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Answer, BulkAnswer, Created, JobProgress, Page, ResultRow, Row
from coldsend_operator.core.model.calls import BULK, Call, Operation
from coldsend_operator.core.plan import make_plan
from tests.bench.figures import Figure, Say, figure
from tests.support.core_world import CoreWorld, row
from tests.support.simulation import Simulation

MANY = 50_000
LONGEST = 24 * 3600.0
STRIDE = 60.0
AT_ONCE = 4


def trickle(say: Say, count: int = 1_000, each_second: int = 40) -> Figure:
    """Accounts that come one after the other, the whole operator on models of Kubernetes and ColdSend."""
    say(f"{count:,} accounts of which {each_second} come each second (simulated clock)")
    with _silence():
        world = Simulation(per_minute=100, per_hour=1000)
        world.start()
        world.wait(10.0)
        before = world.remote.requests
        for number in range(count):
            world.apply("sales", f"a{number}", f"a{number}@company.com")
            if number % AT_ONCE == 0:
                world.wait(AT_ONCE / each_second)
        world.wait(STRIDE)
        requests = world.remote.requests - before
        good = requests <= 36 and not world.wrong()
        world.stop()
    name = f"requests for {count:,} accounts, {each_second} a second"
    return figure(name, "<= 36", str(requests), good=good, count=requests)


def fifty_thousand(say: Say, count: int = MANY) -> Figure:
    """All applied at once, until each has its inbox, with the limits and the reserve of the defaults."""
    say(f"{count:,} accounts from apply to Ready under the limits (simulated clock)")
    flood = _Flood()
    flood.lead()
    flood.sweep()
    for number in range(count):
        flood.account(f"a{number:05}@company.com")
    begun = flood.now
    while flood.waiting() and flood.now < begun + LONGEST:
        until = flood.now + STRIDE
        while flood.now < until:
            flood.go_on(until)
    hours = (flood.now - begun) / 3600
    text = f"{hours:.1f} h, {flood.requests:,} requests" + (
        f", {flood.waiting():,} still wait" if flood.waiting() else ""
    )
    goal = "<= 2.2 h: a call and a poll for each 100, and lists, at 800 an hour"
    name = f"{count:,} accounts: apply to Ready, default limits"
    return figure(name, goal, text, good=hours <= 2.2, count=flood.requests)


class _Flood(CoreWorld):
    """A workspace whose accounts all wait for their inboxes."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self._coldsend = _ColdSend()

    def settle(self) -> None:
        for _ in range(4):
            decide_changed(self.workspace, self.now)
            changed, self.workspace.changed = self.workspace.changed, set()
            for uid in changed:
                account = self.workspace.accounts[uid]
                if account.stored != account.confirmed:
                    self.workspace.status_stored(uid, account.stored)

    def waiting(self) -> int:
        return sum(1 for account in self.workspace.accounts.values() if account.stored.inbox_id is None)

    def go_on(self, until: float) -> None:
        """One round: what may leave now is answered a fifth of a second later."""
        self.settle()
        plan = make_plan(self.workspace, self.now)
        if plan.booking:
            self.workspace.budget.book(self.workspace.budget.block)
            plan = make_plan(self.workspace, self.now)
        for candidate in plan.calls:
            call = self.send(candidate)
            accounts = [self.workspace.accounts[uid] for uid in call.uids]
            self.requests += 1
            apply.fold(self.workspace, call, self._coldsend.answer(call, accounts, self.now), self.now + 0.2)
        wake_at = self.now if plan.calls else plan.wake_at or until  # an answer wakes the loop
        self.now = max(self.now + 0.25, min(wake_at, until))


class _ColdSend:
    """Makes what it is asked for at once."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}  # by address, the newest last
        self._jobs: dict[str, list[Row]] = {}

    def answer(self, call: Call, accounts: list[Account], now: float) -> Answer:
        match call.operation:
            case Operation.CREATE_SMTP:
                return Created(self._made(accounts[0], now))
            case Operation.CREATE_SMTP_BULK:
                job = f"job-{len(self._jobs)}"
                self._jobs[job] = [self._made(account, now) for account in accounts]
                return BulkAnswer(job_id=job, total=len(accounts))
            case Operation.POLL_CREATE_JOB:
                made = self._jobs[call.job or ""]
                results = tuple(ResultRow(each.email_address, each.inbox_id, success=True) for each in made)
                return JobProgress("COMPLETED", len(made), len(made), len(made), results=results)
            case Operation.SEARCH_ACCOUNTS:
                found = self._rows.get(call.address or "")
                return Page((found,) if found else (), 1, 1 if found else 0, 1, has_next=False)
            case Operation.GET_ACCOUNT:
                return self._rows[accounts[0].address or ""]
            case Operation.LIST_ACCOUNTS:
                return self._page(call)
        raise NotImplementedError(call.operation)

    def _made(self, account: Account, now: float) -> Row:
        address = account.address or ""
        return self._rows.setdefault(address, row(address, f"inbox-{account.uid}", made=now))

    def _page(self, call: Call) -> Page:
        rows = list(self._rows.values())
        shown = (rows[::-1] if call.newest else rows)[(call.page - 1) * BULK : call.page * BULK]
        pages = max(1, -(-len(rows) // BULK))
        return Page(tuple(shown), call.page, len(rows), pages, has_next=call.page < pages)


@contextmanager
def _silence() -> Iterator[None]:
    """The simulated operator logs nothing."""

    def drop(_logger: object, _method: str, event: MutableMapping[str, Any]) -> NoReturn:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[drop])
    try:
        yield
    finally:
        structlog.configure(**before)
