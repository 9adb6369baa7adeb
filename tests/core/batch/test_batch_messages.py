"""What status and Events say of a batch to the people who read them."""

from typing import Any

import pytest

from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND, PAUSED_ANNOTATION
from tests.core.rules.watching import running
from tests.support.simulation import Simulation
from tests.support.writes import PERSON

ADDRESSES = [f"{name}@company.com" for name in ("ann", "bob", "cat", "dan", "eve", "fay")]


def status_of(simulation: Simulation) -> dict[str, Any]:
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    status: dict[str, Any] = batch["status"]
    return status


def said(simulation: Simulation, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in status_of(simulation)["conditions"] if each["type"] == kind)
    return found


def events_of(simulation: Simulation, kind: str = BATCH_KIND) -> list[tuple[str, str]]:
    return [(each["reason"], each["note"]) for each in simulation.cluster.events if each["regarding"]["kind"] == kind]


def test_that_failures_are_counted_by_reason_and_are_no_progress() -> None:
    simulation = Simulation()
    for address in ADDRESSES[:3]:
        simulation.remote.make_by_hand(address)
    simulation.list_in_batch("sales", "pool", ADDRESSES)
    simulation.start()
    simulation.drain()
    simulation.wait(120.0)
    status = status_of(simulation)
    assert (status["total"], status["processed"], status["failed"]) == (6, 6, 3)
    assert (status["progressPercentage"], status["completionPercentage"]) == (100, 50)
    assert (
        said(simulation, "Ready")["message"] == "3 of 6 inboxes ready; 3 failed (3 AlreadyExists). See status.failures."
    )


def test_that_a_child_which_waits_for_the_inbox_of_an_account_counts_as_failed_until_it_takes_it_over() -> None:
    simulation = Simulation()
    old = simulation.apply("sales", "ann", ADDRESSES[0])
    running(simulation, 30.0)
    simulation.list_in_batch("sales", "pool", ADDRESSES[:1])
    simulation.wait(30.0)
    status = status_of(simulation)
    assert (status["processed"], status["failed"]) == (1, 1)
    (failure,) = status["failures"]
    assert failure["reason"] == "AddressConflict"
    simulation.delete(old)
    simulation.wait(30.0)
    assert said(simulation, "Ready")["status"] == "True"
    assert [reason for reason, _ in events_of(simulation)] == ["AddressConflict", "Active"]
    assert simulation.remote.creates == 1


def test_that_inboxes_to_observe_that_are_not_in_coldsend_count_as_failed_and_are_named() -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(ADDRESSES[0])
    simulation.list_in_batch("sales", "pool", ADDRESSES[:3], managementPolicy="Observe")
    running(simulation, 120.0)
    status = status_of(simulation)
    assert (status["succeeded"], status["failed"], status["progressPercentage"]) == (1, 2, 100)
    assert {(each["reason"], each["message"]) for each in status["failures"]} == {
        ("NotFound", "ColdSend has no inbox with this address. Its values appear here once it exists.")
    }


def test_that_an_event_tells_when_the_count_of_failures_has_changed() -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(ADDRESSES[0])
    simulation.list_in_batch("sales", "pool", ADDRESSES[:2])
    running(simulation, 60.0)
    simulation.remote.make_by_hand(ADDRESSES[2])
    simulation.list_in_batch("sales", "pool", ADDRESSES)
    simulation.wait(180.0)
    told = [message for reason, message in events_of(simulation) if reason == "AlreadyExists"]
    assert len(told) == 2
    assert "1 failed (1 AlreadyExists)" in told[0]
    assert "2 inboxes failed (2 AlreadyExists)" in told[1]


def test_that_the_event_about_held_deletions_tells_how_many_there_are_in_the_end() -> None:
    simulation = Simulation()
    addresses = [f"inbox-{number}@company.com" for number in range(30)]
    simulation.list_in_batch("sales", "pool", addresses)
    running(simulation, 300.0)
    simulation.list_in_batch("sales", "pool", addresses[:12])
    simulation.wait(3.0)
    assert "18 inboxes of this batch wait" in said(simulation, "Synced")["message"]
    simulation.list_in_batch("sales", "pool", addresses[:1])
    simulation.wait(180.0)
    (told,) = [message for reason, message in events_of(simulation) if reason == "DeletionHeld"]
    assert "29 inboxes of this batch wait" in told


def test_that_the_count_of_failures_is_not_told_again_after_a_restart() -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(ADDRESSES[0])
    simulation.list_in_batch("sales", "pool", ADDRESSES[:2])
    running(simulation, 60.0)
    before = events_of(simulation)
    simulation.crash()
    running(simulation, 180.0)
    assert events_of(simulation) == before


def test_that_a_batch_without_inboxes_says_nothing_of_health() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", [])
    running(simulation, 10.0)
    assert [each["type"] for each in status_of(simulation)["conditions"]] == ["Ready", "Synced"]


# -- children that others change


