"""The whole operator in a simulated world, stopped at the very step that a rule is about."""

from collections.abc import Callable

from tests.support.clients import Pending
from tests.support.process import Process
from tests.support.simulation import Simulation

MANY = 2000


def running(simulation: Simulation, seconds: float = 0.0) -> Process:
    """The process, started unless it runs, after so many seconds in which everything happens that can happen."""
    simulation.start()
    if seconds:
        simulation.wait(seconds)
    assert simulation.process is not None
    return simulation.process


def pending(simulation: Simulation, client: str, text: str) -> Pending | None:
    """A call under way, by what stands in it."""
    assert simulation.process is not None
    calls = simulation.process.traffic.movable
    return next((call for call in calls if call.client == client and text in call.what), None)


def play_until(simulation: Simulation, good: Callable[[], object]) -> None:
    """One thing after the other, and time when nothing else can happen."""
    for _ in range(MANY):
        if good():
            return
        if not simulation.moves():
            simulation.pass_time(0.1)
        simulation.step(0)
    raise AssertionError("it does not come to that")


def reach(simulation: Simulation, client: str, text: str) -> Pending:
    """Play until this call is under way; it has not arrived yet."""
    play_until(simulation, lambda: pending(simulation, client, text))
    found = pending(simulation, client, text)
    assert found is not None
    return found


def finish(simulation: Simulation, call: Pending) -> None:
    """Let the call arrive, and its answer."""
    while call.can_go_on:
        simulation.go_on(call)
