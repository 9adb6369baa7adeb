"""`report-bundle` against a real API server and operator: what is in the file, who may read it, and what never is."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coldsend_operator.tools.bundle.pseudonyms import Pseudonyms
from tests.e2e.support.api_server import named
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import MARKER, World
from tests.e2e.test_e2e_doctor import install, namespace_with_robot
from tests.e2e.test_tools import accounts, ready, tool

LOCALS = ("canary.one", "canary.two")
DOMAIN = "kanarienvogel.com"


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    with namespace_with_robot(world, "bundle") as name:
        yield name


def contents(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def pool(world: World, namespace: str) -> None:
    """A batch of two inboxes."""
    world.server.apply(named("Secret", namespace, "login", stringData={"password": MARKER}))
    template = {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": {"name": "login"}}}
    inboxes = [{"emailAddress": f"{local}@{DOMAIN}", "displayName": "Kanari Vogel"} for local in LOCALS]
    world.server.apply(named("SenderAccountBatch", namespace, "pool", spec={"template": template, "inboxes": inboxes}))


def drifted(world: World, namespace: str) -> bool:
    """Whether status quotes the name that somebody gave to an inbox in ColdSend."""
    return "Kanari Drift" in json.dumps(accounts(world, namespace))


def secrets_read(world: World, user: str) -> list[dict[str, Any]]:
    """Requests for Secrets that the audit log has of a user."""
    assert world.cluster.audit_log is not None
    lines = world.cluster.audit_log.read_text().splitlines()
    entries = [json.loads(line) for line in lines if "secrets" in line]
    return [each for each in entries if each.get("impersonatedUser", {}).get("username") == user]


def test_a_bundle_tells_all_but_addresses_and_secrets(world: World, namespace: str, tmp_path: Path) -> None:
    pool(world, namespace)
    install(world, namespace)
    lease = {"COLDSEND_LEASE_NAME": "lead", "COLDSEND_LEASE_NAMESPACE": namespace}
    file = tmp_path / "report.zip"
    with world.operator(COLDSEND_NAMESPACES=namespace, COLDSEND_LEADER_ELECTION="on", **lease) as operator:
        eventually(lambda: sum(map(ready, accounts(world, namespace))) == 2, "both inboxes Ready")
        world.emulator.change(f"{LOCALS[0]}@{DOMAIN}", display_name="Kanari Drift")
        eventually(lambda: drifted(world, namespace), "the drift told of")
        run = tool(world, "report-bundle", "-n", namespace, "-f", str(file), COLDSEND_API_KEY="")
        plain = tool(world, "report-bundle", "-n", namespace, "-f", str(tmp_path / "plain.zip"), "--with-addresses")
        log, metrics = operator.lines(), operator.metrics()
    assert run.returncode == 0, run.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    told = contents(file)
    assert set(told) == {
        *("README.txt", "versions.json", "settings.json", "events.json", "unread.json"),
        *(f"objects/{kind}.json" for kind in ("senderaccount", "senderaccountbatch", "namespace", "deployment")),
        *("objects/lease.json", "objects/configmap.json"),
    }
    whole = "".join(told.values()).lower()
    for word in (*LOCALS, "canary", DOMAIN, "kanari", MARKER):
        assert word not in whole, word
    assert len(json.loads(told["objects/senderaccount.json"])) == 2
    assert json.loads(told["events.json"])
    assert json.loads(told["objects/configmap.json"])[0]["data"]
    shown_accounts = json.loads(told["objects/senderaccount.json"])
    (domain,) = {each["spec"]["emailAddress"].partition("@")[2] for each in shown_accounts}
    assert domain.startswith("domain-")

    open_told = contents(tmp_path / "plain.zip")
    assert plain.returncode == 0
    assert f"{LOCALS[0]}@{DOMAIN}" in open_told["objects/senderaccount.json"]
    assert MARKER not in "".join(open_told.values())

    hide = Pseudonyms(b"key")  # logs and metrics come from pods, which this control plane does not run
    batches = world.server.items("SenderAccountBatch", namespace)
    hide.learn(accounts(world, namespace), batches, ())
    shown = (hide.log(log) + hide.metrics(metrics)).lower()
    assert "canary" in log
    for word in (*LOCALS, "canary", DOMAIN, "kanari"):
        assert word not in shown, word


def test_no_secret_is_asked_for_and_what_may_not_be_read_is_listed(
    world: World, namespace: str, tmp_path: Path
) -> None:
    pool(world, namespace)
    user = f"system:serviceaccount:{namespace}:robot"
    file = tmp_path / "report.zip"
    run = tool(world, "report-bundle", "-n", namespace, "-f", str(file), "--as", user)
    assert run.returncode == 0, run.stderr
    told = contents(file)
    unread = {entry["what"] for entry in json.loads(told["unread.json"])}
    assert {
        f"SenderAccount objects of namespace {namespace}",
        f"Events of namespace {namespace}",
        "Deployments",
    } <= unread
    assert not [what for what in unread if "Secret" in what]
    assert secrets_read(world, user) == []
    again = tool(world, "report-bundle", "-n", namespace, "-f", str(file), "--as", user)
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
    assert tool(world, "report-bundle", "-n", namespace, "-f", str(file), "--force").returncode == 0
