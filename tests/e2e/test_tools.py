"""The commands for people on a real API server and a running operator: export, apply, and what ColdSend saw of it."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from coldsend_emulator.running import RunningEmulator
from tests.e2e.stage.api_server import named
from tests.e2e.stage.stage import eventually
from tests.e2e.stage.world import MARKER, OWN_KEY, World
from tests.tools.pages import commands

GOOGLE = {"inbox_type": "GOOGLE_WORKSPACE", "display_name": "A Name", "daily_limit": 50}


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    name = f"tools-{uuid4().hex[:8]}"
    world.emulator.reset()
    world.server.apply(named("Namespace", "", name))
    yield name
    world.server.kubectl("delete", "senderbatch,sender", "--all", "-n", name, "--wait=false")


@pytest.fixture
def seeded(world: World) -> RunningEmulator:
    world.emulator.reset()
    world.emulator.add_domain("mail.one.com")
    world.emulator.seed(
        *({"email_address": f"a{n}@one.com", **GOOGLE} for n in range(120)),
        {"email_address": "zoe@two.com", "inbox_type": "CUSTOM_SMTP", "display_name": "Zoe", "daily_limit": 20},
        {"email_address": "john@mail.one.com", "inbox_type": "COLDSEND", "display_name": "John"},
    )
    world.emulator.clear_request_log()
    return world.emulator


def tool(world: World, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One run of the program, as a person with this kubeconfig and this key."""
    return subprocess.run(
        [sys.executable, "-m", "coldsend_operator", *arguments],
        env={
            "PYTHONPATH": ":".join(sys.path),
            "KUBECONFIG": str(world.cluster.kubeconfig),
            "COLDSEND_API_URL": world.emulator.api_url,
            "COLDSEND_API_KEY": OWN_KEY,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def accounts(world: World, namespace: str) -> list[dict[str, Any]]:
    return world.server.items("SenderAccount", namespace)


def ready(each: dict[str, Any]) -> bool:
    conditions = each.get("status", {}).get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


@pytest.mark.parametrize("shape", ["batches", "accounts"])
def test_an_export_is_applied_and_becomes_ready_by_list_pages_alone(
    world: World, namespace: str, seeded: RunningEmulator, tmp_path: Path, shape: str
) -> None:
    first = tool(world, "export", "-n", namespace, "--as", shape, "-d", str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert tool(world, "validate", "-f", str(tmp_path)).returncode == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with world.operator(COLDSEND_NAMESPACES=namespace, COLDSEND_LEASE_NAME=namespace):
        world.server.kubectl("apply", "--server-side", "-f", str(tmp_path))
        eventually(lambda: sum(map(ready, accounts(world, namespace))) == 122, "all inboxes Ready")
        unmanaged = tool(world, "export", "-n", namespace, "--unmanaged")
        second = tool(world, "export", "-n", namespace, "--as", shape, "-d", str(tmp_path))

    assert {(entry["method"], entry["path"].rpartition("/")[2]) for entry in seeded.requests()} == {
        ("GET", "sender-accounts")
    }
    assert second.returncode == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert (unmanaged.returncode, unmanaged.stdout) == (0, "")


def test_unmanaged_leaves_out_what_objects_ask_for(world: World, namespace: str, seeded: RunningEmulator) -> None:
    world.server.apply(
        named(
            "SenderAccount",
            namespace,
            "zoe",
            spec={"inboxType": "CUSTOM_SMTP", "emailAddress": "Zoe@two.com", "managementPolicy": "Observe"},
        )
    )

    run = tool(world, "export", "-n", namespace, "--unmanaged")

    listed = [inbox for each in yaml.safe_load_all(run.stdout) for inbox in each["spec"]["inboxes"]]
    assert len(listed) == 121
    assert "zoe@two.com" not in run.stdout


def test_the_key_may_stand_in_a_secret_and_the_objects_name_it(
    world: World, namespace: str, seeded: RunningEmulator
) -> None:
    world.server.apply(named("Secret", namespace, "workspace", stringData={"apiKey": f"{OWN_KEY}\n", "none": ""}))
    given = ("export", "-n", namespace, "--type", "CUSTOM_SMTP", "--api-key-secret")

    run = tool(world, *given, "workspace", COLDSEND_API_KEY="")

    (batch,) = yaml.safe_load_all(run.stdout)
    assert batch["spec"]["template"]["apiKeySecretRef"] == {"name": "workspace"}
    for name in ("nobody", "workspace/none", "workspace/other"):
        failed = tool(world, *given, name, COLDSEND_API_KEY="")
        assert failed.returncode == 1
        assert len(failed.stderr.splitlines()) == 1
        assert MARKER not in failed.stdout + failed.stderr


def test_a_cluster_that_is_not_there_is_one_sentence(world: World, tmp_path: Path) -> None:
    run = tool(world, "export", "-n", "sales", "--unmanaged", "--kubeconfig", str(tmp_path / "none"))

    assert run.returncode == 1
    assert run.stderr.startswith("Kubernetes: no access to a cluster")
    assert json.dumps(OWN_KEY) not in run.stderr


def test_an_inventory_says_whose_every_inbox_is(world: World, namespace: str, seeded: RunningEmulator) -> None:
    seeded.change("a0@one.com", overall_status="DISABLED", health_score=40.0)
    spec = {"inboxType": "GOOGLE_WORKSPACE", "managementPolicy": "Observe"}
    for name in ("a0", "a1", "nobody"):
        account = spec | {"emailAddress": f"{name}@one.com"}
        world.server.apply(named("SenderAccount", namespace, name, spec=account))
    with world.operator(COLDSEND_NAMESPACES=namespace, COLDSEND_LEASE_NAME=namespace):
        eventually(lambda: sum(map(ready, accounts(world, namespace))) == 1, "a1 Ready")
        eventually(lambda: all(each.get("status", {}).get("conditions") for each in accounts(world, namespace)), "told")
        seeded.clear_request_log()
        from_status = tool(world, "inventory", "-n", namespace, "-o", "json", COLDSEND_API_KEY="")
        asked = seeded.requests()
        live = tool(world, "inventory", "-n", namespace, "--live", "-o", "json")
        nobodys = tool(world, "inventory", "-A", "--unmanaged", "--domain", "two.com", "-o", "csv")
        table = tool(world, "inventory", "-n", namespace, "--by", "status")

    told = json.loads(from_status.stdout)
    assert (told["apiVersion"], told["kind"]) == ("cli.coldsend.pro/v1", "Inventory")
    assert {each["name"]: (each["state"], each["status"]) for each in told["inboxes"]} == {
        "a0": ("observed", "DISABLED"),
        "a1": ("observed", "ACTIVE"),
        "nobody": ("no-inbox", ""),
    }
    assert {entry["method"] for entry in asked} <= {"GET"}
    assert len([each for each in json.loads(live.stdout)["inboxes"] if each["state"] == "unmanaged"]) == 120
    header, zoe = nobodys.stdout.splitlines()
    assert header.startswith("state,address,domain,inboxType,namespace,name,batch,inboxID,status,ready,")
    assert zoe.startswith("unmanaged,zoe@two.com,two.com,CUSTOM_SMTP,")
    assert [row.split()[:2] for row in table.stdout.splitlines()] == [
        ["STATUS", "COUNT"],
        ["-", "1"],
        ["ACTIVE", "1"],
        ["DISABLED", "1"],
    ]


def test_contexts_and_namespaces_are_those_of_kubectl(world: World, namespace: str, tmp_path: Path) -> None:
    config = yaml.safe_load(world.cluster.kubeconfig.read_text())
    (context,) = config["contexts"]
    config["contexts"].append({"name": "other", "context": {**context["context"], "namespace": namespace}})
    config["contexts"].append({"name": "broken", "context": {**context["context"], "cluster": "nowhere"}})
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    spec = {"inboxType": "GOOGLE_WORKSPACE", "managementPolicy": "Observe", "emailAddress": "a@one.com"}
    world.server.apply(named("SenderAccount", namespace, "here", spec=spec))
    given = ("inventory", "-o", "json", "--kubeconfig", str(tmp_path / "config"))

    other = tool(world, *given, "--context", "other", KUBECONFIG="")
    broken = tool(world, *given, "--context", "broken", KUBECONFIG="")
    missing = tool(world, *given, "--context", "none", KUBECONFIG="")
    nobody = tool(world, *given, "--context", "other", "--as", "nobody", KUBECONFIG="")

    assert [each["name"] for each in json.loads(other.stdout)["inboxes"]] == ["here"]
    for failed in (broken, missing, nobody):
        assert (failed.returncode, failed.stdout) == (1, "")
        assert len(failed.stderr.splitlines()) == 1
    assert 'User "nobody" cannot list resource "senderaccounts"' in nobody.stderr


def test_the_pages_about_the_inventory_show_what_the_commands_print(world: World) -> None:
    world.emulator.reset()
    world.emulator.seed(
        {"email_address": "ann@company.com", **GOOGLE, "health_score": 97.0, "emails_sent_today": 12},
        {"email_address": "bob@company.com", **GOOGLE, "health_score": 88.5, "emails_sent_today": 31},
        {"email_address": "old@former.com", **GOOGLE, "overall_status": "DISABLED", "health_score": 41.0},
    )
    spec = {"inboxType": "GOOGLE_WORKSPACE", "displayName": "A Name", "dailyLimit": 50}
    adopt = {"adoptionPolicy": "Adopt", "deletionPolicy": "Orphan", "smtp": {"passwordSecretRef": {"name": "login"}}}
    accounts_of_the_page = {
        "ann": {**spec, **adopt, "emailAddress": "ann@company.com"},
        "bob": {"inboxType": "GOOGLE_WORKSPACE", "managementPolicy": "Observe", "emailAddress": "bob@company.com"},
        "eve": {"inboxType": "GOOGLE_WORKSPACE", "managementPolicy": "Observe", "emailAddress": "eve@company.com"},
    }
    world.server.apply(named("Namespace", "", "sales"), named("Secret", "sales", "login", stringData={"password": "x"}))
    for name, account in accounts_of_the_page.items():
        world.server.apply(named("SenderAccount", "sales", name, spec=account))
    try:
        with world.operator(COLDSEND_NAMESPACES="sales", COLDSEND_LEASE_NAME="page"):
            eventually(lambda: sum(map(ready, accounts(world, "sales"))) == 2, "ann and bob Ready")
            eventually(
                lambda: all(each.get("status", {}).get("conditions") for each in accounts(world, "sales")), "eve told"
            )
            shown = []
            for line, expected in (*commands("whose-inbox.md"), *commands("weekly-report.md")):
                program, *arguments = shlex.split(line)
                assert program == "coldsend-operator"
                run = tool(world, *arguments)
                shown.append((line, expected, run.stdout + run.stderr))
            world.server.kubectl("delete", "sender", "--all", "-n", "sales")
    finally:
        world.server.kubectl("delete", "namespace", "sales", "--wait=false")
    assert shown
    for line, expected, printed in shown:
        assert printed == expected, line
