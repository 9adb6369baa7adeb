"""Figures of the pure core: the cost of a planning round, and an hour of simulated time."""

import statistics
import time

from coldsend_operator.accounts.bookings import REPORT_SECONDS
from coldsend_operator.accounts.reading import read_object
from coldsend_operator.core import apply
from coldsend_operator.core.decide import decide_changed
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.answers import Page, Row
from coldsend_operator.core.model.calls import BULK
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.stored_status import from_text
from coldsend_operator.core.plan import make_plan, sweep_period
from coldsend_operator.core.report import workspace_report, worth_a_write
from coldsend_operator.core.status.projection import project
from coldsend_operator.core.status.stored import stored_of
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.wait_estimate import estimate_waits
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.process.metrics_snapshot import domain_figures
from coldsend_operator.process.operator import REPORT_PERIOD
from tests.bench.figures import Figure, Say, figure

START = 1_800_000_000.0
HOUR = 3600


def _raw(number: int, *, ready: bool) -> dict[str, object]:
    metadata = {
        "uid": f"{number:08}-aaaa-4bbb-8ccc-dddddddddddd",
        "name": f"account-{number}",
        "namespace": f"team-{number % 5}",
        "resourceVersion": str(1000 + number),
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "generation": 1,
    }
    if ready:
        mark = f"coldsend.pro/creating.1800000000.{number:024}"
        metadata |= {"finalizers": ["coldsend.pro/finalizer", mark]}
    spec = {
        "inboxType": "GOOGLE_WORKSPACE",
        "emailAddress": f"account-{number:05}@example.com",
        "displayName": f"Account {number}",
        "smtp": {"passwordSecretRef": {"name": "smtp"}},
    }
    status = {"inboxID": _id(number), "origin": "Created"} if ready else {}
    return {"metadata": metadata, "spec": spec, "status": status}


def _id(number: int) -> str:
    return f"{number:08}-eeee-4bbb-8ccc-dddddddddddd"


def _workspace(count: int, *, ready: bool) -> Workspace:
    workspace = Workspace("0123456789ab", Policy(), Claims())
    for number in range(count):
        workspace.add(read_object(_raw(number, ready=ready)), START)
    return workspace


def planning_round(say: Say, count: int = 10_000) -> Figure:
    """One settle and one plan, after something happened to one account, while all the others wait."""
    say(f"a planning round with {count:,} accounts that wait for a create")
    workspace = _workspace(count, ready=False)
    workspace.inventory.listed_at = workspace.inventory.swept_at = START
    decide_changed(workspace, START + 1)
    rounds = []
    for turn in range(50):
        workspace.touch(f"{turn:08}-aaaa-4bbb-8ccc-dddddddddddd")
        workspace.budget.booked = 10
        now = START + 5 + turn / 10
        begun = time.perf_counter()
        decide_changed(workspace, now)
        plan = make_plan(workspace, now)
        estimate_waits(workspace, now)
        rounds.append((time.perf_counter() - begun) * 1000)
        if not plan.calls:
            raise RuntimeError("the plan should hold a call")
    median, worst = statistics.median(rounds), max(rounds)
    text = f"median {median:.1f} ms, worst {worst:.1f} ms"
    return figure(f"cost of one planning round at {count:,} accounts", "<= 20 ms", text, good=median <= 20)


