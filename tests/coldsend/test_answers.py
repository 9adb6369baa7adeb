"""The possible forms of a 2xx response, and the records that they become."""

import gzip
import json
from typing import Any

import httpx
import pytest

from coldsend_operator.core.model.answers import (
    BulkAnswer,
    Created,
    Deleted,
    Domain,
    FailureKind,
    JobProgress,
    MailSent,
    Page,
    ResultRow,
    Row,
)
from tests.coldsend.support import (
    ALL_CALLS,
    DATE,
    DATE_SECONDS,
    DOMAIN_ID,
    INBOX_ID,
    READING_CALLS,
    WRITING_CALLS,
    Call,
    ScriptedServer,
    answering,
    failure_of,
    native_inbox,
    pagination,
    row,
    smtp_inbox,
)

ROW = Row(INBOX_ID, "jane@company.com", "Jane", "CUSTOM_SMTP", "ACTIVE", 50, 12, 95.0, "2024-01-15T10:30:00Z")
BARE = {"inbox_id": INBOX_ID, "email_address": "jane@company.com"}


def page_of(*rows: Any, **told: Any) -> dict[str, Any]:
    return {"success": True, "message": "ok", "sender_accounts": list(rows), "pagination": pagination(**told)}


# Lists


async def test_a_page_of_the_list() -> None:
    told = {"total": 201, "pages": 3, "has_next": True}
    assert await answering(200, page_of(row(), **told)).client.list_accounts(page=1) == Page(
        (ROW,), page=1, total=201, pages=3, has_next=True
    )


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"health_score": None}, {"health_score": None}),
        ({"health_score": "87.5"}, {"health_score": 87.5}),
        ({"health_score": 1}, {"health_score": 1.0}),
        ({"health_score": "n/a"}, {"health_score": None}),
        ({"health_score": {"value": 1}}, {"health_score": None}),
        ({"daily_limit": "50"}, {"daily_limit": 50}),
        ({"daily_limit": 50.0}, {"daily_limit": 50}),
        ({"daily_limit": 10**30}, {"daily_limit": None}),
        ({"emails_sent_today": True}, {"emails_sent_today": None}),
        ({"emails_sent_today": 1.5}, {"emails_sent_today": None}),
        ({"overall_status": "WARMING_UP"}, {"overall_status": "WARMING_UP"}),
        ({"overall_status": "active"}, {"overall_status": "ACTIVE"}),
        ({"inbox_type": None}, {"inbox_type": None}),
        ({"display_name": ""}, {"display_name": None}),
        ({"email_address": "Jane@Company.com"}, {"email_address": "Jane@Company.com"}),
        ({"inbox_id": 17}, {"inbox_id": "17"}),
        ({"domain_id": DOMAIN_ID, "tags": [1]}, {}),
    ],
)
async def test_odd_fields_of_a_row_spoil_nothing(fields: dict[str, Any], shown: dict[str, Any]) -> None:
    read = await answering(200, page_of(row(**fields))).client.list_accounts(page=1)
    assert read.rows == (Row(**(row() | shown)),)


@pytest.mark.parametrize("body", [b'{"health_score":NaN}', b'{"health_score":1e999}', b'{"health_score":-Infinity}'])
async def test_a_score_that_is_no_number_counts_as_absent(body: bytes) -> None:
    whole = json.dumps(page_of(BARE)).encode().replace(b'{"inbox_id"', body[:-1] + b',"inbox_id"')
    read = await answering(200, whole).client.list_accounts(page=1)
    assert read.rows[0].health_score is None


