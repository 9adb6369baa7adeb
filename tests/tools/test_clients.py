"""What commands see of ColdSend and of the cluster can only read."""

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from coldsend_operator.coldsend import requests
from coldsend_operator.coldsend.reads import ColdSendReads
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.settings import load_settings
from coldsend_operator.tools.allowance import Allowance
from coldsend_operator.tools.clients import ColdSendReader, ReadingConnection, key_reference
from coldsend_operator.tools.cluster import find_object, objects, operator_state
from coldsend_operator.tools.errors import UsageError
from coldsend_operator.tools.options import Access
from tests.coldsend.support import API_KEY, answering, pagination, row
from tests.support.http_server import Response, serving
from tests.tools.api_pages import write_kubeconfig
from tests.tools.support import command


def calls(reader: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(reader, inspect.isfunction) if not name.startswith("_")}


async def test_every_call_to_coldsend_is_a_get() -> None:
    server = answering(body={"success": True, "sender_accounts": [row()], "pagination": pagination()})
    reader = ColdSendReader(server.client, Allowance(10, 10))

    page = await reader.list_accounts(page=1, search="jane")

    assert calls(ColdSendReader) == {"list_accounts", "list_domains", "reply_to"}
    assert len(page.rows) == 1
    assert [request.method for request in server.sent] == ["GET"]
    assert reader.allowance.taken == 1


async def test_the_list_of_domains_is_read_to_its_end() -> None:
    domains = [{"domain_id": "1", "domain_name": "mail.company.com", "status": "ACTIVE"}]
    server = answering(body={"success": True, "domains": domains, "pagination": pagination()})
    reader = ColdSendReader(server.client, Allowance(10, 10))

    assert [domain.domain_name for domain in await reader.list_domains()] == ["mail.company.com"]
    assert [request.method for request in server.sent] == ["GET"]


class Gets:
    """A client without any way to write."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        return {"metadata": {"resourceVersion": "1"}, "data": {}}

    find = get

    async def list_pages(self, path: str, params: None = None) -> AsyncIterator[dict[str, Any]]:
        self.asked.append(path)
        yield {"items": [{"kind": "SenderAccount"}]}
        yield {"items": None}


async def test_every_call_to_the_cluster_is_a_get_or_a_list() -> None:
    client = Gets()
    kube = cast("KubeReads", client)

    assert await objects(kube, "SenderAccount", None) == [{"kind": "SenderAccount"}]
    assert await find_object(kube, "SenderAccount", "sales", "ann") is not None
    assert await operator_state(kube, load_settings({})) == ("default/coldsend-operator-state", {})
    assert client.asked == [
        "/apis/coldsend.pro/v1alpha1/senderaccounts",
        "/apis/coldsend.pro/v1alpha1/namespaces/sales/senderaccounts/ann",
        "/api/v1/namespaces/default/configmaps/coldsend-operator-state",
    ]


@pytest.mark.parametrize("line", [("wait", "sender/ann", "--for", "deleted"), ("tree", "senderbatch/pool")])
def test_a_kind_that_is_not_installed_is_told_and_is_no_object_that_does_not_exist(
    tmp_path: Path, line: tuple[str, ...]
) -> None:
    with serving(lambda _: Response(404, "404 page not found\n", {"Content-Type": "text/plain"})) as url:
        write_kubeconfig(tmp_path / "config", url)
        run = command(*line, "--kubeconfig", tmp_path / "config")
    assert run.exit_code == 1
    assert run.stderr.startswith("the cluster does not know these kinds; install them:")


def test_credentials_that_the_cluster_does_not_accept_are_told_with_the_way_out(tmp_path: Path) -> None:
    refusal = {"kind": "Status", "code": 401, "reason": "Unauthorized", "message": "Unauthorized"}
    with serving(lambda _: Response(401, refusal)) as url:
        write_kubeconfig(tmp_path / "config", url)
        run = command("status", "--kubeconfig", tmp_path / "config")
    assert (run.exit_code, run.stderr) == (
        1,
        "Kubernetes: Unauthorized; log in again, or give another --context or --kubeconfig\n",
    )


def test_a_plugin_that_is_missing_is_told_once(tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", exec=plugin)
    run = command("status", "--kubeconfig", tmp_path / "config")
    assert run.exit_code == 1
    (line,) = run.stderr.splitlines()
    assert line.endswith("the plugin no-such-plugin is not installed")


def test_a_context_that_the_kubeconfig_does_not_have_is_named(tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    run = command("status", "--context", "prod", "--kubeconfig", tmp_path / "config")
    assert (run.exit_code, run.stderr) == (
        1,
        f"Kubernetes: the kubeconfig {tmp_path / 'config'} has no context prod; see kubectl config get-contexts\n",
    )


def test_what_a_reading_command_gets_has_no_way_to_write() -> None:
    assert calls(KubeReads) == {"beside", "find", "get", "get_text", "list_pages"}
    assert calls(ColdSendReads) == {
        *("aclose", "reply_to", "list_accounts", "get_account", "list_domains", "create_job", "delete_job")  # progress
    }


async def test_a_request_that_writes_does_not_leave_by_a_client_that_reads() -> None:
    server = answering()
    transport = httpx.MockTransport(server._respond)
    reads = ColdSendReads("https://api.example.com", API_KEY, on_answer=lambda *_: None, transport=transport)
    with pytest.raises(AssertionError):
        await reads.reply_to(requests.delete_account("0b0e6d0c"))
    assert server.sent == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_the_connection_to_the_cluster_lets_nothing_but_a_get_through(method: str) -> None:
    with pytest.raises(AssertionError):
        await ReadingConnection(Access()).exchange(method, "/api/v1/namespaces", {}, {}, 1.0)


@pytest.mark.parametrize("text", ["Pool", "pool/", "a/b/c", "/key"])
def test_a_secret_that_cannot_be_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        key_reference(Access(api_key_secret=text))
