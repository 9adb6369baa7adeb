"""`plan` as a person runs it, on snapshots; a real cluster is in tests/e2e/test_tools.py."""

import json
import os
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from coldsend_operator.resources.names import API_VERSION
from tests.tools.support import command, held


def manifest(raw: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """What stands in Git of an object."""
    metadata = {key: raw["metadata"][key] for key in ("namespace", "name", "labels")}
    changed = {key: value for key, value in {**raw["spec"], **spec}.items() if value is not None}
    return {"apiVersion": API_VERSION, "kind": "SenderAccount", "metadata": metadata, "spec": changed}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def snapshot(*objects: dict[str, Any]) -> None:
    Path("snapshot.json").write_text(json.dumps({"kind": "List", "items": list(objects)}), encoding="utf-8")


def git(*manifests: dict[str, Any]) -> None:
    Path("git.yaml").write_text(yaml.safe_dump_all(manifests), encoding="utf-8")


def plan(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = command("plan", "--snapshot", "snapshot.json", "-o", "json", *arguments)
    return result.exit_code, json.loads(result.stdout)


def rows(told: dict[str, Any]) -> dict[str, str]:
    return {change["name"]: change["action"] for change in told["changes"]}


def test_nothing_to_do_is_exit_code_0() -> None:
    snapshot(held("ann"), held("bob"))
    code, told = plan()
    assert (code, told["apiVersion"], told["kind"]) == (0, "cli.coldsend.pro/v1", "Plan")
    assert (told["summary"], told["changes"]) == ({"none": 2}, [])
    assert told["cost"] == {"requests": 0, "seconds": 0, "remainingThisHour": None}


def test_a_snapshot_may_come_from_a_pipe() -> None:
    listed = json.dumps({"kind": "List", "items": [held("ann")]})
    result = command("plan", "--snapshot", "-", "-o", "json", given=listed)
    assert (result.exit_code, json.loads(result.stdout)["summary"]) == (0, {"none": 1}), result.stderr


def test_manifests_may_come_from_a_named_pipe() -> None:
    snapshot()
    os.mkfifo("pipe")
    Thread(target=Path("pipe").write_text, args=(json.dumps(manifest(held("ann"))),), daemon=True).start()
    code, told = plan("-f", "pipe")
    assert (code, rows(told)) == (3, {"ann": "create"})


def test_a_snapshot_without_namespaces_is_told_as_their_annotations_are_not_known() -> None:
    snapshot(held("ann"))
    assert [each for each in plan()[1]["warnings"] if "holds no Namespaces" in each]
    snapshot(held("ann"), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}})
    assert not [each for each in plan()[1]["warnings"] if "Namespaces" in each]


def test_an_object_whose_create_was_refused_waits() -> None:
    ann = held("ann")
    ready = {"type": "Ready", "status": "False", "reason": "ConnectionFailed", "message": "no", "observedGeneration": 1}
    ann["status"] = {"conditions": [ready], "observedGeneration": 1}
    snapshot(ann)
    (change,) = plan()[1]["changes"]
    assert (change["action"], change["reason"]) == ("wait", "ConnectionFailed")


def test_a_limit_alone_is_told_as_the_limit_alone() -> None:
    ann = held("ann", displayName="Ann", dailyLimit=50)
    ann["status"]["dailyLimit"] = 50
    snapshot(ann)
    git(manifest(ann, dailyLimit=80))
    (change,) = plan("-f", "git.yaml")[1]["changes"]
    assert change["action"] == "drift"
    assert "dailyLimit is 50" in change["message"]
    assert "displayName" not in change["message"]


def test_a_name_that_status_does_not_show_is_not_told_as_empty() -> None:
    """The object in the cluster has the new name already, so that nothing tells the one that was sent."""
    ann = held("ann", displayName="Ann")
    ann["spec"]["displayName"] = "Anna"
    snapshot(ann)
    (change,) = plan()[1]["changes"]
    assert change["action"] == "drift"
    assert "displayName is '(not in status)', the spec says 'Anna'" in change["message"]


