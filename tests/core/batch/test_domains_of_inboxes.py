"""The domain as a unit: in the status of accounts, as a label on children, and as sums on the batch."""

import math
from typing import Any

from coldsend_operator.core.batch.domains import MAX_DOMAINS, DomainCounts, Share
from coldsend_operator.core.model import transitions
from coldsend_operator.core.status.projection import project
from coldsend_operator.resources.children import domain_label
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND, DOMAIN_LABEL
from tests.core.rules.watching import running
from tests.support.core_world import ANN, CoreWorld, held, row
from tests.support.simulation import Simulation

Raw = dict[str, Any]
ADDRESSES = ("ann@company.com", "bob@company.com", "carl@mail.example.com", "dora@mail.example.com", "eve@other.org")
HALF_AN_HOUR = 1800.0


def batch_of(simulation: Simulation) -> Raw:
    (found,) = simulation.cluster.of_kind(BATCH_KIND)
    return found


def summed(simulation: Simulation) -> list[Raw]:
    """The rows as the statuses of the children sum up."""
    rows = []
    listed = [item["emailAddress"] for item in batch_of(simulation)["spec"]["inboxes"]]
    children = [raw for raw in simulation.cluster.of_kind(ACCOUNT_KIND) if raw["spec"]["emailAddress"] in listed]
    for name in sorted({address.partition("@")[2] for address in listed}):
        of_domain = [raw["status"] for raw in children if raw["status"].get("domain") == name]
        scores = [status["healthScore"] for status in of_domain if "healthScore" in status]
        rows.append(
            {
                "name": name,
                "total": sum(address.endswith(f"@{name}") for address in listed),
                "ready": sum(is_ready(status) for status in of_domain),
                "disabled": sum(status.get("overallStatus") == "DISABLED" for status in of_domain),
                "healthScore": {"min": min(scores), "mean": round(math.fsum(scores) / len(scores), 1)},
                "emailsSentToday": sum(status.get("emailsSentToday", 0) for status in of_domain),
                "dailyLimit": sum(status.get("dailyLimit", 0) for status in of_domain),
            }
        )
    return rows


def is_ready(status: Raw) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", ()))


def test_that_the_domains_of_a_batch_agree_with_the_sum_of_its_inboxes_whatever_changes() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES)
    running(simulation, 120.0)
    assert batch_of(simulation)["status"]["domains"] == summed(simulation)
    inboxes = [simulation.remote.at(address)[0] for address in ADDRESSES]
    changes = [
        ("health_score", 41.0),
        ("overall_status", "DISABLED"),
        ("emails_sent_today", 12),
        ("health_score", 90.0),
    ]
    for inbox, (field, value) in zip(inboxes, changes, strict=False):
        setattr(inbox, field, value)
        simulation.wait(HALF_AN_HOUR)
        assert batch_of(simulation)["status"]["domains"] == summed(simulation), field
    shown = {each["name"]: each for each in batch_of(simulation)["status"]["domains"]}
    assert (shown["company.com"]["disabled"], shown["company.com"]["ready"]) == (1, 1)
    assert shown["mail.example.com"]["emailsSentToday"] == 12
    simulation.list_in_batch("sales", "pool", ADDRESSES[:-1])
    simulation.wait(HALF_AN_HOUR)
    assert [each["name"] for each in batch_of(simulation)["status"]["domains"]] == ["company.com", "mail.example.com"]
    assert batch_of(simulation)["status"]["domains"] == summed(simulation)


def test_that_counters_alone_are_written_once_a_minute_and_not_with_each_inbox() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES)
    running(simulation, 1200.0)
    for sent, address in enumerate(ADDRESSES, start=1):
        simulation.remote.at(address)[0].emails_sent_today = sent
    before = len(simulation.cluster.history)
    simulation.wait(HALF_AN_HOUR)
    written = [event.object for event in simulation.cluster.history[before:] if event.object["kind"] == BATCH_KIND]
    assert 1 <= len(written) <= 2
    assert batch_of(simulation)["status"]["domains"] == summed(simulation)


def test_that_an_upgrade_writes_no_object_only_to_name_its_domain() -> None:
    core, account = held()
    status = project(account, core.workspace, core.now)
    assert status is not None
    assert status["domain"] == "company.com"
    earlier = {key: value for key, value in status.items() if key != "domain"}
    transitions.status_kept(account, earlier)
    assert project(account, core.workspace, core.now) is None
    transitions.status_kept(account, {**earlier, "overallStatus": "PAUSED"})
    news = project(account, core.workspace, core.now)
    assert news is not None
    assert news["domain"] == "company.com"


def test_that_the_domain_follows_the_address_that_coldsend_shows() -> None:
    core = CoreWorld()
    account = core.holder(ANN, status={"emailAddress": ANN})
    core.sweep(row("Ann@Company.COM"))
    status = project(account, core.workspace, core.now)
    assert status is not None
    assert (status["emailAddress"], status["domain"]) == ("Ann@Company.COM", "company.com")


def test_that_children_carry_the_label_and_earlier_ones_are_not_written_for_it() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES[:1])
    uid = batch_of(simulation)["metadata"]["uid"]
    simulation.cluster.objects = {
        path: raw | {"metadata": raw["metadata"] | {"labels": {DOMAIN_LABEL: "a person's"}}}
        for path, raw in simulation.cluster.objects.items()
    }
    running(simulation, 120.0)
    (child,) = simulation.cluster.of_kind(ACCOUNT_KIND)
    assert child["metadata"]["labels"][DOMAIN_LABEL] == "company.com"
    labels = {key: value for key, value in child["metadata"]["labels"].items() if key != DOMAIN_LABEL}
    simulation.crash()
    path = next(path for path, raw in simulation.cluster.objects.items() if raw is child)
    simulation.cluster.objects[path] = child | {"metadata": child["metadata"] | {"labels": labels}}
    before = len(simulation.cluster.history)
    running(simulation, 120.0)
    assert [event.object["metadata"]["name"] for event in simulation.cluster.history[before:]] == []
    assert simulation.cluster.find(uid) is not None


def test_that_a_domain_that_fits_into_no_label_gets_none() -> None:
    assert domain_label("mail.company.com") == {DOMAIN_LABEL: "mail.company.com"}
    assert domain_label("x" * 63) == {DOMAIN_LABEL: "x" * 63}
    assert [domain_label(domain) for domain in ("", "x" * 64, "-a.com", "a_b.com", "a.com.")] == [{}] * 5


def test_that_the_first_fifty_domains_by_name_are_shown() -> None:
    counts = DomainCounts()
    for number in range(60):
        counts.put(f"child-{number}", Share(f"d{number:02d}.com", ready=True))
    assert [each["name"] for each in counts.rows()] == [f"d{number:02d}.com" for number in range(MAX_DOMAINS)]
    counts.put("child-0", None)
    assert counts.rows()[0]["name"] == "d01.com"
    assert len(counts.rows()) == MAX_DOMAINS
