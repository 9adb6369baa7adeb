"""A real Prometheus scrapes two real replicas: every panel shows something, and what goes wrong becomes an alert.

The control plane and the ColdSend that the emulator plays are those of the end-to-end tests.
"""

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import devcluster
from tests.e2e.support.operators import OperatorRun, started_operator
from tests.e2e.support.tenant import Tenant, eventually, opened_tenant
from tests.e2e.support.world import MARKER, OWN_KEY, World, opened_world
from tests.kube.support import install_crds
from tests.monitoring.dashboard import Query, queries, variables
from tests.monitoring.prometheus import NAMESPACE, Prometheus, running_prometheus
from tests.monitoring.promtool import rules
from tests.monitoring.signals import INBOXES, SIGNALS, Signal

INTERFACE = {
    "coldsend_api_requests_total": {"workspace", "operation", "code"},
    "coldsend_api_request_seconds_bucket": {"workspace", "operation", "le"},
    "coldsend_api_budget_remaining": {"workspace", "window"},
    "coldsend_accounts": {"namespace", "inbox_type", "state"},
    "coldsend_account_health_score": {"namespace", "name"},
    "coldsend_account_ready_seconds_bucket": {"le"},
    "coldsend_jobs": {"operation", "state"},
    "coldsend_queue_length": {"workspace", "lane"},
    "coldsend_sweep_age_seconds": {"workspace"},
    "coldsend_kubernetes_writes_total": {"kind", "verb"},
    "coldsend_leader": set(),
}
OF_TARGETS = {"job", "instance", "namespace", "__name__"}
ALL_OURS = '{__name__=~"coldsend_.+"}'
SOME = [f"inbox-{number}" for number in range(12)]
NATIVE = "native"
LOW = 55


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with devcluster.control_plane() as cluster:
        install_crds(cluster)
        with opened_world(cluster, tmp_path_factory.mktemp("operators")) as opened:
            opened.emulator.switch(job_seconds=2)
            yield opened


@pytest.fixture(scope="module")
def replicas(world: World) -> Iterator[list[OperatorRun]]:
    """One leads, the other stands by."""
    settings = {
        "COLDSEND_API_URL": world.emulator.api_url,
        "COLDSEND_API_KEY": OWN_KEY,
        "COLDSEND_LEADER_ELECTION": "on",
        "COLDSEND_DOMAIN_METRICS": "on",
    }
    with ExitStack() as stack:
        started = [
            stack.enter_context(started_operator(world.cluster.kubeconfig, world.folder, **settings)) for _ in range(2)
        ]
        for replica in started:
            replica.wait_until_ready()
        yield started


