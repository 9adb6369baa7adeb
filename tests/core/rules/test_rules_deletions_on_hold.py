"""What people meet of the brake: deletions that wait for others, and those that are held (rules 23, 31 and 45)."""

from itertools import chain

import pytest

from coldsend_operator.core.decide import still_due
from coldsend_operator.core.model.account import Account, Backoff
from coldsend_operator.core.model.answers import Page
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.policy import Policy, Threshold
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.brake import MAX_WAIT, SETTLE_SECONDS, Brake
from coldsend_operator.core.workspace.holds import WINDOW
from coldsend_operator.core.workspace.queues import LINGER
from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    APPROVE_DELETION_ANNOTATION,
)
from tests.core.rules.deleting import APPROVED, DELETES, delete, holders, leaving, said
from tests.core.rules.watching import play_until, running
from tests.support.clock import START
from tests.support.desk import ANN, Desk, row_of
from tests.support.rough import RoughWorld
from tests.support.simulation import SECOND, Simulation
from tests.support.stories import ready_of


def test_rule_45_a_wipe_during_downtime_is_held_before_the_first_page_of_the_list_has_come() -> None:
    desk = Desk()
    accounts = holders(desk, 200, deleting=True)
    desk.wait(MAX_WAIT)
    assert said(desk, accounts) == {"DeletionHeld"}
    rows = [row_of(account) for account in accounts]
    call = desk.ask(Operation.LIST_ACCOUNTS)
    desk.answer(call, Page(tuple(rows[:100]), 1, 200, 2, has_next=True))
    for _ in range(5):
        assert leaving(desk) == 0
        desk.wait(SETTLE_SECONDS)


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


def test_rule_45_a_held_inbox_that_is_gone_is_found_gone_without_an_approval() -> None:
    desk = Desk(policy=Policy(brake=Threshold(number=0)))
    (account,) = holders(desk, 1, deleting=True)
    other = desk.holder(ANN, "inbox-ann")
    desk.show(other)
    assert desk.says(account)["Ready"][1] == "DeletionHeld"
    assert Operation.GET_ACCOUNT in desk.operations()


def test_rule_23_a_wipe_that_comes_in_portions_within_seconds_is_held_whole() -> None:
    desk = Desk()
    teams = [holders(desk, 8, f"team-{number}") for number in range(5)]
    desk.show(*chain(*teams))
    for team in teams:
        for account in team:
            delete(desk, [account])
            desk.wait(0.125)
            assert leaving(desk) == 0
    for _ in range(10):
        desk.wait(SETTLE_SECONDS)
        assert leaving(desk) == 0
    assert said(desk, [*chain(*teams)]) == {"DeletionHeld"}


def test_rule_23_deletions_that_do_not_end_wait_for_each_other_only_so_long() -> None:
    desk = Desk()
    accounts = holders(desk, 80)
    desk.show(*accounts)
    begun = desk.now
    for account in accounts[:40]:
        delete(desk, [account])
        desk.wait(1.0)
        if leaving(desk):
            break
    assert desk.now == begun + MAX_WAIT


def test_rule_23_with_the_brake_off_a_deletion_waits_a_moment_only() -> None:
    desk = Desk(policy=Policy(brake=Threshold(percent=100)))
    accounts = holders(desk, 10)
    desk.show(*accounts)
    begun = desk.now
    for account in accounts:
        delete(desk, [account])
        if leaving(desk):
            break
        desk.wait(0.5)
    assert begun + SETTLE_SECONDS <= desk.now <= begun + SETTLE_SECONDS + LINGER


def test_rule_23_an_approved_deletion_waits_for_no_other() -> None:
    desk = Desk()
    accounts = holders(desk, 3)
    desk.show(*accounts)
    delete(desk, accounts[:1], annotations=APPROVED)
    assert leaving(desk) == 1


def batch_of(desk: Desk, count: int, uid: str = "pool", namespace: str = "sales") -> list[Account]:
    accounts = holders(desk, count, namespace, batch=uid)
    desk.workspace.policy.leaving[uid] = count
    return accounts


def test_rule_23_the_first_child_of_a_batch_asks_for_all_of_them() -> None:
    desk = Desk()
    pool = batch_of(desk, 50)
    others = holders(desk, 4)
    desk.show(*pool, *others)
    delete(desk, pool[:1])
    desk.wait(SETTLE_SECONDS)
    assert leaving(desk) == 0
    assert "50 of 54 inboxes were to be deleted" in desk.says(pool[0])["Ready"][2]
    delete(desk, pool[1:])
    assert said(desk, pool) == {"DeletionHeld"}


def test_rule_23_objects_that_claim_a_batch_of_another_namespace_do_not_hold_its_deletion() -> None:
    desk = Desk()
    pool = batch_of(desk, 4)
    own, evil = holders(desk, 40), holders(desk, 60, "support", batch="pool")
    desk.show(*pool, *own, *evil)
    delete(desk, evil)
    delete(desk, pool)
    desk.wait(SETTLE_SECONDS)
    assert said(desk, evil) == {"DeletionHeld"}
    assert {desk.step(account).reason for account in pool} == {Reason.DELETING}
    assert leaving(desk) == len(pool)


