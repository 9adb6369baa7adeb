"""A status that somebody wipes (`kubectl edit --subresource=status`) while the inbox is being deleted."""

import pytest

from tests.core.rules.watching import finish, reach, running
from tests.support.simulation import Simulation


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("arrives", [False, True], ids=["before_it_arrives", "after_it_has_arrived"])
def test_that_the_inbox_goes_with_its_object_all_the_same(crash: bool, arrives: bool) -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", "a@company.com")
    running(simulation, 10.0)
    simulation.delete(uid)
    call = reach(simulation, "coldsend", "delete")
    if arrives:
        call.go_on()
    simulation.cluster._update((simulation.cluster.find(uid) or {}) | {"status": {}})
    if crash:
        simulation.crash()
        running(simulation)
    elif not arrives:
        finish(simulation, call)
    simulation.wait(400.0)
    assert simulation.uids == []
    assert not simulation.remote.live()
