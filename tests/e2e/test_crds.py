"""The two CRDs come late, go, and come again; each time on a control plane of its own."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import devcluster
from tests.e2e.stage.operators import OperatorRun, running_operator
from tests.e2e.stage.world import OWN_KEY
from tests.kube.support import install_crds

CRDS = ("senderaccounts.coldsend.pro", "senderaccountbatches.coldsend.pro")
PATIENCE = 40.0
QUIET_SECONDS = 6.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[devcluster.Cluster]:
    with devcluster.control_plane() as plane:
        yield plane


def told(operator: OperatorRun, event: str) -> list[str]:
    entries = [json.loads(line) for line in operator.lines().splitlines() if line.startswith("{")]
    return [entry.get("message", "") for entry in entries if entry["event"] == event]


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def kubectl(cluster: devcluster.Cluster, *arguments: str) -> None:
    command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_rule_31_the_operator_starts_without_crds_says_so_once_and_goes_on_when_they_are_there(
    cluster: devcluster.Cluster, tmp_path: Path
) -> None:
    with running_operator(cluster.kubeconfig, tmp_path, COLDSEND_API_KEY=OWN_KEY) as operator:
        until(lambda: bool(told(operator, "crd_missing")), "nothing is said of the missing CRDs")
        time.sleep(QUIET_SECONDS)
        (line,) = told(operator, "crd_missing")
        assert all(name in line for name in CRDS)
        assert "coldsend-operator crds | kubectl apply" in line
        assert (operator.probe("healthz"), operator.probe("readyz")) == (200, 503)
        install_crds(cluster)
        operator.wait_until_ready()
        assert told(operator, "recovered") == [line]
        assert "Traceback" not in operator.lines()
