"""What most tests share in one worker: a real control plane with the committed CRDs in it. And what begins first."""

import gc
from collections.abc import Iterator

import pytest
import structlog

import devcluster
from coldsend_operator import log_masks
from devcluster.builder import build
from devcluster.modules import HELM
from tests.chart.support import Helm
from tests.kube.support import install_crds

# The files that take longest begin first, so that no worker is left alone with one in the end. Half of them compute,
# half of them wait.
LONG = (
    "core/test_simulation.py",
    "chart/test_chart_upgrades.py",
    "e2e/test_open_points.py",
    "open_points/test_open_points.py",
    "tests/test_tutorial.py",
    "e2e/test_operators.py",
    "e2e/test_kills.py",
    "e2e/test_batches.py",
    "commands/test_acting.py",
    "e2e/test_crashes.py",
    "core/test_hostile_tenant.py",
    "monitoring/test_prometheus.py",
    "e2e/test_accounts.py",
    "chart/test_chart_rights.py",
    "action/test_action.py",
    "commands/test_secrecy.py",
    "e2e/test_crds.py",
    "e2e/test_namespaces.py",
    "e2e/test_tools.py",
    "chart/test_chart_installs.py",
    "chart/test_chart_renders.py",
    "e2e/test_git.py",
    "commands/test_bringing.py",
    "kube/test_lease.py",
    "emulator/test_emulator_contract.py",
    "rules/test_rules_hand_over.py",
    "chart/test_helm_example.py",
    "commands/test_reading_commands.py",
    "e2e/test_manifests.py",
    "e2e/test_e2e_doctor.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get("/".join(item.path.parts[-2:]), len(order)))


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay until the end; to look at them again takes a third of all the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def logs_as_before() -> Iterator[None]:
    """The next file reads its own logs, and may say what was a password in this one."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    log_masks._known = log_masks.KnownSecrets()


@pytest.fixture(scope="session")
def cluster() -> Iterator[devcluster.Cluster]:
    """Tests keep to namespaces of their own in it; a test that changes more starts one for itself."""
    with devcluster.control_plane(audit=True) as plane:
        yield plane


@pytest.fixture(scope="session")
def crds(cluster: devcluster.Cluster) -> None:
    install_crds(cluster)


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm from source."""
    return Helm(build(HELM, HELM.packages) / "helm", tmp_path_factory.mktemp("helm"))
