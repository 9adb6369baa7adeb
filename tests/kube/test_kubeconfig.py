"""Kubeconfigs are read as kubectl reads them: the same cluster, the same user."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import NotConfigured
from coldsend_operator.kube.login import context_names, load_login, namespace_of_context
from coldsend_operator.kube.paths import collection
from coldsend_operator.kube.watches import Watches
from coldsend_operator.tools.clients import ReadingConnection
from coldsend_operator.tools.errors import UsageError
from coldsend_operator.tools.options import Access
from tests.support.clock import FakeClock
from tests.support.tls import CA, CERTIFICATE, ENCRYPTED_KEY, KEY

PATH = collection("SenderAccount", None)


@dataclass
class Seen:
    """A server that remembers as whom it was asked."""

    url: str = ""
    headers: list[list[tuple[str, str]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        shown = [pair for pair in request.headers.items() if pair[0].startswith(("Impersonate", "Authorization"))]
        self.headers.append(shown)
        return web.json_response({"metadata": {}, "items": []})


@pytest.fixture
async def seen() -> AsyncIterator[Seen]:
    seen = Seen()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", seen.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    seen.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield seen
    await runner.cleanup()


def config(server: str, name: str = "it", user: dict[str, Any] | None = None, **context: str) -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **context}}],
        "current-context": name,
    }


def write(file: Path, content: dict[str, Any]) -> str:
    file.write_text(yaml.safe_dump(content))
    return str(file)


AS = {
    "token": "t",
    "as": "jane",
    "as-uid": "7",
    "as-groups": ["sales", "mail"],
    "as-user-extra": {"reason": ["audit", "test"]},
}
AS_JANE = [
    ("Impersonate-User", "jane"),
    ("Impersonate-Uid", "7"),
    ("Impersonate-Group", "sales"),
    ("Impersonate-Group", "mail"),
    ("Impersonate-Extra-reason", "audit"),
    ("Impersonate-Extra-reason", "test"),
]


async def test_the_user_whom_the_kubeconfig_impersonates_is_impersonated_in_calls_and_watches(
    seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", write(tmp_path / "config", config(seen.url, user=AS)))
    async with KubeClient(lambda kind, verb: None) as client:
        await client.get(PATH)
        watches = Watches(client.connection, lambda _kind: None, FakeClock())
        async with watches.open_session() as session, session.get(watches.server + PATH):
            pass
    assert seen.headers == [[("Authorization", "Bearer t"), *AS_JANE]] * 2


async def test_the_option_as_goes_before_the_user_of_the_kubeconfig(seen: Seen, tmp_path: Path) -> None:
    kubeconfig = write(tmp_path / "config", config(seen.url, user={"as": "jane"}))
    client = KubeClient(lambda kind, verb: None)
    client.connection = ReadingConnection(Access(kubeconfig=kubeconfig, impersonate="joe"))
    async with client:
        await client.get(PATH)
    assert seen.headers == [[("Impersonate-User", "joe")]]


async def test_the_option_as_group_comes_with_the_option_as(seen: Seen, tmp_path: Path) -> None:
    kubeconfig = write(tmp_path / "config", config(seen.url, user={"as-groups": ["mail"]}))
    client = KubeClient(lambda kind, verb: None)
    client.connection = ReadingConnection(Access(kubeconfig=kubeconfig, impersonate="joe", groups=["sales", "ops"]))
    async with client:
        await client.get(PATH)
    groups = [("Impersonate-Group", "sales"), ("Impersonate-Group", "ops")]
    assert seen.headers == [[("Impersonate-User", "joe"), *groups]]
    with pytest.raises(UsageError, match="--as-group needs --as"):
        ReadingConnection(Access(groups=["sales"]))


async def test_the_first_kubeconfig_that_has_a_current_context_or_an_entry_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    first = write(tmp_path / "first", config("http://test.example", "test", namespace="sales"))
    second = config("http://production.example", "production")
    second["clusters"] += config("http://other.example", "test")["clusters"]
    paths = [str(empty), str(tmp_path / "missing"), "", first, write(tmp_path / "second", second)]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(paths))
    assert (await load_login()).server == "http://test.example"
    assert (await load_login(context="production")).server == "http://production.example"
    assert (namespace_of_context(), namespace_of_context(context="production")) == ("sales", None)
    assert context_names() == ["test", "production"]


async def test_a_token_file_goes_before_a_token_and_is_relative_to_its_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file\n")
    user = {"token": "old", "tokenFile": "token"}
    kubeconfig = write(tmp_path / "config", config("http://api.example", user=user))
    assert (await load_login(kubeconfig=kubeconfig)).authorization == "Bearer of-the-file"


async def test_a_plugin_is_relative_to_its_kubeconfig(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    credential = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}'
    plugin.write_text(f"#!/bin/sh\necho '{credential}'\n")
    plugin.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin"}}
    kubeconfig = write(tmp_path / "config", config("http://api.example", user=user))
    assert (await load_login(kubeconfig=kubeconfig)).authorization == "Bearer t"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "the plugin false gave no credentials (process returned 1); log in with it, and try again"),
        ("no-such-plugin", "the plugin no-such-plugin is not installed: install it so"),
        ("sleep", "the plugin sleep gave no credentials; log in with it, and try again"),  # as if it waits for a person
    ],
)
async def test_a_plugin_without_credentials_is_no_reason_to_go_on_as_somebody_else(
    tmp_path: Path, command: str, said: str
) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "installHint": "install it so"}
    kubeconfig = write(tmp_path / "config", config("http://api.example", user={"exec": {**plugin, "args": ["600"]}}))
    with pytest.raises(NotConfigured) as error:
        await load_login(kubeconfig=kubeconfig, plugin_seconds=1)
    assert error.value.message == f"the kubeconfig {kubeconfig} cannot be used: {said}"


async def test_a_plugin_that_fails_is_told_with_the_last_line_of_its_output_without_secrets(tmp_path: Path) -> None:
    script = """echo 'Try' >&2; echo 'The token "cs_live_0123456789abcdef" has expired; it'"'"'s old.' >&2; exit 3"""
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script]}
    kubeconfig = write(tmp_path / "config", config("http://api.example", user={"exec": plugin}))
    with pytest.raises(NotConfigured) as error:
        await load_login(kubeconfig=kubeconfig)
    said = 'the plugin sh gave no credentials (The token "***" has expired; it\'s old.); log in with it, and try again'
    assert error.value.message == f"the kubeconfig {kubeconfig} cannot be used: {said}"


async def test_an_auth_provider_that_kubernetes_has_removed_is_named(tmp_path: Path) -> None:
    kubeconfig = write(tmp_path / "config", config("http://api.example", user={"auth-provider": {"name": "gcp"}}))
    with pytest.raises(NotConfigured) as error:
        await load_login(kubeconfig=kubeconfig)
    assert error.value.message == (
        f"the kubeconfig {kubeconfig} cannot be used: Kubernetes has removed the auth-provider gcp; let the tool of "
        "your cloud write the user again, with an exec plugin"
    )


@pytest.mark.parametrize("content", ["", "- a", "clusters:\n\t- a", "current-context: {", "contexts: [1]"])
def test_a_broken_kubeconfig_has_no_namespace_and_no_contexts(tmp_path: Path, content: str) -> None:
    broken = tmp_path / "config"
    broken.write_text(content)
    assert (namespace_of_context(str(broken)), context_names(str(broken))) == (None, [])


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        ({}, {"client-certificate": CERTIFICATE, "client-key": ENCRYPTED_KEY}, "its client key has a passphrase"),
        ({}, {"client-certificate": CERTIFICATE}, "its client certificate and key do not belong together"),
        ({}, {"client-certificate": CA, "client-key": KEY}, "its client certificate and key do not belong together"),
        ({}, {"client-certificate": KEY, "client-key": KEY}, "its client certificate and key do not belong together"),
        ({"certificate-authority": KEY}, {}, "its CA has no certificates in PEM form"),
        ({"proxy-url": "socks5://me:secret@proxy.example"}, {}, "its proxy-url is no http or https URL"),
        ({"server": "api.example:443"}, {}, "its server is no http or https URL"),
        ({"server": "https://api.example:port"}, {}, "its server is no http or https URL"),
    ],
)
async def test_what_cannot_be_used_is_one_sentence_that_names_the_kubeconfig(
    tmp_path: Path, cluster: dict[str, object], user: dict[str, object], said: str
) -> None:
    content = config("https://api.example", user={name: str(file) for name, file in user.items()})
    content["clusters"][0]["cluster"].update({name: str(value) for name, value in cluster.items()})
    kubeconfig = write(tmp_path / "config", content)
    with pytest.raises(NotConfigured) as error:
        (await load_login(kubeconfig=kubeconfig)).tls()
    assert error.value.message.startswith(f"the kubeconfig {kubeconfig} cannot be used: {said}")
    assert "secret" not in error.value.message
