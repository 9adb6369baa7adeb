"""The client of the ColdSend API, and the only module that knows httpx.

One call is one request: nothing is sent twice by itself, for no create of ColdSend may be repeated unseen and every
request counts in the budget.
"""

import asyncio
import functools
import json
import logging
import os
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from coldsend_operator import __version__
from coldsend_operator.coldsend import readers
from coldsend_operator.coldsend.errors import CallFailed, NotUnderstood, Refused
from coldsend_operator.coldsend.headers import Meta, read_rate, read_server_time
from coldsend_operator.coldsend.masking import Mask
from coldsend_operator.coldsend.models import NativeInbox, SmtpInbox
from coldsend_operator.coldsend.refusals import read_refusal
from coldsend_operator.core.answers import (
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

# httpx logs URLs at INFO (a search holds an address), httpcore logs headers at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

T = TypeVar("T")
OnAnswer = Callable[[str, Meta], None]

MAX_BODY = 10_000_000
MAX_ITEMS = 100
# Below the 5 s after which common servers close an idle connection: a request that meets the closing is lost, and a
# lost create costs minutes.
KEEPALIVE_SECONDS = 4.0

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)


@dataclass(frozen=True, slots=True)
class _Request:
    """What to send. `encode` makes the body when it leaves, so that plain passwords live no longer than the call."""

    operation: str
    method: str
    path: str
    timeout: float
    params: dict[str, str] | None = None
    encode: Callable[[], Any] | None = None
    items: int = 0


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer: `body` is None when it could not be read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes | None


