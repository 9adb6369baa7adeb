"""Helm from source, and one control plane with the CRDs for the tests that need one."""

from collections.abc import Iterator

import pytest

import devcluster
from devcluster.builder import build
from devcluster.modules import HELM
from tests.chart.support import ROOT, Helm
from tests.e2e.stage.world import World, opened_world


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(build(HELM, HELM.packages) / "helm", tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[devcluster.Cluster]:
    with devcluster.control_plane(audit=True) as plane:
        yield plane


@pytest.fixture(scope="session")
def world(cluster: devcluster.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(cluster, tmp_path_factory.mktemp("operators")) as opened:
        opened.server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        opened.server.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))
        yield opened
