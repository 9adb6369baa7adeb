"""A small model of ColdSend: addresses are unique, work takes time, responses get lost, lists lag behind.

It is pure: it reads the clock it is given, and chance is in the faults that a test puts into `Fault`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from coldsend_operator.core.model.answers import (
    Answer,
    BulkAnswer,
    Created,
    Deleted,
    Domain,
    DomainPage,
    Failure,
    FailureKind,
    JobProgress,
    MailSent,
    Page,
    ResultRow,
    Row,
    address_key,
)
from tests.support.clock import FakeClock, rfc3339

DOMAIN = Domain("550e8400-e29b-41d4-a716-446655440000", "mail.example.com", "ACTIVE")


class Fault(StrEnum):
    """The fault of one request."""

    NONE = "none"
    NOT_SENT = "not sent"
    LOST_BEFORE = "lost before the work"
    LOST_AFTER = "lost after the work"
    LOST_LATE = "the answer is lost, the work is done much later"
    SLOW = "answered much later"
    DOWN = "503 before the work"
    DOWN_AFTER = "500 after the work"
    RATE = "429 though the budget was kept"
    REFUSED = "422 for all"
    UNAUTHORIZED = "401 for a moment"
    NO_ID = "2xx without an id"
    PARTIAL = "the first item of a bulk fails"
    NO_JOB = "a bulk is answered at once"
    JOB_LOST = "the job is not known any more"
    STUCK = "the job never ends in words"


LATE = 90.0  # with the lag of lists less than 120 s, the longest duration of a create
STEP = 40.0  # between two items of a job that continues in the background
UNKNOWN_FAULTS = frozenset({Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LOST_LATE})


@dataclass
class Inbox:
    inbox_id: str
    address: str
    display_name: str
    inbox_type: str
    daily_limit: int
    made_at: float
    by_hand: bool
    visible_at: float  # in lists
    overall_status: str = "ACTIVE"
    health_score: float = 95.0
    emails_sent_today: int = 0
    in_use: bool = False
    gone_at: float | None = None
    hidden_at: float = 0.0  # lists show it until then, although it is deleted

    @cached_property
    def key(self) -> str:
        return address_key(self.address)


@dataclass(frozen=True)
class Item:
    """One inbox of a create."""

    address: str
    display_name: str
    inbox_type: str
    daily_limit: int | None = None


@dataclass
class Work:
    """Work that ColdSend does later, whether or not the client still waits."""

    at: float
    do: Callable[[float], object]
    addresses: tuple[str, ...] = ()  # that may get an inbox


@dataclass
class FakeJob:
    job_id: str
    total: int
    started: float
    results: list[ResultRow] = field(default_factory=list)
    skipped: int = 0
    lost: bool = False
    stuck: bool = False


@dataclass
class FakeColdSend:
    """`offset`: ColdSend's clock minus ours. `lag`: how far lists and searches are behind. Figures in seconds."""

    clock: FakeClock
    per_minute: int = 100
    per_hour: int = 1000
    page_size: int = 100
    lag: float = 0.0
    offset: float = 0.0
    item_seconds: float = 0.0  # duration of a job per item
    inboxes: dict[str, Inbox] = field(default_factory=dict)  # all inboxes ever created, by id
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    mails: list[tuple[str, str]] = field(default_factory=list)
    arrivals: dict[str, deque[float]] = field(default_factory=dict)  # by key, as each has its own windows
    creates: int = 0
    requests: int = 0
    bursts: list[str] = field(default_factory=list)  # requests above a limit
    work: list[Work] = field(default_factory=list)
    doubles: list[tuple[str, str]] = field(
        default_factory=list
    )  # creates although we have the inbox, or may still get it
    unanswered: dict[str, float] = field(
        default_factory=dict
    )  # by address: when a create with unknown outcome was sent
    ids: str = "inbox"  # prefix of its ids, which are unique over workspaces
    _made: int = 0

    # -- what people do in the dashboard

    def make_by_hand(self, address: str, inbox_type: str = "GOOGLE_WORKSPACE", name: str = "By Hand") -> Inbox:
        return self._make(Item(address, name, inbox_type), self.clock(), by_hand=True)

    def delete_by_hand(self, inbox_id: str) -> None:
        self._remove(self.inboxes[inbox_id], self.clock())

    def at(self, address: str) -> list[Inbox]:
        """The existing inboxes of an address."""
        key = address_key(address)
        return [inbox for inbox in self.live() if inbox.key == key]

    def live(self) -> list[Inbox]:
        return [inbox for inbox in self.inboxes.values() if inbox.gone_at is None]

    # -- time and windows

    def catch_up(self) -> None:
        """Do the work that is due."""
        now = self.clock()
        due = sorted((work for work in self.work if work.at <= now), key=lambda work: work.at)
        self.work = [work for work in self.work if work.at > now]
        for work in due:
            work.do(work.at)

    def arrive(self, key: str = "") -> Failure | None:
        """Count a request. Returns a 429 if it exceeds a window."""
        self.catch_up()
        now = self.clock()
        arrivals = self.arrivals.setdefault(key, deque())
        while arrivals and arrivals[0] <= now - 3600.0:
            arrivals.popleft()
        arrivals.append(now)
        self.requests += 1
        minute = sum(1 for at in arrivals if at > now - 60.0)
        for count, limit in ((minute, self.per_minute), (len(arrivals), self.per_hour)):
            if count > limit:
                self.bursts.append(f"{count} requests where {limit} are granted")
                return refusal()
        return None

    def expect(self, at: float, do: Callable[[float], object], addresses: Sequence[str] = ()) -> None:
        self.work.append(Work(at, do, tuple(address_key(address) for address in addresses)))

    def asked(self, addresses: Sequence[str]) -> None:
        """A create for these has arrived: none may have an inbox of ours, or may still get one."""
        for address in addresses:
            key = address_key(address)
            made = [inbox for inbox in self.at(address) if not inbox.by_hand]
            pending = [work for work in self.work if key in work.addresses]
            if made or pending:
                self.doubles.append((key, f"{address}: {len(made)} there, {len(pending)} under way"))

    def sent(self, addresses: Iterable[str]) -> None:
        """A create for these is sent."""
        self.unanswered |= dict.fromkeys(map(address_key, addresses), self.clock())

    def heard(self, addresses: Iterable[str]) -> None:
        """The response tells the outcome."""
        for address in addresses:
            self.unanswered.pop(address_key(address), None)

    # -- creates

    def create(self, item: Item, now: float) -> Created | Failure:
        self.creates += 1
        if self.at(item.address):
            return Failure(FailureKind.CONFLICT, "email already exists", 409)
        return Created(row_of(self._make(item, now, by_hand=False), self.offset))

    def create_bulk(self, items: Sequence[Item], now: float, fault: Fault = Fault.NONE) -> BulkAnswer:
        if fault is Fault.NO_JOB:
            rows = tuple(self._result(item, now) for item in items)
            return _counted(rows)
        job = self._job(len(items), now, fault)
        step = STEP if fault in UNKNOWN_FAULTS else self.item_seconds
        for index, item in enumerate(items):
            bad = fault is Fault.PARTIAL and index == 0
            self.expect(now + (index + 1) * step, self._item_of(job, item, bad=bad), (item.address,))
        self.catch_up()
        return BulkAnswer(job_id=job.job_id, total=len(items))

    def _item_of(self, job: FakeJob, item: Item, *, bad: bool) -> Callable[[float], object]:
        def do(now: float) -> None:
            job.results.append(_failed(item.address, "connection failed") if bad else self._result(item, now))

        return do

    def _result(self, item: Item, now: float) -> ResultRow:
        made = self.create(item, now)
        if isinstance(made, Failure):
            return _failed(item.address, made.message)
        return ResultRow(item.address, made.row.inbox_id if made.row else None, success=True, status="SUCCESS")

    def _make(self, item: Item, now: float, *, by_hand: bool) -> Inbox:
        self._made += 1
        inbox = Inbox(
            inbox_id=f"{self.ids}-{self._made:03d}",
            address=item.address,
            display_name=item.display_name,
            inbox_type=item.inbox_type,
            daily_limit=item.daily_limit or 100,
            made_at=now,
            by_hand=by_hand,
            visible_at=now + self.lag,
        )
        self.inboxes[inbox.inbox_id] = inbox
        return inbox

    # -- jobs

    def _job(self, total: int, now: float, fault: Fault) -> FakeJob:
        job = FakeJob(f"job-{len(self.jobs) + 1}", total, now)
        job.lost, job.stuck = fault is Fault.JOB_LOST, fault is Fault.STUCK
        self.jobs[job.job_id] = job
        return job

    def progress(self, job_id: str) -> JobProgress | Failure:
        self.catch_up()
        job = self.jobs.get(job_id)
        if job is None or job.lost:
            return Failure(FailureKind.NOT_FOUND, "job not found", 404)
        if job.stuck:
            return JobProgress(status="SOMETHING_NEW")
        bad = sum(1 for row in job.results if row.success is False)
        done = len(job.results)
        return JobProgress(
            status="COMPLETED" if done >= job.total else "IN_PROGRESS",
            total=job.total,
            processed=done,
            succeeded=done - bad - job.skipped,
            failed=bad,
            skipped=job.skipped,
            results=tuple(job.results) if done >= job.total else (),
        )

    # -- reads

    def page(self, page: int, *, search: str | None = None, newest: bool = False) -> Page:
        self.catch_up()
        now = self.clock()
        rows = [
            inbox
            for inbox in self.inboxes.values()
            if inbox.visible_at <= now
            and (inbox.gone_at is None or now < inbox.hidden_at)
            and (search is None or search in inbox.address)
        ]
        rows.sort(key=lambda inbox: (-inbox.made_at,) if newest else (inbox.address, inbox.inbox_id))
        pages = max(1, -(-len(rows) // self.page_size))
        shown = rows[(page - 1) * self.page_size : page * self.page_size]
        return Page(tuple(row_of(inbox, self.offset) for inbox in shown), page, len(rows), pages, has_next=page < pages)

    def look(self, inbox_id: str) -> Row | Failure:
        self.catch_up()
        inbox = self.inboxes.get(inbox_id)
        if inbox is None or inbox.gone_at is not None:
            return Failure(FailureKind.NOT_FOUND, "inbox not found", 404)
        return row_of(inbox, self.offset)

    # -- deletions and mails

    def delete(self, inbox_id: str, now: float) -> Deleted | Failure:
        inbox = self.inboxes.get(inbox_id)
        if inbox is None or inbox.gone_at is not None:
            return Failure(FailureKind.NOT_FOUND, "inbox not found", 404)
        if inbox.in_use:
            return Failure(FailureKind.CONFLICT, "inbox in use", 409)
        self._remove(inbox, now)
        return Deleted()

    def delete_bulk(self, inbox_ids: Sequence[str], now: float, fault: Fault = Fault.NONE) -> BulkAnswer:
        if fault is Fault.NO_JOB:
            skipped = sum(isinstance(self.delete(inbox_id, now), Failure) for inbox_id in inbox_ids)
            return BulkAnswer(total=len(inbox_ids), success_count=len(inbox_ids) - skipped, skipped_count=skipped)
        job = self._job(len(inbox_ids), now, fault)
        for index, inbox_id in enumerate(inbox_ids):
            self.expect(now + (index + 1) * self.item_seconds, self._deletion_of(job, inbox_id))
        self.catch_up()
        return BulkAnswer(job_id=job.job_id, total=len(inbox_ids))

    def _deletion_of(self, job: FakeJob, inbox_id: str) -> Callable[[float], object]:
        def do(now: float) -> None:
            done = isinstance(self.delete(inbox_id, now), Deleted)
            job.skipped += not done
            job.results.append(ResultRow(None, inbox_id, success=done or None, status="DELETED" if done else "SKIPPED"))

        return do

    def _remove(self, inbox: Inbox, now: float) -> None:
        inbox.gone_at = now
        inbox.hidden_at = now + self.lag

    def mail(self, inbox_id: str, recipient: str) -> MailSent | Failure:
        inbox = self.inboxes.get(inbox_id)
        if inbox is None or inbox.gone_at is not None:
            return Failure(FailureKind.NOT_FOUND, "inbox not found", 404)
        self.mails.append((inbox_id, recipient))
        return MailSent(rfc3339(self.clock()), "message-1")

    def domains(self) -> DomainPage:
        return DomainPage((DOMAIN,), 1, has_next=False)


def row_of(inbox: Inbox, offset: float = 0.0) -> Row:
    return Row(
        inbox.inbox_id,
        inbox.address,
        inbox.display_name,
        inbox.inbox_type,
        inbox.overall_status,
        inbox.daily_limit,
        inbox.emails_sent_today,
        inbox.health_score,
        rfc3339(inbox.made_at + offset),
    )


def refusal(seconds: float | None = 30.0) -> Failure:
    return Failure(FailureKind.RATE_LIMITED, "too many requests", 429, retry_after=seconds)


def without_id(answer: Answer | Failure) -> Answer | Failure:
    """A success without the inbox that was created."""
    if isinstance(answer, Created):
        return Created(None)
    return replace(answer, job_id=None, results=()) if isinstance(answer, BulkAnswer) else answer


def _failed(address: str, message: str) -> ResultRow:
    return ResultRow(address, None, success=False, status="FAILED", message=message)


def _counted(rows: tuple[ResultRow, ...]) -> BulkAnswer:
    good = sum(1 for row in rows if row.success)
    return BulkAnswer(None, len(rows), good, len(rows) - good, 0, rows)