@pytest.fixture(scope="module")
def prometheus(
    replicas: list[OperatorRun], prometheus_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    targets = [replica.metrics_url.removeprefix("http://") for replica in replicas]
    with running_prometheus(prometheus_program, tmp_path_factory.mktemp("prometheus"), targets) as running:
        eventually(lambda: running.value("sum(coldsend_leader)") == 1, "a leader")
        eventually(lambda: running.value("count(coldsend_leader)") == 2, "a standby")
        yield running


@pytest.fixture(scope="module")
def sales(world: World, prometheus: Prometheus) -> Iterator[Tenant]:
    """A team with inboxes of its own key and of the operator's, some deleted already, one in poor health."""
    with opened_tenant(world, "sales") as tenant:
        for name in SOME:
            tenant.apply(name)
        tenant.apply(NATIVE, "COLDSEND")
        tenant.apply("lone", apiKeySecretRef=None)
        for name in (*SOME, NATIVE, "lone"):
            tenant.known(name)
        tenant.emulator.change(tenant.address(SOME[0]), health_score=LOW)
        tenant.value("healthScore", LOW, SOME[0])
        for name in SOME[-3:]:
            tenant.delete(name)
        for name in SOME[-3:]:
            tenant.gone(name)
        yield tenant


@pytest.mark.parametrize("query", list(queries()), ids=str)
def test_that_each_query_of_the_dashboard_returns_figures(prometheus: Prometheus, sales: Tenant, query: Query) -> None:
    eventually(lambda: _figures(prometheus, query), f"a figure of {query.expression}")


@pytest.mark.parametrize(("name", "series", "label"), list(variables()))
def test_that_each_variable_of_the_dashboard_has_choices(
    prometheus: Prometheus, sales: Tenant, name: str, series: str, label: str
) -> None:
    assert all(each[label] for each in prometheus.series(series))


@pytest.mark.parametrize("metric", INTERFACE)
def test_that_each_metric_of_the_interface_is_there_with_its_labels(
    prometheus: Prometheus, sales: Tenant, metric: str
) -> None:
    found = prometheus.series(metric)
    assert found
    assert all(set(series) - OF_TARGETS == INTERFACE[metric] - OF_TARGETS for series in found)


def test_that_no_label_holds_an_address_a_key_or_a_password(prometheus: Prometheus, sales: Tenant) -> None:
    values = {
        value
        for series in prometheus.series(ALL_OURS)
        for label, value in series.items()
        if (series["__name__"].startswith("coldsend_domain_"), label) != (True, "domain")  # a domain is no address
    }
    assert f"{sales.namespace}/workspace" in values
    assert [value for value in values if "@" in value or MARKER in value or sales.domain in value] == []


def test_that_accounts_count_once_and_by_their_own_namespace(prometheus: Prometheus, sales: Tenant) -> None:
    (shown,) = (query.expression for query in queries() if query.panel == "Accounts by namespace")
    left = len(SOME) - 3 + 2

    def counted() -> bool:
        found = {each["metric"]["namespace"]: float(each["value"][1]) for each in prometheus.query(shown)}
        return found.get(sales.namespace) == left and NAMESPACE not in found

    eventually(counted, f"{left} accounts of {sales.namespace}")


def test_that_the_worst_inbox_stands_in_the_table_of_the_lowest_health(prometheus: Prometheus, sales: Tenant) -> None:
    (table,) = (query.expression for query in queries() if query.panel == "Lowest health")
    worst = min(prometheus.query(table), key=lambda each: float(each["value"][1]))
    assert (worst["metric"]["name"], float(worst["value"][1])) == (SOME[0], LOW)


def test_that_prometheus_evaluates_each_alert_and_none_is_raised_for_what_is_well(
    prometheus: Prometheus, sales: Tenant
) -> None:
    eventually(lambda: all(rule["health"] == "ok" for rule in prometheus.rules().values()), "an evaluation of each")
    raised = {name for name, rule in prometheus.rules().items() if rule["alerts"]}
    assert set(prometheus.rules()) == set(rules())
    assert raised <= {"ColdSendHealthLow"}  # one of the inboxes is ill


def test_that_a_refused_key_becomes_an_alert_until_nothing_uses_it(prometheus: Prometheus, world: World) -> None:
    with opened_tenant(world, "refused") as tenant:
        tenant.apply()
        tenant.known()
        world.emulator.change_key(tenant.key, revoked=True)
        eventually(lambda: _raised(prometheus, "ColdSendKeyRefused", tenant), "an alert for the refused key")
        tenant.annotate(force_orphan="true")
        tenant.remove()
        eventually(lambda: not _raised(prometheus, "ColdSendKeyRefused", tenant), "the end of the alert")
        eventually(lambda: prometheus.value(_of("coldsend_sweep_age_seconds", tenant)) is None, "the end of its sweeps")


def test_that_inboxes_missing_at_once_become_an_alert(prometheus: Prometheus, world: World) -> None:
    with opened_tenant(world, "missing") as tenant:
        tenant.make_each(*SOME)
        world.emulator.delete_many(workspace=tenant.workspace)
        eventually(
            lambda: _raised(prometheus, "ColdSendInventoryImplausible", tenant), "an alert for what is not trusted"
        )
        tenant.annotate_namespace(approve_recreation="true")
        for name in SOME:
            tenant.ready(name)
        eventually(lambda: not _raised(prometheus, "ColdSendInventoryImplausible", tenant), "the end of the alert")


def test_that_held_deletions_become_an_alert_until_they_are_approved(prometheus: Prometheus, world: World) -> None:
    with opened_tenant(world, "held") as tenant:
        tenant.make_each(*SOME)
        tenant.delete_all()
        eventually(lambda: _raised(prometheus, "ColdSendDeletionsHeld", tenant), "an alert for what is held")
        assert any(tenant.inboxes(name) for name in SOME)  # the first may have left before there were too many
        tenant.annotate_namespace(approve_deletion="true")
        for name in SOME:
            tenant.gone(name)
        eventually(lambda: not _raised(prometheus, "ColdSendDeletionsHeld", tenant), "the end of the alert")


@pytest.mark.parametrize("signal", SIGNALS, ids=str)
def test_that_what_goes_wrong_is_seen_in_kubectl_metric_alert_and_log(
    prometheus: Prometheus, world: World, replicas: list[OperatorRun], signal: Signal
) -> None:
    with opened_tenant(world, "signal") as tenant:
        tenant.make_each(*INBOXES)
        workspace = f"{tenant.namespace}/workspace"
        query = signal.metric.replace("NAMESPACE", tenant.namespace).replace("WORKSPACE", workspace)
        signal.make(tenant)
        if signal.condition is not None:
            kind, said = signal.condition
            assert signal.says in tenant.shows("ann", **{kind: said}).message(kind)
            reason = said.split()[1]
            eventually(lambda: _logged(replicas, tenant, reason), f"a line of the log about {reason}")
        eventually(lambda: prometheus.value(query) == signal.value, f"{signal.value} as {query}")
        wanted = workspace if signal.label == "workspace" else tenant.namespace
        eventually(lambda: wanted in _labels(prometheus, signal), f"the alert {signal.alert}")


def test_that_a_deletion_is_seen_in_the_audit_log_and_the_budget_in_the_report(
    prometheus: Prometheus, world: World, replicas: list[OperatorRun]
) -> None:
    with opened_tenant(world, "audited") as tenant:
        inbox_id = tenant.make().inbox_id
        tenant.remove()
        told = [line for line in _lines(replicas) if line.get("event") == "write" and line["inbox_id"] == inbox_id]
        causes = [(line["operation"], line["cause"], line["outcome"]) for line in told]
        assert causes[0] == ("create_smtp", "new", "created")
        assert causes[1:] == [("delete_account", "deletion", each) for each in ("intent", "accepted", "deleted")]
    state = world.server.get("ConfigMap", "default", "coldsend-operator-state")
    assert state is not None
    report = json.loads(state["data"]["report"])
    for workspace in report["workspaces"].values():
        assert workspace["hour"]["used"] + workspace["hour"]["left"] == workspace["hour"]["limit"]


def _lines(replicas: list[OperatorRun]) -> list[dict[str, Any]]:
    lines = (line for replica in replicas for line in replica.lines().splitlines())
    return [json.loads(line) for line in lines if line.startswith("{")]


def _logged(replicas: list[OperatorRun], tenant: Tenant, reason: str) -> bool:
    """Whether the log tells of the reason: once, though several conditions may take it at a time."""
    wanted = {"event": "condition_changed", "namespace": tenant.namespace, "reason": reason}
    return any(wanted.items() <= line.items() for line in _lines(replicas))


def _labels(prometheus: Prometheus, signal: Signal) -> set[str]:
    return {labels[signal.label] for labels in prometheus.alerts(signal.alert)}


def _figures(prometheus: Prometheus, query: Query) -> bool:
    """Whether a panel would draw something: a number in it is one."""
    if query.at_once:
        return any(math.isfinite(float(each["value"][1])) for each in prometheus.query(query.expression))
    found = prometheus.range(query.expression)
    return any(math.isfinite(float(value)) for each in found for _, value in each["values"])


def _raised(prometheus: Prometheus, name: str, tenant: Tenant) -> bool:
    """Whether the alert is pending, or fires, for the workspace of the tenant."""
    return any(labels["workspace"] == f"{tenant.namespace}/workspace" for labels in prometheus.alerts(name))


def _of(metric: str, tenant: Tenant) -> str:
    return f'{metric}{{workspace="{tenant.namespace}/workspace"}}'
