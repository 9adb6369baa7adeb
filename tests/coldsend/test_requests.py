"""Requests use only documented paths, parameters and fields (contract row 50)."""

import json
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from coldsend_operator.coldsend.models import SmtpInbox
from coldsend_operator.core.model.answers import FailureKind
from tests.coldsend.support import (
    ALL_CALLS,
    DOMAIN_ID,
    INBOX_ID,
    ScriptedServer,
    answering,
    failure_of,
    native_inbox,
    smtp_inbox,
)

LIST = {"sort_by": "email_address", "sort_order": "asc", "limit": "100", "page": "1"}
SMTP_BODY = {
    "email_address": "jane@company.com",
    "display_name": "Jane",
    "inbox_type": "CUSTOM_SMTP",
    "smtp_host": "smtp.company.com",
    "smtp_port": 587,
    "smtp_username": "jane",
    "smtp_password": "hunter2-hunter2",
    "smtp_use_tls": True,
    "imap_host": "imap.company.com",
    "imap_port": 993,
    "imap_username": "jane",
    "imap_password": "hunter2-hunter2",
    "imap_use_ssl": True,
}
NATIVE_BODY = {"email_prefix": "john", "display_name": "John Smith"}
ACCOUNTS = "/api/public/v1/sender-accounts"

REQUESTS: dict[str, tuple[str, str, dict[str, str], Any]] = {
    "list_accounts": ("GET", ACCOUNTS, LIST, None),
    "search_accounts": ("GET", ACCOUNTS, LIST | {"search": "jane@company.com"}, None),
    "get_account": ("GET", f"{ACCOUNTS}/{INBOX_ID}", {}, None),
    "create_smtp": ("POST", f"{ACCOUNTS}/smtp", {}, SMTP_BODY),
    "create_smtp_bulk": (
        "POST",
        f"{ACCOUNTS}/smtp/bulk",
        {},
        {"inboxes": [SMTP_BODY, SMTP_BODY | {"email_address": "b@c.de"}]},
    ),
    "create_native": ("POST", f"{ACCOUNTS}/coldsend-native", {}, {"domain_id": DOMAIN_ID} | NATIVE_BODY),
    "create_native_bulk": (
        "POST",
        f"{ACCOUNTS}/coldsend-native/bulk",
        {},
        {"domain_id": DOMAIN_ID, "inboxes": [NATIVE_BODY]},
    ),
    "delete_account": ("DELETE", f"{ACCOUNTS}/{INBOX_ID}", {}, None),
    "delete_accounts": (
        "POST",
        f"{ACCOUNTS}/bulk/delete",
        {},
        {"inbox_ids": [INBOX_ID], "confirm_deletion": True},
    ),
    "poll_create_job": ("GET", f"{ACCOUNTS}/smtp/bulk/job-1/progress", {}, None),
    "poll_delete_job": ("GET", f"{ACCOUNTS}/bulk/delete/job-1/progress", {}, None),
    "send_test_email": ("POST", f"{ACCOUNTS}/{INBOX_ID}/test-email", {}, {"recipient_email": "ops@company.com"}),
    "list_domains": ("GET", "/api/public/v1/domains", {"page": "1", "limit": "100"}, None),
}


@pytest.mark.parametrize("operation", ALL_CALLS)
async def test_each_call_is_one_documented_request(operation: str) -> None:
    server = answering(404)
    await failure_of(ALL_CALLS[operation](server.client))
    [request] = server.sent
    method, path, params, body = REQUESTS[operation]
    assert (request.method, request.url.path, dict(request.url.params)) == (method, path, params)
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers["X-API-Key"] == "cs_live_0123456789abcdef"
    assert [heard for heard, _ in server.heard] == [operation]


async def test_a_daily_limit_is_sent_when_there_is_one() -> None:
    server = answering(404)
    await failure_of(server.client.create_smtp(smtp_inbox(daily_limit=20)))
    assert json.loads(server.sent[0].content)["daily_limit"] == 20


async def test_filters_of_a_list_are_sent_as_given() -> None:
    server = answering(404)
    await failure_of(server.client.list_accounts(page=7, limit=20, sort_by="created_at", sort_order="desc"))
    await failure_of(server.client.list_accounts(page=1, status="PAUSED", inbox_type="COLDSEND"))
    first, second = (dict(request.url.params) for request in server.sent)
    assert first == {"page": "7", "limit": "20", "sort_by": "created_at", "sort_order": "desc"}
    assert second == LIST | {"status": "PAUSED", "inbox_type": "COLDSEND"}


@pytest.mark.parametrize(
    ("search", "encoded"),
    [("a+b@c.de", "a%2Bb%40c.de"), ("50%@c.de", "50%25%40c.de"), ("a b&c=d#e", "a+b%26c%3Dd%23e"), ("é", "%C3%A9")],
)
async def test_a_search_is_encoded_whole(search: str, encoded: str) -> None:
    server = answering(404)
    await failure_of(server.client.list_accounts(page=1, search=search))
    assert server.sent[0].url.raw_path.decode().endswith(f"&search={encoded}")


@pytest.mark.parametrize(
    ("job_id", "segment"),
    [("job 1", "job%201"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), ("a%2Fb", "a%252Fb"), ("x?y#z", "x%3Fy%23z")],
)
async def test_an_id_stays_one_segment_of_the_path(job_id: str, segment: str) -> None:
    server = answering(404)
    await failure_of(server.client.create_job(job_id))
    path = server.sent[0].url.raw_path.decode()
    assert path == f"/api/public/v1/sender-accounts/smtp/bulk/{segment}/progress"


@pytest.mark.parametrize("count", [0, 101])
async def test_a_bulk_of_none_or_too_many_is_not_sent(count: int) -> None:
    server = answering()
    for call in (
        server.client.create_smtp_bulk([smtp_inbox()] * count),
        server.client.create_native_bulk(DOMAIN_ID, [native_inbox()] * count),
        server.client.delete_accounts([INBOX_ID] * count),
    ):
        with pytest.raises(ValueError, match="1 to 100"):
            await call
    with pytest.raises(ValueError, match="id is empty"):
        await server.client.delete_account("")
    assert server.sent == []


@pytest.mark.parametrize("key", ["", "  \n", "cs_live_ü", "cs_live_a\nb", "cs_live_a\x00"])
async def test_a_key_that_no_header_can_carry_is_refused_without_a_request(key: str) -> None:
    server = ScriptedServer(answering().answer, api_key=SecretStr(key))
    failure = await failure_of(server.client.get_account(INBOX_ID))
    assert failure.kind is FailureKind.UNAUTHORIZED
    assert not key.strip() or key.strip() not in failure.message
    assert server.sent == []


async def test_the_line_break_that_echo_left_in_a_secret_is_no_part_of_the_key() -> None:
    server = ScriptedServer(answering(404).answer, api_key=SecretStr("cs_live_abc\n"))
    await failure_of(server.client.get_account(INBOX_ID))
    assert server.sent[0].headers["X-API-Key"] == "cs_live_abc"


def test_payloads_show_no_password_and_take_no_undocumented_field() -> None:
    inbox = smtp_inbox()
    for shown in (repr(inbox), str(inbox), inbox.model_dump_json(), str(inbox.model_dump())):
        assert "hunter2" not in shown
    with pytest.raises(ValidationError) as caught:
        SmtpInbox(**(inbox.to_json() | {"smtp_port": "hunter2-port", "owner": "hunter2-owner"}))
    assert "hunter2" not in str(caught.value)
