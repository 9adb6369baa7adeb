"""The read-only part of the ColdSend client, and the only module that uses httpx.

One call is one request: the transport repeats nothing, as no create may be repeated unseen and every
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
from contextlib import suppress
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import SecretStr

from coldsend_operator import __version__
from coldsend_operator.coldsend import readers, requests
from coldsend_operator.coldsend.errors import CallFailed, NotUnderstood, Refused
from coldsend_operator.coldsend.headers import Meta, read_rate, read_server_time
from coldsend_operator.coldsend.masking import Mask, Member
from coldsend_operator.coldsend.refusals import read_refusal
from coldsend_operator.coldsend.requests import MAX_ITEMS, Request
from coldsend_operator.core.model.answers import DomainPage, Failure, FailureKind, JobProgress, Page, Row, Written
from coldsend_operator.proxies import proxies_of

# httpx logs URLs at INFO (a search contains an address), httpcore logs headers at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

T = TypeVar("T")
OnAnswer = Callable[[str, Meta], None]

MAX_BODY = 10_000_000
# Below the 5 s after which common servers close an idle connection: a request sent while it closes is lost, and a
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
_BROKEN = (httpx.HTTPError, ssl.SSLError)  # httpx passes errors of TLS after the handshake on as they are


@dataclass(frozen=True, slots=True)
class Reply:
    """A raw response: `body` is None if it could not be read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes | None


class ColdSendReads:
    """Reading calls of one API key. Every call returns its record or raises CallFailed.

    `on_answer(operation, meta)` is called for every response and failure before the call returns, but not for a
    cancelled call. `timeout` and `check_timeout` (seconds, whole call) bound the calls; the second is for the single
    SMTP create, in which ColdSend tests the mailbox (contract row 42). `may_send` is checked last, once connected: a
    call that it does not allow ends as NOT_SENT (rule 5: no call begins without a fresh Lease).
    """

    _methods = frozenset({"GET"})

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        on_answer: OnAnswer,
        timeout: float = 30,
        check_timeout: float = 120,
        may_send: Callable[[], bool] = lambda: True,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._on_answer = on_answer
        self._timeout = timeout
        self._check_timeout = check_timeout
        self._may_send = may_send
        self._ca_file = ca_file or os.environ.get("SSL_CERT_FILE")
        self._tls = _tls(self._base_url, ca_file)
        self._http = httpx.AsyncClient(
            headers={
                "User-Agent": f"coldsend-operator/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # a few kB that unpack to gigabytes would kill the process
            },
            verify=self._tls,
            trust_env=False,  # the proxy is set here, and .netrc is ignored
            proxy=None if transport else proxies_of(os.environ).to(self._base_url, any_scheme=True),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # the key is all the state there is
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=10, keepalive_expiry=KEEPALIVE_SECONDS),
            transport=transport,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

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
        request = requests.list_accounts(page, limit, sort_by, sort_order, **filters)
        return await self._call(request, lambda body, mask: readers.read_page(body, mask, page, limit))

    async def get_account(self, inbox_id: str) -> Row:
        request = requests.get_account(inbox_id)
        return await self._call(request, lambda body, mask: readers.read_details(body, mask, inbox_id))

    async def create_job(self, job_id: str, *, members: Sequence[Member] = ()) -> JobProgress:
        """Progress of a bulk create; the secrets of `members` are masked in their rows."""
        return await self._call(requests.create_job(job_id, members), readers.read_job)

    async def delete_job(self, job_id: str) -> JobProgress:
        return await self._call(requests.delete_job(job_id), readers.read_job)

    async def list_domains(self, *, page: int, limit: int = MAX_ITEMS) -> DomainPage:
        request = requests.list_domains(page, limit)
        return await self._call(request, lambda body, mask: readers.read_domain_page(body, mask, page, limit))

    async def reply_to(self, request: Request) -> Reply:
        """The raw response, whatever its status. Raises CallFailed without one."""
        mask = Mask((self._api_key,), request.members)
        reply = await self._told(request, mask)
        if isinstance(reply, Failure):
            raise CallFailed(reply)
        return reply

    # One call

    async def _call(self, request: Request, read: Callable[[bytes, Mask], T]) -> T:
        # Failures are values up to here: a traceback from deeper frames would hold plain passwords.
        outcome = await self._outcome(request, read, Mask((self._api_key,), request.members))
        if isinstance(outcome, Failure):
            raise CallFailed(outcome)
        return outcome

    async def _outcome(self, request: Request, read: Callable[[bytes, Mask], T], mask: Mask) -> T | Failure:
        reply = await self._told(request, mask)
        if isinstance(reply, Failure):
            return reply
        if not 200 <= reply.status < 300:
            now = time.time()
            return read_refusal(reply.status, reply.headers, reply.body or b"", mask, items=request.items, now=now)
        return _read(reply, read, mask)

    async def _told(self, request: Request, mask: Mask) -> Reply | Failure:
        """Send, receive, and call `on_answer`."""
        began = time.monotonic()
        reply = await self._exchange(request, mask)
        seconds = time.monotonic() - began
        if isinstance(reply, Failure):
            self._on_answer(request.operation, Meta(None, None, seconds, None))
        else:
            meta = Meta(read_rate(reply.headers), read_server_time(reply.headers), seconds, reply.status)
            self._on_answer(request.operation, meta)
        return reply

    async def _exchange(self, request: Request, mask: Mask) -> Reply | Failure:
        """Send and receive. The branches tell failures before and after ColdSend may have received the request."""
        if request.method not in self._methods:
            raise AssertionError(f"a client that only reads was about to send {request.method}")
        key = self._api_key.get_secret_value().strip()  # Secrets created with `echo` end with a line break
        if not (key and key.isascii() and key.isprintable()):
            return Failure(FailureKind.UNAUTHORIZED, "the API key is empty or has invalid characters")
        seconds = self._check_timeout if request.checks_mailbox else self._timeout
        try:
            async with asyncio.timeout(seconds):
                return await self._send(request, key, seconds)
        except _NOT_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                self._read_authorities_again()
            return Failure(FailureKind.NOT_SENT, mask.sentence(f"no connection to ColdSend: {_reason(error)}"))
        except (TimeoutError, httpx.TimeoutException):
            return Failure(FailureKind.LOST, f"no response from ColdSend within {seconds:g} s")
        except _BROKEN as error:
            return Failure(
                FailureKind.LOST, mask.sentence(f"the connection closed before the response: {_reason(error)}")
            )

    def _read_authorities_again(self) -> None:
        """A file with CAs that is mounted from a ConfigMap changes while the process runs."""
        if self._ca_file:
            with suppress(OSError):  # which ssl.SSLError is, too: the file is being written
                self._tls.load_verify_locations(self._ca_file)

    async def _send(self, request: Request, key: str, seconds: float) -> Reply:
        headers = {"X-API-Key": key}
        content = None
        if request.to_json is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(request.to_json()).encode()
        async with self._http.stream(
            request.method,
            self._base_url + request.path,
            params=request.params,
            headers=headers,
            content=content,
            timeout=_timeouts(seconds),
            extensions={"trace": self._check_before_sending},
        ) as response:
            return Reply(response.status_code, response.headers, await _body(response))

    async def _check_before_sending(self, step: str, _about: object) -> None:
        """Check the Lease again just before sending, as connecting may have taken longer than the Lease lasts."""
        if step.endswith("send_request_headers.started") and not self._may_send():
            raise httpx.ConnectError("the Lease was not renewed lately")


