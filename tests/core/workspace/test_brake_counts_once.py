"""The brake counts inboxes, however often their deletion must be asked for."""

import pytest

from tests.core.rules.watching import pending, play_until, running
from tests.support.remote import Fault
from tests.support.simulation import Simulation


@pytest.mark.parametrize("fault", [Fault.RATE, Fault.NOT_SENT, Fault.LOST_BEFORE, Fault.DOWN])
def test_that_deletions_that_are_asked_for_again_are_not_held_as_too_many(fault: Fault) -> None:
    simulation = Simulation(brake="5")
    process = running(simulation)
    uids = [simulation.apply("sales", f"one-{number}", f"{number}@company.com") for number in range(4)]
    simulation.wait(20.0)
    for uid in uids:
        simulation.delete(uid or "")
    while process.events["SenderAccount"] or simulation.cluster.history[process._cursor :]:
        process.see()
        process.deliver()
    play_until(simulation, lambda: pending(simulation, "coldsend", "delete"))
    for call in process.traffic.movable:
        if call.client == "coldsend":
            call.fault = fault
    process.traffic.coldsend_faults += [fault] * 2
    simulation.wait(1500.0)
    assert simulation.uids == []
