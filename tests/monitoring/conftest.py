"""Promtool and Prometheus from source."""

from pathlib import Path

import pytest

from devcluster.builder import build
from devcluster.modules import HELM, PROMETHEUS
from tests.chart.support import Helm
from tests.monitoring.promtool import Promtool


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    return Promtool(build(PROMETHEUS, ["promtool"]) / "promtool")


@pytest.fixture(scope="session")
def prometheus_program() -> Path:
    return build(PROMETHEUS, ["prometheus"]) / "prometheus"


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(build(HELM, HELM.packages) / "helm", tmp_path_factory.mktemp("helm"))