@pytest.mark.parametrize(
    ("told", "has_next"),
    [
        ({"page": 2, "total": 300, "pages": 3, "has_next": True}, True),
        ({"page": 2, "total": 300, "pages": 3}, True),
        ({"page": 2, "total": 200, "pages": 2}, False),
        ({"page": "2", "total": "201"}, True),
        ({"page": 2, "total": 200}, False),
        ({"page": 2, "total": 200, "limit": 50}, True),  # shorter pages than asked for
        ({"page": 2, "total": 100, "limit": 50}, False),
        ({"page": 2, "has_next": "false"}, False),
        ({}, False),
    ],
)
async def test_whether_a_page_follows(told: dict[str, Any], has_next: bool) -> None:
    body = {"sender_accounts": [row()], "pagination": told}
    read = await answering(200, body).client.list_accounts(page=2)
    assert (read.page, read.has_next) == (2, has_next)


async def test_a_full_page_that_tells_nothing_has_one_after_it() -> None:
    body = {"sender_accounts": [row(), row()], "pagination": {}}
    assert (await answering(200, body).client.list_accounts(page=1, limit=2)).has_next


UNREADABLE_LISTS = {
    "no pagination": {"sender_accounts": [row()]},
    "null pagination": {"sender_accounts": [row()], "pagination": None},
    "another page than asked for": page_of(row(), page=2),
    "no rows": {"pagination": pagination()},
    "rows in an object": {"sender_accounts": {"0": row()}, "pagination": pagination()},
    "a row without id": page_of(row(), row(inbox_id=None)),
    "a row with an empty id": page_of(row(inbox_id="")),
    "a row without address": page_of({"inbox_id": INBOX_ID}),
    "a row that is a text": page_of(INBOX_ID),
    "a null among the rows": page_of(row(), None),
    "a list at the top": [row()],
    "an empty object": {},
}


@pytest.mark.parametrize("case", UNREADABLE_LISTS)
async def test_a_list_that_cannot_be_read_proves_nothing(case: str) -> None:
    failure = await failure_of(answering(200, UNREADABLE_LISTS[case]).client.list_accounts(page=1))
    assert (failure.kind, failure.status) == (FailureKind.LOST, 200)
    assert failure.message.startswith("response not understood")
    assert INBOX_ID not in failure.message


@pytest.mark.parametrize("rows", ["sender_accounts", "domains"])
async def test_an_empty_list_may_be_null(rows: str) -> None:
    client = answering(200, {rows: None, "pagination": pagination(total=0, pages=0)}).client
    read = await (client.list_accounts(page=1) if rows == "sender_accounts" else client.list_domains(page=1))
    assert not read.has_next
    assert not (read.rows if isinstance(read, Page) else read.domains)


async def test_null_rows_of_inboxes_that_exist_prove_nothing() -> None:
    body = {"sender_accounts": None, "pagination": pagination(total=2)}
    failure = await failure_of(answering(200, body).client.list_accounts(page=1))
    assert failure.kind is FailureKind.LOST


async def test_a_page_of_domains() -> None:
    domain = {"domain_id": DOMAIN_ID, "domain_name": "mail.company.com", "status": "ACTIVE", "mailcow_added": True}
    body = {
        "domains": [domain | {"max_inboxes": 50, "current_inboxes": "7"}, {"domain_id": "2", "domain": "b.de"}],
        "pagination": pagination(has_next=True),
    }
    read = await answering(200, body).client.list_domains(page=1)
    assert read.has_next
    assert read.domains == (Domain(DOMAIN_ID, "mail.company.com", "ACTIVE", 50, 7), Domain("2", "b.de", ""))


@pytest.mark.parametrize(
    "body",
    [
        {"domains": [{"domain_id": DOMAIN_ID}], "pagination": pagination()},
        {"domains": [{"domain_id": DOMAIN_ID, "domain_name": "b.de"}]},
        {"pagination": pagination()},
    ],
)
async def test_domains_that_cannot_be_read_prove_nothing(body: dict[str, Any]) -> None:
    assert (await failure_of(answering(200, body).client.list_domains(page=1))).kind is FailureKind.LOST


# Details and creates


