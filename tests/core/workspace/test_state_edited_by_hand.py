"""What somebody writes into the state ConfigMap ends no workspace."""

import gc

import pytest

from tests.core.rules.watching import running
from tests.support.process import Process
from tests.support.simulation import Simulation

ENDLESS = '{"budget": {"minute": [[1, 1e999]], "open": 1e999}, "clockOffset": -1e999}'
DEEP = "[" * 100_000
TEXTS = ["[]", "{", '{"budget": {"minute": [[]]}}', '{"budget": []}', ENDLESS, DEEP]


def whose_state_says(text: str) -> tuple[Simulation, Process]:
    """An operator with one inbox, under each key of whose state somebody wrote this text."""
    simulation = Simulation()
    process = running(simulation)
    simulation.apply("sales", "one", "a@company.com")
    simulation.wait(10.0)
    for path, raw in simulation.cluster.config_maps.items():
        simulation.cluster.version += 1
        metadata = {"resourceVersion": str(simulation.cluster.version)}
        simulation.cluster.config_maps[path] = {"metadata": metadata, "data": dict.fromkeys(raw["data"], text)}
    return simulation, process


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_that_a_workspace_goes_on_when_its_state_is_made_unreadable(text: str) -> None:
    simulation, process = whose_state_says(text)
    for number in range(30):
        simulation.apply("sales", f"more-{number}", f"more-{number}@company.com")
        simulation.wait(30.0)
    assert len(simulation.remote.live()) == 31
    assert not process.loop.troubles


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_that_the_operator_starts_with_a_state_that_cannot_be_read(text: str) -> None:
    simulation, _ = whose_state_says(text)
    simulation.crash()
    gc.collect()  # what the crash left behind ends here, not in the depth to which DEEP leads
    process = running(simulation)
    simulation.apply("sales", "two", "b@company.com")
    simulation.wait(60.0)
    assert process.failure is None
    assert len(simulation.remote.live()) == 2
    assert not process.loop.troubles
