"""The work queue: who is taken when, and by one worker at a time."""

from coldsend_operator.core.work_queue import WorkQueue


def taken(queue: WorkQueue[str], now: float = 0.0, priority: int | None = None) -> list[str]:
    """All that can be taken now."""
    keys = []
    queue.wake(now)
    while (key := queue.take(priority)) is not None:
        keys.append(key)
    return keys


def test_keys_are_taken_in_the_order_in_which_they_came() -> None:
    queue = WorkQueue[str]()
    for key in "bac":
        queue.add(key)
    assert taken(queue) == ["b", "a", "c"]


def test_a_key_that_is_added_twice_waits_once_and_keeps_its_place() -> None:
    queue = WorkQueue[str]()
    for key in "aba":
        queue.add(key)
    assert taken(queue) == ["a", "b"]


def test_the_smallest_priority_goes_first() -> None:
    queue = WorkQueue[str]()
    queue.add("late", 2)
    queue.add("soon", 1)
    queue.add("now")
    assert taken(queue) == ["now", "soon", "late"]


def test_a_key_gets_more_urgent_but_never_less() -> None:
    queue = WorkQueue[str]()
    queue.add("other", 1)
    queue.add("urgent", 2)
    queue.add("urgent", 0)
    queue.add("urgent", 2)
    assert taken(queue) == ["urgent", "other"]


def test_only_keys_as_urgent_as_asked_for_are_taken() -> None:
    queue = WorkQueue[str]()
    queue.add("news", 1)
    queue.add("chatter", 2)
    assert not queue.ready(0)
    assert queue.ready(1)
    assert taken(queue, priority=1) == ["news"]
    assert queue.ready()


def test_turns_alternate_so_that_many_keys_of_one_keep_no_other_waiting() -> None:
    queue = WorkQueue[str](turn_of=lambda key: key[0])
    for key in ("a1", "a2", "a3", "b1", "c1", "c2"):
        queue.add(key)
    assert taken(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_turn_that_was_served_stands_behind_those_that_came_meanwhile() -> None:
    queue = WorkQueue[str](turn_of=lambda key: key[0])
    queue.add("a1")
    queue.add("a2")
    assert queue.take() == "a1"
    queue.add("b1")
    assert taken(queue) == ["a2", "b1"]
    queue.add("a3")
    queue.add("a4")
    queue.add("b2")
    assert taken(queue) == ["a3", "b2", "a4"]


def test_a_key_is_not_taken_before_its_time() -> None:
    queue = WorkQueue[str]()
    queue.add_at("a", 10.0)
    assert queue.next_at == 10.0
    assert taken(queue, 9.9) == []
    assert taken(queue, 10.0) == ["a"]
    assert queue.next_at is None


def test_the_earliest_time_that_was_asked_for_counts() -> None:
    queue = WorkQueue[str]()
    for at in (30.0, 10.0, 20.0):
        queue.add_at("a", at)
    assert taken(queue, 10.0) == ["a"]
    queue.done("a")
    assert taken(queue, 100.0) == []


def test_a_key_that_is_added_now_needs_no_later_time() -> None:
    queue = WorkQueue[str]()
    queue.add_at("a", 10.0)
    queue.add("a")
    queue.add_at("a", 5.0)
    assert taken(queue) == ["a"]
    queue.done("a")
    assert taken(queue, 100.0) == []


def test_a_key_in_progress_is_not_taken_again_before_it_is_done() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    assert taken(queue) == ["a"]
    assert queue.in_progress == {"a"}
    queue.add("a", 2)
    queue.add("a", 1)
    queue.add("a", 2)
    assert not queue.ready()
    assert taken(queue) == []
    queue.done("a")
    assert queue.ready(1)
    assert taken(queue) == ["a"]


def test_a_key_whose_time_comes_while_it_is_in_progress_waits_for_the_end_of_that() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    queue.take()
    queue.add_at("a", 1.0)
    assert taken(queue, 2.0) == []
    queue.done("a")
    assert taken(queue, 2.0) == ["a"]


def test_a_key_that_is_done_and_was_not_added_meanwhile_is_gone() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    queue.take()
    queue.done("a")
    assert taken(queue) == []


def test_a_dropped_key_waits_no_more_wherever_it_waited() -> None:
    queue = WorkQueue[str]()
    queue.add("working")
    queue.take()
    queue.add("working")
    queue.add("ready")
    queue.add_at("later", 1.0)
    for key in ("working", "ready", "later", "unknown"):
        queue.drop(key)
    queue.done("working")
    assert taken(queue, 10.0) == []
    assert queue.next_at is None
