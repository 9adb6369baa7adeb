"""The commands for people on a real API server: contexts, and what the pages about them show."""

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

from tests.e2e.support.api_server import named
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import OWN_KEY, World
from tests.tools.pages import commands

GOOGLE = {"inbox_type": "GOOGLE_WORKSPACE", "display_name": "A Name", "daily_limit": 50}


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    name = f"tools-{uuid4().hex[:8]}"
    world.emulator.reset()
    world.server.apply(named("Namespace", "", name))
    yield name
    world.server.kubectl("delete", "senderbatch,sender", "--all", "-n", name, "--wait=false")


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


def test_a_cluster_that_is_not_there_is_one_sentence(world: World, tmp_path: Path) -> None:
    run = tool(world, "export", "-n", "sales", "--unmanaged", "--kubeconfig", str(tmp_path / "none"))

    assert run.returncode == 1
    assert run.stderr.startswith("Kubernetes: no access to a cluster")
    assert json.dumps(OWN_KEY) not in run.stderr


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
