"""A result row of a job may quote a password that was sent (rule 11): polls know what to mask."""

from typing import Any

import pytest

from coldsend_operator.core.model.answers import JobProgress
from tests.core.rules.watching import play_until, reach, running
from tests.support.simulation import Simulation

PASSWORD = "one"  # in the Secret of the simulation


def started(simulation: Simulation) -> list[list[str]]:
    """Start a process; the values that each of its polls masks."""
    process = running(simulation)
    play_until(simulation, lambda: process.loops)
    heard: list[list[str]] = []
    client: Any = next(iter(process.loops[0].keys.values())).client
    ask = client.create_job

    async def create_job(job_id: str, *, members: Any = ()) -> JobProgress:
        heard.append([secret.get_secret_value() for member in members for secret in member.secrets])
        progress: JobProgress = await ask(job_id, members=members)
        return progress

    client.create_job = create_job
    return heard


@pytest.mark.parametrize("restarted", [False, True])
def test_that_a_poll_masks_what_the_create_has_sent(restarted: bool) -> None:
    simulation = Simulation(item_seconds=20.0)
    for number in range(3):
        simulation.apply("sales", f"one-{number}", f"{number}@company.com")
    heard = started(simulation)
    reach(simulation, "coldsend", "poll")
    if restarted:
        simulation.crash()
        heard = started(simulation)
        reach(simulation, "coldsend", "poll")
    assert heard
    assert all(set(values) == {PASSWORD} for values in heard)
