"""Metrics: the names of the interface, over real HTTP, without anything that must not stand in a label."""

from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from coldsend_operator import metric_names as names
from coldsend_operator.http import serving
from coldsend_operator.metric_names import METRICS
from coldsend_operator.metrics import Metrics, Snapshot, site
from coldsend_operator.setting_values import Address

FREE_PORT = Address("127.0.0.1", 0)

SNAPSHOT: Snapshot = {
    names.BUDGET_REMAINING: {("default", "minute"): 71, ("default", "hour"): 640},
    names.BUDGET_LIMIT: {("default", "minute"): 80, ("default", "hour"): 800},
    names.QUEUE_LENGTH: {("default", "creations"): 12, ("default", "sweeps"): 1},
    names.SWEEP_AGE: {("default",): 41.5},
    names.DELETIONS_HELD: {("default",): 3},
    names.KEY_REFUSED: {("default",): True},
    names.INVENTORY_IMPLAUSIBLE: {("default",): True},
    names.INBOXES: {("default", "true"): 7, ("default", "false"): 3},
    names.ACCOUNTS: {("sales", "GOOGLE_WORKSPACE", "Active"): 2},
    names.CONDITIONS: {("sales", "CredentialsCurrent", "False", "SecretChanged"): 2},
    names.HEALTH_SCORE: {("sales", "outreach"): 95.0},
    names.JOBS: {("Create", "Running"): 1},
    names.LEADER: {(): True},
}


def counted() -> Metrics:
    metrics = Metrics()
    metrics.request("default", "create_smtp", 201, 0.2)
    metrics.request("default", "create_smtp", None, 30)
    metrics.write("SenderAccount", "patch")
    metrics.job_finished("Create", "Lost")
    metrics.account_ready(0.09)
    metrics.planned(0.001)
    metrics.build("0.1.0", "abc")
    return metrics


def value(text: str, sample: str, **labels: str) -> float:
    found = [
        each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if each.name == sample and each.labels == labels
    ]
    assert len(found) == 1, (sample, labels, text)
    return float(found[0])


def rendered(metrics: Metrics, snapshot: Snapshot) -> str:
    return metrics.render(snapshot)[0].decode()


@pytest.mark.parametrize(
    ("sample", "labels", "expected"),
    [
        ("coldsend_api_requests_total", {"workspace": "default", "operation": "create_smtp", "code": "201"}, 1),
        ("coldsend_api_requests_total", {"workspace": "default", "operation": "create_smtp", "code": "none"}, 1),
        ("coldsend_api_request_seconds_count", {"workspace": "default", "operation": "create_smtp"}, 2),
        ("coldsend_api_budget_remaining", {"workspace": "default", "window": "minute"}, 71),
        ("coldsend_api_budget_remaining", {"workspace": "default", "window": "hour"}, 640),
        ("coldsend_api_budget_limit", {"workspace": "default", "window": "hour"}, 800),
        ("coldsend_api_key_refused", {"workspace": "default"}, 1),
        ("coldsend_accounts", {"namespace": "sales", "inbox_type": "GOOGLE_WORKSPACE", "state": "Active"}, 2),
        (
            "coldsend_account_conditions",
            {"namespace": "sales", "type": "CredentialsCurrent", "status": "False", "reason": "SecretChanged"},
            2,
        ),
        ("coldsend_inboxes", {"workspace": "default", "managed": "true"}, 7),
        ("coldsend_inboxes", {"workspace": "default", "managed": "false"}, 3),
        ("coldsend_account_health_score", {"namespace": "sales", "name": "outreach"}, 95),
        ("coldsend_account_ready_seconds_count", {}, 1),
        ("coldsend_account_ready_seconds_bucket", {"le": "0.1"}, 1),
        ("coldsend_jobs", {"operation": "Create", "state": "Running"}, 1),
        ("coldsend_jobs_finished_total", {"operation": "Create", "state": "Lost"}, 1),
        ("coldsend_jobs_finished_total", {"operation": "Delete", "state": "Failed"}, 0),
        ("coldsend_queue_length", {"workspace": "default", "lane": "creations"}, 12),
        ("coldsend_sweep_age_seconds", {"workspace": "default"}, 41.5),
        ("coldsend_deletions_held", {"workspace": "default"}, 3),
        ("coldsend_inventory_implausible", {"workspace": "default"}, 1),
        ("coldsend_plan_seconds_count", {}, 1),
        ("coldsend_kubernetes_writes_total", {"kind": "SenderAccount", "verb": "patch"}, 1),
        ("coldsend_leader", {}, 1),
        ("coldsend_build_info", {"version": "0.1.0", "commit": "abc"}, 1),
    ],
)
def test_what_was_counted_can_be_read(sample: str, labels: dict[str, str], expected: float) -> None:
    assert value(rendered(counted(), SNAPSHOT), sample, **labels) == expected


def test_the_table_of_the_docs_is_what_is_served() -> None:
    own = {
        (family.name + "_total" * (family.type == "counter"), family.type)
        for family in text_string_to_metric_families(rendered(counted(), SNAPSHOT))
        if family.name.startswith("coldsend_")
    }
    assert own == {(metric.name, metric.kind) for metric in METRICS}


def test_figures_of_the_process_come_beside() -> None:
    text = rendered(Metrics(), {})
    assert "process_cpu_seconds_total" in text or not Path("/proc").is_dir()
    assert "python_info" in text


def test_no_label_can_hold_an_address_or_a_message() -> None:
    closed = {"workspace", "operation", "code", "window", "namespace", "name", "inbox_type", "state", "lane", "kind"}
    assert {label for metric in METRICS for label in metric.labels} <= closed | {
        *("type", "status", "reason", "managed", "verb", "version", "commit", "domain", "stat", "period"),
    }


async def test_prometheus_reads_them_over_http() -> None:
    async with serving(site(counted(), lambda: SNAPSHOT), FREE_PORT) as address, httpx.AsyncClient() as client:
        assert address is not None
        assert address.port > 0
        answer = await client.get(f"http://{address}/metrics")
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert value(answer.text, "coldsend_leader") == 1
        open_metrics = {"Accept": "application/openmetrics-text; version=1.0.0"}
        answer = await client.get(f"http://{address}/metrics", headers=open_metrics)
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert answer.text.endswith("# EOF\n")
        assert (await client.get(f"http://{address}/")).status_code == 404


async def test_each_scrape_takes_a_new_snapshot() -> None:
    ages = iter((1.0, 2.0))

    def snapshot() -> Snapshot:
        return {names.SWEEP_AGE: {("default",): next(ages)}}

    async with serving(site(Metrics(), snapshot), FREE_PORT) as address, httpx.AsyncClient() as client:
        for age in (1.0, 2.0):
            text = (await client.get(f"http://{address}/metrics")).text
            assert value(text, "coldsend_sweep_age_seconds", workspace="default") == age


async def test_off_serves_nothing_and_the_end_frees_the_port() -> None:
    async with serving(site(Metrics(), dict), None) as address:
        assert address is None
    async with serving(site(Metrics(), dict), FREE_PORT) as first:
        assert first is not None
        with pytest.raises(OSError, match="address already in use"):
            async with serving(site(Metrics(), dict), first):
                pass
    async with serving(site(Metrics(), dict), first) as again:
        assert again == first


def test_ten_thousand_accounts_are_ten_thousand_series() -> None:
    snapshot: Snapshot = {names.HEALTH_SCORE: {("sales", f"account-{number}"): 90.0 for number in range(10_000)}}
    text = rendered(Metrics(), snapshot)
    assert text.count("coldsend_account_health_score{") == 10_000
