"""Failures that a real API server does not produce on demand, by a scripted HTTP server."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from pydantic import SecretStr

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.clock import ServerClock
from coldsend_operator.kube.errors import (
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    KubeError,
    NotConfigured,
    NotFound,
    Unreachable,
)
from coldsend_operator.kube.login import load_login
from coldsend_operator.kube.objects import list_versions
from coldsend_operator.kube.reads import CONCURRENCY
from coldsend_operator.kube.secrets import create_secret
from tests.kube.support import eventually

PATH = paths.namespace_path("sales")
GOOD = web.json_response


def status(code: int, reason: str, message: str = "as played", **headers: str) -> Callable[[], web.Response]:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return lambda: web.json_response(body, status=code, headers=headers)


def text(code: int, body: str) -> Callable[[], web.Response]:
    return lambda: web.Response(status=code, text=body)


@dataclass
class Player:
    """Answers from a script, then with an empty object."""

    folder: Path
    script: list[Callable[[], web.Response]] = field(default_factory=list)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append((request.method, request.path_qs, request.headers.get("Authorization", "")))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.open.wait()
        self.under_way -= 1
        return self.script.pop(0)() if self.script else GOOD({"metadata": {}, "items": []})

    async def has_under_way(self, number: int) -> bool:
        return self.under_way == number

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.seen]

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    def write_kubeconfig(self, port: int) -> Path:
        self.token_file.write_text("first\n")
        config: dict[str, Any] = {
            "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "it", "user": {"tokenFile": str(self.token_file)}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "current-context": "it",
        }
        path = self.folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path


@pytest.fixture
async def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Player]:
    player = Player(tmp_path)
    player.open.set()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", player.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv("KUBECONFIG", str(player.write_kubeconfig(runner.addresses[0][1])))
    yield player
    player.open.set()
    await runner.cleanup()


@pytest.fixture
async def client(player: Player) -> AsyncIterator[KubeClient]:
    async with KubeClient(lambda kind, verb: None) as client:
        yield client


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(400, "BadRequest"), Invalid),
        (status(403, "Forbidden"), Forbidden),
        (status(404, "NotFound"), NotFound),
        (text(404, "404 page not found\n"), NotFound),
        (text(404, "<html>nothing here</html>"), Unreachable),
        (status(409, "AlreadyExists"), Conflict),
        (status(410, "Expired"), Expired),
        (status(422, "Invalid"), Invalid),
        (status(429, "TooManyRequests"), Unreachable),
        (status(500, "InternalError"), Unreachable),
        (text(502, "<html>Bad Gateway</html>"), Unreachable),
        (text(200, "<html>Welcome</html>"), Unreachable),
        (text(200, "[]"), Unreachable),
    ],
)
async def test_each_answer_is_one_kind_of_error(
    client: KubeClient, player: Player, answer: Callable[[], web.Response], kind: type[KubeError]
) -> None:
    player.script = [answer]
    with pytest.raises(KubeError) as error:
        await client.create(PATH, {})
    assert type(error.value) is kind


async def test_a_read_is_repeated(client: KubeClient, player: Player) -> None:
    player.script = [status(503, "ServiceUnavailable"), status(429, "TooManyRequests", **{"Retry-After": "0"})]
    await client.get(PATH)
    assert player.methods == ["GET"] * 3


async def test_a_read_gives_up_in_the_end(client: KubeClient, player: Player) -> None:
    player.script = [status(503, "ServiceUnavailable")] * 9
    with pytest.raises(Unreachable):
        await client.get(PATH)
    assert player.methods == ["GET"] * 3


async def test_a_read_does_not_wait_out_a_long_retry_after(client: KubeClient, player: Player) -> None:
    player.script = [status(429, "TooManyRequests", **{"Retry-After": "3600"})]
    with pytest.raises(Unreachable) as error:
        await client.get(PATH)
    assert (error.value.retry_after, player.methods) == (3600, ["GET"])


@pytest.mark.parametrize("verb", ["POST", "PATCH", "PUT", "DELETE"])
async def test_a_write_is_never_repeated(client: KubeClient, player: Player, verb: str) -> None:
    player.script = [status(503, "ServiceUnavailable")]
    calls = {
        "POST": lambda: client.create(PATH, {}),
        "PATCH": lambda: client.patch(PATH, {}, "application/merge-patch+json"),
        "PUT": lambda: client.replace(PATH, {}),
        "DELETE": lambda: client.delete(PATH),
    }
    with pytest.raises(Unreachable):
        await calls[verb]()
    assert player.methods == [verb]


async def test_an_answer_that_does_not_come_is_unreachable(client: KubeClient, player: Player) -> None:
    player.open.clear()
    with pytest.raises(Unreachable, match="no response in time"):
        await client.get(PATH, timeout=0.1, urgent=True)


async def test_a_refused_token_is_read_again_and_the_call_repeated_once(client: KubeClient, player: Player) -> None:
    await client.get(PATH)
    player.token_file.write_text("second")
    player.script = [status(401, "Unauthorized")]
    await client.create(PATH, {})
    assert player.seen == [
        ("GET", PATH, "Bearer first"),
        ("POST", PATH, "Bearer first"),
        ("POST", PATH, "Bearer second"),
    ]


async def test_a_token_refused_again_ends_the_call(client: KubeClient, player: Player) -> None:
    player.script = [status(401, "Unauthorized")] * 4
    for _ in range(2):
        with pytest.raises(KubeError) as error:
            await client.create(PATH, {})
        assert error.value.status == 401
    assert player.methods == ["POST"] * 3  # the second call came too soon to read the credentials once more


async def test_no_more_calls_at_once_than_the_bound_and_an_urgent_one_passes_by(
    client: KubeClient, player: Player
) -> None:
    player.open.clear()
    calls = [asyncio.create_task(client.get(PATH)) for _ in range(3 * CONCURRENCY)]
    await eventually(lambda: player.has_under_way(CONCURRENCY))
    urgent = asyncio.create_task(client.get(PATH, urgent=True))
    await eventually(lambda: player.has_under_way(CONCURRENCY + 1))
    player.open.set()
    await asyncio.gather(urgent, *calls)
    assert player.most == CONCURRENCY + 1


async def test_a_refused_secret_shows_nothing_of_the_answer(client: KubeClient, player: Player) -> None:
    player.script = [status(422, "Invalid", "bad value: s3cret")]
    with pytest.raises(Invalid) as error:
        await create_secret(client, "sales", "hmac", {"key": SecretStr("s3cret")})
    assert "s3cret" not in repr(error.value) + error.value.message


async def test_a_list_whose_rest_is_gone_starts_over(client: KubeClient, player: Player) -> None:
    def page(following: str, *names: str) -> Callable[[], web.Response]:
        items = [{"metadata": {"uid": name, "resourceVersion": str(ord(name))}} for name in names]
        return lambda: GOOD({"metadata": {"continue": following}, "items": items})

    player.script = [page("next", "a"), status(410, "Expired"), page("next", "a"), page("", "b")]
    found = await list_versions(client, "SenderAccount", ("sales",), "team=blue")
    assert found.versions == {"a": ord("a"), "b": ord("b")}
    assert all("labelSelector=team%3Dblue" in path and "limit=100" in path for _, path, _ in player.seen)


async def test_without_any_configuration_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    with pytest.raises(NotConfigured, match="neither a service account nor the file"):
        await load_login()


@pytest.mark.parametrize("context", ["", "b"])
async def test_a_broken_kubeconfig_is_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str
) -> None:
    broken = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(broken))
    token = "s3cret"
    for content in (
        "",
        "- a",
        "clusters: []",
        f"users: [{{user: {{token: {token}",
        f"users: [{{name: a, user: {{token: {token}}}}}]\ncurrent-context: a\ncontexts: [{{name: a}}]",
    ):
        broken.write_text(content)
        with pytest.raises(NotConfigured) as error:
            await load_login(context=context)
        assert token not in "".join(traceback.format_exception(error.value))


async def test_in_a_pod_the_service_account_goes_before_the_kubeconfig(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("of-the-pod")
    (tmp_path / "ca.crt").write_text("certificate")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    login = await load_login(tmp_path)
    assert login.server == "https://[fd00::1]:443"
    assert login.authorization == "bearer of-the-pod"
    assert login.configuration.ssl_ca_cert == str(tmp_path / "ca.crt")


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"http_proxy": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"http_proxy": "http://proxy.example:3128", "no_proxy": "127.0.0.1"}, None),
    ],
)
async def test_the_proxy_of_the_environment_is_used(
    player: Player, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (await load_login()).configuration.proxy == proxy


DATE = "Tue, 24 Nov 2026 03:00:00 GMT"
SECOND = 1795489200.0  # the same in Unix seconds


@pytest.mark.parametrize(
    ("answers", "offset"),
    [
        ([], 0.0),
        ([(None, SECOND, SECOND)], 0.0),
        ([("yesterday", SECOND, SECOND)], 0.0),
        ([(DATE, SECOND, SECOND)], 0.5),  # somewhere in 0 to 1
        ([(DATE, SECOND + 100.0, SECOND + 100.2)], -99.6),
        ([(DATE, SECOND, SECOND), ("Tue, 24 Nov 2026 03:00:02 GMT", SECOND + 2.9, SECOND + 2.9)], 0.05),
        ([(DATE, SECOND, SECOND), ("Tue, 24 Nov 2026 03:00:09 GMT", SECOND + 2.0, SECOND + 2.0)], 7.5),  # clock set
    ],
)
def test_dates_of_answers_narrow_the_clock_offset_down(
    answers: list[tuple[str | None, float, float]], offset: float
) -> None:
    clock = ServerClock()
    for date, sent, received in answers:
        clock.observe(date, sent, received)
    assert clock.offset == pytest.approx(offset, abs=1e-3)


@pytest.mark.parametrize(
    ("others", "trusted"),
    [([-500.0], False), ([-500.0, -502.0, -504.0], False), ([-500.0, 0.0, -500.0, -500.0], False), ([60.0] * 3, True)],
    ids=["once", "from_a_cache", "not_in_a_row", "a_clock_that_was_set"],
)
def test_a_stubborn_clock_trusts_other_dates_only_when_three_in_a_row_agree(others: list[float], trusted: bool) -> None:
    clock = ServerClock(stubborn=3)
    for number, offset in enumerate([0.0, *others]):
        clock.observe_time(SECOND + 2.0 * number + offset, SECOND + 2.0 * number, SECOND + 2.0 * number)
    assert (abs(clock.offset) > 1.0) == trusted
