"""Helm from source, and one world for the tests that need one."""

from collections.abc import Iterator

import pytest

import devcluster
from devcluster.builder import build
from devcluster.modules import HELM
from tests.chart.support import Helm
from tests.e2e.stage.world import World, opened_world


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(build(HELM, HELM.packages) / "helm", tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def world(cluster: devcluster.Cluster, crds: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(cluster, tmp_path_factory.mktemp("operators")) as opened:
        yield opened