@pytest.mark.parametrize(
    "body",
    [
        row(),
        {"success": True, "message": "ok"} | row(),
        *({"success": True, wrapper: row()} for wrapper in ("sender_account", "account", "inbox", "data")),
        {"data": {"sender_account": row()}},
        {"inbox_id": INBOX_ID, "data": row()},
        row() | {"sender_account": None, "smtp_host": "smtp.company.com", "campaigns": [{"id": 1}]},
        {key: value for key, value in row().items() if key != "inbox_id"},
        row(inbox_id=INBOX_ID.upper()),
    ],
)
async def test_details_stand_anywhere(body: dict[str, Any]) -> None:
    read = await answering(200, body).client.get_account(INBOX_ID)
    assert (read.inbox_id.lower(), read.email_address, read.health_score) == (INBOX_ID, "jane@company.com", 95.0)


@pytest.mark.parametrize("body", [None, {}, {"inbox_id": INBOX_ID}, {"data": [row()]}, row(inbox_id=DOMAIN_ID)])
async def test_details_of_no_inbox_or_of_another_prove_nothing(body: object) -> None:
    assert (await failure_of(answering(200, body).client.get_account(INBOX_ID))).kind is FailureKind.LOST


@pytest.mark.parametrize("status", [200, 201, 202, 207])
@pytest.mark.parametrize("wrapper", [None, "sender_account", "data"])
async def test_a_create_tells_the_new_inbox(status: int, wrapper: str | None) -> None:
    body = {"success": True, wrapper: row()} if wrapper else {"success": True, "message": "ok"} | row()
    assert await answering(status, body).client.create_smtp(smtp_inbox()) == Created(ROW)
    assert await answering(status, body).client.create_native(DOMAIN_ID, native_inbox()) == Created(ROW)


@pytest.mark.parametrize("body", [None, b"  \n", b"null", {}, {"success": True}, {"success": True, "inbox_id": None}])
async def test_a_create_may_tell_nothing(body: object) -> None:
    for status in (200, 201, 204):
        content = None if status == 204 else body
        assert await answering(status, content).client.create_smtp(smtp_inbox()) == Created(None)
        assert await answering(status, content).client.create_native(DOMAIN_ID, native_inbox()) == Created(None)


async def test_an_id_alone_belongs_to_the_address_that_was_asked_for() -> None:
    body = {"success": True, "inbox_id": INBOX_ID, "email_address": None}
    assert await answering(201, body).client.create_smtp(smtp_inbox()) == Created(Row(INBOX_ID, "jane@company.com"))
    assert await answering(201, body).client.create_native(DOMAIN_ID, native_inbox()) == Created(None)


@pytest.mark.parametrize("status", [200, 202, 204])
@pytest.mark.parametrize("body", [None, {}, {"success": True, "deleted": True}, b"null"])
async def test_a_delete_is_done_with_or_without_a_body(status: int, body: object) -> None:
    assert await answering(status, None if status == 204 else body).client.delete_account(INBOX_ID) == Deleted()


# Bulks and jobs

BULKS: dict[str, Call] = {name: WRITING_CALLS[name] for name in ("create_smtp_bulk", "delete_accounts")}
BULKS["create_native_bulk"] = WRITING_CALLS["create_native_bulk"]
COUNTS = {"success": True, "message": "queued", "total": 2, "success_count": 1, "failed_count": 1}
RESULT = {"email_address": "a@b.de", "inbox_id": "1", "success": True, "status": "created", "message": "done"}
RESULT_ROW = ResultRow("a@b.de", "1", success=True, status="created", message="done")