class _Shown:
    """ColdSend as a table: every counter moves each hour, health moves for one account in twenty."""

    def __init__(self, count: int) -> None:
        self.count = count

    def page(self, number: int, now: float) -> Page:
        first = (number - 1) * BULK
        rows = tuple(self._row(index, now) for index in range(first, min(first + BULK, self.count)))
        pages = -(-self.count // BULK)
        return Page(rows, number, self.count, pages, has_next=number < pages)

    @staticmethod
    def _row(index: int, now: float) -> Row:
        health = 90.0 if index % 20 or now < START + HOUR / 2 else 60.0
        sent = int((now - START) // 60)
        name, address = f"Account {index}", f"account-{index:05}@example.com"
        return Row(_id(index), address, name, "GOOGLE_WORKSPACE", "ACTIVE", 50, sent, health, "2026-01-01T00:00:00Z")


def steady_hour(say: Say, count: int = 10_000) -> Figure:
    """An hour of simulated time in which health of 5 % and every counter change."""
    say(f"a steady hour with {count:,} accounts (simulated clock)")
    workspace, shown = _workspace(count, ready=True), _Shown(count)
    requests = writes = 0
    first_sweep_writes = 0
    state = _State(workspace)
    now = START
    while now < START + HOUR:
        decide_changed(workspace, now)
        plan = make_plan(workspace, now)
        if plan.booking:
            state.book(now)
            plan = make_plan(workspace, now)
        state.look(now)
        for candidate in plan.calls:
            call = apply.launch(workspace, candidate, now)
            apply.fold(workspace, call, shown.page(call.page, now), now + 0.2)
            requests += 1
        written = _write(workspace, now)
        if now < START + 300:
            first_sweep_writes += written
        writes += written
        now = max(now + 0.25, min(plan.wake_at or now + 5, now + 5))
    changes = writes - first_sweep_writes
    text = (
        f"{requests} requests, {changes:,} status writes ({count // 20:,} of health, the others counters, "
        f"{first_sweep_writes:,} at first sight), {state.bookings} bookings in the ConfigMap and "
        f"{state.for_the_report} writes for the report alone"
    )
    good = requests <= 480 and changes <= count * 4 + count // 20
    goal = "<= 480 requests; writes = changes, counters at most every 900 s"
    return figure(f"steady hour with {count:,} accounts", goal, text, good=good, count=requests)


class _State:
    """The state ConfigMap: what is booked, and when the report is written beside it or by itself."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.bookings = self.for_the_report = 0
        self._reported: object = None
        self._reported_at = self._reported_for_at = -REPORT_SECONDS

    def book(self, now: float) -> None:
        self._workspace.budget.book(self._workspace.budget.block)
        self.bookings += 1
        if now >= self._reported_at + REPORT_SECONDS:
            self._reported, self._reported_at = self._worth(now), now

    def look(self, now: float) -> None:
        if now < max(self._reported_for_at + REPORT_PERIOD, self._reported_at + REPORT_SECONDS):
            return
        self._reported_for_at = now
        worth = self._worth(now)
        if worth != self._reported:
            self._reported, self._reported_at = worth, now
            self.for_the_report += 1

    def _worth(self, now: float) -> object:
        domain_figures(self._workspace.inventory.rows.values())  # a scrape by domain costs no write
        return worth_a_write(
            workspace_report(self._workspace, self._workspace.digest, now, key="default", answered=True)
        )


def _write(workspace: Workspace, now: float) -> int:
    changed, workspace.changed = workspace.changed, set()
    written = 0
    for uid in changed:
        account = workspace.accounts[uid]
        status = project(account, workspace, now)
        if status is None or status == from_text(account.raw_status):
            continue
        before = from_text(account.raw_status)
        transitions.status_kept(account, status)
        if before.get("emailsSentToday") != status.get("emailsSentToday"):
            account.counter_at = now
        workspace.status_stored(uid, stored_of(status))
        written += 1
    return written


def ages(say: Say) -> list[tuple[int, float]]:
    """For the docs: how old the mirrored values grow, by the number of accounts."""
    say("age of the mirrored values by size")
    table = []
    for count in (10, 100, 1_000, 5_000, 10_000, 25_000, 50_000):
        workspace = Workspace("0123456789ab", Policy(), Claims())
        for number in range(count):
            workspace.inventory.put(Row(_id(number), f"a{number}@example.com"), START)
        table.append((count, sweep_period(workspace)))
    return table
