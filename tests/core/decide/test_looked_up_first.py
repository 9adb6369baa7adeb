"""Who adopts or observes has the address looked up first, however new the last list is."""

import pytest

from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.core.rules.watching import running
from tests.support.simulation import Simulation

ANN = "ann@company.com"


def listed(simulation: Simulation) -> None:
    """The operator runs, and has a list of the workspace."""
    running(simulation)
    simulation.apply("sales", "other", "other@company.com")
    simulation.wait(120.0)


@pytest.mark.parametrize("fields", [{"adoptionPolicy": "Adopt"}, {"managementPolicy": "Observe"}])
def test_that_an_inbox_newer_than_the_last_list_is_found_at_once_and_nothing_is_created(fields: dict[str, str]) -> None:
    simulation = Simulation()
    listed(simulation)
    simulation.remote.make_by_hand(ANN)
    made = simulation.remote.creates
    uid = simulation.apply("sales", "ann", ANN, **fields)
    simulation.wait(10.0)
    assert simulation.status(uid)["inboxID"] == simulation.remote.at(ANN)[0].inbox_id
    assert simulation.remote.creates == made


def test_that_an_inbox_made_while_the_secret_was_missing_is_adopted_without_a_create() -> None:
    simulation = Simulation()
    listed(simulation)
    simulation.take_password("sales")
    uid = simulation.apply("sales", "ann", ANN, adoptionPolicy="Adopt")
    simulation.wait(60.0)
    assert simulation.ready(uid)[1] == "SecretNotFound"
    simulation.remote.make_by_hand(ANN)
    made = simulation.remote.creates
    simulation.rotate("sales", "one")
    simulation.wait(60.0)
    assert simulation.ready(uid)[1] == "Adopted"
    assert simulation.remote.creates == made


def test_that_an_observer_without_an_inbox_looks_again_when_a_person_asks() -> None:
    simulation = Simulation()
    listed(simulation)
    uid = simulation.apply("sales", "ann", ANN, managementPolicy="Observe")
    simulation.wait(30.0)
    assert simulation.ready(uid)[1] == "NotFound"
    simulation.remote.make_by_hand(ANN)
    simulation.annotate(uid, RECONCILE_ANNOTATION, "1")
    simulation.wait(10.0)
    assert simulation.ready(uid)[1] == "Active"


def test_that_values_of_an_observed_inbox_that_is_gone_are_marked_as_last_seen() -> None:
    simulation = Simulation()
    listed(simulation)
    inbox = simulation.remote.make_by_hand(ANN)
    uid = simulation.apply("sales", "ann", ANN, managementPolicy="Observe")
    simulation.wait(30.0)
    simulation.remote.delete_by_hand(inbox.inbox_id)
    simulation.wait(1800.0)
    assert simulation.ready(uid)[1] == "NotFound"
    assert simulation.status(uid)["overallStatus"] == "ACTIVE (last seen)"
    simulation.crash()
    running(simulation, 600.0)
    assert simulation.status(uid)["overallStatus"] == "ACTIVE (last seen)"


@pytest.mark.parametrize("listed", [True, False], ids=["after_a_list", "before_the_next_list"])
def test_that_of_inboxes_missed_all_at_once_reconcile_on_one_makes_none_again(listed: bool) -> None:
    simulation = Simulation()
    running(simulation)
    uids = [simulation.apply("sales", f"inbox-{number}", f"inbox-{number}@company.com") for number in range(12)]
    simulation.wait(300.0)
    for inbox in simulation.remote.live():
        simulation.remote.delete_by_hand(inbox.inbox_id)
    if listed:
        simulation.wait(1500.0)
        assert {simulation.says(uid)["Synced"][1] for uid in uids} == {"InventoryImplausible"}
        assert {simulation.status(uid)["overallStatus"] for uid in uids} == {"ACTIVE (last seen)"}
    simulation.annotate(uids[0], RECONCILE_ANNOTATION, "1")
    simulation.wait(1500.0)
    assert not simulation.remote.live()
    assert simulation.says(uids[0])["Synced"][1] == "InventoryImplausible"
