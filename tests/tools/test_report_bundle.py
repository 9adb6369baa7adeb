"""What `report-bundle` hides, and what it never reads; a real cluster is in tests/e2e/test_e2e_report_bundle.py."""

import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coldsend_operator.kube.errors import KubeError, NotFound
from coldsend_operator.resources.children import child_name
from coldsend_operator.tools.bundle.collect import Collector, Findings
from coldsend_operator.tools.bundle.pseudonyms import Pseudonyms
from coldsend_operator.tools.clients import SecretlessConnection
from coldsend_operator.tools.names import password_key
from coldsend_operator.tools.options import Access
from tests.tools.api_pages import api_server
from tests.tools.pages import commands
from tests.tools.support import command, held

KEY = b"of this cluster"


def child(address: str, batch: str = "pool") -> dict[str, Any]:
    raw = held(child_name(batch, address), address=address, labels={"coldsend.pro/batch": batch})
    raw["metadata"]["labels"]["coldsend.pro/domain"] = address.rpartition("@")[2]
    return raw


def batch(*addresses: str, name: str = "pool") -> dict[str, Any]:
    listed = [
        {"emailAddress": each, "displayName": "A Person", "passwordKey": password_key(each)} for each in addresses
    ]
    return {"kind": "SenderAccountBatch", "metadata": {"name": name, "namespace": "sales"}, "spec": {"inboxes": listed}}


def pseudonyms(*raws: dict[str, Any], kept: tuple[str, ...] = ()) -> Pseudonyms:
    made = Pseudonyms(KEY)
    made.learn(
        [raw for raw in raws if raw["kind"] == "SenderAccount"],
        [raw for raw in raws if raw["kind"] == "SenderAccountBatch"],
        kept,
    )
    return made


def test_an_address_has_one_pseudonym_wherever_it_stands() -> None:
    ann = child("Ann.Arbor@company.com")
    hide = pseudonyms(ann, batch("ann.arbor@company.com"))
    address = hide.text("ann.arbor@company.com")
    assert re.fullmatch(r"inbox-[0-9a-f]{8}@domain-[0-9a-f]{8}\.example", address)
    told = hide.value(ann)
    assert told["spec"]["emailAddress"] == address
    assert told["status"]["emailAddress"] == address
    assert told["metadata"]["labels"]["coldsend.pro/domain"] == address.partition("@")[2]
    for sentence in ("{} is taken", "'{}'", '"{}"', "<{}>", "({}).", "smtp://{}/", "x={}", "{}:587"):
        assert hide.text(sentence.format("ann.arbor@COMPANY.com")) == sentence.format(address)
    assert hide.text("GET /?search=ann.arbor%40company.com") == f"GET /?search={address.replace('@', '%40')}"
    assert pseudonyms(ann).text("ann.arbor@company.com") == address  # in every bundle of the cluster
    assert Pseudonyms(b"of another").text("ann.arbor@company.com") != address


@pytest.mark.parametrize(
    "address", ["o'neil@company.com", "'quoted'@company.com", "a/b=c@company.com", "jürgen@müller.de"]
)
def test_an_unusual_address_is_hidden_as_well(address: str) -> None:
    hide = pseudonyms(held("ann", address=address))
    assert re.fullmatch(r"Taken: inbox-\w{8}@domain-\w{8}\.example\.", hide.text(f"Taken: {address}."))


def test_what_is_named_after_an_address_is_hidden_with_it() -> None:
    name = child_name("pool", "ann.arbor@company.com")
    hide = pseudonyms(child("ann.arbor@company.com"), batch("ann.arbor@company.com"), kept=("coldsend-operator",))
    known = hide.text(name)
    assert re.fullmatch("object-[0-9a-f]{8}", known)
    assert hide.text(f"sales/{name}: {name}.17f0a1b2c3d4e5f6") == f"sales/{known}: {known}.17f0a1b2c3d4e5f6"
    gone = child_name("pool", "bob@company.com")  # no object any more, and still in a log
    for text in (gone, "google-company-com", "smtp.company.com", "ann.arbor_company.com", "ann.arbor is taken"):
        shown = hide.text(text)
        assert not re.search("company|ann|arbor|bob", shown), text
    for text in (
        "pool",
        "coldsend-operator",
        "smtp.gmail.com",
        "COLDSEND_API_URL=https://api.coldsend.pro/api/public/v1",
    ):
        assert hide.text(text) == text


