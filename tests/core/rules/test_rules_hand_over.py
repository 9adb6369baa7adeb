"""The rules of "Found in the field": 30 (hand-over) and 34 (test mails of inboxes with a past)."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.core.decide import still_due
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Deleted, Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import Policy, Threshold
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.status.projection import project
from coldsend_operator.core.workspace.brake import QUIET
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.merging import merge
from coldsend_operator.kube.client import Forbidden, Invalid, KubeError
from coldsend_operator.resources.children import child_name
from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    APPROVE_DELETION_ANNOTATION,
    FORCE_ORPHAN_ANNOTATION,
    HAND_OVER_ANNOTATION,
    PAUSED_ANNOTATION,
)
from tests.core.conftest import instants
from tests.core.rules.watching import finish, reach, running
from tests.support.clock import START
from tests.support.desk import ANN, LONG_AGO, Desk, held, object_of, row
from tests.support.process import API_KEY
from tests.support.rough import RoughWorld
from tests.support.simulation import Simulation

NATIVE = "n@mail.example.com"
MAIL = {"recipient": "ops@example.com", "requestID": "1"}
WRITES = {operation for operation in Operation if operation.creates or operation.deletes}
LATER = START - LONG_AGO + 60.0


def writes(desk: Desk) -> list[Operation]:
    """What would be created or deleted, once no more deletions come."""
    desk.wait(QUIET)
    return [operation for operation in desk.operations() if operation in WRITES]


def renamed(desk: Desk, *, old: dict[str, Any] | None = None, **new: Any) -> tuple[Account, Account]:
    """The holder in deletion, and another object that claims its address; the inbox is seen."""
    holder = desk.holder(**(old or {}))
    claimant = desk.account(**{"name": "new", "created": LATER, **new})
    desk.sweep(row())
    around = {"name": "ann", **(old or {}), "deleting": True}
    desk.change(holder, **around)
    return holder, claimant


def finish_chores(desk: Desk, *accounts: Account) -> None:
    for _ in range(4):
        for account in accounts:
            desk.patch(account)


def takes_over(desk: Desk, holder: Account, claimant: Account) -> bool:
    """Whether the inbox comes to the claimant, and the holder goes without a call."""
    finish_chores(desk, holder, claimant)
    if writes(desk) or claimant.stored.inbox_id is None:
        return False
    assert claimant.stored.origin == "Created"
    assert not holder.desired.finalized
    return True


# -- rule 30: who takes over


def test_rule_30_a_claimant_takes_over_the_inbox_of_a_deleted_object_with_all_that_is_known_of_it() -> None:
    desk = Desk()
    holder, claimant = renamed(desk)
    assert desk.step(claimant).action is Action.ADD_FINALIZER
    assert takes_over(desk, holder, claimant)
    stored = claimant.stored
    assert (stored.inbox_id, stored.origin, stored.applied) == ("inbox-1", "Created", holder.stored.applied)
    assert stored.handed_over_from is not None
    assert (stored.handed_over_from.namespace, stored.handed_over_from.name) == ("sales", "ann")


def test_rule_30_the_old_object_says_where_its_inbox_goes() -> None:
    desk = Desk()
    holder, _ = renamed(desk)
    assert desk.step(holder).reason is Reason.HANDED_OVER
    assert "SenderAccount new" in desk.step(holder).message


def test_rule_30_before_the_holder_is_deleted_the_claimant_says_that_it_will_take_over() -> None:
    desk = Desk()
    desk.holder()
    claimant = desk.account(name="new", created=LATER)
    desk.sweep(row())
    step = desk.step(claimant)
    assert step.reason is Reason.ADDRESS_CONFLICT
    assert "SenderAccount ann" in step.message
    assert "takes the inbox over" in step.message
    status = project(claimant, desk.workspace, desk.now) or {}
    assert status["takesOverFrom"] == {"namespace": "sales", "name": "ann"}  # with which Argo CD prunes the old one


def test_rule_30_to_a_claimant_of_another_namespace_nothing_is_promised_and_nobody_named() -> None:
    desk = Desk()
    desk.holder()
    claimant = desk.account(name="new", namespace="support", created=LATER, adoptionPolicy="Adopt")
    desk.sweep(row())
    assert "ann" not in desk.step(claimant).message
    assert "takes the inbox over" not in desk.step(claimant).message


def test_rule_30_a_claimant_that_comes_after_the_deletion_began_takes_over_as_well() -> None:
    desk, holder = held(deleting=True)
    claimant = desk.account(name="new", created=LATER)
    assert takes_over(desk, holder, claimant)


def test_rule_30_the_finalizer_comes_first_then_the_status_then_the_old_object_goes() -> None:
    desk = Desk()
    desk.stores = False
    holder, claimant = renamed(desk)
    assert desk.patch(holder) is None
    assert desk.patch(claimant) is Action.ADD_FINALIZER
    assert claimant.stored.inbox_id == "inbox-1"
    assert desk.patch(holder) is None  # not yet stored: a crash now would lose the inbox
    desk.workspace.status_stored(claimant.uid, claimant.stored)
    assert desk.patch(holder) is Action.REMOVE_FINALIZER


def test_rule_30_the_oldest_claimant_takes_over_and_the_others_wait() -> None:
    desk = Desk()
    holder, younger = renamed(desk, created=LATER + 60.0)
    older = desk.account(name="older", created=LATER)
    assert takes_over(desk, holder, older)
    assert younger.stored.inbox_id is None
    assert desk.step(younger).reason is Reason.ADDRESS_CONFLICT
    assert desk.patch(younger) is None


NOT_ABLE = {
    "paused": {"annotations": {PAUSED_ANNOTATION: "true"}},
    "observe": {"managementPolicy": "Observe"},
    "invalid": {"displayName": None},
    "another type": {"inboxType": "OUTLOOK_365"},
    "another namespace": {"namespace": "support", "adoptionPolicy": "Adopt"},
    "in deletion": {"deleting": True},
}


@pytest.mark.parametrize("around", NOT_ABLE.values(), ids=NOT_ABLE)
def test_rule_30_without_a_claimant_that_can_take_over_the_inbox_goes_with_its_object(around: dict[str, Any]) -> None:
    desk = Desk()
    holder, claimant = renamed(desk, **around)
    assert not takes_over(desk, holder, claimant)
    assert Operation.DELETE_ACCOUNT in writes(desk)


def test_rule_30_a_claimant_of_another_workspace_does_not_take_over() -> None:
    claims = Claims()
    desk, other = Desk("digest-1", claims=claims), Desk("digest-2", claims=claims)
    holder = desk.holder(deleting=True)
    claimant = other.account(name="new")
    desk.sweep(row())
    assert not takes_over(desk, holder, claimant)
    assert Operation.DELETE_ACCOUNT in writes(desk)


def test_rule_30_a_claimant_with_another_key_of_the_same_workspace_takes_over() -> None:
    claims, policy = Claims(), Policy()
    desk, other = (Desk(digest, claims=claims, policy=policy) for digest in ("digest-1", "digest-2"))
    merge(desk.workspace, other.workspace, START)
    holder = desk.holder()
    claimant = other.account(name="new")
    desk.sweep(row())
    desk.change(holder, deleting=True)
    for _ in range(3):
        for each, account in ((desk, holder), (other, claimant)):
            each.patch(account)
    assert claimant.stored.inbox_id == "inbox-1"
    assert not holder.desired.finalized


def test_rule_30_a_key_of_the_claimant_that_cannot_be_had_is_no_claim() -> None:
    desk = Desk()
    holder = desk.holder()
    claimant = desk.account(name="new")
    claimant.key_problem = (Reason.SECRET_NOT_FOUND, "The Secret is not there.")
    desk.sweep(row())
    desk.change(holder, deleting=True)
    assert not takes_over(desk, holder, claimant)


@pytest.mark.parametrize(
    "old",
    [{"deletionPolicy": "Orphan"}, {"annotations": {FORCE_ORPHAN_ANNOTATION: "true"}}],
    ids=["orphan", "force_orphan"],
)
def test_rule_30_an_inbox_that_is_to_stay_is_left_to_the_adoption_policy_of_the_claimant(old: dict[str, Any]) -> None:
    desk = Desk()
    holder, claimant = renamed(desk, old=old)
    finish_chores(desk, holder, claimant)
    desk.workspace.remove(holder.uid)
    assert claimant.stored.inbox_id is None
    assert desk.step(claimant).reason is Reason.ALREADY_EXISTS
    desk.change(claimant, name="new", adoptionPolicy="Adopt")
    finish_chores(desk, claimant)
    assert claimant.stored.origin == "Adopted"


def test_rule_30_a_native_inbox_is_handed_over_too() -> None:
    desk = Desk()
    holder, claimant = desk.holder(NATIVE), desk.account(NATIVE, name="new", created=LATER)
    for account in (holder, claimant):
        account.address = NATIVE
        desk.workspace.index(account)
    desk.sweep(row(NATIVE, inbox_type="COLDSEND"))
    holder.desired = replace(holder.desired, deleting=START)
    desk.workspace.index(holder)
    assert takes_over(desk, holder, claimant)


def test_rule_30_a_native_inbox_whose_domain_cannot_be_read_is_handed_over_too() -> None:
    desk = Desk()
    native: dict[str, Any] = {"native": {"domainID": "550e8400-e29b-41d4-a716-446655440000", "emailPrefix": "n"}}
    holder, claimant = desk.holder(NATIVE, **native), desk.account(NATIVE, name="new", created=LATER, **native)
    desk.sweep(row(NATIVE, inbox_type="COLDSEND"))
    assert claimant.address is None
    desk.change(holder, NATIVE, deleting=True, **native)
    assert takes_over(desk, holder, claimant)


def test_rule_30_once_a_delete_has_left_its_outcome_decides() -> None:
    desk, holder = held(deleting=True)
    call = desk.ask(Operation.DELETE_ACCOUNT, holder, inbox_ids=("inbox-1",))
    claimant = desk.account(name="new", created=LATER)
    finish_chores(desk, holder, claimant)
    assert claimant.stored.inbox_id is None
    desk.answer(call, Deleted())
    finish_chores(desk, holder, claimant)
    assert claimant.stored.inbox_id is None


def test_rule_30_a_delete_that_coldsend_refused_leaves_the_inbox_to_be_handed_over() -> None:
    desk, holder = held(deleting=True)
    call = desk.ask(Operation.DELETE_ACCOUNT, holder, inbox_ids=("inbox-1",))
    claimant = desk.account(name="new", created=LATER)
    desk.answer(call, Failure(FailureKind.CONFLICT, "in use", 409))
    assert takes_over(desk, holder, claimant)


def test_rule_30_an_object_in_deletion_takes_nothing_over_while_a_create_of_its_own_is_under_way() -> None:
    desk = Desk()
    holder = desk.holder()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    desk.account(name="new", created=LATER, marked=START, status={"job": job}, deleting=True)
    desk.sweep(row())
    desk.change(holder, name="ann", deleting=True)
    assert desk.step(holder).reason is Reason.DELETING
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


def test_rule_30_of_two_inboxes_of_one_address_that_of_the_deleted_object_goes() -> None:
    """The address stays with the other holder: whoever stands in line takes the inbox over from that one."""
    desk = Desk()
    holder = desk.holder()
    desk.holder(inbox_id="inbox-2", name="second", created=LATER)
    desk.account(name="third", created=LATER + 60.0)
    desk.sweep(row(), row(inbox_id="inbox-2"))
    desk.change(holder, name="ann", deleting=True)
    assert desk.step(holder).reason is Reason.DELETING
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_claimant_that_differs_is_not_supported_as_any_changed_object_is() -> None:
    desk = Desk()
    holder, claimant = renamed(desk, displayName="Joe")
    assert takes_over(desk, holder, claimant)
    desk.workspace.remove(holder.uid)
    assert desk.says(claimant)["Synced"][1] == "UpdateNotSupported"


def test_rule_30_a_claimant_that_differs_is_recreated_if_its_policy_says_so() -> None:
    desk = Desk()
    holder, claimant = renamed(desk, displayName="Joe", updatePolicy="Recreate")
    finish_chores(desk, holder, claimant)
    assert claimant.stored.inbox_id == "inbox-1"
    desk.workspace.remove(holder.uid)
    assert claimant.credentials is None  # its digest is made again, with the salt of what was sent
    claimant.credentials = replace(holder.credentials) if holder.credentials is not None else None
    desk.workspace.touch(claimant.uid)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


# -- rule 30: across namespaces, and by name


def named(target: str) -> dict[str, Any]:
    return {"annotations": {HAND_OVER_ANNOTATION: target}}


@pytest.mark.parametrize(("adopts", "taken"), [({"adoptionPolicy": "Adopt"}, True), ({}, False)])
def test_rule_30_across_namespaces_the_old_object_names_the_new_one_and_that_one_adopts(
    adopts: dict[str, Any], taken: bool
) -> None:
    desk = Desk()
    holder, claimant = renamed(desk, old=named("support/new"), namespace="support", **adopts)
    assert takes_over(desk, holder, claimant) == taken
    if not taken:
        assert writes(desk) == []
        assert desk.step(holder).reason is Reason.DELETION_HELD


def test_rule_30_a_namespace_that_may_not_adopt_is_handed_nothing() -> None:
    desk = Desk(policy=Policy(adopt_namespaces=frozenset({"sales"})))
    holder, claimant = renamed(desk, old=named("support/new"), namespace="support", adoptionPolicy="Adopt")
    assert not takes_over(desk, holder, claimant)
    assert writes(desk) == []


def test_rule_30_of_several_claimants_only_the_named_one_takes_over() -> None:
    desk = Desk()
    holder, older = renamed(desk, old=named("sales/chosen"), name="older")
    chosen = desk.account(name="chosen", created=LATER + 60.0)
    finish_chores(desk, older)
    assert older.stored.inbox_id is None
    assert takes_over(desk, holder, chosen)


@pytest.mark.parametrize("target", ["sales/new", "new", "a/b/c"])
def test_rule_30_a_deletion_that_names_nobody_who_can_take_over_waits(target: str) -> None:
    desk, holder = held(**named(target), deleting=True)
    assert writes(desk) == []
    step = desk.step(holder)
    assert step.reason is Reason.DELETION_HELD
    assert target in step.message
    assert holder.uid not in desk.workspace.brake.holds
    desk.change(holder, deleting=True)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


# -- rule 30: the brake


def test_rule_30_inboxes_that_are_handed_over_do_not_count_in_the_brake() -> None:
    desk = Desk(policy=Policy(brake=Threshold(number=3)))
    addresses = [f"{number}@company.com" for number in range(8)]
    holders = [desk.holder(address, f"inbox-{address}") for address in addresses]
    leaving = desk.holder("x@company.com", "inbox-x")
    claimants = [desk.account(address, name=f"new-{address}", created=LATER) for address in addresses]
    desk.show(*holders, leaving)
    for account in [*holders, leaving]:
        desk.change(account, account.address or "", deleting=True)
    finish_chores(desk, *holders, *claimants)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]
    assert len(desk.workspace.brake.holds) == 0
    assert all(claimant.stored.inbox_id is not None for claimant in claimants)


def test_rule_30_what_the_brake_holds_is_still_handed_over() -> None:
    desk = Desk(policy=Policy(brake=Threshold(number=0)))
    holder = desk.holder(deleting=True)
    desk.sweep(row())
    desk.wait(QUIET)
    assert desk.step(holder).reason is Reason.DELETION_HELD
    claimant = desk.account(name="new", created=LATER)
    assert takes_over(desk, holder, claimant)


def test_rule_30_a_claimant_that_comes_while_the_delete_is_prepared_takes_it_out_of_the_call() -> None:
    simulation = Simulation()
    old = ready(simulation)
    process = running(simulation)
    inbox = held_by(simulation, old)
    simulation.delete(old)
    simulation.drain()
    simulation.pass_time(QUIET)
    booking = reach(simulation, "kube", "coldsend-operator-state")
    new = simulation.apply("sales", "new", ANN)
    process.see()
    process.deliver()
    finish(simulation, booking)
    simulation.wait(5.0)
    assert [each.inbox_id for each in simulation.remote.live()] == [inbox]
    assert held_by(simulation, new) == inbox


# -- rule 30: the whole operator


def held_by(simulation: Simulation, uid: str) -> str | None:
    found: str | None = simulation.status(uid).get("inboxID")
    return found


def ready(simulation: Simulation, address: str = ANN, **fields: Any) -> str:
    uid = simulation.apply("sales", "old", address, **fields)
    running(simulation, 5.0)
    assert simulation.ready(uid)[0] == "True"
    return uid


def apply_then_delete(simulation: Simulation, old: str, address: str) -> str:
    new = simulation.apply("sales", "new", address)
    simulation.delete(old)
    return new


def delete_then_apply(simulation: Simulation, old: str, address: str) -> str:
    simulation.delete(old)
    return simulation.apply("sales", "new", address)


@pytest.mark.parametrize("order", [apply_then_delete, delete_then_apply])
@pytest.mark.parametrize("address", [ANN, NATIVE], ids=["smtp", "native"])
def test_rule_30_a_rename_keeps_the_inbox_in_both_orders_of_events_without_a_call(
    order: Callable[[Simulation, str, str], str], address: str
) -> None:
    simulation = Simulation()
    old = ready(simulation, address)
    inbox, requests = held_by(simulation, old), simulation.remote.requests
    new = order(simulation, old, address)
    simulation.wait(10.0)
    assert simulation.cluster.find(old) is None
    assert held_by(simulation, new) == inbox
    assert simulation.remote.requests == requests
    assert simulation.ready(new)[0] == "True"
    assert "takesOverFrom" not in simulation.status(new)
    assert simulation.status(new)["handedOverFrom"] == {"namespace": "sales", "name": "old"}
    events = {(event["regarding"]["name"], event["reason"]) for event in simulation.cluster.events}
    assert {("old", "HandedOver"), ("new", "HandedOver")} <= events
    simulation.converge()


def test_rule_30_after_a_hand_over_the_secret_counts_as_what_coldsend_was_sent() -> None:
    simulation = Simulation()
    old = ready(simulation)
    new = apply_then_delete(simulation, old, ANN)
    simulation.wait(60.0)
    assert simulation.says(new)["CredentialsCurrent"][1] == "SecretUnchanged"
    simulation.rotate("sales", "two")
    simulation.wait(700.0)
    assert simulation.says(new)["CredentialsCurrent"][1] == "SecretChanged"


@pytest.mark.parametrize("order", [apply_then_delete, delete_then_apply])
def test_rule_30_a_crash_at_any_step_leads_to_the_same_end(order: Callable[[Simulation, str, str], str]) -> None:
    for steps in count():
        simulation = Simulation()
        old = ready(simulation)
        inbox = held_by(simulation, old)
        new = order(simulation, old, ANN)
        taken = 0
        while taken < steps and simulation.moves():
            simulation.step(0)
            taken += 1
        simulation.crash()
        simulation.start()
        simulation.wait(150.0)
        assert held_by(simulation, new) == inbox, steps
        assert [each.inbox_id for each in simulation.remote.live()] == [inbox]
        simulation.converge()
        if taken < steps:
            return


@pytest.mark.parametrize("cut", range(0, 30, 3))
def test_rule_30_a_claimant_that_is_deleted_meanwhile_takes_the_inbox_with_it(cut: int) -> None:
    simulation = Simulation()
    old = ready(simulation)
    new = apply_then_delete(simulation, old, ANN)
    for _ in range(cut):
        simulation.step(0)
    simulation.delete(new)
    simulation.wait(60.0)
    assert not simulation.remote.live()
    simulation.converge()


def both_in_deletion(new: dict[str, Any], old: dict[str, Any]) -> tuple[Desk, Account, Account]:
    """The process ended between the two last writes of a hand-over, and then the new object was deleted too."""
    desk = Desk()
    before = desk.holder(name="old", deleting=True, **old)
    former = {"handedOverFrom": {"namespace": "sales", "name": "old"}}
    after = desk.holder(name="new", created=LATER, deleting=True, status=former, **new)
    desk.sweep(row())
    return desk, before, after


def test_rule_30_objects_that_took_over_from_each_other_do_not_wait_for_each_other() -> None:
    """A rename, and a rename back to the first name."""
    desk, before, after = both_in_deletion({}, {"status": {"handedOverFrom": {"namespace": "sales", "name": "new"}}})
    assert desk.step(after).action is Action.WAIT
    assert desk.patch(before) is Action.REMOVE_FINALIZER
    assert writes(desk) == [Operation.DELETE_ACCOUNT]
    assert not before.desired.finalized
    assert after.desired.finalized


def test_rule_30_an_inbox_that_is_to_stay_with_its_last_object_is_not_deleted_with_the_one_before() -> None:
    desk, before, after = both_in_deletion({"deletionPolicy": "Orphan"}, {})
    assert desk.patch(after) is None
    assert desk.patch(before) is Action.REMOVE_FINALIZER
    assert desk.patch(after) is Action.REMOVE_FINALIZER
    assert not writes(desk)


@pytest.mark.parametrize("cut", range(0, 40, 5))
def test_rule_30_an_inbox_goes_through_a_chain_of_objects_into_a_batch_whenever_the_process_is_killed(cut: int) -> None:
    simulation = Simulation()
    old = ready(simulation)
    inbox = held_by(simulation, old)
    middle = simulation.apply("sales", "middle", ANN)
    simulation.wait(5.0)
    simulation.list_in_batch("sales", "pool", [ANN])
    simulation.delete(old)
    for _ in range(cut):
        simulation.step(0)
    simulation.delete(middle)
    for _ in range(cut // 3):
        simulation.step(0)
    simulation.crash()
    running(simulation, 400.0)
    (last,) = simulation.uids
    assert held_by(simulation, last) == inbox
    assert [each.inbox_id for each in simulation.remote.live()] == [inbox]
    simulation.converge()


def test_rule_30_a_claimant_whose_key_is_not_read_yet_is_waited_for() -> None:
    """A release of another name renames the Secret of the API key too, and the API server answers slowly."""
    simulation = Simulation()
    for name in ("key-of-old", "key-of-new"):
        simulation.cluster.write_secret("sales", name, {"apiKey": API_KEY})
    old = ready(simulation, apiKeySecretRef={"name": "key-of-old"})
    inbox = held_by(simulation, old)
    simulation.cluster.refuses["secrets/key-of-new"] = KubeError("no answer", status=500, reason="InternalError")
    new = simulation.apply("sales", "new", ANN, apiKeySecretRef={"name": "key-of-new"})
    simulation.delete(old)
    simulation.wait(3.5)
    simulation.cluster.refuses.clear()
    simulation.wait(30.0)
    assert held_by(simulation, new) == inbox
    assert [each.inbox_id for each in simulation.remote.live()] == [inbox]


def test_rule_30_an_inbox_that_may_be_handed_over_leaves_no_call_and_does_not_count_in_the_brake() -> None:
    desk, holder = held()
    claimant = read_object(object_of(ANN, "uid-of-new", name="new", created=LATER))
    desk.workspace.claims.await_workspace(claimant)
    desk.change(holder, name="ann", deleting=True)
    call = desk.ask(Operation.DELETE_ACCOUNT, holder, inbox_ids=("inbox-1",))
    assert not still_due(holder, call, holder.desired.generation, desk.workspace)
    assert not desk.workspace.brake.waiting


def test_rule_30_a_claimant_whose_key_cannot_be_had_is_not_waited_for_for_ever() -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("sales", "key-of-old", {"apiKey": API_KEY})
    old = ready(simulation, apiKeySecretRef={"name": "key-of-old"})
    simulation.cluster.refuses["secrets/key-of-new"] = KubeError("no answer", status=500, reason="InternalError")
    simulation.apply("sales", "new", ANN, apiKeySecretRef={"name": "key-of-new"})
    simulation.delete(old)
    simulation.wait(60.0)
    assert simulation.cluster.find(old) is None
    assert not simulation.remote.live()


# -- rule 34


@pytest.mark.parametrize("sent", [True, False], ids=["sent_before", "never_sent"])
def test_rule_34_a_request_that_stood_there_at_a_hand_over_counts_as_served(sent: bool) -> None:
    desk = Desk()
    before = {"testEmail": {**MAIL, "sentAt": "2023-11-14T22:13:20Z"}} if sent else {}
    holder, claimant = renamed(desk, old={"status": before}, testEmail=MAIL)
    assert takes_over(desk, holder, claimant)
    desk.workspace.remove(holder.uid)
    assert Operation.SEND_TEST_EMAIL not in desk.operations()
    mail = claimant.stored.mail
    assert mail is not None
    assert (mail.sent_at is not None, "No mail was sent" in (mail.error or "")) == (sent, not sent)
    desk.change(claimant, name="new", testEmail={**MAIL, "requestID": "2"})
    assert Operation.SEND_TEST_EMAIL in desk.operations()


def test_rule_34_a_request_that_stood_there_at_an_adoption_counts_as_served() -> None:
    desk = Desk()
    account = desk.account(adoptionPolicy="Adopt", testEmail=MAIL)
    desk.sweep(row(made=START - LONG_AGO))
    finish_chores(desk, account)
    assert account.stored.origin == "Adopted"
    assert Operation.SEND_TEST_EMAIL not in desk.operations()
    assert account.stored.mail is not None
    assert "No mail was sent" in (account.stored.mail.error or "")
    desk.change(account, adoptionPolicy="Adopt", testEmail={**MAIL, "requestID": "2"})
    assert Operation.SEND_TEST_EMAIL in desk.operations()


def test_rule_34_a_mail_does_not_leave_before_its_start_is_seen_in_the_answer_of_the_api_server() -> None:
    desk = Desk()
    desk.stores = False
    account = desk.holder(testEmail=MAIL)
    desk.sweep(row())
    mail = account.stored.mail
    assert mail is not None
    desk.workspace.status_stored(account.uid, replace(account.stored, mail=replace(mail, started_at=None)))  # pruned
    assert Operation.SEND_TEST_EMAIL not in desk.operations()
    desk.wait(3600.0)
    assert Operation.SEND_TEST_EMAIL not in desk.operations()
    desk.workspace.status_stored(account.uid, account.stored)
    assert Operation.SEND_TEST_EMAIL in desk.operations()


# -- rule 30: Batches


POOL = [f"p{number}@pool.com" for number in range(12)]


def pool(simulation: Simulation, name: str, addresses: list[str], **template: Any) -> None:
    simulation.list_in_batch("sales", name, addresses, **template)


def batch_uid(simulation: Simulation, name: str) -> str:
    return next(uid for uid in simulation.batches if simulation.watch.batches[uid].name == name)


def ids(simulation: Simulation) -> set[str]:
    return {inbox.inbox_id for inbox in simulation.remote.live()}


def settled_pool(addresses: list[str], **changes: Any) -> Simulation:
    simulation = Simulation(per_minute=600, per_hour=6000, **changes)
    pool(simulation, "old", addresses)
    running(simulation, 60.0)
    assert len(ids(simulation)) == len(addresses)
    return simulation


def rename_batch(simulation: Simulation) -> None:
    pool(simulation, "new", POOL)
    simulation.delete_batch(batch_uid(simulation, "old"))


def rename_batch_by_deleting_it_first(simulation: Simulation) -> None:
    simulation.delete_batch(batch_uid(simulation, "old"))
    pool(simulation, "new", POOL)


def move_half_to_another_batch(simulation: Simulation) -> None:
    pool(simulation, "new", POOL[:6])
    pool(simulation, "old", POOL[6:])


def move_half_after_the_list_was_shortened(simulation: Simulation) -> None:
    pool(simulation, "old", POOL[6:])
    pool(simulation, "new", POOL[:6])


def take_out_of_the_batch(simulation: Simulation) -> None:
    for number, address in enumerate(POOL[:6]):
        simulation.apply("sales", f"single-{number}", address)
    pool(simulation, "old", POOL[6:])


MOVES = [
    rename_batch,
    rename_batch_by_deleting_it_first,
    move_half_to_another_batch,
    move_half_after_the_list_was_shortened,
    take_out_of_the_batch,
]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("brake", ["50%", "2", "100%"])
def test_rule_30_inboxes_that_move_between_batches_stay_and_do_not_count_in_the_brake(
    move: Callable[[Simulation], None], brake: str
) -> None:
    simulation = settled_pool(POOL, brake=brake)
    before = ids(simulation)
    move(simulation)
    simulation.wait(20.0)
    assert ids(simulation) == before
    assert not simulation.wrong()
    assert not simulation.process or all(len(loop.workspace.brake.holds) == 0 for loop in simulation.process.loops)
    simulation.converge()
    assert ids(simulation) == before


@pytest.mark.parametrize("events", ["SenderAccount", "SenderAccountBatch"])
def test_rule_30_accounts_that_move_into_a_batch_keep_their_inboxes_whichever_kind_is_seen_first(events: str) -> None:
    simulation = Simulation()
    uids = [simulation.apply("sales", f"single-{number}", address) for number, address in enumerate(POOL[:4])]
    process = running(simulation, 30.0)
    before = ids(simulation)
    pool(simulation, "new", POOL[:4])
    for uid in uids:
        simulation.delete(uid or "")
    process.see()
    while process.events[events]:
        process.deliver(events)
    simulation.wait(20.0)
    assert ids(simulation) == before
    assert not simulation.wrong()
    simulation.converge()


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("downtime", [0.0, 5.0])
def test_rule_30_a_crash_while_a_batch_moves_leads_to_the_same_end(
    move: Callable[[Simulation], None], downtime: float
) -> None:
    for steps in instants(200, 17):
        simulation = settled_pool(POOL)
        before = ids(simulation)
        move(simulation)
        for _ in range(steps):
            simulation.step(0)
        simulation.crash()
        simulation.pass_time(downtime)
        simulation.start()
        simulation.wait(60.0)
        assert ids(simulation) == before, steps
        simulation.converge()


def test_rule_30_what_a_renamed_batch_no_longer_lists_is_deleted_and_nothing_else() -> None:
    simulation = settled_pool(POOL)
    before = ids(simulation)
    pool(simulation, "new", POOL[2:])
    simulation.drain()
    simulation.delete_batch(batch_uid(simulation, "old"))
    simulation.wait(60.0)
    assert {inbox.address for inbox in simulation.remote.live()} == set(POOL[2:])
    assert ids(simulation) < before


@pytest.mark.parametrize("pause", [True, False])
def test_rule_30_a_batch_that_makes_no_child_is_waited_for_only_while_it_may(pause: bool) -> None:
    simulation = settled_pool(POOL[:2])
    pool(simulation, "new", POOL[:2])
    new = batch_uid(simulation, "new")
    if pause:
        simulation.cluster.annotate(new, PAUSED_ANNOTATION, "true")
    else:
        simulation.delete_batch(new)
    simulation.delete_batch(batch_uid(simulation, "old"))
    simulation.wait(30.0)
    assert not ids(simulation)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (KubeError("no answer", status=500, reason="InternalError"), True),
        (Forbidden("exceeded quota: accounts", status=403, reason="Forbidden"), True),
        (Invalid("a policy of the cluster", status=422, reason="Invalid"), False),
    ],
    ids=["trouble", "quota", "invalid"],
)
def test_rule_30_a_child_that_cannot_be_made_for_a_while_is_waited_for_if_its_inbox_is_valid(
    error: KubeError, kept: bool
) -> None:
    simulation = settled_pool(POOL[:1])
    before = ids(simulation)
    simulation.cluster.refuses[child_name("new", POOL[0])] = error
    pool(simulation, "new", POOL[:1])
    simulation.wait(1.0)
    simulation.delete_batch(batch_uid(simulation, "old"))
    simulation.wait(60.0)
    assert (ids(simulation) == before) == kept
    for uid in simulation.uids if kept else ():
        assert "SenderAccountBatch has yet to create that object" in simulation.ready(uid)[2]
    simulation.cluster.refuses.clear()
    simulation.wait(400.0)
    assert (ids(simulation) == before) == kept
    simulation.converge()


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
