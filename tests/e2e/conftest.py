"""One real control plane for all end-to-end tests, with the committed CRDs in it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from tests.e2e.stage.world import World, opened_world

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cluster() -> Iterator[devcluster.Cluster]:
    with devcluster.control_plane(audit=True) as plane:
        yield plane


@pytest.fixture(scope="session")
def crds(cluster: devcluster.Cluster) -> None:
    kubectl = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)]
    subprocess.run([*kubectl, "apply", "--server-side", "-f", str(ROOT / "crds")], check=True)
    subprocess.run(
        [*kubectl, "wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds")], check=True
    )


@pytest.fixture(scope="module")
def world(cluster: devcluster.Cluster, crds: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(cluster, tmp_path_factory.mktemp("operators")) as opened:
        yield opened