def test_a_plain_name_is_hidden_where_it_is_meant_and_other_words_stay() -> None:
    hide = pseudonyms(held("info", address="info@company.com"))
    known = hide.object_name("info")
    assert hide.text("info: sales/info waits for SenderAccount info, not 'info'") == (
        f"info: sales/{known} waits for SenderAccount {known}, not '{known}'"
    )
    line = '{"time": "t", "level": "info", "event": "call", "namespace": "sales", "name": "info"}'
    assert json.loads(hide.log(line)) == {
        "time": "t",
        "level": "info",
        "event": "call",
        "namespace": "sales",
        "name": known,
    }
    metric = 'coldsend_account_health_score{namespace="sales",name="info"} 97.0'
    assert hide.metrics(f"# HELP name info\n{metric}\n") == f"# HELP name info\n{metric.replace('info', known)}\n"


def test_names_of_people_user_names_and_secret_keys_are_hidden() -> None:
    ann = held("ann", displayName="Ann Canary", smtp={"username": "canary", "passwordSecretRef": {"name": "login"}})
    ann["spec"]["smtp"]["passwordSecretRef"]["key"] = "canary_key"
    ann["spec"]["native"] = {"emailPrefix": "canary"}
    ann["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": '{"displayName": "Ann Canary"}'
    }
    ann["status"]["conditions"][0]["message"] = "displayName is 'Canary', the spec says \"O'Canary\""
    tried = "Tried: SMTP smtp.gmail.com:587 as canary with key canary_key of Secret login"
    asked = "the spec says smtp: smtp.gmail.com:465, username Canary Bird, useTLS true, imap"
    ann["spec"]["imap"] = {"username": "bird.canary"}
    hide = pseudonyms(ann)
    told = hide.value(ann)
    assert "canary" not in json.dumps([told, hide.text(f"{tried}; {asked}; bird.canary is locked")]).lower()
    assert told["status"]["conditions"][0]["message"] == "displayName is (not shown), the spec says (not shown)"


def test_an_event_is_named_after_its_object_and_so_is_its_pseudonym() -> None:
    hide = pseudonyms(batch("ann@company.com"))
    event = {
        "metadata": {"name": "ann.17f0a1b2c3d4e5f6", "namespace": "sales"},
        "regarding": {"kind": "SenderAccount", "namespace": "sales", "name": "ann"},
        "note": "ann@company.com is taken",
    }
    told = hide.event(event)
    assert told["metadata"]["name"] == f"{told['regarding']['name']}.17f0a1b2c3d4e5f6"
    assert "ann" not in json.dumps(told)


WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=9)
LOCALS = st.builds("{}{}{}".format, WORDS, st.sampled_from("._+-"), WORDS)
DOMAINS = st.builds("{}{}".format, WORDS, st.sampled_from([".com", "-sales.de", ".co.uk"]))


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(LOCALS, DOMAINS), min_size=1, max_size=8, unique=True), st.data())
def test_no_part_of_an_address_is_left_in_any_text(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    addresses = [f"{local}@{domain}" for local, domain in parts]
    children = [child(address) for address in addresses[: data.draw(st.integers(0, len(addresses)))]]
    hide = pseudonyms(batch(*addresses), *children)
    for (local, domain), address in zip(parts, addresses, strict=True):
        said = f"{address}, {child_name('pool', address)}; {domain}; {password_key(address)}"
        for shown in (hide.text(said), hide.log(json.dumps({"message": said})), json.dumps(hide.value(batch(address)))):
            assert local not in shown
            assert domain not in shown
            assert child_name("pool", address) not in shown


# -- what is read


class Pages:
    """An API server as pages by path; what is not there is not found, and some things are refused."""

    def __init__(self, **pages: Any) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def get(self, path: str) -> Any:
        self.asked.append(path)
        return self._of(path)

    async def get_text(self, path: str, params: dict[str, str] | None = None) -> Any:
        self.asked.append(path)
        if params and "previous" in params:
            raise KubeError("previous terminated container not found", status=400)
        return self._of(path)

    async def list_pages(self, path: str, params: dict[str, str] | None = None) -> Any:
        self.asked.append(path)
        yield {"items": self._of(path)}

    def _of(self, path: str) -> Any:
        found = next((page for end, page in self.pages.items() if path.endswith(end)), None)
        if found is None:
            raise NotFound(f"{path} not found", status=404)
        return found


DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "operator", "namespace": "coldsend", "labels": {"app.kubernetes.io/version": "1"}},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "operator",
                        "image": "operator:1",
                        "env": [
                            {"name": "COLDSEND_API_KEY", "value": "canary"},
                            {"name": "COLDSEND_FREEZE", "value": "on"},
                            {"name": "TOKEN", "value": "canary"},
                            {"name": "COLDSEND_OTHER", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}},
                        ],
                    }
                ]
            }
        },
    },
}


