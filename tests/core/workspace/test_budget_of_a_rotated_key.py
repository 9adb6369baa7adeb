"""A key is rotated while no operator runs: the workspace is the same, and so are its windows (rule 13)."""

from typing import Any

from pydantic import SecretStr

from coldsend_operator.core.model.hashes import workspace_digest
from tests.core.rules.watching import running
from tests.support.simulation import Simulation

NEW = "cs_live_new"


def first(simulation: Simulation) -> list[dict[str, Any]]:
    return list(simulation.cluster.objects.values())[:3]


def test_that_what_was_spent_with_the_old_key_counts_for_the_new_one() -> None:
    simulation = Simulation(per_minute=20, per_hour=40)
    simulation.remotes[NEW] = simulation.remote
    running(simulation)
    simulation.apply("sales", "one", "a@company.com")
    simulation.wait(10.0)
    for number in range(60):
        simulation.apply("sales", f"more-{number}", f"more-{number}@company.com")
        simulation.wait(7.0)
    simulation.crash()
    simulation.settings = simulation.settings.model_copy(update={"api_key": SecretStr(NEW)})
    running(simulation, 1200.0)
    assert simulation.remote.requests <= 40  # with both keys, in less than an hour
    simulation.wait(3600.0)
    assert simulation.remote.requests > 40
    assert all(raw["status"]["lastApplied"]["workspace"] == workspace_digest(NEW) for raw in first(simulation))
