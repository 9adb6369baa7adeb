"""Open points of the API with real processes: one operator, a real API server, the emulator over HTTP.

Each story and each switch of the table of tests/open_points that does not take minutes is played once, each in a
namespace and a workspace of its own, many at the same time; all stories are played with all readings in simulated time
over there. So are the surprises that users of the generic provider met.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.support.concurrency import LONGEST, all_ended, played
from tests.e2e.support.operators import OperatorRun
from tests.e2e.support.tenant import opened_tenant
from tests.e2e.support.world import World
from tests.open_points.place import Place
from tests.open_points.stories import surprises
from tests.open_points.table import ROWS

AT_ONCE = 12
OURS = {"played-by": "open-points"}
SURPRISES = (
    surprises.one_failed_look_loses_nothing,
    surprises.a_delete_ends_whatever_its_answer_looks_like,
    surprises.write_conflicts_double_nothing,
    surprises.odd_passwords_arrive_unharmed,
)


@dataclass(frozen=True)
class Reading:
    name: str
    story: Callable[[Place], None]
    values: tuple[tuple[str, Any], ...] = ()


def readings() -> Iterator[Reading]:
    """The last reading of each line that has a new story or switch: the oddest, where nothing of it takes minutes."""
    seen: set[object] = set()  # stories, and names of switches
    for row, plays in ROWS.items():
        for number, play in enumerate(plays if not isinstance(plays, str) else ()):
            *_, case = play.cases(row)
            new = {case.story, *dict(case.values)} - seen
            if new and not case.long and "date_skew_seconds" not in dict(case.values):
                seen |= new
                yield Reading(f"row-{row}-{number}-{case.story.__name__}", case.story, case.values)
    for surprise in SURPRISES:
        yield Reading(f"surprise-{surprise.__name__}", surprise)


@pytest.fixture(scope="module")
def operator(world: World) -> Iterator[OperatorRun]:
    with world.operator(COLDSEND_LABEL_SELECTOR="played-by=open-points") as running:
        yield running


@pytest.fixture(scope="module")
def under_way(
    request: pytest.FixtureRequest, world: World, operator: OperatorRun
) -> Iterator[dict[Reading, Future[None]]]:
    def play(reading: Reading) -> None:
        with opened_tenant(world, reading.name, OURS) as tenant, operator.heard(tenant.namespace):
            place = Place(world, tenant.namespace, tenant.labels)
            place.switch(**dict(reading.values))
            reading.story(place)

    with played(request, "reading", play, AT_ONCE) as outcomes:
        yield outcomes


@pytest.mark.parametrize("reading", [pytest.param(each, id=each.name) for each in readings()])
def test_that(reading: Reading, under_way: dict[Reading, Future[None]]) -> None:
    under_way[reading].result(LONGEST)


def test_nothing_was_made_twice_and_connections_are_reused(
    world: World, operator: OperatorRun, under_way: dict[Reading, Future[None]]
) -> None:
    all_ended(under_way)
    assert world.emulator.doubled() == []
    counts = world.emulator.request_counts()
    assert counts["connections"] * 3 < counts["total"]


def test_nothing_went_wrong_that_nobody_expected(operator: OperatorRun, under_way: dict[Reading, Future[None]]) -> None:
    all_ended(under_way)
    assert operator.errors() == []
