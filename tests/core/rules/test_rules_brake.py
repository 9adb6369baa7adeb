"""The deletion brake: rule 23 as it counts portions and batches, rules 31 and 45, and deletionProtection."""

from typing import Any

import pytest

from coldsend_operator.core.decide import ask_brake_for_all, still_due
from coldsend_operator.core.model.account import Account, Backoff, Credentials
from coldsend_operator.core.model.answers import Page
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.policy import NamespaceSettings, Policy, Threshold
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.brake import LONGEST_WAIT, QUIET, Brake
from coldsend_operator.core.workspace.holds import WINDOW
from coldsend_operator.core.workspace.queues import LINGER
from tests.core.rules.watching import play_until, running
from tests.support.clock import START
from tests.support.desk import ANN, Desk, held, row_of
from tests.support.simulation import SECOND, Simulation
from tests.support.stories import ready_of

APPROVED = {"coldsend.pro/approve-deletion": "true"}
DELETES = {Operation.DELETE_ACCOUNT, Operation.DELETE_ACCOUNTS}


def holders(desk: Desk, count: int, namespace: str = "sales", **around: Any) -> list[Account]:
    """Objects that hold inboxes, which ColdSend does not show yet."""
    names = [f"{namespace}-{len(desk.workspace.accounts)}-{number}" for number in range(count)]
    return [desk.holder(f"{name}@company.com", f"in-{name}", namespace=namespace, **around) for name in names]


def show(desk: Desk, accounts: list[Account]) -> None:
    desk.show(*accounts)


def delete(desk: Desk, accounts: list[Account], **around: Any) -> None:
    for account in accounts:
        around = {"namespace": account.desired.namespace, "batch": account.desired.batch, **around}
        desk.change(account, account.address or "", deleting=True, **around)


def leaving(desk: Desk) -> int:
    """How many inboxes would be deleted now."""
    return sum(len(call.inbox_ids) for call in desk.calls() if call.operation in DELETES)


def said(desk: Desk, accounts: list[Account]) -> set[str]:
    return {desk.says(account)["Ready"][1] for account in accounts}


def ask(brake: Brake, count: int, namespace: str = "sales", *, at: float = START, **how: Any) -> list[str]:
    uids = [f"{namespace}-{at}-{number}" for number in range(count)]
    for uid in uids:
        brake.ask(uid, namespace, at, **{"approved": False, **how})
    return uids


def of(count: int, **others: int) -> dict[str, int]:
    return {"sales": count, **others}


# -- rule 45: counted from the moment it is known; the base of each window; what is held since long


def test_rule_45_a_wipe_during_downtime_is_held_before_the_first_page_of_the_list_has_come() -> None:
    desk = Desk()
    accounts = holders(desk, 200, deleting=True)
    desk.wait(LONGEST_WAIT)
    assert said(desk, accounts) == {"DeletionHeld"}
    rows = [row_of(account) for account in accounts]
    call = desk.ask(Operation.LIST_ACCOUNTS)
    desk.answer(call, Page(tuple(rows[:100]), 1, 200, 2, has_next=True))
    for _ in range(5):
        assert leaving(desk) == 0
        desk.wait(QUIET)


@pytest.mark.parametrize("how", ["down", "failover"])
def test_rule_45_a_wipe_that_the_next_leader_finds_is_held_whole(how: str) -> None:
    simulation = Simulation(page_size=10)
    running(simulation)
    for number in range(30):
        simulation.apply("sales", f"one-{number}", f"{number}@company.com")
    simulation.wait(120.0)
    assert len(simulation.remote.live()) == 30
    if how == "failover":
        simulation.stand_by()
        simulation.wait(10.0)
    simulation.crash()
    for uid in simulation.uids:
        simulation.delete(uid)
    simulation.take_over()
    simulation.wait(60.0)
    assert len(simulation.remote.live()) == 30
    assert {ready_of(raw)[1] for raw in simulation.cluster.objects.values()} == {"DeletionHeld"}


def test_rule_45_a_start_counts_the_deletions_of_all_keys_of_a_workspace_before_the_first_call() -> None:
    simulation = Simulation()
    for number in range(8):
        simulation.apply("sales", f"a-{number}", f"a{number}@company.com")
        simulation.apply("sales", f"b-{number}", f"b{number}@company.com", apiKeySecretRef={"name": SECOND})
    process = running(simulation, 700.0)
    assert len({id(loop.workspace.brake) for loop in process.loops}) == 1
    simulation.crash()
    for uid in simulation.uids:
        simulation.delete(uid)
    process = running(simulation)
    play_until(simulation, lambda: process.operator._leading)
    brake = process.loops[0].workspace.brake
    play_until(simulation, lambda: len(brake.holds))
    assert len(brake.holds) == 16


