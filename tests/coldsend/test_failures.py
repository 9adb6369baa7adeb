"""Refusals and failed calls: what each means for the next step, and what people may read."""

import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.coldsend.masking import Member
from coldsend_operator.core.model.answers import Failure, FailureKind, Fault
from tests.coldsend.support import (
    ALL_CALLS,
    DATE,
    DATE_SECONDS,
    INBOX_ID,
    ScriptedServer,
    answering,
    failure_of,
    smtp_inbox,
)

STATUSES: list[tuple[int, object, FailureKind]] = [
    (301, None, FailureKind.REFUSED),
    (304, None, FailureKind.REFUSED),
    (400, {"detail": "Connection failed"}, FailureKind.REFUSED),
    (401, {"detail": "Invalid API key"}, FailureKind.UNAUTHORIZED),
    (402, {"detail": "Upgrade"}, FailureKind.PLAN_LIMIT),
    (403, {"detail": "No", "required": ["sender_accounts:read"], "granted": []}, FailureKind.FORBIDDEN),
    (403, {"detail": "No", "required": "sender_accounts:read"}, FailureKind.FORBIDDEN),
    (403, {"detail": {"message": "No", "required": ["x"]}}, FailureKind.FORBIDDEN),
    (403, {"detail": "No", "error": "insufficient_scopes"}, FailureKind.FORBIDDEN),
    (403, {"detail": "Missing required scope: domains:read"}, FailureKind.FORBIDDEN),
    (403, {"detail": {"msg": "Insufficient scopes"}}, FailureKind.FORBIDDEN),
    (403, {"detail": "Plan limit reached"}, FailureKind.PLAN_LIMIT),
    (403, {"detail": "Plan limit reached", "required": []}, FailureKind.PLAN_LIMIT),
    (403, None, FailureKind.PLAN_LIMIT),
    (403, b"<html>Just a moment...</html>", FailureKind.UNAVAILABLE),  # of a firewall: no word about a plan
    (403, b"RBAC: access denied", FailureKind.UNAVAILABLE),
    (400, b"<html>400 Bad Request</html>", FailureKind.UNAVAILABLE),
    (409, b"<html>Conflict</html>", FailureKind.UNAVAILABLE),
    (401, b"<html>Authorization Required</html>", FailureKind.UNAUTHORIZED),
    (429, b"<html>Too Many Requests</html>", FailureKind.RATE_LIMITED),
    (404, {"detail": "Not found"}, FailureKind.NOT_FOUND),
    (404, {"message": "Not found"}, FailureKind.NOT_FOUND),
    (404, b"<html>default backend</html>", FailureKind.UNAVAILABLE),  # proves no absence
    (404, None, FailureKind.UNAVAILABLE),
    (404, "Not Found", FailureKind.UNAVAILABLE),
    (404, [{"message": "Not Found"}], FailureKind.UNAVAILABLE),
    (405, {"detail": "Method Not Allowed"}, FailureKind.REFUSED),
    (407, None, FailureKind.UNAVAILABLE),
    (408, None, FailureKind.UNAVAILABLE),
    (409, {"detail": "Exists", "inbox_id": INBOX_ID}, FailureKind.CONFLICT),
    (409, {"detail": {"message": "Exists", "inbox_id": INBOX_ID}}, FailureKind.CONFLICT),
    (410, {"detail": "Gone"}, FailureKind.NOT_FOUND),
    (410, b"<html>Gone</html>", FailureKind.UNAVAILABLE),
    (413, b"<html>413 Request Entity Too Large</html>", FailureKind.TOO_LARGE),
    (418, None, FailureKind.REFUSED),
    (421, None, FailureKind.UNAVAILABLE),
    (422, {"detail": [{"loc": ["body"], "msg": "Field required"}]}, FailureKind.REFUSED),
    (429, {"detail": "Slow down"}, FailureKind.RATE_LIMITED),
    (499, None, FailureKind.UNAVAILABLE),
    (500, b"Internal Server Error", FailureKind.UNAVAILABLE),
    (502, b"<html>Bad gateway</html>", FailureKind.UNAVAILABLE),
    (503, {"detail": "Maintenance"}, FailureKind.UNAVAILABLE),
    (504, None, FailureKind.UNAVAILABLE),
    (520, None, FailureKind.UNAVAILABLE),
]