async def collected(**pages: Any) -> tuple[Findings, list[str]]:
    client = Pages(**pages)
    found = await Collector(client, "sales", ("coldsend", "operator")).run()  # type: ignore[arg-type]
    return found, client.asked


async def test_settings_logs_and_metrics_are_read_and_values_of_secrets_are_not() -> None:
    pod = {"metadata": {"name": "operator-1"}, "spec": DEPLOYMENT["spec"]["template"]["spec"]}
    found, asked = await collected(
        senderaccounts=[held("ann")],
        senderaccountbatches=[],
        events=[],
        deployments=[DEPLOYMENT],
        pods=[pod],
        **{"operator-1/log": "a line\n", "operator-1:8080/proxy/metrics": "up 1\n", "/version": {"gitVersion": "v1"}},
    )
    assert found.logs == {"coldsend-operator-1": "a line\n"}
    assert found.metrics == {"coldsend-operator-1": "up 1\n"}
    assert found.settings["coldsend/operator"]["variables"] == {
        "COLDSEND_API_KEY": "(not shown)",
        "COLDSEND_FREEZE": "on",
        "TOKEN": "(not shown)",
        "COLDSEND_OTHER": "(from elsewhere)",
    }
    assert "canary" not in str(found)
    assert not [path for path in asked if "secret" in path]
    assert {entry["what"] for entry in found.unread} == {
        "Namespace sales",
        "Lease coldsend/operator",
        "ConfigMap coldsend/operator-state",
        "the UID of the cluster",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/sales/secrets/login",
        "/api/v1/secrets?limit=500",
        "/api/v1/namespaces/sales/serviceaccounts/x/token",
    ],
)
async def test_the_connection_of_the_bundle_lets_no_secret_through(path: str) -> None:
    with pytest.raises(AssertionError):
        await SecretlessConnection(Access()).exchange("GET", path, {}, {}, 1.0)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "report.zip"
    file.write_text("mine")
    result = command("report-bundle", "-f", file, "--kubeconfig", "/nowhere")
    assert (result.exit_code, file.read_text()) == (1, "mine")
    assert "exists and is not overwritten" in result.stderr


def test_the_page_before_you_report_a_bug_shows_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLDSEND_LEASE_NAMESPACE", "coldsend")
    pod = {"metadata": {"name": "operator-1"}, "spec": DEPLOYMENT["spec"]["template"]["spec"]}
    pods = "/api/v1/namespaces/coldsend/pods"
    ours = "/apis/coldsend.pro/v1alpha1/namespaces/sales"
    addresses = ("canary.one@kanarienvogel.com", "canary.two@kanarienvogel.com")
    said = f"{addresses[0]} is taken"
    line = {"event": "call", "level": "debug", "namespace": "sales", "name": "gone", "message": said}
    pages = {
        f"{ours}/senderaccounts": {"metadata": {}, "items": list(map(child, addresses))},
        f"{ours}/senderaccountbatches": {"metadata": {}, "items": [batch(*addresses)]},
        "/api/v1/namespaces/sales": {"metadata": {"name": "sales"}},
        "/api/v1/namespaces/kube-system": {"metadata": {"name": "kube-system", "uid": "u"}},
        "/version": {"gitVersion": "v1.37.0"},
        "/apis/apps/v1/deployments": {"metadata": {}, "items": [DEPLOYMENT]},
        pods: {"metadata": {}, "items": [pod]},
        f"{pods}/operator-1/log": f"2026-01-01T00:00:00Z {json.dumps(line)}\n",
        f"{pods}/operator-1:8080/proxy/metrics": 'up{namespace="sales",name="gone"} 1\n',
        "/apis/coordination.k8s.io/v1/namespaces/coldsend/leases/coldsend-operator": {"metadata": {"name": "l"}},
        "/apis/coordination.k8s.io/v1/namespaces/coldsend/leases/operator": {"metadata": {"name": "l"}},
        "/api/v1/namespaces/coldsend/configmaps/coldsend-operator-state": {"metadata": {"name": "s"}},
        "/api/v1/namespaces/coldsend/configmaps/operator-state": {"metadata": {"name": "s"}},
    }
    ((shown, expected),) = commands("report-a-bug.md")
    with api_server(pages, tmp_path / "config") as asked:
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        printed = command(*shlex.split(shown)[1:]).output
    assert printed == expected
    assert not [path for path in asked if "secret" in path]
    with zipfile.ZipFile("report.zip") as archive:
        told = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {"logs/coldsend-operator-1.log", "metrics/coldsend-operator-1.txt"} < set(told)
    whole = "".join(told.values()).lower()
    assert not re.search("canary|kanarienvogel|gone", whole)
