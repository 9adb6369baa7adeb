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
from tests.support.core_world import ANN, CoreWorld, row_of
from tests.support.rough import RoughWorld
from tests.support.simulation import SECOND, Simulation
from tests.support.stories import ready_of


def test_rule_45_a_wipe_during_downtime_is_held_before_the_first_page_of_the_list_has_come() -> None:
    core = CoreWorld()
    accounts = holders(core, 200, deleting=True)
    core.wait(MAX_WAIT)
    assert said(core, accounts) == {"DeletionHeld"}
    rows = [row_of(account) for account in accounts]
    call = core.ask(Operation.LIST_ACCOUNTS)
    core.answer(call, Page(tuple(rows[:100]), 1, 200, 2, has_next=True))
    for _ in range(5):
        assert leaving(core) == 0
        core.wait(SETTLE_SECONDS)


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
    core = CoreWorld(policy=Policy(brake=Threshold(number=0)))
    (account,) = holders(core, 1, deleting=True)
    other = core.holder(ANN, "inbox-ann")
    core.show(other)
    assert core.says(account)["Ready"][1] == "DeletionHeld"
    assert Operation.GET_ACCOUNT in core.operations()


def test_rule_23_a_wipe_that_comes_in_portions_within_seconds_is_held_whole() -> None:
    core = CoreWorld()
    teams = [holders(core, 8, f"team-{number}") for number in range(5)]
    core.show(*chain(*teams))
    for team in teams:
        for account in team:
            delete(core, [account])
            core.wait(0.125)
            assert leaving(core) == 0
    for _ in range(10):
        core.wait(SETTLE_SECONDS)
        assert leaving(core) == 0
    assert said(core, [*chain(*teams)]) == {"DeletionHeld"}


def test_rule_23_deletions_that_do_not_end_wait_for_each_other_only_so_long() -> None:
    core = CoreWorld()
    accounts = holders(core, 80)
    core.show(*accounts)
    begun = core.now
    for account in accounts[:40]:
        delete(core, [account])
        core.wait(1.0)
        if leaving(core):
            break
    assert core.now == begun + MAX_WAIT


def test_rule_23_with_the_brake_off_a_deletion_waits_a_moment_only() -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(percent=100)))
    accounts = holders(core, 10)
    core.show(*accounts)
    begun = core.now
    for account in accounts:
        delete(core, [account])
        if leaving(core):
            break
        core.wait(0.5)
    assert begun + SETTLE_SECONDS <= core.now <= begun + SETTLE_SECONDS + LINGER


def test_rule_23_an_approved_deletion_waits_for_no_other() -> None:
    core = CoreWorld()
    accounts = holders(core, 3)
    core.show(*accounts)
    delete(core, accounts[:1], annotations=APPROVED)
    assert leaving(core) == 1


def batch_of(core: CoreWorld, count: int, uid: str = "pool", namespace: str = "sales") -> list[Account]:
    accounts = holders(core, count, namespace, batch=uid)
    core.workspace.policy.leaving[uid] = count
    return accounts


def test_rule_23_the_first_child_of_a_batch_asks_for_all_of_them() -> None:
    core = CoreWorld()
    pool = batch_of(core, 50)
    others = holders(core, 4)
    core.show(*pool, *others)
    delete(core, pool[:1])
    core.wait(SETTLE_SECONDS)
    assert leaving(core) == 0
    assert "50 of 54 inboxes were to be deleted" in core.says(pool[0])["Ready"][2]
    delete(core, pool[1:])
    assert said(core, pool) == {"DeletionHeld"}


def test_rule_23_objects_that_claim_a_batch_of_another_namespace_do_not_hold_its_deletion() -> None:
    core = CoreWorld()
    pool = batch_of(core, 4)
    own, evil = holders(core, 40), holders(core, 60, "support", batch="pool")
    core.show(*pool, *own, *evil)
    delete(core, evil)
    delete(core, pool)
    core.wait(SETTLE_SECONDS)
    assert said(core, evil) == {"DeletionHeld"}
    assert {core.step(account).reason for account in pool} == {Reason.DELETING}
    assert leaving(core) == len(pool)


