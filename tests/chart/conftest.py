"""Helm from source, and one control plane with an audit log for the tests that need it."""

from collections.abc import Iterator

import pytest

import devcluster
from devcluster.builder import build
from devcluster.modules import HELM
from tests.chart.support import Helm


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(build(HELM, HELM.packages) / "helm", tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[devcluster.Cluster]:
    with devcluster.control_plane(audit=True) as plane:
        yield plane