def test_rule_45_an_object_that_cannot_be_counted_at_a_start_does_not_keep_others_from_being_counted() -> None:
    desk = Desk()
    evil, _ = holders(desk, 2, deleting=True)
    evil.stored = "nonsense"  # type: ignore[assignment] # whatever the count fails at
    desk.workspace.brake = brake = Brake(Threshold(number=0))
    ask_brake_for_all(desk.workspace, desk.now)
    brake.decide(of(2), desk.now)
    assert len(brake.holds) == 1


def test_rule_45_a_held_inbox_that_is_gone_is_found_gone_without_an_approval() -> None:
    desk = Desk(policy=Policy(brake=Threshold(number=0)))
    (account,) = holders(desk, 1, deleting=True)
    other = desk.holder(ANN, "inbox-ann")
    show(desk, [other])
    assert desk.says(account)["Ready"][1] == "DeletionHeld"
    assert Operation.GET_ACCOUNT in desk.operations()


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


# -- rule 23: what was approved, portions, the time that deletions wait for others


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


def test_rule_23_a_wipe_that_comes_in_portions_within_seconds_is_held_whole() -> None:
    desk = Desk()
    teams = [holders(desk, 8, f"team-{number}") for number in range(5)]
    show(desk, [account for team in teams for account in team])
    for team in teams:
        for account in team:
            delete(desk, [account])
            desk.wait(0.125)
            assert leaving(desk) == 0
    for _ in range(10):
        desk.wait(QUIET)
        assert leaving(desk) == 0
    assert said(desk, [account for team in teams for account in team]) == {"DeletionHeld"}


def test_rule_23_deletions_that_do_not_end_wait_for_each_other_only_so_long() -> None:
    desk = Desk()
    accounts = holders(desk, 80)
    show(desk, accounts)
    begun = desk.now
    for account in accounts[:40]:
        delete(desk, [account])
        desk.wait(1.0)
        if leaving(desk):
            break
    assert desk.now == begun + LONGEST_WAIT


def test_rule_23_with_the_brake_off_a_deletion_waits_a_moment_only() -> None:
    desk = Desk(policy=Policy(brake=Threshold(percent=100)))
    accounts = holders(desk, 10)
    show(desk, accounts)
    begun = desk.now
    for account in accounts:
        delete(desk, [account])
        if leaving(desk):
            break
        desk.wait(0.5)
    assert begun + QUIET <= desk.now <= begun + QUIET + LINGER


def test_rule_23_an_approved_deletion_waits_for_no_other() -> None:
    desk = Desk()
    accounts = holders(desk, 3)
    show(desk, accounts)
    delete(desk, accounts[:1], annotations=APPROVED)
    assert leaving(desk) == 1


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


# -- rule 23: a batch is one decision


def batch_of(desk: Desk, count: int, uid: str = "pool", namespace: str = "sales") -> list[Account]:
    accounts = holders(desk, count, namespace, batch=uid)
    desk.workspace.policy.leaving[uid] = count
    return accounts


def test_rule_23_the_first_child_of_a_batch_asks_for_all_of_them() -> None:
    desk = Desk()
    pool = batch_of(desk, 50)
    others = holders(desk, 4)
    show(desk, pool + others)
    delete(desk, pool[:1])
    desk.wait(QUIET)
    assert leaving(desk) == 0
    assert "50 of 54 inboxes were to be deleted" in desk.says(pool[0])["Ready"][2]
    delete(desk, pool[1:])
    assert said(desk, pool) == {"DeletionHeld"}


def test_rule_23_objects_that_claim_a_batch_of_another_namespace_do_not_hold_its_deletion() -> None:
    desk = Desk()
    pool = batch_of(desk, 4)
    own, evil = holders(desk, 40), holders(desk, 60, "support", batch="pool")
    show(desk, pool + own + evil)
    delete(desk, evil)
    delete(desk, pool)
    desk.wait(QUIET)
    assert said(desk, evil) == {"DeletionHeld"}
    assert {desk.step(account).reason for account in pool} == {Reason.DELETING}
    assert leaving(desk) == len(pool)


