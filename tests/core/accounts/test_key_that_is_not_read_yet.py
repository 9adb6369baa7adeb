"""An object that is given another key belongs to one workspace at a time, also while that key is still to be read."""

from tests.core.rules.watching import running
from tests.support.simulation import Simulation

OTHER_KEY = "cs_live_other"


def test_that_an_object_with_another_key_leaves_its_old_workspace() -> None:
    simulation = Simulation()
    simulation.add_workspace(OTHER_KEY, "sales", _made=100)
    process = running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com")
    simulation.wait(5.0)
    simulation.edit(uid, apiKeySecretRef={"name": "key"})
    simulation.wait(30.0)
    assert [uid in loop.workspace.accounts for loop in process.loops].count(True) == 1