@pytest.mark.parametrize("operation", ALL_CALLS)
@pytest.mark.parametrize(("status", "body", "kind"), STATUSES)
async def test_each_status_says_what_to_do_next(operation: str, status: int, body: object, kind: FailureKind) -> None:
    server = answering(status, body)
    failure = await failure_of(ALL_CALLS[operation](server.client))
    assert (failure.kind, failure.status) == (kind, status)
    assert failure.message
    assert len(server.sent) == 1


MESSAGES: list[tuple[object, str]] = [
    ({"detail": "Connection failed"}, "Connection failed"),
    ({"detail": "two\r\n  lines\x00\x1b[31m"}, "two lines [31m"),
    ({"detail": "left\u202eright\u2028down"}, "left right down"),
    ({"detail": "x" * 300}, "x" * 199 + "…"),
    ({"detail": {"message": "Exists", "inbox_id": INBOX_ID}}, "Exists"),
    ({"detail": {"code": 7}}, "ColdSend answered 400 without a reason"),
    ({"detail": ["first", "second"]}, "first; second"),
    ({"detail": [{"msg": "Rate limit exceeded", "type": "rate_limit"}]}, "Rate limit exceeded"),
    ({"detail": []}, "ColdSend answered 400 without a reason"),
    ({"detail": None}, "ColdSend answered 400 without a reason"),
    ({"detail": 7}, "ColdSend answered 400 without a reason"),
    ({"message": "Only a message"}, "Only a message"),
    ({"error": "Only an error"}, "Only an error"),
    ({"error": {"message": "Inside"}}, "Inside"),
    ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
    ({"type": "about:blank", "title": "Bad Request"}, "Bad Request"),
    (["not", "an", "object"], "not; an; object"),
    ("only a text", "only a text"),
    (7, "ColdSend answered 400 without a reason"),
    (
        b"<html>oops</html>",
        "the 400 did not come from the ColdSend API but from a server before it, such as a proxy or firewall",
    ),
    (None, "ColdSend answered 400 without a reason"),
    ({"detail": "x" * 20_001}, "(a text of 20001 characters)"),
    ({"detail": [{"loc": ["body", "smtp_port"], "msg": "too big"}]}, "smtp_port: too big"),
    ({"detail": [{"loc": ["body"], "msg": "Field required", "input": {"smtp_password": "oops"}}]}, "Field required"),
    ({"detail": [{"loc": ["body", "x"], "msg": None, "input": "oops", "ctx": {"error": "oops"}}]}, "x: "),
]


@pytest.mark.parametrize(("body", "message"), MESSAGES)
async def test_what_people_read_of_a_refusal(body: object, message: str) -> None:
    failure = await failure_of(answering(400, body).client.get_account(INBOX_ID))
    assert failure.message == message.strip()


LOCS: list[tuple[list[Any], int | None, str | None]] = [
    (["body", "inboxes", 1, "smtp_port"], 1, "smtp_port"),
    (["body", "inboxes", "1", "smtp_port"], 1, "smtp_port"),
    (["inboxes", 0], 0, None),
    (["body", 1, "smtp_port"], 1, "smtp_port"),
    (["body", "inboxes", 0, "smtp", "port"], 0, "port"),
    (["body", "inboxes", 2, "smtp_port"], None, "smtp_port"),
    (["body", "inboxes", -1, "smtp_port"], None, "smtp_port"),
    (["body", "inboxes", True, "smtp_port"], None, "smtp_port"),
    (["body", 1], None, None),
    (["body", "inboxes"], None, "inboxes"),
    (["body", {"a": 1}, None, "smtp_port"], None, "smtp_port"),
    ([], None, None),
]


@pytest.mark.parametrize(("loc", "index", "field"), LOCS)
async def test_loc_names_the_item_and_the_field(loc: list[Any], index: int | None, field: str | None) -> None:
    body = {"detail": [{"loc": loc, "msg": "bad", "type": "t", "input": "x"}]}
    inboxes = [smtp_inbox(), smtp_inbox()]
    failure = await failure_of(answering(422, body).client.create_smtp_bulk(inboxes))
    assert failure.faults == (Fault(index, field, "bad"),)


