"""What somebody writes into the state ConfigMap ends no workspace."""

import pytest

from tests.core.rules.watching import running
from tests.support.simulation import Simulation


@pytest.mark.parametrize("text", ["[]", "{", '{"budget": {"minute": [[]]}}', '{"budget": []}'])
def test_that_a_workspace_goes_on_when_its_state_is_made_unreadable(text: str) -> None:
    simulation = Simulation()
    process = running(simulation)
    simulation.apply("sales", "one", "a@company.com")
    simulation.wait(10.0)
    for path, raw in simulation.cluster.config_maps.items():
        simulation.cluster.version += 1
        metadata = {"resourceVersion": str(simulation.cluster.version)}
        simulation.cluster.config_maps[path] = {"metadata": metadata, "data": dict.fromkeys(raw["data"], text)}
    for number in range(30):
        simulation.apply("sales", f"more-{number}", f"more-{number}@company.com")
        simulation.wait(30.0)
    assert len(list(simulation.remote.live())) == 31
    assert not process.loop.troubles
