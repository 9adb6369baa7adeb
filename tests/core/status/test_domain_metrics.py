"""The metrics of a domain agree with the sum of its inboxes, whatever changes in ColdSend and in the cluster."""

import math
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coldsend_operator import metric_names as names
from coldsend_operator.metrics import Metrics
from coldsend_operator.process.metrics_snapshot import DomainFigures, domain_figures
from tests.core.conftest import profile
from tests.core.rules.watching import running
from tests.support.core_world import row
from tests.support.process import Process
from tests.support.remote import Inbox
from tests.support.simulation import Simulation

DOMAINS = ("company.com", "mail.example.com")
NAMES = ("ann", "bob", "cat")
STATUSES = ("ACTIVE", "PAUSED", "DISABLED", "PENDING")
SWEEPS = 700.0  # seconds

changes = st.one_of(
    st.tuples(st.just("apply"), st.sampled_from(NAMES), st.sampled_from(DOMAINS)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.sampled_from(DOMAINS)),
    st.tuples(st.just("by hand"), st.sampled_from(NAMES), st.sampled_from(DOMAINS)),
    st.tuples(st.just("overall_status"), st.sampled_from(STATUSES), st.integers(0, 5)),
    st.tuples(st.just("health_score"), st.one_of(st.none(), st.floats(0, 100)), st.integers(0, 5)),
    st.tuples(st.just("emails_sent_today"), st.integers(0, 50), st.integers(0, 5)),
)


def do(simulation: Simulation, uids: dict[str, str], what: str, value: Any, which: Any) -> None:
    address = f"{value}@{which}"
    if what == "apply" and address not in uids:
        uids[address] = simulation.apply("sales", f"{value}-{which}", address)
    elif what == "delete" and address in uids:
        simulation.delete(uids.pop(address))
    elif what == "by hand" and not simulation.remote.at(address):
        simulation.remote.make_by_hand(address)
    elif what in {"overall_status", "health_score", "emails_sent_today"}:
        live = simulation.remote.live()
        if live:
            setattr(live[which % len(live)], what, value)


def summed(inboxes: list[Inbox]) -> dict[str, DomainFigures]:
    """What ColdSend holds, counted apart from the code under test."""
    by_domain: dict[str, list[Inbox]] = defaultdict(list)
    for inbox in inboxes:
        by_domain[inbox.address.split("@")[1]].append(inbox)
    found = {}
    for name, members in by_domain.items():
        scores = [inbox.health_score for inbox in members if inbox.health_score is not None]
        found[name] = DomainFigures(
            Counter(inbox.overall_status for inbox in members),
            min(scores) if scores else None,
            math.fsum(scores) / len(scores) if scores else None,
            sum(inbox.emails_sent_today for inbox in members),
            sum(inbox.daily_limit or 0 for inbox in members),
        )
    return found


def of_domains(process: Process, workspace: str) -> dict[str, DomainFigures]:
    """What Prometheus is shown of the domains of a workspace."""
    shown = process.operator.figures()
    found = {}
    for (label, name), limit in shown.get(names.DOMAIN_LIMIT, {}).items():
        if label == workspace:
            inboxes = {
                status: int(count)
                for (whose, domain, status), count in shown[names.DOMAIN_INBOXES].items()
                if (whose, domain) == (label, name)
            }
            health = shown.get(names.DOMAIN_HEALTH, {})
            found[name] = DomainFigures(
                inboxes,
                health.get((label, name, "min")),
                health.get((label, name, "mean")),
                int(shown[names.DOMAIN_SENT][label, name]),
                int(limit),
            )
    return found


@profile(25)
@given(st.lists(changes, max_size=12))
def test_the_figures_of_a_domain_are_the_sum_of_its_inboxes_at_every_moment(what_happens: list[Any]) -> None:
    simulation = Simulation(changes={"domain_metrics": True}, brake="100%")
    process = running(simulation)
    uids: dict[str, str] = {"zoe@company.com": simulation.apply("sales", "zoe", "zoe@company.com")}
    simulation.wait(10.0)
    for what in what_happens:
        do(simulation, uids, *what)
        simulation.step(0)
        for loop in process.operator.controller.loops.values():
            (key,) = loop.keys.values()
            shown = of_domains(process, key.label)
            assert shown == domain_figures(loop.workspace.inventory.rows.values())
        simulation.wait(SWEEPS)
        assert of_domains(process, "default") == summed(simulation.remote.live())


def test_a_status_that_nobody_knows_and_the_case_of_an_address_make_no_further_series() -> None:
    rows = [row("Ann@Company.com", "inbox-1", overall_status="BURNT"), row("bob@company.com", "inbox-2")]
    ((name, figures),) = domain_figures(rows).items()
    assert name == "company.com"
    assert figures.inboxes == {"OTHER": 1, "ACTIVE": 1}


def test_the_order_of_the_rows_changes_no_figure() -> None:
    rows = [row(f"a{number}@company.com", f"inbox-{number}", health_score=number / 7) for number in range(40)]
    orders = [rows[shift:] + rows[:shift] for shift in range(len(rows))]
    assert all(domain_figures(one) == domain_figures(other) for one, other in pairwise(orders))


def test_the_series_appear_only_when_they_are_asked_for() -> None:
    for asked in (True, False):
        simulation = Simulation(changes={"domain_metrics": asked})
        process = running(simulation)
        simulation.apply("sales", "ann", "ann@company.com")
        simulation.wait(SWEEPS)
        text, _ = Metrics().render(process.operator.figures())
        line = b'coldsend_domain_inboxes{domain="company.com",status="ACTIVE",workspace="default"} 1.0'
        assert (line in text) == asked
