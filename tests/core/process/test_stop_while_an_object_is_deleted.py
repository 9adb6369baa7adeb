"""What the watch still brings while the process ends."""

import asyncio
from typing import Any

from coldsend_operator.core.model.policy import Policy
from coldsend_operator.process.crd_guard import CrdGuard


class _ClosingClient:
    """The API server answers nothing; a closed connection fails as aiohttp does."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.times = 0
        self.closed = False

    async def find(self, *_: Any) -> None:
        self.asked.set()
        self.times += 1
        if self.closed:
            raise RuntimeError("Session is closed")
        await asyncio.Event().wait()


def test_that_a_deletion_seen_while_the_operator_stops_needs_no_answer_of_the_api_server() -> None:
    async def story() -> None:
        kube: Any = _ClosingClient()
        guard = CrdGuard(kube, Policy(), lambda: None, may_read=True)
        seen_before = asyncio.create_task(guard.check_again())
        await kube.asked.wait()
        on_its_way = asyncio.create_task(guard.check_again())
        await asyncio.sleep(0)
        guard.close()
        kube.closed = True
        await asyncio.gather(seen_before, on_its_way, guard.check_again())
        assert kube.times == 1

    asyncio.run(asyncio.wait_for(story(), 60))
