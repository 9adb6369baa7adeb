"""The deletion brake by itself: how rules 23 and 45 count what is asked for, what has left and what is held."""

from typing import Any

import pytest

from coldsend_operator.core.model.policy import Threshold
from coldsend_operator.core.workspace.brake import Brake
from coldsend_operator.core.workspace.holds import WINDOW
from tests.support.clock import START


def ask(brake: Brake, count: int, namespace: str = "sales", *, at: float = START, **how: Any) -> list[str]:
    uids = [f"{namespace}-{at}-{number}" for number in range(count)]
    for uid in uids:
        brake.ask(uid, namespace, at, **{"approved": False, **how})
    return uids


def of(count: int, **others: int) -> dict[str, int]:
    return {"sales": count, **others}


@pytest.mark.parametrize(("waiting", "managed", "held"), [(10, 12, 0), (11, 12, 11), (50, 100, 0), (51, 100, 51)])
def test_rule_23_more_than_half_of_the_managed_and_more_than_10_are_held(waiting: int, managed: int, held: int) -> None:
    brake = Brake(Threshold())
    ask(brake, waiting)
    brake.decide(of(managed), START)
    assert len(brake.holds) == held


def test_rule_23_held_stays_held_until_approved_also_after_the_window() -> None:
    brake = Brake(Threshold(number=10))
    uids = ask(brake, 20)
    brake.decide(of(100), START)
    for uid in uids[:15]:
        brake.withdraw(uid)
    brake.decide(of(100), START + 1000.0)
    assert len(brake.holds) == 5
    brake.ask(uids[15], "sales", START, approved=True)
    brake.decide(of(100), START + 1001.0)
    assert uids[15] not in brake.holds
    assert len(brake.holds) == 4


def test_rule_23_an_approved_deletion_is_not_held_again_with_those_that_come_later() -> None:
    brake = Brake(Threshold(number=10))
    (first,) = ask(brake, 1, approved=True)
    ask(brake, 20)
    brake.ask(first, "sales", START, approved=True)
    brake.decide(of(100), START)
    assert (len(brake.holds), first in brake.holds) == (19, False)


def test_rule_23_those_that_have_left_within_the_window_count_with_those_that_wait() -> None:
    brake = Brake(Threshold(number=20))
    uids = ask(brake, 15)
    brake.decide(of(100), START)
    brake.leave(uids, START)
    ask(brake, 10, at=START + 500.0)
    brake.decide(of(100), START + 500.0)
    assert len(brake.holds) == 10


def test_rule_23_what_was_held_is_held_over_a_restart_from_the_first_on() -> None:
    before = Brake(Threshold(number=10))
    ask(before, 20)
    before.decide(of(100), START)
    after = Brake(Threshold(number=10))
    after.load(before.to_json(), START + 60.0)
    ask(after, 1)
    after.decide(of(1), START + 60.0)
    assert len(after.holds) == 1


def test_rule_23_those_that_come_just_after_the_held_ones_are_told_that_they_are_held_too() -> None:
    brake = Brake(Threshold(number=10))
    ask(brake, 20)
    brake.decide(of(100), START)
    brake.ask("sales-late", "sales", START, approved=False)
    assert "sales-late" in brake.holds
    assert brake.decide(of(100), START + 0.5) == {"sales-late"}


def test_rule_23_a_namespace_that_asks_for_10_or_fewer_and_a_minor_part_is_not_held_because_of_others() -> None:
    brake = Brake(Threshold())
    ask(brake, 80)
    (uid, *_) = ask(brake, 10, "support")
    brake.decide(of(100, support=30), START)
    assert len(brake.holds) == 80
    assert uid not in brake.holds


def test_rule_45_one_forgotten_held_deletion_does_not_keep_the_base() -> None:
    brake = Brake(Threshold())
    first = ask(brake, 501)
    brake.decide(of(1000), START)
    assert len(brake.holds) == 501
    for uid in first[1:]:
        brake.ask(uid, "sales", START, approved=True)
    brake.decide(of(1000), START)
    brake.leave(first[1:], START)
    later = START + 7 * 86_400.0
    ask(brake, 499, at=later)
    brake.decide(of(500), later)
    assert len(brake.holds) == 500


