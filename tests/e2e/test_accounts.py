"""What users would try with one account, on a real API server, a real operator, and ColdSend as the emulator plays it.

The stories share one operator; each has a namespace and a ColdSend workspace of its own, so they play at the same time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from tests.e2e.stories import (
    adopting,
    becoming_ready,
    changing,
    deleting,
    domains,
    mails,
    mirroring,
    renaming,
    secrets,
    stories_of,
    waiting,
)
from tests.e2e.support.concurrency import LONGEST, all_ended, played
from tests.e2e.support.operators import OperatorRun
from tests.e2e.support.tenant import Tenant, opened_tenant
from tests.e2e.support.world import MARKER, World

Story = Callable[[Tenant], None]
# Those that wait for a minute come first.
STORIES = stories_of(
    waiting, domains, mirroring, deleting, secrets, adopting, changing, mails, renaming, becoming_ready
)
AT_ONCE = 16
OURS = {"played-by": "accounts"}


@pytest.fixture(scope="module")
def operator(world: World) -> Iterator[OperatorRun]:
    with world.operator(COLDSEND_LABEL_SELECTOR="played-by=accounts") as running:
        yield running


@pytest.fixture(scope="module")
def under_way(
    request: pytest.FixtureRequest, world: World, operator: OperatorRun
) -> Iterator[dict[Story, Future[None]]]:
    def play(story: Story) -> None:
        with opened_tenant(world, story.__name__, OURS) as tenant, operator.heard(tenant.namespace):
            story(tenant)

    with played(request, "story", play, AT_ONCE) as outcomes:
        yield outcomes


@pytest.mark.parametrize("story", [pytest.param(story, id=story.__name__) for story in STORIES])
def test_that(story: Story, under_way: dict[Story, Future[None]]) -> None:
    under_way[story].result(LONGEST)


def test_the_probes_are_content_and_the_metrics_tell_of_requests_and_writes(
    operator: OperatorRun, under_way: dict[Story, Future[None]]
) -> None:
    assert (operator.probe("healthz"), operator.probe("readyz")) == (200, 200)
    for name in ("coldsend_kubernetes_writes_total", "coldsend_api_requests_total", "coldsend_leader"):
        assert operator.figure(name) > 0
    assert operator.figure("coldsend_account_ready_seconds_count") > 0


def test_no_secret_value_was_seen_in_logs_metrics_or_kubernetes(
    world: World, operator: OperatorRun, under_way: dict[Story, Future[None]]
) -> None:
    all_ended(under_way)
    assert world.leaks() == []
    assert MARKER not in operator.metrics()


def test_nothing_went_wrong_that_nobody_expected(operator: OperatorRun, under_way: dict[Story, Future[None]]) -> None:
    all_ended(under_way)
    assert operator.errors() == []