def test_a_difference_that_status_explains_is_told_as_there() -> None:
    ann = held("ann", displayName="Ann")
    ann["spec"]["displayName"] = "Anna"
    said = {"type": "Synced", "status": "False", "message": "displayName is 'Ann'.", "observedGeneration": 1}
    ann["status"]["conditions"].append({**said, "reason": "UpdateNotSupported"})
    snapshot(ann)
    assert [change["message"] for change in plan()[1]["changes"]] == ["displayName is 'Ann'."]
    git(manifest(ann, displayName="Anni"))  # another generation, of which status says nothing yet
    (change,) = plan("-f", "git.yaml")[1]["changes"]
    assert "the spec says 'Anni'" in change["message"]


def test_manifests_stand_in_place_of_the_objects_of_their_name() -> None:
    ann, bob, cid = held("ann", updatePolicy="Recreate"), held("bob"), held("cid")
    new = held("new")
    snapshot(ann, bob, cid)
    git(manifest(ann, displayName="Other"), manifest(bob, displayName="Other"), manifest(new))
    code, told = plan("-f", "git.yaml")
    assert code == 3
    assert rows(told) == {"ann": "recreate", "bob": "drift", "new": "create"}
    assert told["summary"] == {"recreate": 1, "create": 1, "drift": 1, "none": 1}
    assert told["cost"]["requests"] > 0
    change = next(each for each in told["changes"] if each["name"] == "new")
    assert set(change) == {"action", "kind", "namespace", "name", "address", "reason", "message"}


def test_what_no_file_holds_is_deleted_with_prune_and_the_brake_holds_a_wiped_folder() -> None:
    pool = [held(f"pool-{number}") for number in range(30)]
    snapshot(*pool, held("other", labels={}))
    git(*map(manifest, pool[1:]))
    assert plan("-f", "git.yaml", "--prune", "-l", "app=pool")[1]["summary"] == {"delete": 1, "none": 30}
    git(manifest(pool[0]))
    code, told = plan("-f", "git.yaml", "--prune", "-l", "app=pool", "--fail-on", "hold")
    assert (code, told["summary"]) == (4, {"hold": 29, "none": 2})
    assert "29 of 31 inboxes were to be deleted" in told["changes"][0]["message"]


def test_an_inbox_that_is_to_stay_is_an_orphan() -> None:
    snapshot(held("ann", deletionPolicy="Orphan"), held("bob"))
    git(manifest(held("bob")))
    assert rows(plan("-f", "git.yaml", "--prune", "-l", "app in (pool, x)")[1]) == {"ann": "orphan"}