def test_rule_23_a_batch_that_has_begun_to_leave_leaves_as_a_whole() -> None:
    core = CoreWorld()
    pool = batch_of(core, 30)
    others = holders(core, 70)
    core.show(*pool, *others)
    delete(core, pool[:10])
    core.wait(SETTLE_SECONDS)  # of known size: it waits only for others that may ask for its inboxes (rule 30)
    (call,) = (each for each in core.calls() if each.operation in DELETES)
    core.workspace.brake.leave(call.uids, core.now)
    delete(core, others[:60])
    delete(core, pool[10:])
    core.wait(SETTLE_SECONDS)
    assert said(core, others[:60]) == {"DeletionHeld"}
    assert {core.step(account).reason for account in pool} == {Reason.DELETING}
    restarted = Brake(Threshold())
    restarted.load(core.workspace.brake.to_json(), core.now)
    for account in pool[10:]:
        restarted.ask(account.uid, "sales", START, approved=False, batch="sales/pool", size=20)
    restarted.decide({"sales": 90}, core.now)
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
    core = CoreWorld(policy=Policy(brake=Threshold(number=0)))
    (account,) = holders(core, 1)
    core.show(account)
    delete(core, [account])
    message = core.says(account)["Ready"][2]
    for words in ("To approve: ", "coldsend.pro/approve-deletion: 'true'", "To keep the inbox: ", "Orphan"):
        assert words in message
    assert "force-orphan" in message
    assert "docs/operations/deletion-brake.md" in message
    assert "SenderAccountBatch" not in message


def test_rule_23_the_message_of_a_child_names_its_batch_too() -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(number=0)))
    (account,) = batch_of(core, 1)
    core.show(account)
    delete(core, [account])
    assert "on this object, its SenderAccountBatch or the namespace" in core.says(account)["Ready"][2]


def test_rule_31_while_a_crd_is_being_deleted_every_deletion_is_held_whatever_the_number() -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(percent=100), hold_deletions=True))
    accounts = holders(core, 2)
    core.show(*accounts)
    delete(core, accounts[:1])
    core.wait(MAX_WAIT)
    assert leaving(core) == 0
    _, reason, message = core.says(accounts[0])["Ready"]
    assert reason == "DeletionHeld"
    assert "CustomResourceDefinition" in message
    delete(core, accounts[1:], annotations=APPROVED)
    assert leaving(core) == 1


def test_rule_31_what_waits_when_the_crd_is_deleted_is_held_too_and_stays_so() -> None:
    core = CoreWorld()
    accounts = holders(core, 2)
    core.show(*accounts)
    delete(core, accounts)
    core.workspace.policy.hold_deletions = True
    core.wait(SETTLE_SECONDS)
    assert leaving(core) == 0
    core.workspace.policy.hold_deletions = False
    core.wait(WINDOW)
    assert leaving(core) == 0


def test_rule_31_a_deletion_that_coldsend_refused_before_is_not_tried_again_while_the_crd_is_being_deleted() -> None:
    core = CoreWorld()
    accounts = holders(core, 1)
    core.show(*accounts)
    delete(core, accounts)
    accounts[0].delete_backoff = Backoff(Reason.IN_USE_BY_CAMPAIGN, "", core.now, core.now, accounts[0].basis)
    core.workspace.policy.hold_deletions = True
    core.wait(WINDOW)
    assert leaving(core) == 0
    assert said(core, accounts) == {"DeletionHeld"}


@pytest.mark.parametrize("how", ["crd_deleted", "protected", "neither"])
def test_rule_31_a_call_that_is_being_prepared_when_its_deletion_is_put_on_hold_does_not_leave(how: str) -> None:
    core = CoreWorld()
    accounts = holders(core, 1)
    core.show(*accounts)
    delete(core, accounts)
    call = core.ask(Operation.DELETE_ACCOUNT, *accounts)
    core.workspace.brake.leave(call.uids, core.now)
    core.workspace.policy.hold_deletions = how == "crd_deleted"
    delete(core, accounts, deletionProtection=how == "protected")
    assert still_due(accounts[0], call, accounts[0].desired.generation, core.workspace) == (how == "neither")


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
