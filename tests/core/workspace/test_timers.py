"""One timer for each object, however often something happens to it."""

from coldsend_operator.core.workspace.timers import Timers
from tests.core.rules.watching import running
from tests.support.core_world import asked_for
from tests.support.simulation import SECOND, SECRET, Simulation


def test_the_earliest_of_what_was_set_fires_once() -> None:
    timers = Timers[str]()
    for at in (30.0, 10.0, 20.0):
        timers.set("a", at)
    timers.set("b", 15.0)
    assert timers.first == 10.0
    assert timers.fire(10.0) == ["a"]  # at that time, not after it
    assert timers.fire(100.0) == ["b"]
    assert timers.first is None


def test_a_dropped_one_does_not_fire() -> None:
    timers = Timers[str]()
    timers.set("a", 10.0)
    timers.drop("a")
    assert timers.first is None
    assert timers.fire(20.0) == []


def test_entries_that_were_moved_forward_again_and_again_are_cleaned_up() -> None:
    timers = Timers[str]()
    for step in range(10_000):
        timers.set("a", 20_000.0 - step)
    assert len(timers) < 100


def test_that_an_object_to_which_something_happens_all_the_time_has_one_timer() -> None:
    core, account = asked_for(adoptionPolicy="Refuse")
    for _ in range(1_000):
        core.step(account)
        core.now += 0.1
    assert len(core.workspace.timers) < 100


def test_that_an_object_that_may_not_leave_its_workspace_yet_waits_in_one_timer() -> None:
    simulation = Simulation(item_seconds=600.0)
    process = running(simulation)
    uid = ""
    for number in range(2):  # a bulk, whose job takes its time
        uid = simulation.apply("sales", f"a{number}", f"a{number}@company.com", smtp=smtp())
    simulation.wait(20.0)
    assert process.operator.controller.accounts[uid].job is not None
    simulation.edit(uid, apiKeySecretRef={"name": SECOND})
    simulation.drain()
    for number in range(100):
        simulation.annotate(uid, "coldsend.pro/reconcile", str(number))
        simulation.drain()
    moves = [timer for _, _, timer in process.loop._timers if not timer.cancelled() and is_move(timer)]
    assert len(moves) == 1


def is_move(timer: object) -> bool:
    return getattr(getattr(timer, "_callback", None), "__name__", "") == "_again"


def smtp() -> dict[str, object]:
    return {"passwordSecretRef": {"name": SECRET}}
