"""What users would try with one account, on a real API server, a real operator, and ColdSend as the emulator plays it.

The stories share one operator; each has a namespace and a ColdSend workspace of its own, so they play at the same time.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.stage.operators import OperatorRun, running_operator
from tests.e2e.stage.stage import staged
from tests.e2e.stage.world import OWN_KEY, World
from tests.e2e.stories import (
    Story,
    adopting,
    becoming_ready,
    changing,
    deleting,
    domains,
    mails,
    mirroring,
    secrets,
    stories_of,
    waiting,
)

STORIES = stories_of(waiting, domains, mirroring, deleting, secrets, adopting, changing, mails, becoming_ready)
AT_ONCE = 16
OURS = {"played-by": "accounts"}
PATIENCE = 280


@pytest.fixture(scope="module")
def operator(world: World) -> Iterator[OperatorRun]:
    with running_operator(
        world.cluster.kubeconfig,
        world.folder,
        COLDSEND_API_URL=world.emulator.api_url,
        COLDSEND_API_KEY=OWN_KEY,
        COLDSEND_LABEL_SELECTOR="played-by=accounts",
    ) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, world: World, operator: OperatorRun) -> Iterator[dict[Story, Future[None]]]:
    """The stories that were chosen, all under way."""
    chosen = [_story_of(item) for item in request.session.items if _is_story(item)]

    def play(story: Story) -> None:
        with staged(world, story.__name__, OURS) as stage:
            try:
                story(stage)
            except BaseException as failure:
                lines = [line for line in operator.lines().splitlines() if stage.namespace in line]
                failure.add_note("\n".join(["the log of the operator:", *lines[-40:]]))
                raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {story: pool.submit(play, story) for story in chosen}
        pool.shutdown(cancel_futures=True)


def _is_story(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and item.function is test_story


def _story_of(item: Any) -> Story:
    story: Story = item.callspec.params["story"]
    return story


@pytest.mark.parametrize("story", [pytest.param(story, id=story.__name__) for story in STORIES])
def test_story(story: Story, played: dict[Story, Future[None]]) -> None:
    played[story].result(PATIENCE)
