"""The two CRDs come late, go, and come again; each time on a control plane of its own."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from coldsend_emulator.running import running_emulator
from tests.e2e.support import manifests
from tests.e2e.support.api_server import ApiServer, api_server, named
from tests.e2e.support.operators import OperatorRun, running_operator, started_operator
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import OWN_KEY
from tests.kube.support import CRDS as DEFINITIONS
from tests.kube.support import install_crds, kubectl

CRDS = ("senderaccounts.coldsend.pro", "senderaccountbatches.coldsend.pro")
QUIET_SECONDS = 6.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[devcluster.Cluster]:
    with devcluster.control_plane() as plane:
        yield plane


def told(operator: OperatorRun, event: str) -> list[str]:
    entries = [json.loads(line) for line in operator.lines().splitlines() if line.startswith("{")]
    return [entry.get("message", "") for entry in entries if entry["event"] == event]


def test_rule_31_the_operator_starts_without_crds_says_so_once_and_goes_on_when_they_are_there(
    cluster: devcluster.Cluster, tmp_path: Path
) -> None:
    with started_operator(cluster.kubeconfig, tmp_path, COLDSEND_API_KEY=OWN_KEY) as operator:
        eventually(lambda: bool(told(operator, "crd_missing")), "a word about the missing CRDs")
        time.sleep(QUIET_SECONDS)
        (line,) = told(operator, "crd_missing")
        assert all(name in line for name in CRDS)
        assert "coldsend-operator crds | kubectl apply" in line
        assert (operator.probe("healthz"), operator.probe("readyz")) == (200, 503)
        install_crds(cluster)
        operator.wait_until_ready()
        assert told(operator, "recovered") == told(operator, "crd_missing")[-1:]  # one CRD may be there a moment sooner
        assert "Traceback" not in operator.lines()


def ready(server: ApiServer, namespace: str, name: str) -> str:
    """`status reason` of Ready; asked for, since a watch ends with the CRD."""
    found = server.get("SenderAccount", namespace, name) or {}
    conditions = (found.get("status") or {}).get("conditions", [])
    return next((f"{each['status']} {each['reason']}" for each in conditions if each["type"] == "Ready"), "")


def test_rule_31_a_deleted_crd_takes_no_inbox_with_it_and_the_operator_outlives_it(
    cluster: devcluster.Cluster, tmp_path: Path
) -> None:
    install_crds(cluster)
    names = [f"ann-{number}" for number in range(3)]
    with (
        api_server(cluster) as server,
        running_emulator([OWN_KEY]) as emulator,
        running_operator(
            cluster.kubeconfig, tmp_path, COLDSEND_API_KEY=OWN_KEY, COLDSEND_API_URL=emulator.api_url
        ) as operator,
    ):

        def all_are(names: list[str], wanted: str) -> None:
            eventually(lambda: {ready(server, "default", name) for name in names} == {wanted}, f"{wanted} of {names}")

        def apply(name: str) -> None:
            spec = manifests.smtp_spec("GOOGLE_WORKSPACE", f"{name}@company.com", "login")
            server.apply(manifests.account("default", name, spec, {}))

        server.apply(named("Secret", "default", "login", type="Opaque", data={"password": "aHVzaA=="}))
        for name in names:
            apply(name)
        all_are(names, "True Active")
        kubectl(cluster, "delete", "crd", CRDS[0], "--wait=false")
        all_are(names, "False DeletionHeld")
        assert len(told(operator, "crd_deleting")) == 1
        for name in names:
            server.merge("SenderAccount", "default", name, {"metadata": {"finalizers": None}})
        eventually(lambda: len(told(operator, "crd_missing")) == 1, "a word about the missing CRD")
        time.sleep(QUIET_SECONDS)
        assert (operator.process.poll(), operator.probe("healthz")) == (None, 200)
        install_crds(cluster)
        apply("new")
        all_are(["new"], "True Active")
        assert len(emulator.inboxes()) == len(names) + 1
        assert len(told(operator, "crd_missing")) == 1
        assert "Traceback" not in operator.lines()


def install_older_crd(cluster: devcluster.Cluster) -> None:
    """The CRD of an older version, which drops a field without which no test mail is sent."""
    install_crds(cluster)
    definition = json.loads(kubectl(cluster, "get", "crd", CRDS[0], "-o", "json"))
    status = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    del status["properties"]["testEmail"]["properties"]["startedAt"]
    kubectl(cluster, "replace", "-f", "-", given=json.dumps(definition))


@pytest.mark.parametrize("namespaces", ["", "default"])
def test_rule_35_an_upgraded_crd_is_noticed_without_a_restart(
    cluster: devcluster.Cluster, tmp_path: Path, namespaces: str
) -> None:
    install_older_crd(cluster)
    with (
        api_server(cluster) as server,
        running_emulator([OWN_KEY]) as emulator,
        running_operator(
            cluster.kubeconfig,
            tmp_path,
            COLDSEND_API_KEY=OWN_KEY,
            COLDSEND_API_URL=emulator.api_url,
            COLDSEND_NAMESPACES=namespaces,
        ) as operator,
    ):
        server.apply(named("Secret", "default", "login", type="Opaque", data={"password": "aHVzaA=="}))
        spec = manifests.smtp_spec("GOOGLE_WORKSPACE", "old@company.com", "login")
        spec["testEmail"] = {"recipient": "ops@company.com", "requestID": "1"}
        server.apply(manifests.account("default", "old", spec))
        eventually(lambda: len(told(operator, "crd_outdated")) == 1, "a word about the older CRD")
        assert not emulator.mails()
        kubectl(cluster, "apply", "--server-side", "--force-conflicts", "-f", str(DEFINITIONS))
        eventually(lambda: len(emulator.mails()) == 1, "the test mail")
        server.delete("SenderAccount", "default", "old")
        eventually(lambda: not server.get("SenderAccount", "default", "old"), "the end of the object")
