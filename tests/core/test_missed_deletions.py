"""After a gap in its watch kopf lists anew, and tells nothing of what went meanwhile."""

import pytest

from coldsend_operator.resources.names import ACCOUNT_KIND
from tests.core.rules.watching import running
from tests.support.cluster import WatchEvent
from tests.support.process import Process
from tests.support.simulation import Simulation

ADDRESS = "a@company.com"


def delete_in_a_gap(simulation: Simulation, uid: str) -> None:
    """Nobody hears of it."""
    simulation.drain()
    simulation.delete(uid)
    gone = simulation.cluster.history.pop()
    assert gone.kind == "DELETED"


def list_anew(simulation: Simulation, process: Process) -> None:
    for raw in simulation.cluster.objects.values():
        process.events[ACCOUNT_KIND].append(WatchEvent("LISTED", raw))
    simulation.drain()


def with_one_that_waits(*, standing_by: bool = False) -> tuple[Simulation, Process, str]:
    """An object that never reached ColdSend: its Secret is missing."""
    simulation = Simulation()
    if standing_by:
        simulation.stand_by()
    else:
        running(simulation)
    process = simulation.standby if standing_by else simulation.process
    assert process is not None
    simulation.cluster.write_secret("sales", "mail", None)
    uid = simulation.apply("sales", "one", ADDRESS)
    simulation.wait(10.0)
    assert uid is not None
    return simulation, process, uid


def test_that_an_object_made_anew_in_the_gap_is_not_kept_from_its_address() -> None:
    simulation, process, uid = with_one_that_waits()
    delete_in_a_gap(simulation, uid)
    simulation.apply("sales", "one", ADDRESS)
    list_anew(simulation, process)
    simulation.cluster.write_secret("sales", "mail", {"password": "one"})
    simulation.wait(120.0)
    (raw,) = simulation.cluster.objects.values()
    assert len(simulation.remote.at(ADDRESS)) == 1
    assert raw["status"]["inboxID"]


def test_that_an_object_that_went_last_is_forgotten_in_time() -> None:
    simulation, process, uid = with_one_that_waits()
    delete_in_a_gap(simulation, uid)
    list_anew(simulation, process)  # an empty list shows nothing
    simulation.wait(1200.0)
    assert not process.operator.registry.accounts


def test_that_a_standby_that_takes_over_forgets_what_went_in_a_gap() -> None:
    simulation, process, uid = with_one_that_waits(standing_by=True)
    delete_in_a_gap(simulation, uid)
    simulation.take_over()
    simulation.wait(10.0)
    assert not process.operator.registry.accounts


@pytest.mark.parametrize("deleted", [False, True])
def test_that_a_list_takes_no_object_away_that_is_there_or_leaves_by_itself(deleted: bool) -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "one", ADDRESS)
    simulation.wait(10.0)
    if deleted:
        simulation.remote.at(ADDRESS)[0].in_use = True
        simulation.delete(uid or "")
    list_anew(simulation, process)
    simulation.wait(700.0)
    assert list(process.operator.registry.accounts) == [uid]