def test_rule_23_a_batch_that_has_begun_to_leave_leaves_as_a_whole() -> None:
    desk = Desk()
    pool = batch_of(desk, 30)
    others = holders(desk, 70)
    show(desk, pool + others)
    delete(desk, pool[:10])
    desk.wait(QUIET)  # of known size: it waits only for others that may ask for its inboxes (rule 30)
    (call,) = (each for each in desk.calls() if each.operation in DELETES)
    desk.workspace.brake.leave(call.uids, desk.now)
    delete(desk, others[:60])
    delete(desk, pool[10:])
    desk.wait(QUIET)
    assert said(desk, others[:60]) == {"DeletionHeld"}
    assert {desk.step(account).reason for account in pool} == {Reason.DELETING}
    restarted = Brake(Threshold())
    restarted.load(desk.workspace.brake.to_json(), desk.now)
    for account in pool[10:]:
        restarted.ask(account.uid, "sales", START, approved=False, batch="sales/pool", size=20)
    restarted.decide(of(90), desk.now)
    assert len(restarted.holds) == 0


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


def simulated_pool(count: int, others: int) -> Simulation:
    simulation = Simulation()
    running(simulation)
    simulation.list_in_batch("sales", "pool", [f"p{number}@company.com" for number in range(count)])
    for number in range(others):
        simulation.apply("sales", f"one-{number}", f"{number}@company.com")
    simulation.wait(300.0)
    assert len(simulation.remote.live()) == count + others
    return simulation


@pytest.mark.parametrize("how", ["deleted", "shortened", "found_deleted_at_a_start"])
def test_rule_23_a_batch_that_holds_most_inboxes_goes_as_a_whole_or_not_at_all(how: str) -> None:
    simulation = simulated_pool(24, 2)
    (uid,) = simulation.batches
    if how == "found_deleted_at_a_start":
        simulation.crash()
    if how == "shortened":
        simulation.list_in_batch("sales", "pool", [f"p{number}@company.com" for number in range(2)])
    else:
        simulation.delete_batch(uid)
    simulation.start()
    for _ in range(20):  # loops that only look around now and then run once in a wait
        simulation.wait(3.0)
    assert len(simulation.remote.live()) == 26
    _, reason, message = simulation.says(uid)["Synced"]
    assert reason == "DeletionHeld"
    assert message.startswith(f"Deletion is on hold: {22 if how == 'shortened' else 24} inboxes")


def test_rule_23_a_child_deleted_by_hand_later_is_no_decision_over_its_batch() -> None:
    simulation = simulated_pool(24, 30)
    simulation.list_in_batch("sales", "pool", [f"p{number}@company.com" for number in range(4)])
    simulation.wait(60.0)
    assert len(simulation.remote.live()) == 34
    process = running(simulation)
    assert set(process.operator.policy.leaving.values()) == {0}


# -- what is said


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


def test_rule_23_the_message_names_both_ways() -> None:
    desk = Desk(policy=Policy(brake=Threshold(number=0)))
    (account,) = holders(desk, 1)
    show(desk, [account])
    delete(desk, [account])
    message = desk.says(account)["Ready"][2]
    for words in ("To approve: ", "coldsend.pro/approve-deletion: 'true'", "To keep the inbox: ", "Orphan"):
        assert words in message
    assert "force-orphan" in message
    assert "docs/operations/deletion-brake.md" in message


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


# -- rule 31: while a CRD is being deleted


def test_rule_31_while_a_crd_is_being_deleted_every_deletion_is_held_whatever_the_number() -> None:
    desk = Desk(policy=Policy(brake=Threshold(percent=100), hold_deletions=True))
    accounts = holders(desk, 2)
    show(desk, accounts)
    delete(desk, accounts[:1])
    desk.wait(LONGEST_WAIT)
    assert leaving(desk) == 0
    _, reason, message = desk.says(accounts[0])["Ready"]
    assert reason == "DeletionHeld"
    assert "CustomResourceDefinition" in message
    delete(desk, accounts[1:], annotations=APPROVED)
    assert leaving(desk) == 1


def test_rule_31_what_waits_when_the_crd_is_deleted_is_held_too_and_stays_so() -> None:
    desk = Desk()
    accounts = holders(desk, 2)
    show(desk, accounts)
    delete(desk, accounts)
    desk.workspace.policy.hold_deletions = True
    desk.wait(QUIET)
    assert leaving(desk) == 0
    desk.workspace.policy.hold_deletions = False
    desk.wait(WINDOW)
    assert leaving(desk) == 0


def test_rule_31_a_deletion_that_coldsend_refused_before_is_not_tried_again_while_the_crd_is_being_deleted() -> None:
    desk = Desk()
    accounts = holders(desk, 1)
    show(desk, accounts)
    delete(desk, accounts)
    accounts[0].delete_backoff = Backoff(Reason.IN_USE_BY_CAMPAIGN, "", desk.now, desk.now, accounts[0].basis)
    desk.workspace.policy.hold_deletions = True
    desk.wait(WINDOW)
    assert leaving(desk) == 0
    assert said(desk, accounts) == {"DeletionHeld"}


