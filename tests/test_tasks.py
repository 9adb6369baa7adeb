"""Background tasks and their end."""

import asyncio

from coldsend_operator.tasks import end


async def _loses_a_cancellation() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


def test_a_task_that_loses_a_cancellation_ends() -> None:
    async def process() -> bool:
        task = asyncio.create_task(_loses_a_cancellation())
        await asyncio.sleep(0)
        await end([task])
        return task.cancelled()

    assert asyncio.run(process())
