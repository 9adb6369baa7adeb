"""The clients of a simulated process: the test decides when each call is executed and answered."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from coldsend_operator.coldsend.client import ColdSendClient, OnAnswer
from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.coldsend.models import NativeInbox, SmtpInbox
from coldsend_operator.core.model.answers import (
    Answer,
    BulkAnswer,
    Created,
    Deleted,
    DomainPage,
    Failure,
    FailureKind,
    JobProgress,
    MailSent,
    Page,
    Row,
)
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import KubeError, StaleLease, Unreachable
from coldsend_operator.kube.reads import JSON
from tests.support.clock import FakeLoop
from tests.support.cluster import FakeCluster, Raw
from tests.support.remote import DOMAIN, LATE, FakeColdSend, Fault, Item, refusal, without_id

CALL_SECONDS, CHECK_SECONDS = 30.0, 120.0


class CallStage(Enum):
    SENT = auto()
    DONE = auto()  # the other side has executed it; the response is on its way
    WAITING = auto()  # the other side executes it until some time
    ANSWERED = auto()


@dataclass(eq=False)
class Pending:
    """A running call. `do` executes it at the other side; its outcome is an answer, a Failure or an exception."""

    client: str  # kube | coldsend
    what: str
    do: Callable[["Pending"], None]
    future: "asyncio.Future[Any]"
    fault: Fault = Fault.NONE
    stage: CallStage = CallStage.SENT
    outcome: Any = None

    @property
    def can_go_on(self) -> bool:
        return self.stage in {CallStage.SENT, CallStage.DONE}

    def go_on(self) -> None:
        """First step: execute the call; second step: deliver the response."""
        if self.stage is CallStage.SENT:
            self.stage = CallStage.DONE
            self.do(self)
        elif self.stage is CallStage.DONE:
            self.answer()

    def finish(self, outcome: Any) -> None:
        self.outcome = outcome
        if self.stage is CallStage.WAITING:
            self.stage = CallStage.DONE

    def answer(self) -> None:
        self.stage = CallStage.ANSWERED
        if self.future.done():
            return
        if isinstance(self.outcome, Exception):
            self.future.set_exception(self.outcome)
        else:
            self.future.set_result(self.outcome)


@dataclass
class Traffic:
    """The running calls of one process, and the faults for the next ones."""

    loop: FakeLoop
    pending: list[Pending] = field(default_factory=list)
    coldsend_faults: list[Fault] = field(default_factory=list)
    cluster_faults: list[Fault] = field(default_factory=list)
    frozen: bool = False  # COLDSEND_FREEZE: nothing may be written to ColdSend
    frozen_writes: list[str] = field(default_factory=list)

    def send(self, client: str, what: str, do: Callable[[Pending], None], fault: Fault = Fault.NONE) -> Pending:
        self.pending = [pending for pending in self.pending if pending.stage is not CallStage.ANSWERED]
        if self.frozen and client == "coldsend" and what.startswith(("create", "delete", "mail")):
            self.frozen_writes.append(what)
        pending = Pending(client, what, do, self.loop.create_future(), fault)
        self.pending.append(pending)
        return pending

    @property
    def movable(self) -> list[Pending]:
        return [pending for pending in self.pending if pending.can_go_on]


class SimulatedKubeClient(KubeClient):
    """The API server of one process."""

    def __init__(self, cluster: FakeCluster, traffic: Traffic) -> None:
        super().__init__(lambda kind, verb: None)
        self._cluster = cluster
        self._traffic = traffic

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    @property
    def clock_offset(self) -> float:
        return self._cluster.offset

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        accept: str = JSON,
        *,
        timeout: float = 15.0,  # noqa: ASYNC109 - the signature of the real client
        urgent: bool = False,
    ) -> Raw:
        return await self._call(f"get {path}", lambda: self._cluster.get(path))

    async def patch(
        self, path: str, body: Any, content_type: str, params: Mapping[str, str] | None = None, accept: str = JSON
    ) -> Raw:
        manager = (params or {}).get("fieldManager", "")
        return await self._call(f"patch {path}", lambda: self._cluster.patch(path, body, content_type, manager))

    async def delete(
        self, path: str, body: dict[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        return await self._call(f"delete {path}", lambda: self._cluster.end(path, body or {}))

    async def create(
        self,
        path: str,
        body: Raw,
        params: Mapping[str, str] | None = None,
        *,
        timeout: float = 15.0,  # noqa: ASYNC109 - the signature of the real client
        urgent: bool = False,
    ) -> Raw:
        if path.endswith("/events"):
            self._cluster.events.append(body)
            return {}
        return await self._call(f"create {path}", lambda: self._cluster.post(path, body))

    async def _call(self, what: str, work: Callable[[], Raw]) -> Raw:
        faults = self._traffic.cluster_faults
        if not what.startswith("get") and not self.write_guard.may_write():
            raise StaleLease("the Lease was not renewed lately")
        fault = faults.pop(0) if faults and not what.startswith("get") else Fault.NONE

        def do(pending: Pending) -> None:
            if pending.fault is Fault.LOST_BEFORE:
                pending.outcome = Unreachable("no response in time")
                return
            try:
                pending.outcome = work()
            except KubeError as error:
                pending.outcome = error
            if pending.fault is Fault.LOST_AFTER:
                pending.outcome = Unreachable("no response in time")

        answer: Raw = await self._traffic.send("kube", what, do, fault).future
        return answer


class SimulatedColdSendClient(ColdSendClient):
    """ColdSend as seen by one process."""

    def __init__(
        self,
        remote: FakeColdSend,
        traffic: Traffic,
        on_answer: OnAnswer,
        on_delete: Callable[[Sequence[str]], None] = lambda inbox_ids: None,
        key: str = "",
        on_leaving: Callable[[Sequence[str]], None] = lambda inbox_ids: None,
    ) -> None:
        self._on_leaving = on_leaving
        self._key = key
        self._remote = remote
        self._traffic = traffic
        self._heard = on_answer
        self._on_delete = on_delete

    async def aclose(self) -> None:
        return

    async def list_accounts(
        self,
        *,
        page: int,
        limit: int = 100,
        sort_by: str = "email_address",
        sort_order: str = "asc",
        search: str | None = None,
        status: str | None = None,
        inbox_type: str | None = None,
    ) -> Page:
        newest = sort_by == "created_at"
        answer = await self._ask("list", lambda: self._remote.page(page, search=search, newest=newest))
        assert isinstance(answer, Page)
        return answer

    async def get_account(self, inbox_id: str) -> Row:
        answer = await self._ask("get", lambda: self._remote.look(inbox_id))
        assert isinstance(answer, Row)
        return answer

    async def create_smtp(self, inbox: SmtpInbox) -> Created:
        answer = await self._create((_item(inbox),), single=True, seconds=CHECK_SECONDS)
        assert isinstance(answer, Created)
        return answer

    async def create_smtp_bulk(self, inboxes: Sequence[SmtpInbox]) -> BulkAnswer:
        answer = await self._create(tuple(_item(inbox) for inbox in inboxes), single=False)
        assert isinstance(answer, BulkAnswer)
        return answer

    async def create_native(self, domain_id: str, inbox: NativeInbox) -> Created:
        answer = await self._create((_native(inbox),), single=True)
        assert isinstance(answer, Created)
        return answer

    async def create_native_bulk(self, domain_id: str, inboxes: Sequence[NativeInbox]) -> BulkAnswer:
        answer = await self._create(tuple(_native(inbox) for inbox in inboxes), single=False, at_once=True)
        assert isinstance(answer, BulkAnswer)
        return answer

    async def delete_account(self, inbox_id: str) -> Deleted:
        answer = await self._delete((inbox_id,), lambda _: self._remote.delete(inbox_id, self._remote.clock()))
        assert isinstance(answer, Deleted)
        return answer

    async def delete_accounts(self, inbox_ids: Sequence[str]) -> BulkAnswer:
        ids = tuple(inbox_ids)
        answer = await self._delete(ids, lambda fault: self._remote.delete_bulk(ids, self._remote.clock(), fault))
        assert isinstance(answer, BulkAnswer)
        return answer

    async def create_job(self, job_id: str, **_: Any) -> JobProgress:
        answer = await self._ask("poll", lambda: self._remote.progress(job_id))
        assert isinstance(answer, JobProgress)
        return answer

    async def delete_job(self, job_id: str) -> JobProgress:
        return await self.create_job(job_id)

    async def send_test_email(self, inbox_id: str, recipient: str) -> MailSent:
        answer = await self._ask("mail", lambda: self._remote.mail(inbox_id, recipient))
        assert isinstance(answer, MailSent)
        return answer

    async def list_domains(self, *, page: int, limit: int = 100) -> DomainPage:
        answer = await self._ask("domains", self._remote.domains)
        assert isinstance(answer, DomainPage)
        return answer

    # -- the outcomes of a call

    async def _ask(self, what: str, work: Callable[[], Answer | Failure]) -> Answer:
        return await self._call(what, lambda pending: self._work(pending, work), CALL_SECONDS)

    async def _delete(self, inbox_ids: Sequence[str], work: Callable[[Fault], Answer | Failure]) -> Answer:
        self._on_leaving(inbox_ids)

        def arrived(pending: Pending) -> Answer | Failure:
            self._on_delete(inbox_ids)
            return work(pending.fault)

        return await self._call(
            f"delete {' '.join(inbox_ids)}", lambda pending: self._work(pending, lambda: arrived(pending)), CALL_SECONDS
        )

    async def _create(
        self, items: Sequence[Item], *, single: bool, at_once: bool = False, seconds: float = CALL_SECONDS
    ) -> Answer:
        def work(pending: Pending, now: float) -> Answer | Failure:
            if single:
                return self._remote.create(items[0], now)
            return self._remote.create_bulk(items, now, Fault.NO_JOB if at_once else pending.fault)

        def do(pending: Pending) -> None:
            if pending.fault in {Fault.LOST_LATE, Fault.SLOW} and (single or at_once):
                self._work(pending, lambda: self._later(items, pending, work), faulty=False)
            else:
                self._work(pending, lambda: self._counted(items, pending, work))

        names = " ".join(item.address for item in items)
        self._remote.sent(item.address for item in items)
        try:
            answer = await self._call(f"create {names}", do, seconds)
        except CallFailed as error:
            if error.failure.kind not in {FailureKind.LOST, FailureKind.UNAVAILABLE}:
                self._remote.heard(item.address for item in items)
            raise
        if not isinstance(answer, BulkAnswer) or (answer.job_id is None and answer.results):
            self._remote.heard(item.address for item in items)
        return answer

    def _counted(
        self, items: Sequence[Item], pending: Pending, work: Callable[[Pending, float], Answer | Failure]
    ) -> Answer | Failure:
        self._remote.asked([item.address for item in items])
        return work(pending, self._remote.clock())

    def _later(
        self, items: Sequence[Item], pending: Pending, work: Callable[[Pending, float], Answer | Failure]
    ) -> Failure | None:
        """The call is executed later; its response arrives then, or is lost now."""
        addresses = [item.address for item in items]
        self._remote.asked(addresses)
        lost = pending.fault is Fault.LOST_LATE
        pending.stage = CallStage.DONE if lost else CallStage.WAITING

        def finish(now: float) -> None:
            answer = work(pending, now)
            if not lost:
                pending.finish(answer)

        self._remote.expect(self._remote.clock() + LATE, finish, addresses)
        return _lost() if lost else None

    def _work(self, pending: Pending, work: Callable[[], Answer | Failure | None], *, faulty: bool = True) -> None:
        fault = pending.fault if faulty else Fault.NONE
        if fault is Fault.NOT_SENT:
            pending.outcome = Failure(FailureKind.NOT_SENT, "no connection")
            return
        refused = self._remote.arrive(self._key)
        if refused is not None:
            pending.outcome = refused
            return
        match fault:
            case Fault.RATE:
                pending.outcome = refusal()
            case Fault.DOWN:
                pending.outcome = Failure(FailureKind.UNAVAILABLE, "down", 503)
            case Fault.UNAUTHORIZED:
                pending.outcome = Failure(FailureKind.UNAUTHORIZED, "invalid key", 401)
            case Fault.LOST_BEFORE:
                pending.outcome = _lost()
            case Fault.REFUSED:
                pending.outcome = Failure(FailureKind.REFUSED, "something is wrong", 422)
            case Fault.LOST_AFTER | Fault.LOST_LATE:
                work()
                pending.outcome = _lost()
            case Fault.DOWN_AFTER:
                work()
                pending.outcome = Failure(FailureKind.UNAVAILABLE, "an error", 500)
            case Fault.NO_ID:
                pending.outcome = without_id(work())  # type: ignore[arg-type] # the work of a create answers
            case _:
                pending.outcome = work()

    async def _call(self, what: str, do: Callable[[Pending], None], seconds: float) -> Answer:  # type: ignore[override] # a client without HTTP: what is asked, and how long
        faults = self._traffic.coldsend_faults
        fault = faults.pop(0) if faults else Fault.NONE
        if fault is Fault.REFUSED and not what.startswith(("create", "delete")):
            fault = Fault.NONE
        pending = self._traffic.send("coldsend", what, do, fault)
        timeout = self._traffic.loop.call_later(seconds, _expire, pending)
        try:
            outcome = await pending.future
        finally:
            timeout.cancel()
        failed = isinstance(outcome, Failure)
        self._heard(what.split(maxsplit=1)[0], Meta(None, self._remote.clock() + self._remote.offset, 0.0, 200))
        if failed:
            raise CallFailed(outcome)
        return outcome  # type: ignore[no-any-return]


def _lost() -> Failure:
    return Failure(FailureKind.LOST, "the connection closed before the response")


def _expire(pending: Pending) -> None:
    if pending.stage is CallStage.SENT:
        pending.stage = CallStage.ANSWERED  # the request never arrived
    if not pending.future.done():
        pending.future.set_result(Failure(FailureKind.LOST, "no answer within its time"))


def _item(inbox: SmtpInbox) -> Item:
    return Item(inbox.email_address, inbox.display_name, inbox.inbox_type, inbox.daily_limit)


def _native(inbox: NativeInbox) -> Item:
    return Item(f"{inbox.email_prefix}@{DOMAIN.domain_name}", inbox.display_name, "COLDSEND")