BULK_BODIES: list[tuple[object, BulkAnswer]] = [
    (None, BulkAnswer()),
    ({}, BulkAnswer()),
    (COUNTS, BulkAnswer(None, 2, 1, 1)),
    (COUNTS | {"job_id": None, "results": None}, BulkAnswer(None, 2, 1, 1)),
    (COUNTS | {"job_id": "job-1", "results": []}, BulkAnswer("job-1", 2, 1, 1)),
    (COUNTS | {"job_id": 17}, BulkAnswer("17", 2, 1, 1)),
    (COUNTS | {"job_id": ""}, BulkAnswer(None, 2, 1, 1)),
    ({"total": "2", "deleted_count": "1", "failed_count": 0, "skipped_count": 1}, BulkAnswer(None, 2, 1, 0, 1)),
    ({"success": True, "data": COUNTS | {"job_id": "job-1"}}, BulkAnswer("job-1", 2, 1, 1)),
    ({"total": 2, "job": {"job_id": "job-1", "status": "PENDING"}}, BulkAnswer("job-1", 2)),
    ({"job_id": "job-1", "results": [RESULT]}, BulkAnswer("job-1", results=(RESULT_ROW,))),
    ({"success": False, "job_id": "job-1"}, BulkAnswer("job-1")),
    (COUNTS | {"success": False}, BulkAnswer(None, 2, 1, 1)),
    ({"success": False, "results": [RESULT]}, BulkAnswer(results=(RESULT_ROW,))),
    ({"success": False, "total": 1, "deleted_count": 0, "skipped_count": 1}, BulkAnswer(None, 1, 0, None, 1)),
]


@pytest.mark.parametrize("operation", BULKS)
@pytest.mark.parametrize(("body", "answer"), BULK_BODIES)
async def test_answers_to_a_bulk(operation: str, body: object, answer: BulkAnswer) -> None:
    for status in (200, 202):
        assert await BULKS[operation](answering(status, body).client) == answer


@pytest.mark.parametrize("operation", BULKS)
async def test_a_bulk_without_success_and_without_a_trace_of_work_is_refused(operation: str) -> None:
    body = {"success": False, "message": "Quota spent", "total": 2, "success_count": 0, "failed_count": 2}
    failure = await failure_of(BULKS[operation](answering(200, body).client))
    assert (failure.kind, failure.message) == (FailureKind.REFUSED, "Quota spent")


RESULT_ROWS: list[tuple[object, tuple[ResultRow, ...]]] = [
    ([RESULT, RESULT], (RESULT_ROW, RESULT_ROW)),
    ([{"email": "a@b.de", "id": "1", "ok": True, "state": "created", "reason": "done"}], (RESULT_ROW,)),
    ([{"email_address": None, "email": "a@b.de"}], (ResultRow("a@b.de"),)),
    ([{"success": "false", "error": {"message": "no\nlogin"}}], (ResultRow(success=False, message="no login"),)),
    ([{"id": 3}], (ResultRow(),)),
    (["a@b.de: created"], (ResultRow(message="a@b.de: created"),)),
    ([None, 7], (ResultRow(), ResultRow())),
    ([{"message": "x" * 300}], (ResultRow(message="x" * 199 + "…"),)),
    ({"a@b.de": "created"}, ()),
    ("created", ()),
    (None, ()),
]


@pytest.mark.parametrize(("rows", "read"), RESULT_ROWS)
async def test_result_rows_are_hints_in_any_shape(rows: object, read: tuple[ResultRow, ...]) -> None:
    bulk = await answering(200, {"job_id": "1", "results": rows}).client.create_smtp_bulk([smtp_inbox()])
    job = await answering(200, {"job": {"status": "x", "results": rows}}).client.create_job("1")
    beside = await answering(200, {"job": {"status": "x"}, "results": rows}).client.delete_job("1")
    assert bulk.results == job.results == beside.results == read


JOB = {
    "job_id": "job-1",
    "status": "IN_PROGRESS",
    "progress_percentage": 40,
    "total_rows": 100,
    "processed_count": 40,
    "success_count": 38,
    "failed_count": 2,
    "started_at": "2024-01-15T10:30:00Z",
}
PROGRESS = JobProgress("IN_PROGRESS", 40.0, 100, 40, 38, 2, None, "2024-01-15T10:30:00Z")