def _read(reply: Reply, read: Callable[[bytes, Mask], T], mask: Mask) -> T | Failure:
    if reply.body is None:
        return Failure(
            FailureKind.LOST,
            "the response was cut off, too long, or compressed although that was not requested",
            reply.status,
        )
    try:
        answer = read(reply.body, mask)
        return replace(answer, code=reply.status) if isinstance(answer, Written) else answer
    except Refused as error:
        return Failure(FailureKind.REFUSED, str(error), reply.status)
    except NotUnderstood as error:
        return Failure(FailureKind.LOST, f"response not understood: {error}", reply.status)


async def _body(response: httpx.Response) -> bytes | None:
    """The body; None if it is incomplete, too long or compressed. The status is complete and counts."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        return None
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                return None
    except _BROKEN:
        return None
    return bytes(body)


def _timeouts(whole: float) -> httpx.Timeout:
    # Pool, connect and TLS each get a part, so that a failed connection does not count as a lost response.
    part = min(10.0, whole / 4)
    return httpx.Timeout(whole, connect=part, pool=part)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _tls(base_url: str, ca_file: Path | None) -> ssl.SSLContext:
    if base_url.startswith("https:"):
        return _shared_tls(ca_file, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; it trusts nobody and is cheap


@functools.cache
def _shared_tls(ca_file: Path | None, _file: str | None, _folder: str | None) -> ssl.SSLContext:
    """One context for all clients, as httpx would create it: loading the CA bundle takes 40 ms and 2 MB."""
    if ca_file is None:
        return httpx.create_ssl_context()
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags &= (
        ~ssl.VERIFY_X509_STRICT
    )  # CAs of companies often lack the key usage that Python 3.13 requires
    return context
