"""Accounts that come in one after the other share full bulks; one that comes alone waits for nobody."""

import pytest

from coldsend_operator.core.model.calls import BULK
from coldsend_operator.core.workspace.queues import FILL, FLOOD_GAP, LINGER, Queue
from tests.bench.floods import trickle
from tests.support.clock import START

EACH = 1 / 40


def trickled(count: int, seconds: float, queue: Queue) -> float:
    """So many come, one in so many seconds; when the last one came."""
    for number in range(count):
        queue.add(f"uid-{number}", "sales", START + number * seconds)
    return queue.last_arrival


def test_a_thousand_accounts_of_which_forty_come_each_second_need_few_requests() -> None:
    told = trickle(lambda text: None)
    assert told.good, told


def test_the_first_after_silence_leaves_at_once() -> None:
    queue = Queue()
    queue.add("uid", "sales", START)
    assert queue.ready_at(START, BULK, plenty=True) == START


@pytest.mark.parametrize("in_flight", [0, 1])
def test_a_flood_that_fills_a_call_in_time_is_waited_for(in_flight: int) -> None:
    queue = Queue()
    queue.in_flight = in_flight
    now = trickled(BULK - 1, EACH, queue)
    assert now - START > LINGER
    assert now < queue.ready_at(now, BULK, plenty=True) <= START + FILL
    queue.add("last", "sales", now + EACH)
    assert queue.ready_at(now + EACH, BULK, plenty=True) <= now + EACH


@pytest.mark.parametrize("in_flight", [0, 1])
def test_a_flood_that_would_fill_none_waits_two_seconds_at_most(in_flight: int) -> None:
    queue = Queue()
    queue.in_flight = in_flight
    now = trickled(10, 0.15, queue)
    assert queue.ready_at(now, BULK, plenty=True) <= START + LINGER


def test_a_flood_that_ends_early_leaves_when_it_has_ended() -> None:
    queue = Queue()
    now = trickled(30, EACH, queue)
    assert queue.ready_at(now, BULK, plenty=True) == pytest.approx(now + FLOOD_GAP)