def test_defaults_and_approvals_of_a_namespace_count() -> None:
    pool = [held(f"pool-{number}") for number in range(30)]
    for annotation, value, word in (
        ("coldsend.pro/deletion-policy", "Orphan", "orphan"),
        ("coldsend.pro/approve-deletion", "true", "delete"),
    ):
        metadata = {"name": "sales", "annotations": {annotation: value}}
        snapshot(*pool, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        git(manifest(pool[0]))
        assert plan("-f", "git.yaml", "--prune", "-l", "app=pool")[1]["summary"] == {word: 29, "none": 1}


def test_objects_with_another_key_of_their_namespace_share_no_address_with_others() -> None:
    other = {"name": "other", "annotations": {"coldsend.pro/api-key-secret": "workspace"}}
    new = [held("ann", namespace=namespace) for namespace in ("sales", "other")]
    snapshot({"apiVersion": "v1", "kind": "Namespace", "metadata": other})
    git(*map(manifest, new))
    assert plan("-f", "git.yaml")[1]["summary"] == {"create": 2}


def test_a_renamed_object_hands_its_inbox_over() -> None:
    snapshot(held("old", address="ann@company.com"))
    git(manifest(held("new", address="ann@company.com")))
    code, told = plan("-f", "git.yaml", "--prune", "-l", "app=pool")
    assert (code, rows(told)) == (3, {"old": "hand-over"})
    assert told["changes"][0]["message"] == "The inbox goes to sales/new and stays in ColdSend."


def test_what_the_api_server_would_refuse_is_told_with_its_field() -> None:
    ann = held("ann")
    snapshot(ann)
    git(manifest(ann, emailAddress="other@company.com"), manifest(held("bob"), dailyLimit=5_000))
    code, told = plan("-f", "git.yaml", "--fail-on", "refuse")
    assert (code, rows(told)) == (4, {"ann": "refuse", "bob": "refuse"})
    assert [change["message"].partition(":")[0] for change in told["changes"]] == [
        "spec.emailAddress",
        "spec.dailyLimit",
    ]


def test_an_address_that_two_objects_ask_for_is_a_conflict() -> None:
    snapshot(held("ann"))
    git(manifest(held("second", address="ann@company.com")))
    assert rows(plan("-f", "git.yaml")[1]) == {"second": "conflict"}


def test_a_batch_is_planned_by_its_children() -> None:
    snapshot()
    template = {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": {"name": "mail"}}}
    inboxes = [{"emailAddress": f"{name}@company.com", "displayName": name} for name in ("ann", "bob", "ann")]
    batch = {
        "apiVersion": API_VERSION,
        "kind": "SenderAccountBatch",
        "metadata": {"name": "pool", "namespace": "sales"},
        "spec": {"template": template, "inboxes": inboxes},
    }
    git(batch)
    code, told = plan("-f", "git.yaml")
    assert code == 3
    assert sorted((change["action"], change["address"]) for change in told["changes"]) == [
        ("conflict", "ann@company.com"),
        ("create", "ann@company.com"),
        ("create", "bob@company.com"),
    ]


def test_a_table_and_a_comment_say_it_in_a_paragraph() -> None:
    snapshot(held("ann", updatePolicy="Recreate"))
    git(manifest(held("ann", updatePolicy="Recreate"), displayName="Other | <b>"))
    table = command("plan", "--snapshot", "snapshot.json", "-f", "git.yaml").stdout
    comment = command("plan", "--snapshot", "snapshot.json", "-f", "git.yaml", "-o", "markdown").stdout
    for text in (table, comment):
        assert "Plan: 1 to recreate." in text
        assert "1 inbox gets a new id" in text
    assert table.startswith("ACTION")
    assert "| recreate | SenderAccount | sales/ann | ann&#64;company.com |" in comment


@pytest.mark.parametrize(
    "arguments",
    [
        ("--fail-on", "create"),
        ("--prune", "-l", "app=pool"),
        ("-f", "git.yaml", "--prune"),
        ("-f", "git.yaml", "-l", "app=pool"),
        ("-f", "git.yaml", "--prune", "-l", "app=p=q"),
    ],
)
def test_options_that_do_not_fit_together_are_wrong_usage(arguments: tuple[str, ...]) -> None:
    snapshot()
    git()
    result = command("plan", "--snapshot", "snapshot.json", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"items": 1}'])
def test_a_snapshot_that_is_none_is_told_with_the_way_to_make_one(text: str) -> None:
    Path("snapshot.json").write_text(text, encoding="utf-8")
    result = command("plan", "--snapshot", "snapshot.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "kubectl get sender,senderbatch,ns -A -o json" in result.stderr


def test_a_kustomization_needs_a_program_that_builds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    snapshot()
    result = command("plan", "--snapshot", "snapshot.json", "-k", ".")
    assert (result.exit_code, result.stderr) == (
        1,
        "-k needs kubectl or kustomize on the PATH; install one, or pass the rendered files with -f\n",
    )


def test_a_kustomization_is_built_by_kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "kubectl"
    git(manifest(held("new")))
    program.write_text(f"#!/bin/sh\n/bin/cat {folder}/git.yaml\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    snapshot()
    assert rows(plan("-k", ".")[1]) == {"new": "create"}


# -- how manifests may come


def test_json_may_hold_one_object_after_the_other_or_a_list_of_one_kind() -> None:
    snapshot()
    ann, bob, cid = (manifest(held(name)) for name in ("ann", "bob", "cid"))
    Path("stream.json").write_text(f"{json.dumps(ann)}\n{json.dumps(bob)}\n", encoding="utf-8")
    items = [{key: cid[key] for key in ("metadata", "spec")}]
    typed = {"apiVersion": API_VERSION, "kind": "SenderAccountList", "metadata": {}, "items": items}
    Path("list.json").write_text(json.dumps(typed), encoding="utf-8")
    told = plan("-f", "stream.json", "-f", "list.json")[1]
    assert rows(told) == {"ann": "create", "bob": "create", "cid": "create"}


def test_each_object_that_the_api_server_will_name_is_one_of_its_own() -> None:
    snapshot()
    made = [manifest(held(name)) for name in ("ann", "bob")]
    for each in made:
        each["metadata"] = {"generateName": "new-", "namespace": "sales"}
    git(*made)
    told = plan("-f", "git.yaml")[1]
    assert told["summary"] == {"create": 2}
    assert {change["address"] for change in told["changes"]} == {"ann@company.com", "bob@company.com"}
    assert all(change["name"].startswith("new-") for change in told["changes"])


def test_an_object_given_twice_is_compared_with_what_the_cluster_has() -> None:
    ann = held("ann", displayName="Ann", updatePolicy="Recreate")
    snapshot(ann)
    git(manifest(ann, displayName="Other"), manifest(ann))
    assert plan("-f", "git.yaml")[1]["summary"] == {"none": 1}


def test_a_refused_manifest_is_shown_with_the_address_at_fault() -> None:
    snapshot()
    template = {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": {"name": "mail"}}}
    limits = {"good": 50, "bad": -1}
    inboxes = [
        {"emailAddress": f"{name}@company.com", "displayName": name, "dailyLimit": limit}
        for name, limit in limits.items()
    ]
    metadata = {"namespace": "sales", "name": "pool"}
    batch = {"apiVersion": API_VERSION, "kind": "SenderAccountBatch", "metadata": metadata}
    git(manifest(held("ann"), dailyLimit=-1), {**batch, "spec": {"template": template, "inboxes": inboxes}})
    refused = [each for each in plan("-f", "git.yaml")[1]["changes"] if each["action"] == "refuse"]
    assert {each["address"] for each in refused} == {"ann@company.com", "bad@company.com"}


def test_manifests_without_an_object_of_the_two_kinds_are_a_remark() -> None:
    snapshot(held("ann"))
    Path("other.yaml").write_text("kind: Pod\n", encoding="utf-8")
    assert "the manifests contain no SenderAccount and no SenderAccountBatch" in plan("-f", "other.yaml")[1]["warnings"]
    assert not [each for each in plan()[1]["warnings"] if "manifests" in each]


# -- namespaces


def test_a_namespace_among_the_manifests_counts_as_applied() -> None:
    snapshot()
    metadata = {"name": "sales", "annotations": {"coldsend.pro/paused": "true"}}
    git(manifest(held("ann")), {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    (change,) = plan("-f", "git.yaml")[1]["changes"]
    assert (change["action"], change["reason"]) == ("wait", "ReconciliationPaused")


def test_of_a_snapshot_only_the_namespaces_are_shown_that_are_asked_for_or_in_manifests() -> None:
    refused = {"type": "Ready", "status": "False", "reason": "Rejected", "message": "no", "observedGeneration": 1}
    there = [held(name, namespace=name) for name in ("sales", "other", "third")]
    for each in there:
        each["status"] = {"conditions": [refused], "observedGeneration": 1}
    snapshot(*there)
    assert set(rows(plan()[1])) == {"sales", "other", "third"}
    assert set(rows(plan("-n", "sales")[1])) == {"sales"}
    git(manifest(there[1]))
    assert set(rows(plan("-n", "sales", "-f", "git.yaml")[1])) == {"sales", "other"}


def test_a_refused_create_is_told_with_the_next_try_that_status_names() -> None:
    ann = held("ann")
    message = "Connection failed. Next try at 2026-11-28T04:16:44Z, or at once when the Secret or spec changes."
    ready = {"type": "Ready", "status": "False", "reason": "ConnectionFailed", "message": message}
    ann["status"] = {"conditions": [{**ready, "observedGeneration": 1}], "observedGeneration": 1}
    snapshot(ann)
    assert plan()[1]["changes"][0]["message"] == message
