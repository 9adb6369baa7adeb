"""The connection to the API server in other networks: proxies, CAs, changing credentials, silent watches.

Each is tried on our own client and on the session that kopf watches through.
"""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import certifi
import pytest
import yaml
from aiohttp import web
from structlog.testing import capture_logs

from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.connection import LOGIN_SECONDS
from coldsend_operator.kube.paths import collection
from coldsend_operator.kube.watches import IDLE_SECONDS, MIN_SECONDS, Watches
from tests.kube.support import eventually
from tests.support.clock import FakeClock
from tests.support.tls import CA, server_tls, strict_as_python_3_13

PATH = collection("SenderAccount", None)
Ask = Callable[[], Awaitable[int]]


@dataclass
class Server:
    """Answers whoever shows a token that is in `accepted`; empty: everybody."""

    accepted: set[str] = field(default_factory=set)
    ends_watches: bool = False
    refusals: int = 0
    hosts: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.hosts.append(request.host)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.accepted and token not in self.accepted:
            self.refusals += 1
            return web.json_response({"kind": "Status", "code": 401}, status=401)
        if "watch" in request.query:
            response = web.StreamResponse()
            await response.prepare(request)
            if self.ends_watches:
                return response
            await response.write(b'{"type": "BOOKMARK"}\n')
            await asyncio.sleep(60)
        return web.json_response({"metadata": {}, "items": []})


