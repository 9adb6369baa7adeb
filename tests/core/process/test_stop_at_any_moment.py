"""SIGTERM at each moment of a wake-up: `asyncio.wait_for` of Python 3.11 can lose a cancellation."""

import asyncio

import pytest

from tests.core.rules.watching import running
from tests.support.simulation import Simulation


@pytest.mark.parametrize("steps", range(6))
def test_that_a_stop_ends_whatever_has_just_woken_up(steps: int) -> None:
    simulation = Simulation()
    simulation.apply("sales", "ann", "ann@company.com")
    process = running(simulation, 60.0)
    operator = process.operator

    async def stop() -> None:
        operator.namespaces.wake()
        operator.controller.placement._key_wake.set()
        for _ in range(steps):
            await asyncio.sleep(0)
        await operator.stop()

    stopping = process.loop.create_task(stop())
    for _ in range(3):
        simulation.wait(1.0)
    assert stopping.done()