async def test_the_third_of_a_bulk_delete_is_named_by_its_place_in_the_ids() -> None:
    body = {"detail": [{"loc": ["body", "inbox_ids", 2], "msg": "not a UUID"}]}
    failure = await failure_of(answering(422, body).client.delete_accounts(["a", "b", "c"]))
    assert failure.faults == (Fault(2, None, "not a UUID"),)
    assert failure.message == "item 2: not a UUID"


async def test_many_faults_make_one_short_sentence_and_stay_apart_as_faults() -> None:
    body = {"detail": [{"loc": ["body", "inboxes", n, "smtp_port"], "msg": "bad"} for n in range(5)]}
    failure = await failure_of(answering(422, body).client.create_smtp_bulk([smtp_inbox()] * 5))
    assert [fault.index for fault in failure.faults] == [0, 1, 2, 3, 4]
    assert failure.message == ("item 0, smtp_port: bad; item 1, smtp_port: bad; item 2, smtp_port: bad; and 2 more")


async def test_a_single_call_has_no_items() -> None:
    body = {"detail": [{"loc": ["body", "inboxes", 0, "smtp_port"], "msg": "bad"}]}
    failure = await failure_of(answering(422, body).client.create_smtp(smtp_inbox()))
    assert failure.faults == (Fault(None, "smtp_port", "bad"),)


async def test_missing_scopes_are_named() -> None:
    body = {"detail": "No", "required": ["sender_accounts:create", 7, "x\ny"], "granted": ["a"]}
    assert (await failure_of(answering(403, body).client.get_account(INBOX_ID))).required == (
        "sender_accounts:create",
        "x y",
    )


RESET = f"{DATE_SECONDS + 42:.0f}"
WAITS: list[tuple[dict[str, str], object, float | None]] = [
    ({"Retry-After": "17", "X-RateLimit-Reset": RESET}, "wait 60 seconds", 17.0),
    ({"Retry-After": "0"}, None, 0.0),
    ({"Retry-After": "Mon, 01 Jan 2024 00:01:30 GMT", "Date": DATE}, None, 90.0),
    ({"Retry-After": "Sun, 31 Dec 2023 23:59:00 GMT", "Date": DATE}, None, 0.0),
    ({"Retry-After": "soon", "X-RateLimit-Reset": RESET, "Date": DATE}, "wait 60 seconds", 42.0),
    ({"Retry-After": "-5"}, "wait 60 seconds", 60.0),
    ({"Retry-After": "999999999"}, "wait 60 seconds", 60.0),
    ({"X-RateLimit-Reset": RESET, "Date": DATE}, "wait 60 seconds", 42.0),
    ({"X-RateLimit-Reset": "1", "Date": DATE}, "wait 60 seconds", 60.0),
    ({}, "Rate limit exceeded. Please retry after 60 seconds.", 60.0),
    ({}, "100 requests per 60 seconds allowed, try again in 12.5 s", 12.5),
    ({}, "Try again in 2 minutes", 120.0),
    ({}, "Retry in 1 hour", 3600.0),
    ({}, "Limit: 30 seconds, then 1 minute", 60.0),
    ({}, [{"msg": "Rate limit exceeded, wait 30 sec", "type": "rate_limit"}], 30.0),
    ({}, "100 requests a minute are allowed", None),
    ({}, "Too Many Requests", None),
    ({}, None, None),
]


@pytest.mark.parametrize(("headers", "detail", "seconds"), WAITS)
async def test_how_long_a_429_asks_to_wait(headers: dict[str, str], detail: object, seconds: float | None) -> None:
    body = None if detail is None else {"detail": detail}
    failure = await failure_of(answering(429, body, headers).client.get_account(INBOX_ID))
    assert (failure.kind, failure.retry_after) == (FailureKind.RATE_LIMITED, seconds)


BROKEN: list[tuple[type[httpx.RequestError], FailureKind]] = [
    (httpx.ConnectError, FailureKind.NOT_SENT),
    (httpx.ConnectTimeout, FailureKind.NOT_SENT),
    (httpx.PoolTimeout, FailureKind.NOT_SENT),
    (httpx.ProxyError, FailureKind.NOT_SENT),
    (httpx.UnsupportedProtocol, FailureKind.NOT_SENT),
    (httpx.LocalProtocolError, FailureKind.NOT_SENT),
    (httpx.ReadTimeout, FailureKind.LOST),
    (httpx.WriteTimeout, FailureKind.LOST),
    (httpx.ReadError, FailureKind.LOST),
    (httpx.WriteError, FailureKind.LOST),
    (httpx.CloseError, FailureKind.LOST),
    (httpx.RemoteProtocolError, FailureKind.LOST),
    (httpx.DecodingError, FailureKind.LOST),
]