class ColdSendClient:
    """Calls of one API key. Every call returns its record or raises CallFailed.

    `on_answer(operation, meta)` hears of every answer and every failure, before the call returns; a call that is
    cancelled is not told of. `timeout` and `check_timeout` (seconds, whole call) bound the calls; the second is for
    the single SMTP create, in which ColdSend tries the mailbox (contract row 42).
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        on_answer: OnAnswer,
        timeout: float = 30,
        check_timeout: float = 120,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._on_answer = on_answer
        self._timeout = timeout
        self._check_timeout = check_timeout
        self._http = httpx.AsyncClient(
            headers={"User-Agent": f"coldsend-operator/{__version__}", "Accept": "application/json"},
            verify=_tls(self._base_url),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # the key is all the state there is
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=10, keepalive_expiry=KEEPALIVE_SECONDS),
            transport=transport,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    # Sender accounts

    async def list_accounts(
        self,
        *,
        page: int,
        limit: int = MAX_ITEMS,
        sort_by: str = "email_address",
        sort_order: str = "asc",
        search: str | None = None,
        status: str | None = None,
        inbox_type: str | None = None,
    ) -> Page:
        filters = {"search": search, "status": status, "inbox_type": inbox_type}
        params = {"page": str(page), "limit": str(limit), "sort_by": sort_by, "sort_order": sort_order}
        params |= {name: value for name, value in filters.items() if value is not None}
        operation = "list_accounts" if search is None else "search_accounts"
        request = _Request(operation, "GET", "/sender-accounts", self._timeout, params)
        return await self._call(request, lambda body, mask: readers.read_page(body, mask, page, limit))

    async def get_account(self, inbox_id: str) -> Row:
        request = _Request("get_account", "GET", f"/sender-accounts/{_segment(inbox_id)}", self._timeout)
        return await self._call(request, lambda body, mask: readers.read_details(body, mask, inbox_id))

    async def create_smtp(self, inbox: SmtpInbox) -> Created:
        request = _Request("create_smtp", "POST", "/sender-accounts/smtp", self._check_timeout, encode=inbox.to_json)
        address = inbox.email_address
        return await self._call(request, lambda body, mask: readers.read_created(body, mask, address), inbox.secrets())

    async def create_smtp_bulk(self, inboxes: Sequence[SmtpInbox]) -> BulkAnswer:
        request = _Request(
            "create_smtp_bulk",
            "POST",
            "/sender-accounts/smtp/bulk",
            self._timeout,
            encode=lambda: {"inboxes": [inbox.to_json() for inbox in inboxes]},
            items=_bounded(inboxes),
        )
        secrets = [secret for inbox in inboxes for secret in inbox.secrets()]
        return await self._call(request, readers.read_bulk, secrets)

    async def create_native(self, domain_id: str, inbox: NativeInbox) -> Created:
        request = _Request(
            "create_native",
            "POST",
            "/sender-accounts/coldsend-native",
            self._timeout,
            encode=lambda: {"domain_id": domain_id, **inbox.to_json()},
        )
        return await self._call(request, lambda body, mask: readers.read_created(body, mask, None))

    async def create_native_bulk(self, domain_id: str, inboxes: Sequence[NativeInbox]) -> BulkAnswer:
        request = _Request(
            "create_native_bulk",
            "POST",
            "/sender-accounts/coldsend-native/bulk",
            self._timeout,
            encode=lambda: {"domain_id": domain_id, "inboxes": [inbox.to_json() for inbox in inboxes]},
            items=_bounded(inboxes),
        )
        return await self._call(request, readers.read_bulk)

    async def delete_account(self, inbox_id: str) -> Deleted:
        request = _Request("delete_account", "DELETE", f"/sender-accounts/{_segment(inbox_id)}", self._timeout)
        return await self._call(request, readers.read_deleted)

    async def delete_accounts(self, inbox_ids: Sequence[str]) -> BulkAnswer:
        request = _Request(
            "delete_accounts",
            "POST",
            "/sender-accounts/bulk/delete",
            self._timeout,
            encode=lambda: {"inbox_ids": list(inbox_ids), "confirm_deletion": True},
            items=_bounded(inbox_ids),
        )
        return await self._call(request, readers.read_bulk)

    async def create_job(self, job_id: str, *, secrets: Sequence[SecretStr] = ()) -> JobProgress:
        """Progress of a bulk create; `secrets` are those that the create sent, to be masked in its result rows."""
        path = f"/sender-accounts/smtp/bulk/{_segment(job_id)}/progress"
        return await self._call(_Request("poll_create_job", "GET", path, self._timeout), readers.read_job, secrets)

    async def delete_job(self, job_id: str) -> JobProgress:
        path = f"/sender-accounts/bulk/delete/{_segment(job_id)}/progress"
        return await self._call(_Request("poll_delete_job", "GET", path, self._timeout), readers.read_job)

    async def send_test_email(self, inbox_id: str, recipient: str) -> MailSent:
        """Real mail to a real person, each time."""
        request = _Request(
            "send_test_email",
            "POST",
            f"/sender-accounts/{_segment(inbox_id)}/test-email",
            self._timeout,
            encode=lambda: {"recipient_email": recipient},
        )
        return await self._call(request, readers.read_mail)

    # Domains

    async def list_domains(self, *, page: int, limit: int = MAX_ITEMS) -> DomainPage:
        params = {"page": str(page), "limit": str(limit)}
        request = _Request("list_domains", "GET", "/domains", self._timeout, params)
        return await self._call(request, lambda body, mask: readers.read_domain_page(body, mask, page, limit))

    # One call

    async def _call(self, request: _Request, read: Callable[[bytes, Mask], T], secrets: Sequence[SecretStr] = ()) -> T:
        # Failures travel as values up to here: a traceback that began deeper would hold frames with plain passwords.
        outcome = await self._outcome(request, read, Mask((*secrets, self._api_key)))
        if isinstance(outcome, Failure):
            raise CallFailed(outcome)
        return outcome

    async def _outcome(self, request: _Request, read: Callable[[bytes, Mask], T], mask: Mask) -> T | Failure:
        began = time.monotonic()
        reply = await self._exchange(request, mask)
        seconds = time.monotonic() - began
        if isinstance(reply, Failure):
            self._on_answer(request.operation, Meta(None, None, seconds, None))
            return reply
        meta = Meta(read_rate(reply.headers), read_server_time(reply.headers), seconds, reply.status)
        self._on_answer(request.operation, meta)
        if not 200 <= reply.status < 300:
            now = time.time()
            return read_refusal(reply.status, reply.headers, reply.body or b"", mask, items=request.items, now=now)
        return _read(reply, read, mask)

    async def _exchange(self, request: _Request, mask: Mask) -> _Reply | Failure:
        """Send and receive. Which failures left ColdSend without the request is the whole point of the branches."""
        key = self._api_key.get_secret_value().strip()  # Secrets made with `echo` end with a line break
        if not (key and key.isascii() and key.isprintable()):
            return Failure(FailureKind.UNAUTHORIZED, "the API key is empty or has characters that no key has")
        try:
            async with asyncio.timeout(request.timeout):
                return await self._send(request, key)
        except _NOT_SENT as error:
            return Failure(FailureKind.NOT_SENT, mask.sentence(f"no connection to ColdSend: {_reason(error)}"))
        except (TimeoutError, httpx.TimeoutException):
            return Failure(FailureKind.LOST, f"no answer of ColdSend within {request.timeout:g} s")
        except httpx.HTTPError as error:
            return Failure(FailureKind.LOST, mask.sentence(f"the connection broke before the answer: {_reason(error)}"))

    async def _send(self, request: _Request, key: str) -> _Reply:
        headers = {"X-API-Key": key}
        content = None
        if request.encode is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(request.encode()).encode()
        async with self._http.stream(
            request.method,
            self._base_url + request.path,
            params=request.params,
            headers=headers,
            content=content,
            timeout=_timeouts(request.timeout),
        ) as response:
            return _Reply(response.status_code, response.headers, await _body(response))


def _read(reply: _Reply, read: Callable[[bytes, Mask], T], mask: Mask) -> T | Failure:
    if reply.body is None:
        return Failure(FailureKind.LOST, "the answer broke off, or was too long", reply.status)
    try:
        return read(reply.body, mask)
    except Refused as error:
        return Failure(FailureKind.REFUSED, str(error), reply.status)
    except NotUnderstood as error:
        return Failure(FailureKind.LOST, f"answer not understood: {error}", reply.status)


async def _body(response: httpx.Response) -> bytes | None:
    """The body; None where its end is missing or it is too long. The status, which came whole, counts all the same."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                return None
    except httpx.HTTPError:
        return None
    return bytes(body)


def _timeouts(whole: float) -> httpx.Timeout:
    # Pool, connect and TLS each get a part, so that a connection that never was is not mistaken for a lost answer.
    part = min(10.0, whole / 4)
    return httpx.Timeout(whole, connect=part, pool=part)


def _segment(text: str) -> str:
    """One segment of a path; dots alone would walk up the path instead."""
    if not text:
        raise ValueError("an empty id names nothing")
    return text.replace(".", "%2E") if set(text) == {"."} else quote(text, safe="")


def _bounded(items: Sequence[object]) -> int:
    if not 1 <= len(items) <= MAX_ITEMS:
        raise ValueError(f"a bulk call takes 1 to {MAX_ITEMS} items, not {len(items)}")
    return len(items)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _tls(base_url: str) -> ssl.SSLContext:
    if base_url.startswith("https:"):
        return _shared_tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; it trusts nobody, and costs nothing to make


@functools.cache
def _shared_tls(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """One for all clients, by what httpx reads from the environment: loading the CA bundle takes 40 ms and 2 MB."""
    return httpx.create_ssl_context()
