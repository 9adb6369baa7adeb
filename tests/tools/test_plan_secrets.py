"""`plan` and what it cannot read: Secrets that may not be read are a remark, and a broken object costs itself alone."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.workspace.budget import Budget
from coldsend_operator.credentials.passwords import Hmac
from coldsend_operator.resources.names import API_VERSION
from tests.tools.api_pages import api_server
from tests.tools.support import WORKSPACE, command, held

KEY = "0123abcd.key-of-the-digests"
OURS = "/apis/coldsend.pro/v1alpha1/namespaces/sales"
LOGIN = "/api/v1/namespaces/sales/secrets/login"
STATE = "/api/v1/namespaces/coldsend/configmaps/coldsend-operator-state"
DIGESTS = "/api/v1/namespaces/coldsend/secrets/coldsend-operator-hmac"


def secret(**values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"metadata": {"resourceVersion": "1"}, "data": data}


def account(name: str, **around: Any) -> dict[str, Any]:
    """An object whose inbox has the password `canary-1`."""
    raw = held(name, smtp={"passwordSecretRef": {"name": "login"}}, updatePolicy="Recreate", **around)
    digest = Hmac.of(SecretStr(KEY)).digest(read_object(raw), ("canary-1", "canary-1"))
    raw["status"]["lastApplied"]["credentialsHash"] = digest
    return raw


def plan(monkeypatch: pytest.MonkeyPatch, folder: Path, pages: dict[str, Any], *arguments: str) -> tuple[int, Any]:
    monkeypatch.setenv("KUBECONFIG", str(folder / "config"))
    monkeypatch.setenv("COLDSEND_LEASE_NAMESPACE", "coldsend")
    whole = {
        f"{OURS}/senderaccounts": {"metadata": {}, "items": [account("ann")]},
        f"{OURS}/senderaccountbatches": {"metadata": {}, "items": []},
        "/api/v1/namespaces/sales": {"metadata": {"name": "sales"}},
        LOGIN: secret(password="canary-1\n"),
        DIGESTS: secret(key=KEY),
        **pages,
    }
    with api_server(whole, folder / "config"):
        result = command("plan", "-n", "sales", "-o", "json", *arguments)
        table = command("plan", "-n", "sales", *arguments)
    assert "canary" not in result.output + table.output
    return result.exit_code, {**json.loads(result.stdout), "sums": table.stdout}


def test_a_password_that_has_not_changed_is_known_not_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, told = plan(monkeypatch, tmp_path, {})
    assert (code, told["summary"]) == (0, {"none": 1})
    assert told["sums"] == "Nothing changes.\n1 object stays as it is.\n"
    assert not [warning for warning in told["warnings"] if "Secret" in warning]


def test_a_password_that_changed_a_moment_ago_is_in_the_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, told = plan(monkeypatch, tmp_path, {LOGIN: secret(password="canary-2")})
    assert (code, told["summary"]) == (3, {"recreate": 1})
    assert told["changes"][0]["message"].startswith("Its Secret has changed:")


def test_a_new_object_waits_for_a_secret_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new = held("new", smtp={"passwordSecretRef": {"name": "login", "key": "other"}})
    metadata = {"namespace": "sales", "name": "new"}
    manifest = {"apiVersion": API_VERSION, "kind": "SenderAccount", "metadata": metadata, "spec": new["spec"]}
    (tmp_path / "git.yaml").write_text(yaml.safe_dump(manifest))
    code, told = plan(monkeypatch, tmp_path, {}, "-f", str(tmp_path / "git.yaml"))
    (change,) = told["changes"]
    assert (change["action"], change["name"], change["reason"]) == ("wait", "new", "SecretKeyNotFound")
    assert code == 3  # it asks for an inbox; the same object in the cluster is no change
    pages = {f"{OURS}/senderaccounts": {"metadata": {}, "items": [account("ann"), {**new, "status": {}}]}}
    code, told = plan(monkeypatch, tmp_path, pages, "-f", str(tmp_path / "git.yaml"))
    assert (code, told["summary"]) == (0, {"none": 1, "wait": 1})


def test_a_new_batch_whose_inboxes_all_wait_is_a_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    template = {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": {"name": "login"}}}
    inboxes = [
        {"emailAddress": f"{name}@company.com", "displayName": name, "passwordKey": name} for name in ("eve", "fay")
    ]
    spec, metadata = {"template": template, "inboxes": inboxes}, {"namespace": "sales", "name": "pool"}
    manifest = {"apiVersion": API_VERSION, "kind": "SenderAccountBatch", "metadata": metadata, "spec": spec}
    (tmp_path / "git.yaml").write_text(yaml.safe_dump(manifest))
    code, told = plan(monkeypatch, tmp_path, {}, "-f", str(tmp_path / "git.yaml"))
    assert (code, told["summary"]) == (3, {"none": 1, "wait": 2})


def test_the_budget_is_that_of_the_workspaces_which_the_plan_uses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = held("bob", apiKeySecretRef={"name": "workspace"})
    other["status"]["lastApplied"]["workspace"] = "ba9876543210"
    new = {"metadata": {"namespace": "sales", "name": "new"}, "spec": account("new")["spec"]}
    (tmp_path / "git.yaml").write_text(yaml.safe_dump({"apiVersion": API_VERSION, "kind": "SenderAccount", **new}))
    spent = {WORKSPACE: 100, other["status"]["lastApplied"]["workspace"]: 0}
    budgets = {digest: Budget(Policy().limits).to_json(time.time(), block=block) for digest, block in spent.items()}
    pages = {
        f"{OURS}/senderaccounts": {"metadata": {}, "items": [account("ann"), other]},
        STATE: {"data": {digest: json.dumps({"budget": budget}) for digest, budget in budgets.items()}},
    }
    _, told = plan(monkeypatch, tmp_path, pages, "-f", str(tmp_path / "git.yaml"))
    assert told["summary"] == {"none": 2, "create": 1}
    assert told["cost"]["remainingThisHour"] == 700


def test_a_secret_that_may_not_be_read_is_a_remark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, told = plan(monkeypatch, tmp_path, {LOGIN: None})
    assert (code, told["summary"]) == (0, {"none": 1})
    assert told["sums"] == (
        "No change is known.\n"
        "1 object stays as it is, 1 of them provided that their Secrets, which were not read, are unchanged.\n"
    )
    (warning,) = (warning for warning in told["warnings"] if "Secret" in warning)
    assert warning.endswith("so the plan does not show their changes: sales/ann")


def test_without_the_key_of_the_digests_a_change_cannot_be_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, told = plan(monkeypatch, tmp_path, {DIGESTS: None, LOGIN: secret(password="canary-2")})
    assert told["summary"] == {"none": 1}
    assert told["sums"].startswith("No change is known.")
    assert any(
        "you may not read the key of the digests in status (Secret coldsend/coldsend-operator-hmac)" in warning
        for warning in told["warnings"]
    )


BROKEN: dict[str, Any] = {
    "labels that are a list": {"metadata": {"labels": ["a"]}},
    "no name": {"metadata": {"name": None}},
    "no metadata": {"metadata": None},
    "owners that are words": {"metadata": {"ownerReferences": ["pool"]}},
    "a time that is none": {"metadata": {"deletionTimestamp": 7}},
}


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        *(("SenderAccount", broken) for broken in BROKEN),
        *(("SenderAccountBatch", broken) for broken in list(BROKEN)[:3]),
    ],
)
def test_an_object_that_cannot_be_read_is_refused_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, broken: str
) -> None:
    monkeypatch.chdir(tmp_path)
    good, bad = held("ann"), {**held("bad"), "kind": kind}
    changed = BROKEN[broken]["metadata"]
    bad["metadata"] = None if changed is None else {**bad["metadata"], **changed}
    items = [bad, good, held("bob")]
    Path("snapshot.json").write_text(json.dumps({"kind": "List", "items": items}), encoding="utf-8")
    result = command("plan", "--snapshot", "snapshot.json", "-o", "json")
    told = json.loads(result.stdout)
    assert result.exit_code == 3
    assert told["summary"] == {"refuse": 1, "none": 2}
    assert told["changes"][0]["message"].startswith("The object cannot be read (")


@pytest.mark.parametrize("field", ["stringData", "data"])
def test_a_secret_among_the_manifests_counts_as_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, field: str
) -> None:
    password = "canary-2" if field == "stringData" else base64.b64encode(b"canary-2").decode()
    metadata = {"namespace": "sales"}
    new = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "new", **metadata}, field: {"password": password}}
    spec = {**account("bob")["spec"], "emailAddress": "bob@company.com", "smtp": {"passwordSecretRef": {"name": "new"}}}
    bob = {"apiVersion": API_VERSION, "kind": "SenderAccount", "metadata": {"name": "bob", **metadata}, "spec": spec}
    file = tmp_path / "git.yaml"
    file.write_text(yaml.safe_dump_all([new, bob]))
    code, told = plan(monkeypatch, tmp_path, {}, "-f", str(file))
    assert (code, told["summary"]) == (3, {"create": 1, "none": 1})


def test_a_password_that_the_manifests_change_is_a_replacement(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "sales"}}
    file = tmp_path / "git.yaml"
    file.write_text(yaml.safe_dump({**login, "stringData": {"password": "canary-2"}}))
    _, told = plan(monkeypatch, tmp_path, {}, "-f", str(file))
    assert told["summary"] == {"recreate": 1}


def test_a_secret_that_sops_has_encrypted_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "sales"}}
    file = tmp_path / "git.yaml"
    file.write_text(yaml.safe_dump({**login, "stringData": {"password": "ENC[...]"}, "sops": {}}))
    code, told = plan(monkeypatch, tmp_path, {}, "-f", str(file))
    assert (code, told["summary"]) == (0, {"none": 1})


# -- namespaces that manifests name


def test_objects_of_the_namespaces_that_manifests_name_are_read_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = account("bob", namespace="other")
    pages = {
        f"{OURS.replace('sales', 'other')}/senderaccounts": {"metadata": {}, "items": [other]},
        f"{OURS.replace('sales', 'other')}/senderaccountbatches": {"metadata": {}, "items": []},
        "/api/v1/namespaces/other": {"metadata": {"name": "other"}},
        LOGIN.replace("sales", "other"): secret(password="canary-1"),
    }
    metadata = {"namespace": "other", "name": "bob"}
    manifest = {"apiVersion": API_VERSION, "kind": "SenderAccount", "metadata": metadata, "spec": other["spec"]}
    (tmp_path / "git.yaml").write_text(yaml.safe_dump(manifest))
    code, told = plan(monkeypatch, tmp_path, pages, "-f", str(tmp_path / "git.yaml"))
    assert (code, told["summary"]) == (0, {"none": 2})
    assert [each for each in told["warnings"] if each.startswith("only namespaces other, sales were read")]


def test_the_namespace_of_new_objects_is_read_and_one_that_does_not_exist_is_a_remark(tmp_path: Path) -> None:
    metadata = {"namespace": "sales", "name": "new"}
    manifest = {"apiVersion": API_VERSION, "kind": "SenderAccount", "metadata": metadata, "spec": held("new")["spec"]}
    (tmp_path / "git.yaml").write_text(yaml.safe_dump(manifest))
    nothing: dict[str, Any] = {"metadata": {}, "items": []}
    lists = {f"{OURS}/senderaccounts": nothing, f"{OURS}/senderaccountbatches": nothing}
    paused = {"metadata": {"name": "sales", "annotations": {"coldsend.pro/paused": "true"}}}
    line = ("plan", "-n", "sales", "-f", tmp_path / "git.yaml", "-o", "json", "--kubeconfig", tmp_path / "config")
    with api_server({**lists, "/api/v1/namespaces/sales": paused}, tmp_path / "config", missing=404):
        told = json.loads(command(*line).stdout)
    with api_server(lists, tmp_path / "config", missing=404):
        missing = json.loads(command(*line).stdout)
    assert [change["reason"] for change in told["changes"]] == ["ReconciliationPaused"]
    assert "namespace sales does not exist: create it before these manifests" in missing["warnings"]