@pytest.mark.parametrize("operation", ALL_CALLS)
@pytest.mark.parametrize(("error", "kind"), BROKEN)
async def test_a_broken_call_says_whether_coldsend_can_have_seen_it(
    operation: str, error: type[httpx.RequestError], kind: FailureKind
) -> None:
    server = ScriptedServer(
        raising(lambda request: error("it broke: hunter2-hunter2, cs_live_0123456789abcdef", request=request))
    )
    failure = await failure_of(ALL_CALLS[operation](server.client))
    assert (failure.kind, failure.status) == (kind, None)
    assert "cs_live_0123" not in failure.message
    assert "create_smtp" not in operation or "hunter2" not in failure.message
    assert [(heard, meta.status) for heard, meta in server.heard] == [(operation, None)]
    assert len(server.sent) == 1


def raising(make: Callable[[httpx.Request], Exception]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise make(request)

    return answer


async def test_the_exception_shows_kind_status_and_message_only() -> None:
    failure = Failure(FailureKind.CONFLICT, "It exists", status=409, required=("x",))
    assert str(CallFailed(failure)) == "Conflict (409): It exists"
    assert str(CallFailed(Failure(FailureKind.LOST, "gone"))) == "Lost: gone"
    assert repr(CallFailed(failure)) == "CallFailed('Conflict (409): It exists')"


@pytest.mark.parametrize("status", [None, 200, 422])
async def test_a_traceback_with_locals_holds_no_password_and_no_key(status: int | None) -> None:
    body = b'{"detail": "hunter2-hunter2 is wrong", "password": "hunter2-hunter2"'
    server = answering(status or 200, body + (b"}" if status == 422 else b""))
    if status is None:
        server = ScriptedServer(raising(lambda request: httpx.ReadTimeout("hunter2-hunter2", request=request)))
    with pytest.raises(CallFailed) as caught:
        await server.client.create_smtp_bulk([smtp_inbox()])
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    inside = [frame for frame in frames if "coldsend_operator" in frame.f_code.co_filename]
    shown = repr([frame.f_locals for frame in inside])
    assert len(inside) >= 2
    assert "hunter2" not in shown
    assert "cs_live_0123" not in shown
    assert caught.value.__context__ is None


async def test_secrets_of_the_create_are_masked_in_the_rows_of_its_job() -> None:
    rows = [{"success": False, "message": "535 login with hunter2-hunter2 failed"}]
    server = answering(200, {"job": {"status": "FAILED", "results": rows}})
    progress = await server.client.create_job(
        "job-1", members=[Member("ann@company.com", (SecretStr("hunter2-hunter2"),))]
    )
    assert progress.results[0].message == "535 login with *** failed"


async def test_what_a_row_says_is_masked_for_its_own_member() -> None:
    rows = [
        {
            "email_address": "ann@company.com",
            "success": False,
            "message": "the server refused the user hunter2-hunter2",
        },
        {"email_address": "bob@company.com", "success": False, "message": "the server refused hunter2-hunter2"},
    ]
    inboxes = [
        smtp_inbox("e", email_address="ann@company.com", smtp_username="hunter2-hunter2"),
        smtp_inbox("hunter2-hunter2", email_address="bob@company.com"),
    ]
    answer = await answering(200, {"success": True, "results": rows}).client.create_smtp_bulk(inboxes)
    said = [row.message for row in answer.results]
    assert said == ["the server refused the user hunter2-hunter2", "the server refused ***"]


async def test_a_fault_of_one_item_is_masked_for_that_item() -> None:
    detail = [{"loc": ["body", "inboxes", 1, "smtp_host"], "msg": "value is not a valid host"}]
    inboxes = [smtp_inbox("a", email_address="ann@company.com"), smtp_inbox("b-b-b-b", email_address="bob@company.com")]
    failure = await failure_of(answering(422, {"detail": detail}).client.create_smtp_bulk(inboxes))
    assert failure.faults[0].message == "value is not a valid host"