JOB_BODIES: list[tuple[object, JobProgress]] = [
    ({"success": True, "message": "ok", "job": JOB}, PROGRESS),
    (JOB, PROGRESS),
    ({"success": True, "data": JOB}, PROGRESS),
    ({"data": {"job": JOB}}, PROGRESS),
    ({"job": None} | JOB, PROGRESS),
    ({"job": JOB | {"progress_percentage": "40 %", "total_rows": "100"}}, PROGRESS),
    ({"job": {"status": "completed"}}, JobProgress("completed")),
    ({"data": {"status": "Done"}}, JobProgress("Done")),
    ({"job": {"status": None, "completed_at": "2024"}}, JobProgress(completed_at="2024")),
    ({"job": {"completed_at": 1705314600}}, JobProgress(completed_at="1705314600")),
    ({"job": {"completed_at": ""}}, JobProgress()),
    ({"job": {"completed_at": "0001-01-01T00:00:00Z"}}, JobProgress()),  # the zero of a language: not yet
    ({"job": {"completed_at": "1970-01-01T00:00:00+00:00"}}, JobProgress()),
    ({"job": {"completed_at": 0}}, JobProgress()),
    ({"job": {}}, JobProgress()),
    ({"success": True, "message": "ok"}, JobProgress()),
    (
        {"job": {"status": "PARTIAL", "total": 3, "deleted_count": 1, "failed_count": 1, "skipped_count": 1}},
        JobProgress("PARTIAL", total=3, succeeded=1, failed=1, skipped=1),
    ),
]


@pytest.mark.parametrize(("body", "progress"), JOB_BODIES)
async def test_progress_of_a_job(body: object, progress: JobProgress) -> None:
    assert await answering(200, body).client.create_job("job-1") == progress
    assert await answering(200, body).client.delete_job("job-1") == progress


@pytest.mark.parametrize("body", [None, {}, b"null"])
async def test_a_poll_without_a_body_says_nothing_of_the_job(body: object) -> None:
    assert (await failure_of(answering(200, body).client.create_job("job-1"))).kind is FailureKind.LOST


# Test mails


@pytest.mark.parametrize(
    ("body", "mail"),
    [
        ({"success": True, "sent_at": "2024", "message_id": "<1@x>"}, MailSent("2024", "<1@x>")),
        ({"success": True, "sent_at": "2024", "message_id": None}, MailSent("2024", None)),
        ({"data": {"sent_at": "2024", "message_id": "<1@x>"}}, MailSent("2024", "<1@x>")),
        (None, MailSent(None, None)),
    ],
)
async def test_a_test_mail_that_was_sent(body: object, mail: MailSent) -> None:
    assert await answering(200, body).client.send_test_email(INBOX_ID, "ops@company.com") == mail


# Every call


@pytest.mark.parametrize("operation", ALL_CALLS)
@pytest.mark.parametrize("word", [False, "false", 0])
async def test_success_false_under_2xx_is_a_refusal(operation: str, word: object) -> None:
    body = {"success": word, "message": "The mailbox is\nunwell", "sender_accounts": [], "pagination": pagination()}
    failure = await failure_of(ALL_CALLS[operation](answering(200, body).client))
    assert (failure.kind, failure.status, failure.message) == (FailureKind.REFUSED, 200, "The mailbox is unwell")


@pytest.mark.parametrize("operation", ALL_CALLS)
@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Welcome to the hotel's network</body></html>",
        b'{"success": true, "inbox_id": "75',
        b"OK",
        b'"ok"',
        b"[]",
        b"true",
        b"[" * 100_000 + b"]" * 100_000,
        b"\xff\xfe{\x00}\x00",
    ],
)
async def test_a_2xx_body_that_is_no_json_object_is_a_lost_answer(operation: str, body: bytes) -> None:
    failure = await failure_of(ALL_CALLS[operation](answering(200, body).client))
    assert (failure.kind, failure.status) == (FailureKind.LOST, 200)


