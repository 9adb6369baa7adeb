from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from devcluster import Cluster
from tests.devcluster.support import CommandLine, Kubectl


@pytest.fixture(autouse=True, scope="session")
def not_the_current_cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CLUSTER", raising=False)
        yield


@pytest.fixture(scope="session")
def cluster(not_the_current_cluster: None) -> Iterator[Cluster]:
    with devcluster.control_plane(audit=True) as cluster:
        yield cluster


@pytest.fixture
def kubectl(cluster: Cluster) -> Kubectl:
    return Kubectl(cluster)


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)
