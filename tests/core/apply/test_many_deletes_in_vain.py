"""Deletes that came to nothing, so many at once that lists are cheaper than a GET of each."""

import pytest

from tests.core.rules.watching import running
from tests.support.process import Process
from tests.support.remote import Fault
from tests.support.simulation import Simulation

MANY = 5


def with_inboxes(brake: str = "100") -> tuple[Simulation, Process]:
    simulation = Simulation(brake=brake)
    process = running(simulation)
    for number in range(MANY):
        simulation.apply("sales", f"one-{number}", f"{number}@company.com")
    pass_by(simulation, 30.0)
    assert len(simulation.remote.inboxes) == MANY
    return simulation, process


def pass_by(simulation: Simulation, seconds: float) -> None:
    """Loops that only look around now and then run once in a wait."""
    for _ in range(int(seconds / 3)):
        simulation.wait(3.0)


def delete_all(simulation: Simulation) -> None:
    for uid in simulation.uids:
        simulation.delete(uid)


def test_that_many_inboxes_in_use_are_said_to_be_and_go_once_they_are_free() -> None:
    simulation, _ = with_inboxes()
    for inbox in simulation.remote.live():
        inbox.in_use = True
    delete_all(simulation)
    pass_by(simulation, 90.0)
    said = {raw["status"]["conditions"][0]["reason"] for raw in simulation.cluster.objects.values()}
    assert said == {"InUseByCampaign"}
    for inbox in simulation.remote.live():
        inbox.in_use = False
    pass_by(simulation, 900.0)
    assert not simulation.remote.live()
    assert not simulation.uids


def test_that_inboxes_in_use_are_asked_for_ever_more_slowly() -> None:
    simulation, _ = with_inboxes()
    for inbox in simulation.remote.live():
        inbox.in_use = True
    delete_all(simulation)
    pass_by(simulation, 1800.0)
    before = simulation.remote.requests
    pass_by(simulation, 1800.0)
    assert simulation.remote.requests - before <= 6 + 3 * 4 * MANY  # sweeps; a delete, its job and a look, 3 or 4 times


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.DOWN])
def test_that_many_deletes_whose_answers_were_lost_are_asked_for_again(fault: Fault) -> None:
    simulation, process = with_inboxes()
    delete_all(simulation)
    process.traffic.coldsend_faults += [fault] * 2
    pass_by(simulation, 900.0)
    assert not simulation.remote.live()
    assert not simulation.uids
