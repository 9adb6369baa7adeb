"""A model of ColdSend in which every call succeeds at once; `plan` counts requests against it."""

from collections.abc import Iterable
from dataclasses import replace

from coldsend_operator.core.model.account import Account
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
    Row,
)
from coldsend_operator.core.model.calls import BULK, Call, Operation
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.workspace.workspace import Workspace


class ModelOfColdSend:
    """One workspace: its inboxes and its domains."""

    def __init__(self, rows: Iterable[Row], domains: Iterable[Domain]) -> None:
        self.rows = {row.inbox_id: row for row in rows}
        self.domains = {domain.domain_id: domain for domain in domains}
        self._sorted: list[Row] | None = None
        self._made: list[str] = []
        self._jobs: dict[str, int] = {}

    def answer(self, call: Call, workspace: Workspace, now: float) -> Answer | Failure:
        members = [workspace.accounts[uid] for uid in call.uids if uid in workspace.accounts]
        match call.operation:
            case Operation.LIST_ACCOUNTS:
                return self._page(call)
            case Operation.SEARCH_ACCOUNTS:
                found = tuple(row for row in self.rows.values() if (call.address or "") == row.address)
                return Page(found, 1, len(found), 1, has_next=False)
            case Operation.GET_ACCOUNT:
                missing = Failure(FailureKind.NOT_FOUND, "not found", status=404)
                return self.rows.get(call.inbox_ids[0], missing)
            case Operation.CREATE_SMTP | Operation.CREATE_NATIVE:
                return Created(self._make(members[0], now))
            case Operation.CREATE_SMTP_BULK | Operation.CREATE_NATIVE_BULK:
                for member in members:
                    self._make(member, now)
                return self._accepted(call, len(members))
            case Operation.DELETE_ACCOUNT:
                self._remove(call.inbox_ids)
                return Deleted()
            case Operation.DELETE_ACCOUNTS:
                self._remove(call.inbox_ids)
                return self._accepted(call, len(call.inbox_ids))
            case Operation.POLL_CREATE_JOB | Operation.POLL_DELETE_JOB:
                size = self._jobs.get(call.job or "", 0)
                return JobProgress("COMPLETED", 100.0, size, size, size, 0, 0)
            case Operation.SEND_TEST_EMAIL:
                return MailSent(rfc3339(now), None)
            case Operation.LIST_DOMAINS:
                return DomainPage(tuple(self.domains.values()), 1, has_next=False)

    def _page(self, call: Call) -> Page:
        rows = [self.rows[each] for each in reversed(self._made) if each in self.rows] if call.newest else self._all()
        shown = tuple(rows[(call.page - 1) * BULK : call.page * BULK])
        pages = max(1, -(-len(rows) // BULK))
        return Page(shown, call.page, len(rows), pages, has_next=call.page < pages)

    def _all(self) -> list[Row]:
        if self._sorted is None:
            self._sorted = sorted(self.rows.values(), key=lambda row: row.address)
        return self._sorted

    def _make(self, account: Account, now: float) -> Row:
        spec = account.desired.spec
        inbox_id = f"new-{len(self._made) + 1}"
        address = account.address or spec.email_address or inbox_id
        row = Row(
            inbox_id,
            address,
            display_name=spec.display_name,
            inbox_type=spec.inbox_type,
            overall_status="ACTIVE",
            daily_limit=spec.daily_limit,
            created_at=rfc3339(now),
        )
        self.rows[inbox_id] = row
        self._made.append(inbox_id)
        self._sorted = None
        self._fill(address, 1)
        return row

    def _remove(self, inbox_ids: Iterable[str]) -> None:
        for inbox_id in inbox_ids:
            row = self.rows.pop(inbox_id, None)
            if row is not None:
                self._fill(row.address, -1)
        self._sorted = None

    def _fill(self, address: str, count: int) -> None:
        name = address.rpartition("@")[2]
        for domain in self.domains.values():
            if domain.domain_name == name and domain.current_inboxes is not None:
                changed = replace(domain, current_inboxes=max(0, domain.current_inboxes + count))
                self.domains[domain.domain_id] = changed
                return

    def _accepted(self, call: Call, count: int) -> BulkAnswer:
        if call.operation is Operation.CREATE_NATIVE_BULK:
            return BulkAnswer(total=count, success_count=count, failed_count=0)
        job_id = f"job-{len(self._jobs) + 1}"
        self._jobs[job_id] = count
        return BulkAnswer(job_id, total=count)