def test_that_a_policy_that_changes_children_is_told_and_fought_with_growing_pauses() -> None:
    simulation = Simulation()
    simulation.cluster.admission = lambda spec: spec | {"displayName": "Changed"}
    simulation.list_in_batch("sales", "pool", ADDRESSES[:3])
    running(simulation, 3600.0)
    synced = said(simulation, "Synced")
    assert (synced["status"], synced["reason"]) == ("False", "ChildChangedByOthers")
    assert synced["message"].startswith("spec.displayName of SenderAccount pool-")
    assert "is changed by an admission policy or webhook; 2 more are changed too" in synced["message"]
    assert "ChildChangedByOthers" in dict(events_of(simulation))
    asked = simulation.cluster.applied
    simulation.wait(1800.0)
    assert simulation.cluster.applied - asked <= 3 * 3


def test_that_another_writer_is_named_by_its_field_manager_and_forgotten_when_it_stops() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES[:1])
    running(simulation, 30.0)
    (child,) = simulation.cluster.of_kind(ACCOUNT_KIND)
    for _ in range(4):
        simulation.edit(child["metadata"]["uid"], displayName="Changed")
        simulation.wait(1.0)
    message = dict(events_of(simulation))["ChildChangedByOthers"]
    assert f"is changed by the field manager '{PERSON}'" in message
    simulation.wait(1200.0)
    assert said(simulation, "Synced")["reason"] == "InSync"


# -- a list that is emptied


def test_that_an_emptied_list_is_told_in_status_and_in_an_event_before_anything_leaves() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES[:5])
    running(simulation, 60.0)
    told: list[list[str]] = []
    simulation.cluster.on_end_asked = lambda raw: told.append([note for _, note in events_of(simulation)])
    simulation.list_in_batch("sales", "pool", [])
    simulation.wait(60.0)
    assert len(told) == 5
    message = (
        "spec.inboxes is empty, so 5 inboxes of this batch are deleted. To keep the remaining inboxes, restore the "
        "list."
    )
    assert all(message in events for events in told)
    assert not simulation.remote.live()


def test_that_a_list_emptied_during_a_pause_is_told_after_it_and_before_anything_leaves() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES[:2])
    running(simulation, 60.0)
    told: list[list[str]] = []
    simulation.cluster.on_end_asked = lambda raw: told.append([note for _, note in events_of(simulation)])
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    simulation.cluster.annotate(batch["metadata"]["uid"], PAUSED_ANNOTATION, "true")
    simulation.wait(60.0)
    simulation.list_in_batch("sales", "pool", [])
    simulation.wait(60.0)
    assert not any(reason == "Deleting" for reason, _ in events_of(simulation))
    simulation.cluster.annotate(batch["metadata"]["uid"], PAUSED_ANNOTATION, None)
    simulation.wait(60.0)
    assert len(told) == 2
    assert all(any(note.startswith("spec.inboxes is empty") for note in events) for events in told)


def test_that_a_list_emptied_where_orphan_is_the_default_is_told_to_leave_its_inboxes() -> None:
    simulation = Simulation(changes={"deletion_default": "Orphan"})
    simulation.list_in_batch("sales", "pool", ADDRESSES[:2])
    running(simulation, 60.0)
    simulation.list_in_batch("sales", "pool", [])
    simulation.wait(60.0)
    assert any("2 inboxes of this batch are released and stay in ColdSend" in note for _, note in events_of(simulation))
    assert len(simulation.remote.live()) == 2


@pytest.mark.parametrize("crashes", range(1, 30))
def test_that_a_crash_while_an_emptied_list_is_told_keeps_no_child_for_ever(crashes: int) -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES[:2])
    running(simulation, 60.0)
    simulation.list_in_batch("sales", "pool", [])
    for _ in range(crashes):
        simulation.step(0)
    simulation.crash()
    running(simulation, 300.0)
    assert not simulation.cluster.of_kind(ACCOUNT_KIND)


@pytest.mark.parametrize("shorter", [False, True])
def test_that_a_deletion_whose_inboxes_are_in_use_says_so_until_they_are_free(shorter: bool) -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ADDRESSES)
    running(simulation, 60.0)
    used = simulation.remote.at(ADDRESSES[0])[0]
    used.in_use = True
    (batch,) = simulation.batches
    if shorter:
        simulation.list_in_batch("sales", "pool", ADDRESSES[1:])
    else:
        simulation.cluster.delete(batch)
    for _ in range(30):
        simulation.wait(3.0)
    synced = said(simulation, "Synced")
    assert (synced["status"], synced["reason"]) == ("False", "InUseByCampaign")
    assert "1 inbox cannot be deleted yet" in synced["message"]
    used.in_use = False
    for _ in range(300):
        simulation.wait(3.0)
        simulation.collect_garbage()
    assert not simulation.remote.at(ADDRESSES[0])
    assert len(simulation.cluster.of_kind(BATCH_KIND)) == shorter