@pytest.mark.parametrize("how", ["crd_deleted", "protected", "neither"])
def test_rule_31_a_call_that_is_being_prepared_when_its_deletion_is_put_on_hold_does_not_leave(how: str) -> None:
    desk = Desk()
    accounts = holders(desk, 1)
    show(desk, accounts)
    delete(desk, accounts)
    call = desk.ask(Operation.DELETE_ACCOUNT, *accounts)
    desk.workspace.brake.leave(call.uids, desk.now)
    desk.workspace.policy.hold_deletions = how == "crd_deleted"
    delete(desk, accounts, deletionProtection=how == "protected")
    assert still_due(accounts[0], call, accounts[0].desired.generation, desk.workspace) == (how == "neither")


# -- deletionProtection


def test_an_inbox_under_deletion_protection_is_not_deleted_until_the_field_is_false() -> None:
    desk = Desk()
    (account,) = holders(desk, 1, deletionProtection=True)
    show(desk, [account])
    delete(desk, [account], deletionProtection=True)
    desk.wait(WINDOW)
    assert leaving(desk) == 0
    _, reason, message = desk.says(account)["Ready"]
    assert reason == "DeletionHeld"
    assert message.startswith("Deletion is on hold: deletionProtection is true. To approve: set it to false")
    delete(desk, [account], deletionProtection=False)
    desk.wait(QUIET)
    assert leaving(desk) == 1


@pytest.mark.parametrize(("where", "count"), [("object", 1), ("batch", 1), ("namespace", 0)])
def test_deletion_protection_is_approved_on_the_object_that_bears_it_only(where: str, count: int) -> None:
    desk = Desk()
    (account,) = holders(desk, 1, batch="pool", deletionProtection=True)
    show(desk, [account])
    approval = {"pool": NamespaceSettings(approve_deletion=True)}
    desk.workspace.policy.batches = approval if where == "batch" else {}
    desk.workspace.policy.namespaces = {"sales": approval["pool"]} if where == "namespace" else {}
    annotations = APPROVED if where == "object" else None
    delete(desk, [account], deletionProtection=True, annotations=annotations)
    desk.wait(QUIET)
    assert leaving(desk) == count


@pytest.mark.parametrize(("live", "count"), [(True, 0), (False, 1)])
def test_what_the_live_batch_says_of_deletion_protection_counts(live: bool, count: int) -> None:
    desk = Desk()
    (account,) = holders(desk, 1, batch="pool", deletionProtection=not live)
    show(desk, [account])
    desk.workspace.policy.protection["pool"] = live
    delete(desk, [account], deletionProtection=not live)
    desk.wait(QUIET)
    assert leaving(desk) == count


def test_an_inbox_under_deletion_protection_is_not_recreated() -> None:
    desk, account = held(updatePolicy="Recreate", deletionProtection=True)
    account.credentials = Credentials("hmac-of-two")
    assert desk.step(account).reason is Reason.DELETION_HELD
    desk.wait(WINDOW)
    assert leaving(desk) == 0
    desk.change(account, updatePolicy="Recreate")
    assert leaving(desk) == 1


def test_an_object_whose_spec_cannot_be_read_is_protected_unless_the_field_is_false_or_absent() -> None:
    desk, account = held()
    desk.change(account, deleting=True, inboxType="SOMETHING", deletionProtection="yes")
    desk.wait(WINDOW)
    assert leaving(desk) == 0
    desk.change(account, deleting=True, inboxType="SOMETHING")
    desk.wait(QUIET)
    assert leaving(desk) == 1


def test_a_protected_batch_keeps_the_inboxes_of_a_shorter_list_and_of_its_deletion() -> None:
    simulation = Simulation()
    running(simulation)
    addresses = [f"p{number}@company.com" for number in range(3)]
    simulation.list_in_batch("sales", "pool", addresses, deletionProtection=True)
    simulation.wait(60.0)
    (uid,) = simulation.batches
    simulation.list_in_batch("sales", "pool", addresses[1:])
    simulation.wait(30.0)
    simulation.delete_batch(uid)
    simulation.wait(700.0)
    assert len(simulation.remote.live()) == 3
    simulation.change_template(uid, deletionProtection=False)
    simulation.wait(60.0)
    assert simulation.remote.live() == []
    assert simulation.uids == []
