"""The commands that look: what they show of a cluster, and that they send GET and nothing else."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import yaml

from coldsend_operator.tools.app import commands
from tests.chart.rights import Request
from tests.e2e.commands.person import Person, Run
from tests.e2e.commands.place import ALONE, NOBODYS, OTHER, REFUSED, SALES, Place
from tests.e2e.support.api_server import Object

OFFLINE = {"import", "validate", "schemas", "completion"}
CHANGING = {
    "pause",
    "resume",
    "reconcile",
    "approve-deletion",
    "approve-recreation",
    "force-orphan",
    "hand-over",
    "test-email",
}
READING = {
    "plan": ("plan", "-A", "-o", "json"),
    "plan-of-git": ("plan", "-f", "git.yaml", "-o", "json", "--fail-on", "hold,refuse"),
    "plan-live": ("plan", "-f", "git.yaml", "--live", "-o", "json", "--fail-on", "recreate"),
    "export": ("export", "-n", SALES),
    "export-unmanaged": ("export", "-n", SALES, "--unmanaged", "--manage"),
    "inventory": ("inventory", "--by", "domain", "-o", "csv"),
    "inventory-live": ("inventory", "--live", "-o", "json"),
    "inventory-unmanaged": ("inventory", "-A", "--unmanaged", "-o", "csv"),
    "status": ("status",),
    "status-json": ("status", "-o", "json"),
    "tree": ("tree", "senderbatch/pool"),
    "wait": ("wait", "sender/ann", "--for", "synced"),
    "doctor": ("doctor", "-o", "json"),
    "report-bundle": ("report-bundle", "-f", "bundle.zip"),
}
LINES = {name: line for name, line in READING.items() if line[0] in commands()}
CODES = {"plan-of-git": 3, "plan-live": 4}
ASK_COLDSEND = {"plan-live", "export", "export-unmanaged", "inventory-live", "inventory-unmanaged", "doctor"}
ASK_NOTHING_OF_KUBERNETES = {"export"}
NOWHERE = {"KUBECONFIG": "", "COLDSEND_API_KEY": "", "COLDSEND_API_URL": ""}


@dataclass(frozen=True)
class Read:
    """One run, and what reached the API server and ColdSend."""

    run: Run
    of_kubernetes: set[Request]
    of_coldsend: list[Object]


def manifest(name: str, **spec: object) -> str:
    identity = {"emailAddress": f"{name}@alone.com", "displayName": name.title()}
    about: dict[str, object] = {"inboxType": "GOOGLE_WORKSPACE", "dailyLimit": 50, **identity, **spec}
    about["smtp"] = {"passwordSecretRef": {"name": "mail"}}
    metadata = {"name": name, "namespace": SALES}
    return yaml.safe_dump(
        {"apiVersion": "coldsend.pro/v1alpha1", "kind": "SenderAccount", "metadata": metadata, "spec": about}
    )


@pytest.fixture(scope="module")
def looked(here: Place) -> dict[str, Read]:
    """All of LINES, each by a person of its own."""
    changed = manifest("ann", displayName="Other", updatePolicy="Recreate")
    git = "---\n".join([changed, manifest("new"), manifest("zoe", emailAddress=NOBODYS)])
    people = {name: here.person(f"looks-{name}") for name in LINES}
    for person in people.values():
        (person.folder / "git.yaml").write_text(git, encoding="utf-8")
    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(person.run, *LINES[name]) for name, person in people.items()}
        runs = {name: each.result() for name, each in running.items()}
    return {
        name: Read(run, here.asked_of_kubernetes(f"looks-{name}"), here.asked_of_coldsend(f"looks-{name}"))
        for name, run in runs.items()
    }


def test_every_command_reads_changes_or_needs_no_network() -> None:
    assert set(commands()) <= {line[0] for line in READING.values()} | CHANGING | OFFLINE


@pytest.mark.parametrize("name", LINES)
def test_a_command_that_only_reads_sends_nothing_but_gets(looked: dict[str, Read], name: str) -> None:
    it = looked[name]
    assert it.run.code == CODES.get(name, 0), it.run.out + it.run.err
    assert bool(it.of_kubernetes) is (name not in ASK_NOTHING_OF_KUBERNETES)
    assert bool(it.of_coldsend) is (name in ASK_COLDSEND)
    wrote = {(request.verb, request.resource) for request in it.of_kubernetes if request.verb not in {"get", "list"}}
    assert {each for each in wrote if each[0] != "create" or not each[1].endswith("accessreviews")} == set()
    assert {each["method"] for each in it.of_coldsend} <= {"GET"}
    reads_secrets = {"secrets"} & {request.resource for request in it.of_kubernetes}
    assert not reads_secrets or LINES[name][0] in {"doctor", "plan"}  # whether they are there, and have changed


# -- what they show


def test_plan_shows_what_manifests_would_do(looked: dict[str, Read]) -> None:
    at_peace = json.loads(looked["plan"].run.out)
    assert set(at_peace["summary"]) <= {"none", "wait"}
    of_git, live = (
        {each["name"]: each["action"] for each in json.loads(looked[name].run.out)["changes"]}
        for name in ("plan-of-git", "plan-live")
    )
    assert (of_git["ann"], of_git["new"], of_git["zoe"]) == ("recreate", "create", "create")
    assert (live["ann"], live["new"], live["zoe"]) == ("recreate", "create", "conflict")


def test_plan_of_a_snapshot_is_that_of_the_cluster(here: Place, person: Person, looked: dict[str, Read]) -> None:
    snapshot = here.world.server.kubectl("get", "sender,senderbatch,ns", "-A", "-o", "json").stdout
    (person.folder / "snapshot.json").write_text(snapshot, encoding="utf-8")
    run = person.succeeds("plan", "-A", "-o", "json", "--snapshot", "snapshot.json", environment=NOWHERE)
    of_snapshot, of_cluster = (
        [{**each, "message": ""} for each in json.loads(text)["changes"]] for text in (run.out, looked["plan"].run.out)
    )
    assert of_snapshot == of_cluster  # but for messages: they tell times


def test_export_writes_what_is_in_coldsend_or_what_is_nobodys(looked: dict[str, Read]) -> None:
    everything, nobodys = (
        {
            inbox["emailAddress"]
            for each in yaml.safe_load_all(looked[name].run.out)
            for inbox in each["spec"]["inboxes"]
        }
        for name in ("export", "export-unmanaged")
    )
    assert everything >= {"ann@alone.com", "pat@pool.com", NOBODYS}
    assert nobodys == {NOBODYS}


def test_status_shows_budget_progress_and_the_first_failures(looked: dict[str, Read]) -> None:
    shown = looked["status"].run.out
    headers = [line.split() for line in shown.splitlines() if line.startswith(("WORKSPACE", "BATCH", "REASON"))]
    assert [header[0] for header in headers] == ["WORKSPACE", "BATCH", "REASON"]
    assert headers[1] == ["BATCH", "PROGRESS", "READY", "FAILED", "DONE", "AT", "REASON"]
    assert "2/3" in shown
    assert f"{REFUSED}: ConnectionFailed" in shown
    told = json.loads(looked["status-json"].run.out)
    (workspace,) = [each for each in told["workspaces"] if each["inboxes"]]
    assert workspace["inboxes"] == len(ALONE) + 2
    assert workspace["hour_left"] > 0
    assert [each["name"] for each in told["batches"]] == ["pool"]


def test_tree_shows_the_accounts_of_a_batch_those_that_are_not_ready_first(looked: dict[str, Read]) -> None:
    _, batch, first, *others = looked["tree"].run.out.splitlines()
    assert batch.startswith("SenderAccountBatch/pool")
    assert REFUSED in first
    assert len(others) == 2


def test_inventory_says_whose_every_inbox_is_and_what_it_comes_to(looked: dict[str, Read]) -> None:
    told = json.loads(looked["inventory-live"].run.out)
    assert (told["apiVersion"], told["kind"]) == ("cli.coldsend.pro/v1", "Inventory")
    states = {each["address"]: each["state"] for each in told["inboxes"]}
    assert (states["ann@alone.com"], states[NOBODYS], states[REFUSED]) == ("managed", "unmanaged", "no-inbox")
    header, *rows = looked["inventory"].run.out.splitlines()
    assert header.startswith("name,count,ready,")
    assert [row for row in rows if row.startswith(f"alone.com,{len(ALONE)},{len(ALONE)},0,0,")]
    header, nobodys = looked["inventory-unmanaged"].run.out.splitlines()
    assert header.startswith("state,address,domain,inboxType,namespace,name,batch,inboxID,status,ready,")
    assert nobodys.startswith(f"unmanaged,{NOBODYS},")


def test_wait_ends_at_once_when_waiting_cannot_help(here: Place, person: Person) -> None:
    found = here.world.server.items("SenderAccount", SALES)
    (refused,) = [each["metadata"]["name"] for each in found if each["spec"]["emailAddress"] == REFUSED]
    failed = person.fails("wait", f"sender/{refused}", "--timeout", "1h")
    assert "will not become ready by waiting: ConnectionFailed" in failed.err
    person.fails("wait", "sender/nobody", "--timeout", "1h")


def test_the_namespace_is_that_of_the_context_and_the_rights_are_those_of_the_person(person: Person) -> None:
    other = json.loads(person.succeeds("inventory", "-n", OTHER, "-o", "json").out)
    assert other["inboxes"] == []
    nobody = person.fails("status", "--as", "nobody")
    assert 'User "nobody" cannot list' in nobody.err
    assert person.fails("status", "--context", "none").out == ""


# -- without a network


def test_validate_and_schemas_need_no_cluster(person: Person) -> None:
    (person.folder / "good.yaml").write_text(manifest("ann"), encoding="utf-8")
    (person.folder / "bad.yaml").write_text(manifest("ann", dailyLimit=-1), encoding="utf-8")
    person.succeeds("validate", "-f", "good.yaml", environment=NOWHERE)
    wrong = person.run("validate", "-f", "bad.yaml", environment=NOWHERE)
    assert wrong.code == 1
    assert "spec.dailyLimit" in wrong.out + wrong.err
    person.succeeds("schemas", "schemas", environment=NOWHERE)
    made = [json.loads(path.read_text(encoding="utf-8")) for path in (person.folder / "schemas").iterdir()]
    assert len(made) >= 2
