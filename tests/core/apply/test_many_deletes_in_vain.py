"""Deletes that came to nothing, so many at once that lists are cheaper than a GET of each."""

import pytest

from tests.core.rules.watching import running
from tests.support.process import Process
from tests.support.remote import Fault
from tests.support.simulation import Simulation

MANY = 5


def with_inboxes(simulation: Simulation) -> Process:
    process = running(simulation)
    for number in range(MANY):
        simulation.apply("sales", f"one-{number}", f"{number}@company.com")
    pass_by(simulation, 30.0)
    assert len(simulation.remote.inboxes) == MANY
    return process


def pass_by(simulation: Simulation, seconds: float) -> None:
    """Loops that only look around now and then run once in a wait."""
    for _ in range(int(seconds / 3)):
        simulation.wait(3.0)


def said_of_all(simulation: Simulation) -> set[str]:
    return {raw["status"]["conditions"][0]["reason"] for raw in simulation.cluster.objects.values()}


def delete_all(simulation: Simulation) -> None:
    for uid in simulation.uids:
        simulation.delete(uid)


def test_that_many_inboxes_in_use_are_said_to_be_and_go_once_they_are_free() -> None:
    simulation = Simulation(brake="100")
    with_inboxes(simulation)
    for inbox in simulation.remote.live():
        inbox.in_use = True
    delete_all(simulation)
    pass_by(simulation, 90.0)
    assert said_of_all(simulation) == {"InUseByCampaign"}
    for inbox in simulation.remote.live():
        inbox.in_use = False
    pass_by(simulation, 900.0)
    assert not simulation.remote.live()
    assert not simulation.uids


@pytest.mark.parametrize("lost_call_seconds", [120.0, 3.0])
def test_that_inboxes_in_use_are_asked_for_ever_more_slowly(lost_call_seconds: float) -> None:
    simulation = Simulation(per_hour=100_000, brake="100", changes={"lost_call_seconds": lost_call_seconds})
    with_inboxes(simulation)
    for inbox in simulation.remote.live():
        inbox.in_use = True
    delete_all(simulation)
    pass_by(simulation, 1800.0)
    assert said_of_all(simulation) == {"InUseByCampaign"}
    before = simulation.remote.requests
    pass_by(simulation, 1800.0)
    assert said_of_all(simulation) == {"InUseByCampaign"}
    assert simulation.remote.requests - before <= 6 + 3 * 4 * MANY  # sweeps; a delete, its job and a look, 3 or 4 times


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.DOWN])
def test_that_many_deletes_whose_answers_were_lost_are_asked_for_again(fault: Fault) -> None:
    simulation = Simulation(brake="100")
    process = with_inboxes(simulation)
    delete_all(simulation)
    process.traffic.coldsend_faults += [fault] * 2
    pass_by(simulation, 900.0)
    assert not simulation.remote.live()
    assert not simulation.uids
