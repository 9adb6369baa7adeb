"""A watch event that shows nothing new, such as that of our own write, starts no work."""

from tests.core.rules.watching import running
from tests.support.simulation import Simulation


def test_that_an_event_of_a_label_leaves_the_decision_as_it_is() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", "ann@company.com")
    process = running(simulation, 60.0)
    (workspace,) = process.operator.controller.workspaces
    raw = simulation.raw(uid)
    version = int(raw["metadata"]["resourceVersion"]) + 1
    newer = {**raw, "metadata": {**raw["metadata"], "labels": {"team": "a"}, "resourceVersion": str(version)}}
    process.operator.cache_sync.account_event("MODIFIED", newer)
    assert workspace.accounts[uid].desired.resource_version == version
    assert not workspace.dirty
    newer["metadata"]["annotations"] = {"coldsend.pro/paused": "true"}
    process.operator.cache_sync.account_event("MODIFIED", newer)
    assert workspace.dirty == {uid}