@pytest.mark.parametrize("operation", READING_CALLS)
async def test_reading_calls_need_a_body(operation: str) -> None:
    assert (await failure_of(READING_CALLS[operation](answering(204).client))).kind is FailureKind.LOST


async def test_a_body_longer_than_ten_megabytes_is_a_lost_answer() -> None:
    body = page_of(row(display_name="x" * 10_000_001))
    assert (await failure_of(answering(200, body).client.list_accounts(page=1))).kind is FailureKind.LOST


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf", b"\n\n "])
async def test_a_byte_order_mark_or_spaces_before_the_body_do_no_harm(head: bytes) -> None:
    assert await answering(200, head + json.dumps(row()).encode()).client.get_account(INBOX_ID) == ROW


async def test_half_a_character_in_a_name_spoils_no_list() -> None:
    body = json.dumps(page_of(row(display_name="XX"))).replace("XX", "Jane \\ud83d").encode()
    read = await answering(200, body).client.list_accounts(page=1)
    assert read.rows[0].display_name == "Jane ?"


@pytest.mark.parametrize("field", ["daily_limit", "of_a_later_version"])
async def test_a_number_of_thousands_of_digits_spoils_no_list(field: str) -> None:
    body = json.dumps(page_of(row(), row(inbox_id="other", **{field: "XX"}))).replace('"XX"', "9" * 5000).encode()
    read = await answering(200, body).client.list_accounts(page=1)
    assert [shown.daily_limit for shown in read.rows] == [50, None if field == "daily_limit" else 50]


async def test_no_compression_is_asked_for() -> None:
    server = answering(200, row(), {"Content-Encoding": "identity"})
    assert await server.client.get_account(INBOX_ID) == ROW
    assert server.sent[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate", "br", "zstd"])
async def test_a_compressed_body_is_a_lost_answer_and_is_never_unpacked(encoding: str) -> None:
    bomb = gzip.compress(gzip.compress(bytes(100_000_000)))
    server = ScriptedServer(
        lambda _: httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(bomb))
    )
    failure = await failure_of(server.client.get_account(INBOX_ID))
    assert failure.kind is FailureKind.LOST
    assert "compressed" in failure.message


# What on_answer hears


async def test_every_answer_is_told_with_its_headers() -> None:
    headers = {
        "Date": DATE,
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "95",
        "X-RateLimit-Reset": "1704067260",
        "X-Request-ID": "7",
    }
    server = answering(404, {"detail": "none"}, headers)
    await failure_of(server.client.get_account(INBOX_ID))
    [(operation, meta)] = server.heard
    assert (operation, meta.status, meta.server_time) == ("get_account", 404, DATE_SECONDS)
    assert meta.rate is not None
    assert (meta.rate.limit, meta.rate.remaining, meta.rate.reset) == (100, 95, 1704067260.0)
    assert meta.seconds >= 0


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        ({}, None),
        ({"X-RateLimit-Limit": "many", "Date": "yesterday"}, None),
        ({"X-RateLimit-Limit": "100, 100;w=60", "X-RateLimit-Remaining": "-1"}, (100, None, None)),
        ({"X-RateLimit-Remaining": "3"}, (None, 3, None)),
        ({"X-RateLimit-Reset": "1704067260.5"}, (None, None, 1704067260.5)),
        ({"X-RateLimit-Reset": "9" * 400}, None),
    ],
)
async def test_odd_headers_do_no_harm(headers: dict[str, str], limits: tuple[object, ...] | None) -> None:
    server = answering(200, row(), headers)
    await server.client.get_account(INBOX_ID)
    rate = server.heard[0][1].rate
    assert (rate and (rate.limit, rate.remaining, rate.reset)) == limits
    assert server.heard[0][1].server_time is None


async def test_what_may_be_stored_has_a_bounded_length() -> None:
    read = await answering(200, page_of(row(overall_status="X" * 1_000_000))).client.list_accounts(page=1)
    assert read.rows[0].overall_status == "X" * 1024
