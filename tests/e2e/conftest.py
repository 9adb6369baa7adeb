"""One real control plane for all end-to-end tests, with the committed CRDs in it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster

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
