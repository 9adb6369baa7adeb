"""The dashboard of the chart: what its panels and its variables ask of Prometheus."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.monitoring.promtool import CHART

DASHBOARD = CHART / "files" / "dashboard.json"
VARIABLES = {"job": ".*", "workspace": ".*", "namespace": ".*", "__rate_interval": "30s"}
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


@dataclass(frozen=True)
class Query:
    """One query of a panel; `at_once` when it asks for now only."""

    panel: str
    ref: str
    expression: str
    at_once: bool

    def __str__(self) -> str:
        return f"{self.panel} {self.ref}".replace(" ", "_")


@cache
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def queries() -> Iterator[Query]:
    """Those of all panels, as Grafana would send them with all variables at All."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            expression = filled(target["expr"])
            yield Query(panel["title"], target["refId"], expression, bool(target.get("instant")))


def variables() -> Iterator[tuple[str, str, str]]:
    """Name, the series that it looks at, and the label that it takes."""
    for variable in dashboard()["templating"]["list"]:
        found = _LABEL_VALUES.fullmatch(variable["query"]["query"]) if variable["type"] == "query" else None
        if found is not None:
            yield variable["name"], filled(found[1]), found[2]


def filled(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = re.sub(rf"\${name}\b", value, expression)
    return expression
