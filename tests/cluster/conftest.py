"""One whole cluster for all tests here, one ColdSend, and in each module a release of the chart."""

from collections.abc import Iterator
from time import monotonic

import pytest

from coldsend_emulator.running import RunningEmulator, running_emulator
from devcluster.builder import build
from devcluster.modules import HELM
from tests.chart.support import Helm
from tests.cluster.figures import Figures
from tests.cluster.operator_release import DEMO, DOMAIN, NAMESPACE, RESTRICTED, Release, until
from tests.cluster.place import Place, place
from tests.e2e.support.api_server import ApiServer, api_server, named

KEY = "cs_live_first"
FIGURES = pytest.StashKey[Figures]()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash.setdefault(FIGURES, Figures())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    measured = config.stash.get(FIGURES, Figures()).lines()
    if measured:
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def here(figures: Figures) -> Iterator[Place]:
    began = monotonic()
    with place() as found:
        figures.seconds("start of the cluster", monotonic() - began)
        yield found


@pytest.fixture(scope="session")
def server(here: Place) -> Iterator[ApiServer]:
    with api_server(here.cluster) as found:
        yield found


@pytest.fixture(scope="session")
def emulator(here: Place) -> Iterator[RunningEmulator]:
    with running_emulator([KEY], host=here.listens, domains=[DOMAIN]) as found:
        yield found


@pytest.fixture(scope="module")
def release(
    here: Place,
    server: ApiServer,
    emulator: RunningEmulator,
    figures: Figures,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Release]:
    """Installed, with both pods Ready; the inboxes of before are forgotten."""
    helm = Helm(build(HELM, HELM.packages) / "helm", tmp_path_factory.mktemp("helm"), here.cluster)
    emulator.reset()
    emulator.add_domain(DOMAIN)
    emulator.add_key(KEY)
    found = Release(here, server, emulator, helm)
    server.apply({**named("Namespace", "", NAMESPACE), "metadata": {"name": NAMESPACE, "labels": RESTRICTED}})
    found.give_key(KEY)
    with figures.timed("helm install, until both pods are Ready"):
        found.install()
    yield found
    found.uninstall()
    server.delete("Namespace", "", NAMESPACE)
    until(lambda: server.get("Namespace", "", NAMESPACE) is None, "the end of the namespace")


@pytest.fixture(scope="module")
def demo(release: Release, figures: Figures) -> Iterator[Release]:
    """The manifests of the demo, all Ready; they go before the operator does."""
    release.apply(DEMO)
    began = monotonic()
    until(lambda: release.all_ready(4), "four Ready accounts", release.story)
    figures.seconds("examples/demo, applied to Ready", monotonic() - began)
    yield release
    release.remove()
