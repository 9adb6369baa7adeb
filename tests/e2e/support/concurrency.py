"""Runs stories concurrently; each test waits for its own."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

LONGEST = 280  # seconds that a test waits; pytest's own limit is longer


@contextmanager
def played(
    request: pytest.FixtureRequest, parameter: str, play: Callable[[Any], None], at_once: int
) -> Iterator[dict[Any, Future[None]]]:
    """Start all selected values of the parameter in this module."""
    chosen = chosen_of(request, parameter)
    with ThreadPoolExecutor(at_once) as pool:
        yield {each: pool.submit(play, each) for each in chosen}
        pool.shutdown(cancel_futures=True)


def all_ended(outcomes: Mapping[Any, Future[Any]]) -> None:
    """Wait for all, whether they succeed or fail."""
    for outcome in outcomes.values():
        outcome.exception(LONGEST)


def chosen_of(request: pytest.FixtureRequest, parameter: str) -> list[Any]:
    """The values of the parameter in the selected tests of the module."""
    calls = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    return [call.params[parameter] for call in calls if call is not None and parameter in call.params]
