"""Which Events are warnings: what a person should look at, not what passes by itself or was asked for."""

import pytest

from coldsend_operator.resources.names import ACCOUNT_KIND, PAUSED_ANNOTATION
from tests.core.rules.watching import running
from tests.support.simulation import Simulation


def events(simulation: Simulation) -> set[tuple[str, str]]:
    return {(event["type"], event["reason"]) for event in simulation.cluster.events}


def test_that_an_object_that_is_paused_and_deleted_by_its_owner_causes_no_warning() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", "ann@company.com")
    assert uid is not None
    running(simulation)
    simulation.wait(60.0)
    simulation.annotate(uid, PAUSED_ANNOTATION, "true")
    simulation.wait(60.0)
    simulation.annotate(uid, PAUSED_ANNOTATION, None)
    simulation.wait(60.0)
    simulation.delete(uid)
    simulation.wait(600.0)
    assert simulation.cluster.find(uid) is None
    told = events(simulation)
    assert {("Normal", "Active"), ("Normal", "ReconciliationPaused"), ("Normal", "InSync")} <= told
    assert {level for level, _ in told} == {"Normal"}


@pytest.mark.parametrize("what", ["no Secret", "inbox removed by hand"])
def test_that_what_stands_in_the_way_is_a_warning(what: str) -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", "ann@company.com")
    assert uid is not None
    if what == "no Secret":
        simulation.take_password("sales")
    running(simulation)
    simulation.wait(60.0)
    if what == "inbox removed by hand":
        (inbox,) = simulation.remote.at("ann@company.com")
        simulation.remote.delete_by_hand(inbox.inbox_id)
        simulation.wait(900.0)
    reason = "SecretNotFound" if what == "no Secret" else "NotFound"
    assert ("Warning", reason) in events(simulation)
    assert ("Warning", "Provisioning") not in events(simulation)


def test_that_a_create_that_takes_a_while_has_one_event() -> None:
    simulation = Simulation(item_seconds=90.0)
    running(simulation)
    simulation.list_in_batch("sales", "pool", ["ann@company.com", "bob@company.com"])
    simulation.wait(900.0)
    about_accounts = [each for each in simulation.cluster.events if each["regarding"]["kind"] == ACCOUNT_KIND]
    assert {simulation.ready(uid)[1] for uid in simulation.uids} == {"Active"}
    assert [(each["type"], each["reason"]) for each in about_accounts] == [("Normal", "Active")] * 2
