"""Promtool and Prometheus from source."""

from pathlib import Path

import pytest

from devcluster.builder import build
from devcluster.modules import PROMETHEUS
from tests.monitoring.promtool import Promtool


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    return Promtool(build(PROMETHEUS, ["promtool"]) / "promtool")


@pytest.fixture(scope="session")
def prometheus_program() -> Path:
    return build(PROMETHEUS, ["prometheus"]) / "prometheus"
