"""From the body of a 2xx response to its record.

Each reader raises NotUnderstood if the body cannot be the requested record: no row is ever skipped, as a partly read
list would prove a false absence. `Refused` is a `success: false` under 2xx (contract row 19).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from coldsend_operator.coldsend.bodies import as_flag, as_sentence, read_object
from coldsend_operator.coldsend.errors import NotUnderstood, Refused
from coldsend_operator.coldsend.masking import Mask
from coldsend_operator.coldsend.models import (
    AnswerModel,
    BulkCounts,
    DomainAnswer,
    JobAnswer,
    MailAnswer,
    PaginationAnswer,
    ResultAnswer,
    RowAnswer,
)
from coldsend_operator.core.model.answers import (
    BulkAnswer,
    Created,
    Deleted,
    DomainPage,
    JobProgress,
    MailSent,
    Page,
    ResultRow,
    Row,
)

MAX_RESULTS = 300  # a bulk has 100 items

_WRAPPERS = ("sender_account", "account", "inbox", "job", "data", "result")
_BULK_FIELDS = ("job_id", "results", "total", "success_count", "deleted_count", "failed_count")
_JOB_FIELDS = ("progress_percentage", "total_rows", "processed_count", "completed_at", "started_at")

A = TypeVar("A", bound=AnswerModel)


def read_page(body: bytes, mask: Mask, page: int, limit: int) -> Page:
    whole = _granted(body, mask)
    pagination = _pagination(whole, page)
    rows = tuple(_model(RowAnswer, each).to_row() for each in _list(whole, "sender_accounts", pagination))
    another = pagination.another_after(page, len(rows), limit)
    return Page(rows, page, pagination.total, pagination.pages, has_next=another)


def read_domain_page(body: bytes, mask: Mask, page: int, limit: int) -> DomainPage:
    whole = _granted(body, mask)
    pagination = _pagination(whole, page)
    domains = tuple(_model(DomainAnswer, each).to_domain() for each in _list(whole, "domains", pagination))
    another = pagination.another_after(page, len(domains), limit)
    return DomainPage(domains, page, has_next=another)


def read_details(body: bytes, mask: Mask, inbox_id: str) -> Row:
    """The inbox at the top level or under any wrapper (contract row 37)."""
    found = _holding(_granted(body, mask), ("email_address",))
    if found is None:
        raise NotUnderstood("the response contains no inbox")
    row = _model(RowAnswer, {"inbox_id": inbox_id} | found).to_row()
    if row.inbox_id.lower() != inbox_id.lower():
        raise NotUnderstood("the response contains another inbox than the requested one")
    return replace(row, inbox_id=inbox_id)


def read_created(body: bytes, mask: Mask, email_address: str | None) -> Created:
    """`email_address` is the requested one; None for a native inbox, whose domain may be known by its id only."""
    found = _holding(_granted(body, mask), ("inbox_id",))
    if found is None:
        return Created(None)
    if email_address is None and found.get("email_address") is None:
        return Created(None)  # an id without an address: only a search can identify the inbox
    return Created(_model(RowAnswer, {"email_address": email_address} | found).to_row())


def read_deleted(body: bytes, mask: Mask) -> Deleted:
    _granted(body, mask)
    return Deleted()


def read_bulk(body: bytes, mask: Mask) -> BulkAnswer:
    """A partly failed bulk may say `success: false` too: it is refused only if nothing was done."""
    whole = _told(read_object(body))
    found = _holding(whole, _BULK_FIELDS) or whole
    counts = _model(BulkCounts, (_holding(whole, ("job_id",)) or {}) | found)
    results = _results(found, mask)
    if not (counts.tell_of_work() or results):
        _refuse_without_success(whole, mask)
    return BulkAnswer(
        counts.job_id, counts.total, counts.success_count, counts.failed_count, counts.skipped_count, results
    )


def read_job(body: bytes, mask: Mask) -> JobProgress:
    """Progress under `job` or at the top level. A body without any field of a job means: still running."""
    whole = _granted(body, mask)
    if not whole:
        raise NotUnderstood("the response contains no job")
    job = whole.get("job")
    if not isinstance(job, dict):
        job = _holding(whole, _JOB_FIELDS) or _holding(whole, ("status",)) or whole
    shown = _model(JobAnswer, _told(job))
    return JobProgress(
        status=shown.status or "",
        progress_percentage=shown.progress_percentage,
        total=shown.total,
        processed=shown.processed,
        succeeded=shown.succeeded,
        failed=shown.failed,
        skipped=shown.skipped,
        started_at=shown.started_at,
        completed_at=shown.completed_at,
        results=_results(job, mask) or _results(whole, mask),
    )


def read_mail(body: bytes, mask: Mask) -> MailSent:
    whole = _granted(body, mask)
    shown = _model(MailAnswer, _holding(whole, ("sent_at", "message_id")) or whole)
    return MailSent(shown.sent_at, shown.message_id)


def _granted(body: bytes, mask: Mask) -> dict[str, Any]:
    """The object of a response without `success: false`; null fields count as absent."""
    whole = _told(read_object(body))
    _refuse_without_success(whole, mask)
    return whole


def _refuse_without_success(whole: dict[str, Any], mask: Mask) -> None:
    if as_flag(whole.get("success")) is False:
        raise Refused(mask.sentence(as_sentence(whole)) or "ColdSend reports that the call failed")


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _holding(whole: dict[str, Any], fields: Iterable[str]) -> dict[str, Any] | None:
    """The object that has one of the fields: the body, or one nested at most two levels deep."""
    level = [whole]
    for _ in range(3):
        found = next((each for each in level if any(each.get(field) is not None for field in fields)), None)
        if found is not None:
            return _told(found)
        level = [each[name] for each in level for name in _WRAPPERS if isinstance(each.get(name), dict)]
    return None


def _model(model: type[A], fields: object) -> A:
    try:
        return model.model_validate(fields)
    except ValidationError:
        pass  # not chained: its context holds the response
    raise NotUnderstood("the response does not have the documented shape")


def _list(whole: dict[str, Any], name: str, pagination: PaginationAnswer) -> list[Any]:
    """The rows; some servers write an empty list as null, which counts only beside a total of 0."""
    rows = whole.get(name, [] if pagination.total == 0 else None)
    if not isinstance(rows, list):
        raise NotUnderstood(f"the response has no list of {name}")
    return rows


def _pagination(whole: dict[str, Any], page: int) -> PaginationAnswer:
    if not isinstance(whole.get("pagination"), dict):
        raise NotUnderstood("the list does not contain its page number and the number of pages")
    pagination = _model(PaginationAnswer, whole["pagination"])
    if pagination.page not in {None, page}:
        raise NotUnderstood(f"page {page} was requested, but page {pagination.page} came")
    return pagination


def _results(found: dict[str, Any], mask: Mask) -> tuple[ResultRow, ...]:
    """Hints only (contract row 2): unreadable rows are dropped."""
    rows = found.get("results")
    return tuple(_result(each, mask) for each in rows[:MAX_RESULTS]) if isinstance(rows, list) else ()


def _result(row: object, mask: Mask) -> ResultRow:
    if not isinstance(row, dict):
        return ResultRow(message=mask.sentence(as_sentence(row)))
    shown = _model(ResultAnswer, _told(row))
    message = mask.sentence(as_sentence(row), mask.member_at(shown.email_address))
    return ResultRow(shown.email_address, shown.inbox_id, shown.success, shown.status, message)
