"""On the wire: a request is sent once, and its reported outcome is true."""

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import certifi
import pytest
from pydantic import SecretStr

from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.core.model.answers import Deleted, FailureKind
from tests.coldsend.support import ALL_CALLS, API_KEY, INBOX_ID, failure_of, row, smtp_inbox
from tests.support.tls import CA, server_tls, strict_as_python_3_13

DONE = json.dumps(row()).encode()

Script = Callable[["Server", asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = DONE, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n{headers}\r\n"
    return head.encode() + body


@dataclass
class Server:
    """A server that follows a script after each request, and records requests and connections."""

    script: Script
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/public/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing() and (head := await reader.readuntil(b"\r\n\r\n")):
                self.requests.append(head + await reader.readexactly(_content_length(head)))
                self.arrived.set()
                await self.script(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _content_length(head: bytes) -> int:
    lines = [line.split(b":") for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(lines[0][1]) if lines else 0


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


@asynccontextmanager
async def client_of(
    url: str,
    *,
    seconds: float = 30,
    check_seconds: float = 120,
    may_send: Callable[[], bool] = lambda: True,
    ca_file: Path | None = None,
) -> AsyncIterator[ColdSendClient]:
    def hear(_operation: str, _meta: Meta) -> None: ...

    client = ColdSendClient(
        url,
        API_KEY,
        on_answer=hear,
        timeout=seconds,
        check_timeout=check_seconds,
        may_send=may_send,
        ca_file=ca_file,
    )
    try:
        yield client
    finally:
        await client.aclose()


def sending(sent: bytes, *, close: bool = True) -> Script:
    async def script(_server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        if close:
            writer.close()

    return script


async def silence(_server: Server, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def test_a_refused_connection_was_not_sent() -> None:
    async with serving(silence) as server:
        url = server.url
    async with client_of(url) as client:
        failure = await failure_of(client.create_smtp(smtp_inbox()))
    assert (failure.kind, failure.status) == (FailureKind.NOT_SENT, None)


async def test_what_may_not_be_sent_any_more_once_the_connection_is_there_does_not_leave() -> None:
    async with serving(sending(answer(), close=False)) as server:
        allowed = [True, False]
        async with client_of(server.url, may_send=lambda: allowed.pop(0)) as client:
            await client.create_smtp(smtp_inbox())
            failure = await failure_of(client.create_smtp(smtp_inbox()))
        assert failure.kind is FailureKind.NOT_SENT
        assert (server.connections, len(server.requests)) == (1, 1)


CUT_ANSWERS: dict[str, tuple[bytes, FailureKind]] = {
    "nothing": (b"", FailureKind.LOST),
    "half a status line": (b"HTTP/1.1 20", FailureKind.LOST),
    "half the headers": (b"HTTP/1.1 200 OK\r\nContent-Le", FailureKind.LOST),
    "no HTTP": (b"220 smtp.company.com ESMTP\r\n\r\n", FailureKind.LOST),
    "half the body of a 200": (answer(length=len(DONE) + 5), FailureKind.LOST),
    "half a chunked body": (
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
        FailureKind.LOST,
    ),
    "half the body of a 409": (answer(b"{", status="409 Conflict", length=99), FailureKind.CONFLICT),
    "half the body of a 404": (answer(b"{", status="404 Not Found", length=99), FailureKind.UNAVAILABLE),
    "half the body of a 503": (answer(b"", status="503 Unavailable", length=99), FailureKind.UNAVAILABLE),
    "half the body of a 429": (answer(b"", status="429 Slow", length=99), FailureKind.RATE_LIMITED),
}


@pytest.mark.parametrize("case", CUT_ANSWERS)
@pytest.mark.parametrize("operation", ["create_smtp", "delete_accounts", "get_account"])
async def test_a_request_whose_answer_is_cut_is_never_sent_again(operation: str, case: str) -> None:
    sent, kind = CUT_ANSWERS[case]
    async with serving(sending(sent)) as server, client_of(server.url) as client:
        failure = await failure_of(ALL_CALLS[operation](client))
    assert failure.kind is kind
    assert len(server.requests) == 1


async def test_the_wait_of_a_429_is_known_though_its_body_is_cut() -> None:
    sent = answer(b"", status="429 Slow", headers="Retry-After: 17\r\n", length=99)
    async with serving(sending(sent)) as server, client_of(server.url) as client:
        assert (await failure_of(client.get_account(INBOX_ID))).retry_after == 17.0


async def test_calls_share_a_connection() -> None:
    async with serving(sending(answer(), close=False)) as server, client_of(server.url) as client:
        for _ in range(3):
            await client.get_account(INBOX_ID)
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_a_connection_that_was_closed_while_idle_is_replaced_before_anything_is_sent() -> None:
    async with serving(sending(answer())) as server, client_of(server.url) as client:
        for _ in range(3):
            await client.get_account(INBOX_ID)
            await asyncio.sleep(0.05)
    assert (server.connections, len(server.requests)) == (3, 3)


@pytest.mark.parametrize("operation", ["create_smtp", "delete_account", "get_account", "send_test_email"])
async def test_a_kept_connection_that_closes_on_a_request_loses_it(operation: str) -> None:
    async def answer_once(server: Server, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 1:
            writer.write(answer())
        else:
            writer.close()

    async with serving(answer_once) as server, client_of(server.url) as client:
        await client.get_account(INBOX_ID)
        failure = await failure_of(ALL_CALLS[operation](client))
    assert failure.kind is FailureKind.LOST
    assert (server.connections, len(server.requests)) == (1, 2)


async def drip(_server: Server, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("script", [silence, drip])
async def test_a_call_ends_with_its_timeout_whatever_the_server_does(script: Script) -> None:
    async with serving(script) as server, client_of(server.url, seconds=0.2, check_seconds=0.3) as client:
        read = await failure_of(client.get_account(INBOX_ID))
        created = await failure_of(client.create_smtp(smtp_inbox()))
    assert (read.kind, read.message) == (FailureKind.LOST, "no response from ColdSend within 0.2 s")
    assert (created.kind, created.message) == (FailureKind.LOST, "no response from ColdSend within 0.3 s")
    assert len(server.requests) == 2


async def test_the_check_of_a_mailbox_may_take_longer_than_other_calls() -> None:
    async def slow(_server: Server, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)
        writer.write(answer())

    async with serving(slow) as server, client_of(server.url, seconds=0.2) as client:
        assert (await client.create_smtp(smtp_inbox())).row is not None
        assert (await failure_of(client.create_smtp_bulk([smtp_inbox()]))).kind is FailureKind.LOST


async def test_a_redirect_is_refused_and_the_key_goes_nowhere_else() -> None:
    async with serving(sending(answer())) as other:
        moved = answer(b"", status="307 Moved", headers=f"Location: {other.url}/sender-accounts\r\n")
        async with serving(sending(moved)) as server, client_of(server.url) as client:
            failure = await failure_of(client.create_smtp(smtp_inbox()))
    assert (failure.kind, failure.status) == (FailureKind.REFUSED, 307)
    assert "COLDSEND_API_URL" in failure.message
    assert (len(server.requests), len(other.requests)) == (1, 0)


async def test_cookies_are_not_sent_back() -> None:
    script = sending(answer(headers="Set-Cookie: session=1; Path=/\r\n"), close=False)
    async with serving(script) as server, client_of(server.url) as client:
        await client.get_account(INBOX_ID)
        await client.get_account(INBOX_ID)
    assert b"cookie" not in server.requests[1].lower()


async def test_a_body_without_end_is_left_after_ten_megabytes() -> None:
    async def endless(_server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" " * 1_000_000)
            await writer.drain()

    async with serving(endless) as server, client_of(server.url) as client:
        failure = await failure_of(client.list_accounts(page=1))
    assert (failure.kind, failure.status) == (FailureKind.LOST, 200)


async def test_a_server_without_tls_gets_no_key() -> None:
    seen = bytearray()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.read(65536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(take, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with client_of(f"https://127.0.0.1:{port}/api") as client:
        failure = await failure_of(client.create_smtp(smtp_inbox()))
    listener.close()
    assert failure.kind is FailureKind.NOT_SENT
    assert seen
    assert b"cs_live" not in seen


async def test_a_cancelled_call_ends_at_once_and_is_not_told_of() -> None:
    heard: list[str] = []
    async with serving(silence) as server:
        client = ColdSendClient(server.url, API_KEY, on_answer=lambda operation, _: heard.append(operation))
        call = asyncio.create_task(client.get_account(INBOX_ID))
        await server.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await client.aclose()
    assert heard == []


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(sending(answer())) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with client_of("http://api.example.com/api") as client:
            assert await client.delete_account(INBOX_ID) == Deleted()
    assert proxy.requests[0].startswith(b"DELETE http://api.example.com/api/sender-accounts/")


@pytest.mark.parametrize("sent", [b"", answer(b"", status="407 Proxy Authentication Required")])
async def test_behind_a_proxy_that_opens_no_tunnel_no_key_leaves(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    async with serving(sending(sent)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with client_of("https://api.example.com/api") as client:
            failure = await failure_of(client.create_smtp(smtp_inbox()))
    assert failure.kind is (FailureKind.NOT_SENT if sent else FailureKind.LOST)
    assert proxy.requests[0].startswith(b"CONNECT api.example.com:443")
    assert b"cs_live" not in b"".join(proxy.requests)


async def test_no_proxy_as_platforms_write_it_leads_straight_to_coldsend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "[::1],fd01::/48,127.0.0.0/8,.svc")
    async with serving(sending(answer())) as server, client_of(server.url) as client:
        assert await client.delete_account(INBOX_ID) == Deleted()


@pytest.mark.parametrize("by_setting", [True, False])
async def test_a_ca_without_key_usage_is_accepted_by_setting(monkeypatch: pytest.MonkeyPatch, by_setting: bool) -> None:
    strict_as_python_3_13(monkeypatch)
    monkeypatch.setenv("SSL_CERT_FILE", str(CA))
    async with (
        serving(sending(answer()), tls=server_tls()) as server,
        client_of(server.url.replace("http:", "https:"), ca_file=CA if by_setting else None) as client,
    ):
        if by_setting:
            assert await client.delete_account(INBOX_ID) == Deleted()
        else:
            assert "CERTIFICATE_VERIFY_FAILED" in (await failure_of(client.delete_account(INBOX_ID))).message


def another_authority(folder: Path) -> Path:
    """A file with one CA of those of the machine."""
    end = "-----END CERTIFICATE-----\n"
    bundle = folder / "ca.pem"
    bundle.write_text(Path(certifi.where()).read_text().partition(end)[0] + end)
    return bundle


@pytest.mark.parametrize("by_setting", [True, False])
async def test_a_file_of_authorities_that_changed_is_read_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_setting: bool
) -> None:
    bundle = another_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    async with (
        serving(sending(answer()), tls=server_tls()) as server,
        client_of(server.url.replace("http:", "https:"), ca_file=bundle if by_setting else None) as client,
    ):
        assert (await failure_of(client.delete_account(INBOX_ID))).kind is FailureKind.NOT_SENT
        bundle.write_text("half of a cert")
        assert (await failure_of(client.delete_account(INBOX_ID))).kind is FailureKind.NOT_SENT
        bundle.write_bytes(CA.read_bytes())
        await failure_of(client.delete_account(INBOX_ID))
        assert await client.delete_account(INBOX_ID) == Deleted()


def _answers_with_a_damaged_record(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    tls = server_tls().wrap_socket(connection, server_side=True)
    tls.recv(65_536)
    with socket.socket(fileno=tls.detach()) as plain:
        plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        while plain.recv(65_536):
            pass


@pytest.mark.parametrize("operation", ["create_smtp", "list_accounts"])
async def test_a_damaged_tls_record_is_a_lost_answer(operation: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.to_thread(_answers_with_a_damaged_record, listener)
        async with client_of(f"https://127.0.0.1:{listener.getsockname()[1]}", ca_file=CA) as client:
            failure, _ = await asyncio.gather(failure_of(ALL_CALLS[operation](client)), serving)
    assert failure.kind is FailureKind.LOST
    assert "BAD_RECORD_MAC" in failure.message


def test_the_ca_bundle_of_the_environment_is_trusted_instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(another_authority(tmp_path)))
    client = ColdSendClient("https://api.example.com", API_KEY, on_answer=lambda *_: None)
    context = client._http._transport._pool._ssl_context  # type: ignore[attr-defined]
    assert isinstance(context, ssl.SSLContext)
    assert context.cert_store_stats()["x509"] == 1
    assert context.verify_mode is ssl.CERT_REQUIRED


async def test_no_log_line_shows_a_key_or_an_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(sending(answer())) as server, client_of(server.url) as client:
        await failure_of(client.list_accounts(page=1, search="jane@company.com"))
    shown = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("http"))
    assert shown == ""


async def test_a_client_of_another_key_shares_nothing_but_the_trusted_authorities() -> None:
    async with serving(sending(answer(), close=False)) as server, client_of(server.url) as client:
        other = ColdSendClient(server.url, SecretStr("cs_live_other"), on_answer=lambda *_: None)
        await client.get_account(INBOX_ID)
        await other.get_account(INBOX_ID)
        await other.aclose()
    assert server.connections == 2
    assert b"cs_live_other" in server.requests[1]