def test_rule_23_a_batch_that_has_begun_to_leave_leaves_as_a_whole() -> None:
    desk = Desk()
    pool = batch_of(desk, 30)
    others = holders(desk, 70)
    desk.show(*pool, *others)
    delete(desk, pool[:10])
    desk.wait(SETTLE_SECONDS)  # of known size: it waits only for others that may ask for its inboxes (rule 30)
    (call,) = (each for each in desk.calls() if each.operation in DELETES)
    desk.workspace.brake.leave(call.uids, desk.now)
    delete(desk, others[:60])
    delete(desk, pool[10:])
    desk.wait(SETTLE_SECONDS)
    assert said(desk, others[:60]) == {"DeletionHeld"}
    assert {desk.step(account).reason for account in pool} == {Reason.DELETING}
    restarted = Brake(Threshold())
    restarted.load(desk.workspace.brake.to_json(), desk.now)
    for account in pool[10:]:
        restarted.ask(account.uid, "sales", START, approved=False, batch="sales/pool", size=20)
    restarted.decide({"sales": 90}, desk.now)
    assert len(restarted.holds) == 0


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


def test_rule_23_the_message_names_both_ways() -> None:
    desk = Desk(policy=Policy(brake=Threshold(number=0)))
    (account,) = holders(desk, 1)
    desk.show(account)
    delete(desk, [account])
    message = desk.says(account)["Ready"][2]
    for words in ("To approve: ", "coldsend.pro/approve-deletion: 'true'", "To keep the inbox: ", "Orphan"):
        assert words in message
    assert "force-orphan" in message
    assert "docs/operations/deletion-brake.md" in message
    assert "SenderAccountBatch" not in message


def test_rule_23_the_message_of_a_child_names_its_batch_too() -> None:
    desk = Desk(policy=Policy(brake=Threshold(number=0)))
    (account,) = batch_of(desk, 1)
    desk.show(account)
    delete(desk, [account])
    assert "on this object, its SenderAccountBatch or the namespace" in desk.says(account)["Ready"][2]


def test_rule_31_while_a_crd_is_being_deleted_every_deletion_is_held_whatever_the_number() -> None:
    desk = Desk(policy=Policy(brake=Threshold(percent=100), hold_deletions=True))
    accounts = holders(desk, 2)
    desk.show(*accounts)
    delete(desk, accounts[:1])
    desk.wait(MAX_WAIT)
    assert leaving(desk) == 0
    _, reason, message = desk.says(accounts[0])["Ready"]
    assert reason == "DeletionHeld"
    assert "CustomResourceDefinition" in message
    delete(desk, accounts[1:], annotations=APPROVED)
    assert leaving(desk) == 1


def test_rule_31_what_waits_when_the_crd_is_deleted_is_held_too_and_stays_so() -> None:
    desk = Desk()
    accounts = holders(desk, 2)
    desk.show(*accounts)
    delete(desk, accounts)
    desk.workspace.policy.hold_deletions = True
    desk.wait(SETTLE_SECONDS)
    assert leaving(desk) == 0
    desk.workspace.policy.hold_deletions = False
    desk.wait(WINDOW)
    assert leaving(desk) == 0


def test_rule_31_a_deletion_that_coldsend_refused_before_is_not_tried_again_while_the_crd_is_being_deleted() -> None:
    desk = Desk()
    accounts = holders(desk, 1)
    desk.show(*accounts)
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
    desk.show(*accounts)
    delete(desk, accounts)
    call = desk.ask(Operation.DELETE_ACCOUNT, *accounts)
    desk.workspace.brake.leave(call.uids, desk.now)
    desk.workspace.policy.hold_deletions = how == "crd_deleted"
    delete(desk, accounts, deletionProtection=how == "protected")
    assert still_due(accounts[0], call, accounts[0].desired.generation, desk.workspace) == (how == "neither")


def test_rule_31_a_batch_that_wants_the_inbox_too_does_not_keep_a_deleted_crd_for_ever() -> None:
    world = RoughWorld()
    running(world)
    world.list_in_batch("sales", "tub", ["p1@pool.com"])
    world.wait(60.0)
    (child,) = world.cluster.of_kind(ACCOUNT_KIND)
    world.list_in_batch("sales", "pool", ["p1@pool.com"])
    world.wait(30.0)
    world.delete_crd(ACCOUNT_KIND)
    world.wait(120.0)
    assert world.ready(child["metadata"]["uid"])[1] == "DeletionHeld"
    world.annotate(child["metadata"]["uid"], APPROVE_DELETION_ANNOTATION, "true")
    world.with_crd.clear()  # what is deleted from here on was approved
    world.wait(120.0)
    assert ACCOUNT_KIND not in world.cluster.crds
    assert not world.remote.live()