@asynccontextmanager
async def serving(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


class Place:
    """A kubeconfig, and both ways through it."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig = folder / "kubeconfig"
        self.silent: list[str] = []
        self.clock = FakeClock()

    def write(self, server: str, user: dict[str, Any] | None = None, cluster: dict[str, str] | None = None) -> None:
        config = {
            "clusters": [{"name": "it", "cluster": {"server": server, **(cluster or {})}}],
            "users": [{"name": "it", "user": user or {}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "current-context": "it",
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[KubeClient, Watches, aiohttp.ClientSession]]:
        async with KubeClient(lambda kind, verb: None) as client:
            watches = Watches(client.connection, self.silent.append, self.clock)
            async with watches.open_session() as session:
                yield client, watches, session

    @asynccontextmanager
    async def both_ways(self) -> AsyncIterator[tuple[Ask, Ask]]:
        async with self.opened() as (client, watches, session):

            async def own() -> int:
                await client.get(PATH, urgent=True)
                return 200

            async def kopf() -> int:
                async with session.get(watches.server + PATH) as response:
                    return response.status

            yield own, kopf


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(place.kubeconfig))
    return place


async def test_a_ca_without_key_usage_is_accepted_as_kubectl_does(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict_as_python_3_13(monkeypatch)
    async with serving(Server(), server_tls()) as server:
        place.write(server.url, cluster={"certificate-authority": str(CA)})
        async with place.both_ways() as (own, kopf):
            assert [await own(), await kopf()] == [200, 200]


async def test_a_certificate_of_another_ca_is_refused(place: Place) -> None:
    async with serving(Server(), server_tls()) as server:
        place.write(server.url)
        async with place.both_ways() as (own, kopf):
            for ask in (own, kopf):
                with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
                    await ask()


@pytest.mark.parametrize("first", [0, 1])
async def test_a_ca_that_the_cluster_replaces_needs_no_restart(place: Place, tmp_path: Path, first: int) -> None:
    file = tmp_path / "ca.crt"
    file.write_text(certifi.contents())
    async with serving(Server(), server_tls()) as server:
        place.write(server.url, cluster={"certificate-authority": str(file)})
        async with place.both_ways() as ways:
            file.write_bytes(CA.read_bytes())
            with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
                await ways[first]()
            assert [await ways[1 - first](), await ways[first]()] == [200, 200]


async def test_no_proxy_as_platforms_write_it_leads_straight_to_the_api_server(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "[::1],fd01::/48,127.0.0.0/8,.svc,.cluster.local")
    async with serving(Server()) as server:
        place.write(server.url)
        async with place.both_ways() as (own, kopf):
            assert [await own(), await kopf()] == [200, 200]


@pytest.mark.parametrize("by_kubeconfig", [True, False])
async def test_both_ways_lead_through_the_proxy(
    place: Place, monkeypatch: pytest.MonkeyPatch, by_kubeconfig: bool
) -> None:
    async with serving(Server()) as proxy:
        if by_kubeconfig:
            place.write("http://api.example", cluster={"proxy-url": proxy.url})
        else:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            place.write("http://api.example")
        async with place.both_ways() as (own, kopf):
            assert [await own(), await kopf()] == [200, 200]
    assert proxy.hosts == ["api.example"] * 2


def token_until(expires: float) -> str:
    """A token as those of service accounts are, as far as anybody without the key can tell."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"head.{claims}.signature"


async def test_tokens_that_expire_are_replaced_before_anybody_is_refused(place: Place, tmp_path: Path) -> None:
    """Ten minutes are two seconds here; the kubelet, or whoever writes the file, does so at four fifths of them."""
    file, lasts = tmp_path / "token", 2.0
    async with serving(Server()) as server:

        async def rotate() -> None:
            while True:
                token = token_until(time.time() + lasts)
                file.write_text(token)
                server.accepted.add(token)
                asyncio.get_running_loop().call_later(lasts, server.accepted.discard, token)
                await asyncio.sleep(lasts * 0.5)

        rotating = asyncio.create_task(rotate())
        await asyncio.sleep(0)
        place.write(server.url, {"tokenFile": str(file)})
        async with place.both_ways() as (own, kopf):
            until = time.monotonic() + 3 * lasts
            while time.monotonic() < until:
                assert [await own(), await kopf()] == [200, 200]
                await asyncio.sleep(0.05)
        rotating.cancel()
    assert server.refusals == 0


@pytest.mark.parametrize("first", [0, 1])
async def test_a_token_that_is_replaced_without_warning_is_refused_once_for_all(
    place: Place, tmp_path: Path, first: int
) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    async with serving(Server({"old"})) as server:
        place.write(server.url, {"tokenFile": str(file)})
        async with place.both_ways() as ways:
            assert [await ask() for ask in ways] == [200, 200]
            file.write_text("new")
            server.accepted = {"new"}
            assert [await ways[first](), await ways[1 - first]()] == [200, 200]
    assert server.refusals == 1


async def test_a_refused_watch_is_held_back_as_kopf_would_log_in_and_ask_again_at_once(place: Place) -> None:
    async with serving(Server({"valid"})) as server:
        place.write(server.url, {"token": "revoked"})
        async with place.both_ways() as (_, kopf):
            asking = asyncio.ensure_future(kopf())

            async def refused() -> bool:
                return server.refusals == 2  # the second time with the credentials as read again

            await eventually(refused)
            assert not (await asyncio.wait({asking}, timeout=LOGIN_SECONDS / 20))[0]
            asking.cancel()


async def test_a_plugin_of_the_kubeconfig_runs_once_until_its_token_expires(place: Place, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    plugin = tmp_path / "plugin"
    plugin.write_text(
        "#!/bin/sh\n"
        f'echo run >> "{runs}"\n'
        f'n=$(wc -l < "{runs}")\n'
        "until=$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)\n"
        'printf \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": '
        '{"token": "t%s", "expirationTimestamp": "%s"}}\' "$((n))" "$until"\n'
    )
    plugin.chmod(0o755)
    execution = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    async with serving(Server({"t1"})) as server:
        place.write(server.url, {"exec": execution})
        async with place.both_ways() as (own, kopf):
            for _ in range(5):
                assert [await own(), await kopf()] == [200, 200]
            assert runs.read_text().count("run") == 1
            server.accepted.add("t2")
            await asyncio.sleep(2)
            server.accepted.discard("t1")
            assert [await own(), await kopf()] == [200, 200]
    assert server.refusals == 0


async def test_a_token_goes_to_no_other_server(place: Place) -> None:
    async with serving(Server()) as elsewhere, serving(Server({"secret"})) as server:
        place.write(server.url, {"token": "secret"})
        async with place.opened() as (_, _, session), session.get(elsewhere.url + PATH) as response:
            assert "Authorization" not in response.request_info.headers


@pytest.mark.parametrize("path", ["", "/k8s/clusters/c-m-1/"], ids=["plain", "as behind Rancher"])
async def test_a_kind_that_kopf_lists_counts_as_requested_before_its_watch_opens(place: Place, path: str) -> None:
    """The list of 50,000 objects takes minutes: a restart in the middle of it would never end."""
    async with serving(Server()) as server:
        place.write(server.url + path)
        async with place.opened() as (_, watches, session):
            async with session.get(f"{watches.server}/apis/coldsend.pro/v1alpha1"):
                pass
            assert watches.unwatched == {"SenderAccount", "SenderAccountBatch"}
            async with session.get(watches.server + PATH):
                pass
            assert watches.unwatched == {"SenderAccountBatch"}


async def test_a_watch_that_falls_silent_is_counted_when_it_is_opened_again(place: Place) -> None:
    async with serving(Server()) as server:
        place.write(server.url)
        async with place.opened() as (_, watches, session):

            async def watch() -> None:
                async with session.get(f"{server.url}{PATH}", params={"watch": "true"}) as response:
                    async for _ in response.content.iter_chunked(1024):
                        return

            await watch()
            place.clock.advance(60)
            assert watches.silent_seconds == {"SenderAccount": 60}
            await watch()  # the API server ends a watch now and then
            assert place.silent == []
            assert watches.silent_seconds == {"SenderAccount": 0}
            place.clock.advance(IDLE_SECONDS)
            with pytest.raises(aiohttp.ClientError):
                await session.get("http://127.0.0.1:9" + PATH, params={"watch": "true"})
            assert place.silent == ["SenderAccount"]
            assert watches.silent_seconds == {"SenderAccount": IDLE_SECONDS}  # until something comes again
            await watch()
            assert place.silent == ["SenderAccount"]
            assert watches.silent_seconds == {"SenderAccount": 0}


async def test_a_watch_that_a_proxy_ends_at_once_is_reopened_once_a_second_and_told_and_counts_as_silent(
    place: Place,
) -> None:
    async with serving(Server(ends_watches=True)) as server:
        place.write(server.url)
        async with place.opened() as (_, watches, session):

            async def watch() -> None:
                async with session.get(f"{server.url}{PATH}", params={"watch": "true"}) as response:
                    async for _ in response.content.iter_chunked(1024):
                        pass

            await watch()
            place.clock.advance(60)
            with capture_logs() as logged:
                again = asyncio.create_task(watch())
                assert not (await asyncio.wait({again}, timeout=MIN_SECONDS / 4))[0]
                await again
            assert [line["message"] for line in logged] == [f"GET {PATH}: the watch ended at once, without an event"]
            assert watches.silent_seconds == {"SenderAccount": 60}
