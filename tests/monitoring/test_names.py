"""Alerts and dashboard name only metrics, labels and states that exist; Prometheus itself reads the queries."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.reasons import LASTING, Reason
from coldsend_operator.metric_names import METRICS
from coldsend_operator.metrics import Metrics
from tests.monitoring.dashboard import dashboard, queries
from tests.monitoring.prometheus import Prometheus, running_prometheus
from tests.monitoring.promtool import rules

OURS = {metric.name: metric for metric in METRICS}
OF_TARGETS = {"job", "instance", "namespace"}  # what Prometheus adds, and every rule may sort by
EXPRESSIONS = {f"alert {name}": rule["expr"] for name, rule in rules().items()} | {
    f"panel {query}": query.expression for query in queries()
}
STATES = {
    "coldsend_accounts": {reason.value for reason in Reason},
    "coldsend_jobs_finished_total": {"Completed", "Failed", "Lost"},
    "coldsend_api_requests_total": {operation.value for operation in Operation},
}


@pytest.fixture(scope="module")
def prometheus(prometheus_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with running_prometheus(prometheus_program, tmp_path_factory.mktemp("prometheus"), []) as running:
        yield running


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_that_only_metrics_and_labels_that_exist_are_named(prometheus: Prometheus, place: str) -> None:
    tree = prometheus.parse(EXPRESSIONS[place])
    selected = [_labels_of(node["name"]) for node in _nodes(tree) if "matchers" in node]
    assert selected
    assert {label for known in selected for label in known} >= set(_grouped_by(tree))
    for node in _nodes(tree):
        if "matchers" in node:
            named = {matcher["name"] for matcher in node["matchers"]} - {"__name__"}
            assert named <= _labels_of(node["name"])


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_that_only_states_and_operations_that_exist_are_named(prometheus: Prometheus, place: str) -> None:
    for node in _nodes(prometheus.parse(EXPRESSIONS[place])):
        for matcher in node.get("matchers", ()):
            if matcher["name"] in {"state", "operation"}:
                assert set(matcher["value"].split("|")) <= STATES[node["name"]]


def test_that_every_reason_that_waiting_does_not_cure_is_an_alert(prometheus: Prometheus) -> None:
    tree = prometheus.parse(rules()["ColdSendAccountsFailing"]["expr"])
    (named,) = (
        matcher["value"] for node in _nodes(tree) for matcher in node.get("matchers", ()) if matcher["name"] == "state"
    )
    assert {reason.value for reason in LASTING} <= set(named.split("|"))


def test_that_every_metric_of_the_operator_stands_in_an_alert_or_a_panel() -> None:
    assert [name for name in OURS if not any(name in each for each in EXPRESSIONS.values())] == []


def test_that_panels_lie_side_by_side_and_have_ids_of_their_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [cell for panel in panels for cell in _cells(panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


def _labels_of(name: str) -> set[str]:
    """Labels that the series of this name may have; a KeyError where nothing has the name."""
    for metric in METRICS:
        if metric.kind == "histogram" and name in {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}:
            return {*metric.labels, "le"} | OF_TARGETS
        if metric.kind != "histogram" and name == metric.name:
            return set(metric.labels) | OF_TARGETS
    process = Metrics().render({})[0].decode()
    if name.startswith("process_") and f"\n{name} " in process:
        return set(OF_TARGETS)
    raise KeyError(name)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for part in tree.values():
            yield from _nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)


def _grouped_by(tree: Any) -> Iterator[str]:
    for node in _nodes(tree):
        yield from node.get("grouping") or ()
        yield from (node.get("matching") or {}).get("labels") or ()


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y