def test_rule_45_held_deletions_of_a_small_workspace_do_not_hold_those_of_a_large_one() -> None:
    brake = Brake(Threshold())
    ask(brake, 11, "tenant")
    brake.decide({"tenant": 11, "sales": 9}, START)
    assert len(brake.holds) == 11
    restarted = Brake(Threshold())
    restarted.load(brake.to_json(), START + 3600.0)
    for each, at in ((brake, START + 2 * WINDOW), (restarted, START + 3600.0)):
        ask(each, 11, "tenant")
        ask(each, 100, at=at)
        each.decide({"tenant": 11, "sales": 9_989}, at)
        assert len(each.holds) == 11


def test_rule_45_what_is_held_since_long_does_not_count_with_what_comes() -> None:
    brake = Brake(Threshold(number=20))
    ask(brake, 21, "tenant")
    brake.decide(of(100, tenant=21), START)
    ask(brake, 20, at=START + WINDOW)
    brake.decide(of(100, tenant=21), START + WINDOW)
    assert len(brake.holds) == 21


def test_rule_45_the_base_is_what_was_managed_before_the_oldest_deletion_that_still_counts() -> None:
    brake = Brake(Threshold())
    for minute in range(20):  # 4 % of 100 a minute: 40 within each window
        at = START + minute * 60.0
        uids = ask(brake, 4, at=at)
        brake.decide(of(100 - 4 * minute), at)
        if len(brake.holds):
            break
        brake.leave(uids, at)
        for uid in uids:
            brake.forget(uid)
    assert 10 < minute < 19  # 40 of 100 at first; later 40 of 76


@pytest.mark.parametrize("restart", [False, True])
def test_rule_23_what_was_approved_does_not_count_against_what_comes_later(restart: bool) -> None:
    brake = Brake(Threshold())
    approved = ask(brake, 250)
    brake.decide(of(254), START)
    for uid in approved:
        brake.ask(uid, "sales", START, approved=True)
    brake.decide(of(254), START + 60.0)
    brake.leave(approved, START + 60.0)
    for uid in approved:
        brake.forget(uid)
    if restart:
        state, brake = brake.to_json(), Brake(Threshold())
        brake.load(state, START + 70.0)
    ask(brake, 1, at=START + 100.0)
    brake.decide(of(4), START + 100.0)
    assert len(brake.holds) == 0


@pytest.mark.parametrize(
    ("namespaces", "each", "held"), [(6, 20, 0), (6, 16, 48), (6, 8, 48)], ids=["minor", "half", "all"]
)
def test_rule_23_once_over_the_threshold_a_namespace_passes_only_with_a_minor_part_of_its_own(
    namespaces: int, each: int, held: int
) -> None:
    brake = Brake(Threshold(number=20))
    names = [f"team-{number}" for number in range(namespaces)]
    for name in names:
        ask(brake, 8, name)
    brake.decide(dict.fromkeys(names, each), START)
    assert len(brake.holds) == held


@pytest.mark.parametrize(("asked", "held"), [(10, 150), (11, 161)])
def test_rule_23_once_over_the_threshold_no_namespace_passes_with_more_than_10(asked: int, held: int) -> None:
    brake = Brake(Threshold())
    ask(brake, 150)
    ask(brake, asked, "support")
    brake.decide(of(200, support=80), START)
    assert len(brake.holds) == held


def test_rule_23_a_deletion_that_a_restart_asks_for_again_is_no_second_one() -> None:
    before = Brake(Threshold(number=20))
    uids = ask(before, 15)
    before.decide(of(100), START)
    before.leave(uids, START + 5.0)
    after = Brake(Threshold(number=20))
    after.load(before.to_json(), START + 60.0)
    ask(after, 15)
    after.decide(of(100), START + 60.0)
    assert len(after.holds) == 0
    ask(after, 6, at=START + 30.0)
    after.decide(of(100), START + 60.0)
    assert len(after.holds) == 6


