"""One real control plane for the tests of the door to Kubernetes, a namespace for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

import devcluster
from coldsend_operator.kube.client import KubeClient
from tests.kube.support import World, install_crds


@pytest.fixture(scope="session")
def cluster() -> Iterator[devcluster.Cluster]:
    with devcluster.control_plane(audit=True) as plane:
        install_crds(plane)
        yield plane


@pytest.fixture(autouse=True)
def only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def world(cluster: devcluster.Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    writes: list[tuple[str, str]] = []
    async with KubeClient.connect(lambda kind, verb: writes.append((kind, verb))) as client:
        world = World(client, writes)
        await world.make_namespace(world.namespace)
        writes.clear()
        yield world
