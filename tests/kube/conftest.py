"""The Kubernetes client, and a namespace for each test."""

from collections.abc import AsyncIterator

import pytest

import devcluster
from coldsend_operator.kube.client import KubeClient
from tests.kube.support import World


@pytest.fixture(autouse=True)
def only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def world(cluster: devcluster.Cluster, crds: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    writes: list[tuple[str, str]] = []
    async with KubeClient(lambda kind, verb: writes.append((kind, verb))) as client:
        world = World(client, writes)
        await world.make_namespace(world.namespace)
        writes.clear()
        yield world
