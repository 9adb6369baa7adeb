"""`doctor` on a real API server: definitions, rights, the Lease and Secrets, as an administrator and as others."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from coldsend_operator import __version__
from tests.e2e.support.api_server import named
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import MARKER, World
from tests.e2e.test_tools import tool

WORK = [
    {"apiGroups": ["coldsend.pro"], "resources": ["*"], "verbs": ["*"]},
    {"apiGroups": [""], "resources": ["secrets", "namespaces", "configmaps"], "verbs": ["get", "create", "patch"]},
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
]


@contextmanager
def namespace_with_robot(world: World, prefix: str) -> Iterator[str]:
    """A namespace of its own, with the ServiceAccount of the Deployment that `install` makes; ColdSend is empty."""
    name = f"{prefix}-{uuid4().hex[:8]}"
    world.emulator.reset()
    world.server.apply(named("Namespace", "", name), named("ServiceAccount", name, "robot"))
    yield name
    world.server.kubectl("delete", "senderbatch,sender,deployment", "--all", "-n", name, "--wait=false")


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    with namespace_with_robot(world, "doctor") as name:
        yield name


def install(world: World, namespace: str, version: str = __version__) -> None:
    """The Deployment of the chart, as far as anybody looks at it."""
    labels = {"app.kubernetes.io/part-of": "coldsend-operator", "app.kubernetes.io/version": version}
    pod = {"app.kubernetes.io/instance": namespace}
    env = [{"name": "COLDSEND_LEASE_NAME", "value": "lead"}, {"name": "COLDSEND_LEASE_NAMESPACE", "value": namespace}]
    container = {"name": "operator", "image": "operator:1", "env": env}
    spec = {"serviceAccountName": "robot", "containers": [container]}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "coldsend", "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": pod}, "template": {"metadata": {"labels": pod}, "spec": spec}},
    }
    world.server.ask("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", body)


def doctor(world: World, namespace: str, *arguments: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Exit code, and checks by area."""
    given = ("doctor", "-n", namespace, "-o", "json", *arguments)
    run = tool(world, *given, COLDSEND_API_KEY="", COLDSEND_LEASE_NAMESPACE=namespace)
    assert MARKER not in run.stdout + run.stderr
    checks: dict[str, list[dict[str, Any]]] = {}
    for check in json.loads(run.stdout)["checks"]:
        checks.setdefault(check["area"], []).append(check)
    return run.returncode, checks


def results(checks: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    return {area: [check["result"] for check in found] for area, found in checks.items()}


def test_a_cluster_without_an_operator_is_told_as_such(world: World, namespace: str) -> None:
    code, checks = doctor(world, namespace)
    assert code == 0
    assert results(checks) == {
        "cluster": ["ok"],
        "definitions": ["ok", "ok"],
        "operator": ["warning"],
        "rights": ["ok"],
        "lease": ["warning"],
        "secrets": ["ok"],
        "coldsend": ["warning"],
    }
    assert "an operator with your permissions would have all" in checks["rights"][0]["message"]


def test_rights_are_those_of_the_service_account(world: World, namespace: str) -> None:
    install(world, namespace, version="0.0.9")
    code, checks = doctor(world, namespace)
    assert code == 1
    assert "has version 0.0.9" in checks["operator"][0]["message"]
    said = [check["message"] for check in checks["rights"] if check["result"] == "failed"]
    assert f"ServiceAccount {namespace}/robot may not patch senderaccounts/status.coldsend.pro in all namespaces" in (
        "\n".join(said)
    )

    binding = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": namespace}}
    subject = {"kind": "ServiceAccount", "name": "robot", "namespace": namespace}
    world.server.apply(
        named("ClusterRole", "", namespace, rules=WORK),
        named("ClusterRoleBinding", "", namespace, subjects=[subject], **binding),
    )
    try:
        eventually(lambda: results(doctor(world, namespace)[1])["rights"] == ["ok"], "the grants to hold")
    finally:
        world.server.delete("ClusterRoleBinding", "", namespace)
        world.server.delete("ClusterRole", "", namespace)


def test_the_lease_says_who_leads(world: World, namespace: str) -> None:
    install(world, namespace)
    lease = {"COLDSEND_LEASE_NAME": "lead", "COLDSEND_LEASE_NAMESPACE": namespace}
    with world.operator(COLDSEND_NAMESPACES=namespace, COLDSEND_LEADER_ELECTION="on", **lease) as operator:
        eventually(operator.leads, "the operator to lead")
        _, checks = doctor(world, namespace)
        assert results(checks)["lease"] == ["ok"]
        operator.pause()
        found = world.server.get("Lease", namespace, "lead")
        assert found is not None
        world.server.merge("Lease", namespace, "lead", {"spec": {"renewTime": "2024-01-01T00:00:00.000000Z"}})
        code, checks = doctor(world, namespace)
        operator.resume()
    assert (code, results(checks)["lease"]) == (1, ["failed"])
    assert "no leader" in checks["lease"][0]["message"]


def test_secrets_are_checked_and_no_value_is_shown(world: World, namespace: str) -> None:
    values = {"password": f"{MARKER}\n", "good": MARKER}
    world.server.apply(named("Secret", namespace, "login", stringData=values))
    for name, reference in {
        "a": {"name": "login"},
        "b": {"name": "login", "key": "good"},
        "c": {"name": "none"},
    }.items():
        spec = {"inboxType": "GOOGLE_WORKSPACE", "emailAddress": f"{name}@one.com", "displayName": name}
        account = named("SenderAccount", namespace, name, spec={**spec, "smtp": {"passwordSecretRef": reference}})
        world.server.apply(account)
    code, checks = doctor(world, namespace)
    assert code == 1
    assert sorted(check["message"].partition(";")[0] for check in checks["secrets"]) == [
        "1 of 3 keys of Secrets that objects name exist and have values that can be sent",
        f"Secret {namespace}/none does not exist",
        f"key password of Secret {namespace}/login ends with a line break",
    ]


def test_who_may_do_little_is_told_what_was_not_checked(world: World, namespace: str) -> None:
    install(world, namespace)
    _, checks = doctor(world, namespace, "--as", f"system:serviceaccount:{namespace}:robot")
    assert results(checks) == {
        "cluster": ["ok"],
        "definitions": ["ok", "ok"],
        "operator": ["warning"],
        "rights": ["warning"],
        "lease": ["warning"],
        "secrets": ["warning"],
        "coldsend": ["warning"],
    }


def test_a_cluster_that_does_not_answer_is_a_failed_check(world: World, namespace: str, tmp_path: Path) -> None:
    config = world.cluster.kubeconfig.read_text().replace("127.0.0.1", "127.0.0.9")
    (tmp_path / "config").write_text(config)
    code, checks = doctor(world, namespace, "--kubeconfig", str(tmp_path / "config"))
    assert (code, results(checks)["cluster"]) == (1, ["failed"])
