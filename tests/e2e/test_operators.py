"""What happens to whoever runs the operator; each story starts operators of its own and ends them in its way."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from tests.e2e.stories import operating, replicating, stories_of
from tests.e2e.support.concurrency import LONGEST, all_ended, played
from tests.e2e.support.world import World

AT_ONCE = 4
STORIES = stories_of(replicating, operating)  # those that wait for a Lease to run out come first
Story = Callable[[World], None]


@pytest.fixture(scope="module")
def under_way(request: pytest.FixtureRequest, world: World) -> Iterator[dict[Story, Future[None]]]:
    with played(request, "story", lambda story: story(world), AT_ONCE) as outcomes:
        yield outcomes


@pytest.mark.parametrize("story", [pytest.param(story, id=story.__name__) for story in STORIES])
def test_that(story: Story, under_way: dict[Story, Future[None]]) -> None:
    under_way[story].result(LONGEST)


def test_no_secret_value_was_seen_in_logs_or_in_kubernetes(world: World, under_way: dict[Story, Future[None]]) -> None:
    all_ended(under_way)
    assert world.leaks() == []
