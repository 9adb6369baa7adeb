"""A namespace is read again for an object that is created or deleted, as its annotations may be as new."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from coldsend_operator.core.model.policy import Policy
from coldsend_operator.process.namespaces import NamespaceWatch

Story = Callable[["_ApiServer", Policy, NamespaceWatch], Coroutine[Any, Any, None]]


class _ApiServer:
    """Answers the first read of a namespace; later ones wait for `answer`."""

    def __init__(self) -> None:
        self.reads = 0
        self.asked_again = asyncio.Event()
        self.answer = asyncio.Event()

    async def find(self, _: str) -> dict[str, Any]:
        self.reads += 1
        if self.reads > 1:
            self.asked_again.set()
            await self.answer.wait()
        return {"metadata": {"annotations": {"coldsend.pro/paused": "true"} if self.reads > 1 else {}}}


def play(story: Story) -> None:
    async def run() -> None:
        server: Any = _ApiServer()
        policy = Policy()
        watch = NamespaceWatch(server, policy, lambda: 0.0, lambda: ["sales"], set, lambda _: None)
        await watch.read_again()
        await story(server, policy, watch)

    asyncio.run(asyncio.wait_for(run(), 60))


def test_objects_that_arrive_together_share_a_read_and_wait_for_it() -> None:
    async def story(server: _ApiServer, policy: Policy, watch: NamespaceWatch) -> None:
        waiting = [asyncio.create_task(watch.read_since("sales")) for _ in range(3)]
        await server.asked_again.wait()
        later = asyncio.create_task(watch.read_since("sales"))
        server.answer.set()
        await asyncio.gather(*waiting)
        assert server.reads == 2
        assert policy.of_namespace("sales").paused
        await later
        assert server.reads == 3

    play(story)


def test_the_first_read_of_a_namespace_is_not_waited_for() -> None:
    async def story(server: _ApiServer, _: Policy, watch: NamespaceWatch) -> None:
        await watch.read_since("support")
        assert server.reads == 1

    play(story)


def test_the_end_of_the_operator_waits_for_no_read() -> None:
    async def story(server: _ApiServer, _: Policy, watch: NamespaceWatch) -> None:
        waiting = asyncio.create_task(watch.read_since("sales"))
        await server.asked_again.wait()
        watch.close()
        await asyncio.gather(waiting, watch.read_since("sales"))
        assert server.reads == 2

    play(story)
