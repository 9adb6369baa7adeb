"""A ColdSend client with a scripted server, and payloads to send."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr

from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.coldsend.models import NativeInbox, SmtpInbox
from coldsend_operator.core.model.answers import Failure

API_KEY = SecretStr("cs_live_0123456789abcdef")
INBOX_ID = "750e8400-e29b-41d4-a716-446655440000"
DOMAIN_ID = "550e8400-e29b-41d4-a716-446655440000"
DATE = "Mon, 01 Jan 2024 00:00:00 GMT"
DATE_SECONDS = 1704067200.0

T = TypeVar("T")
Call = Callable[[ColdSendClient], Awaitable[Any]]


@dataclass
class ScriptedServer:
    """Answers the requests of `client` by `answer`; keeps what was sent and what `on_answer` heard."""

    answer: Callable[[httpx.Request], httpx.Response]
    sent: list[httpx.Request] = field(default_factory=list)
    heard: list[tuple[str, Meta]] = field(default_factory=list)
    api_key: SecretStr = API_KEY

    def __post_init__(self) -> None:
        self.client = ColdSendClient(
            "https://api.example.com/api/public/v1",
            self.api_key,
            on_answer=lambda operation, meta: self.heard.append((operation, meta)),
            transport=httpx.MockTransport(self._respond),
        )

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self.answer(request)


def answering(status: int = 200, body: object = None, headers: dict[str, str] | None = None) -> ScriptedServer:
    """Always the same response; `body` is raw bytes, None for no body, or any JSON value."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return ScriptedServer(lambda _: httpx.Response(status, content=content, headers=headers))


async def failure_of(call: Awaitable[object]) -> Failure:
    with pytest.raises(CallFailed) as caught:
        await call
    return caught.value.failure


PASSWORD = "hunter2-hunter2"


def smtp_inbox(password: str = PASSWORD, **fields: Any) -> SmtpInbox:
    given: dict[str, Any] = {
        "email_address": "jane@company.com",
        "display_name": "Jane",
        "inbox_type": "CUSTOM_SMTP",
        "smtp_host": "smtp.company.com",
        "smtp_port": 587,
        "smtp_username": "jane",
        "smtp_password": SecretStr(password),
        "smtp_use_tls": True,
        "imap_host": "imap.company.com",
        "imap_port": 993,
        "imap_username": "jane",
        "imap_password": SecretStr(password),
        "imap_use_ssl": True,
    }
    return SmtpInbox(**(given | fields))


def native_inbox(prefix: str = "john") -> NativeInbox:
    return NativeInbox(email_prefix=prefix, display_name="John Smith")


def row(**fields: Any) -> dict[str, Any]:
    """A row of the list as the documentation shows it."""
    return {
        "inbox_id": INBOX_ID,
        "email_address": "jane@company.com",
        "display_name": "Jane",
        "inbox_type": "CUSTOM_SMTP",
        "overall_status": "ACTIVE",
        "daily_limit": 50,
        "emails_sent_today": 12,
        "health_score": 95.0,
        "created_at": "2024-01-15T10:30:00Z",
    } | fields


def pagination(**fields: Any) -> dict[str, Any]:
    return {"page": 1, "limit": 100, "total": 1, "pages": 1, "has_next": False, "has_prev": False} | fields


READING_CALLS: dict[str, Call] = {
    "list_accounts": lambda client: client.list_accounts(page=1),
    "search_accounts": lambda client: client.list_accounts(page=1, search="jane@company.com"),
    "get_account": lambda client: client.get_account(INBOX_ID),
    "poll_create_job": lambda client: client.create_job("job-1"),
    "poll_delete_job": lambda client: client.delete_job("job-1"),
    "list_domains": lambda client: client.list_domains(page=1),
}
WRITING_CALLS: dict[str, Call] = {
    "create_smtp": lambda client: client.create_smtp(smtp_inbox()),
    "create_smtp_bulk": lambda client: client.create_smtp_bulk([smtp_inbox(), smtp_inbox(email_address="b@c.de")]),
    "create_native": lambda client: client.create_native(DOMAIN_ID, native_inbox()),
    "create_native_bulk": lambda client: client.create_native_bulk(DOMAIN_ID, [native_inbox()]),
    "delete_account": lambda client: client.delete_account(INBOX_ID),
    "delete_accounts": lambda client: client.delete_accounts([INBOX_ID]),
    "send_test_email": lambda client: client.send_test_email(INBOX_ID, "ops@company.com"),
}
ALL_CALLS = READING_CALLS | WRITING_CALLS
