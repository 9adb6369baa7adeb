"""What surprised users of the generic provider, in simulated time; tests/e2e plays it with real processes too."""

from collections.abc import Callable

import pytest

from tests.open_points.place import Place
from tests.open_points.stories import surprises
from tests.open_points.test_open_points import played

STORIES = (
    surprises.one_failed_look_loses_nothing,
    surprises.a_delete_ends_whatever_its_answer_looks_like,
    surprises.many_at_once_are_made_once,
    surprises.odd_passwords_arrive_unharmed,
)


@pytest.mark.parametrize("story", [pytest.param(story, id=story.__name__) for story in STORIES])
def test_that(story: Callable[[Place], None]) -> None:
    played(story, {})
