"""What status and Events say of a batch to the people who read them."""

from typing import Any

from coldsend_operator.resources.names import BATCH_KIND
from tests.core.rules.watching import running
from tests.support.simulation import Simulation

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


def test_that_an_event_tells_when_the_count_of_failures_has_changed() -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(ADDRESSES[0])
    simulation.list_in_batch("sales", "pool", ADDRESSES[:2])
    running(simulation)
    simulation.wait(60.0)
    simulation.remote.make_by_hand(ADDRESSES[2])
    simulation.list_in_batch("sales", "pool", ADDRESSES)
    simulation.wait(180.0)
    told = [message for reason, message in events_of(simulation) if reason == "AlreadyExists"]
    assert len(told) == 2
    assert "1 failed (1 AlreadyExists)" in told[0]
    assert "2 inboxes failed (2 AlreadyExists)" in told[1]


def test_that_the_count_of_failures_is_not_told_again_after_a_restart() -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(ADDRESSES[0])
    simulation.list_in_batch("sales", "pool", ADDRESSES[:2])
    running(simulation)
    simulation.wait(60.0)
    before = events_of(simulation)
    simulation.crash()
    running(simulation)
    simulation.wait(180.0)
    assert events_of(simulation) == before


def test_that_a_batch_without_inboxes_says_nothing_of_health() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", [])
    running(simulation)
    simulation.wait(10.0)
    assert [each["type"] for each in status_of(simulation)["conditions"]] == ["Ready", "Synced"]
