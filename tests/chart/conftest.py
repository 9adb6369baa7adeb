"""One world for the tests that need one."""

from collections.abc import Iterator

import pytest

import devcluster
from tests.e2e.support.world import World, opened_world
from tests.kube.support import install_crds


@pytest.fixture(scope="session")
def world(cluster: devcluster.Cluster, crds: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(cluster, tmp_path_factory.mktemp("operators")) as opened:
        yield opened


@pytest.fixture(scope="module")
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """On a control plane of its own: for tests of the whole cluster, or that install other CRDs."""
    with devcluster.control_plane() as plane:
        install_crds(plane)
        with opened_world(plane, tmp_path_factory.mktemp("own")) as opened:
            yield opened
