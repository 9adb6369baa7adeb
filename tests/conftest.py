"""What most tests share in one worker: a real control plane with the committed CRDs in it. And what begins first."""

from collections.abc import Iterator

import pytest

import devcluster
from tests.kube.support import install_crds

# They take minutes, so the other files fill the time beside them: searches, which compute, and stories, which wait.
LONG = (
    "core/test_simulation.py",
    "e2e/test_accounts.py",
    "e2e/test_crashes.py",
    "core/test_hostile_tenant.py",
    "e2e/test_batches.py",
    "e2e/test_open_points.py",
    "e2e/test_operators.py",
    "monitoring/test_prometheus.py",
    "chart/test_chart_installs.py",
    "chart/test_chart_rights.py",
    "e2e/test_kills.py",
    "e2e/test_crds.py",
    "tools/test_plan_simulation.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get("/".join(item.path.parts[-2:]), len(order)))


@pytest.fixture(scope="session")
def cluster() -> Iterator[devcluster.Cluster]:
    """Tests keep to namespaces of their own in it; a test that changes more starts one for itself."""
    with devcluster.control_plane(audit=True) as plane:
        yield plane


@pytest.fixture(scope="session")
def crds(cluster: devcluster.Cluster) -> None:
    install_crds(cluster)
