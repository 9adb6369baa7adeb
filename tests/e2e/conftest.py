"""One world for each module of end-to-end tests."""

from collections.abc import Iterator

import pytest

import devcluster
from tests.e2e.support.world import World, opened_world


@pytest.fixture(scope="module")
def world(cluster: devcluster.Cluster, crds: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(cluster, tmp_path_factory.mktemp("operators")) as opened:
        yield opened