def test_rule_23_what_the_version_before_stored_is_held() -> None:
    brake = Brake(Threshold())
    left = [[START - 30.0, "sales", 12]]
    brake.load({"left": left, "heldBefore": {"sales": START}, "base": 30, "baseAt": START - 30.0}, START + 60.0)
    (uid, *_) = ask(brake, 5)
    brake.decide(of(18), START + 60.0)
    assert len(brake.holds) == 5
    assert brake.holds.message(uid) == "Deletion is on hold: too many inboxes were to be deleted within 10 minutes."


def test_rule_23_children_of_a_held_batch_that_ask_later_are_held_with_it() -> None:
    brake = Brake(Threshold(number=20))
    brake.ask("first", "sales", START, approved=False, batch="pool", size=21)
    brake.decide(of(100), START)
    at = START + 2 * WINDOW
    brake.ask("second", "sales", at, approved=False, batch="pool", size=21)
    brake.decide(of(100), at)
    assert len(brake.holds) == 2


def test_rule_23_children_that_were_approved_one_by_one_do_not_weigh_with_the_rest_of_their_batch() -> None:
    brake = Brake(Threshold(number=20))
    uids = ask(brake, 21, batch="pool", size=21)
    brake.decide(of(100), START)
    for uid in uids[1:]:
        brake.ask(uid, "sales", START, approved=True, batch="pool", size=21)
    brake.leave(uids[1:], START)
    ask(brake, 19, at=START + 60.0)
    brake.decide(of(80), START + 60.0)
    assert len(brake.holds) == 1


def test_rule_23_a_second_shorter_list_counts_with_the_first_one() -> None:
    brake = Brake(Threshold(number=45))
    first = ask(brake, 20, batch="pool", size=20)
    brake.decide(of(100), START)
    brake.leave(first, START)
    for uid in first:
        brake.forget(uid)
    ask(brake, 1, at=START + 60.0, batch="pool", size=30)
    brake.decide(of(80), START + 60.0)
    assert len(brake.holds) == 1


@pytest.mark.parametrize(
    ("waiting", "managed", "limit", "words"),
    [
        (1, 50, 0, "1 of 50 inboxes was to be deleted within 10 minutes (limit 0)."),
        (1, 1, 0, "1 of 1 inbox was to be deleted within 10 minutes (limit 0)."),
        (30, 50, 25, "30 of 50 inboxes were to be deleted within 10 minutes (limit 25)."),
    ],
)
def test_rule_23_the_message_counts_in_good_english(waiting: int, managed: int, limit: int, words: str) -> None:
    brake = Brake(Threshold(number=limit))
    (uid, *_) = ask(brake, waiting)
    brake.decide(of(managed), START)
    assert brake.holds.message(uid) == f"Deletion is on hold: {words}"


def test_rule_23_a_flood_rewrites_the_messages_once_after_it() -> None:
    brake = Brake(Threshold(number=20))
    told = 0
    for second in range(30):
        ask(brake, 10, at=START + second)
        told += len(brake.decide(of(1000), START + second))
    assert told == 300
    assert brake.holds.tell_at is not None
    assert len(brake.decide(of(1000), brake.holds.tell_at)) == 300
    (uid, *_) = ask(brake, 10)
    assert "300 of 1000" in brake.holds.message(uid)
    assert brake.holds.tell_at is None


def test_rule_23_an_approval_changes_no_message_of_the_others() -> None:
    brake = Brake(Threshold(number=20))
    uids = ask(brake, 30)
    brake.decide(of(100), START)
    brake.ask(uids[0], "sales", START, approved=True)
    assert brake.decide(of(100), START + 60.0) == set()
    assert "30 of 100" in brake.holds.message(uids[1])
