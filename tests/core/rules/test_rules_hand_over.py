"""Who takes an inbox over (rule 30), and test mails of inboxes with a past (rule 34), on a desk."""

from dataclasses import replace
from typing import Any

import pytest

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.core.decide import still_due
from coldsend_operator.core.decide.hand_over import KEY_WAIT
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Deleted, Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import Policy, Threshold
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.status.projection import project
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from coldsend_operator.core.workspace.claims import NO_WORKSPACE, Claims
from coldsend_operator.core.workspace.merging import merge
from coldsend_operator.resources.names import (
    FORCE_ORPHAN_ANNOTATION,
    HAND_OVER_ANNOTATION,
    PAUSED_ANNOTATION,
)
from tests.support.clock import START
from tests.support.desk import ANN, LONG_AGO, Desk, held, object_of, row

NATIVE = "n@mail.example.com"
MAIL = {"recipient": "ops@example.com", "requestID": "1"}
WRITES = {operation for operation in Operation if operation.creates or operation.deletes}
LATER = START - LONG_AGO + 60.0


def writes(desk: Desk) -> list[Operation]:
    """What would be created or deleted, once no more deletions come."""
    desk.wait(SETTLE_SECONDS)
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


def test_rule_30_the_old_object_stays_while_the_new_one_lacks_the_finalizer_that_it_had() -> None:
    desk = Desk()
    holder, claimant = renamed(desk)
    desk.patch(claimant)
    assert claimant.confirmed.inbox_id == "inbox-1"
    desk.change(claimant, name="new", created=LATER, finalizers=())
    assert desk.step(holder).action is Action.WAIT
    desk.patch(claimant)
    assert desk.step(holder).action is Action.REMOVE_FINALIZER


def test_rule_30_an_inbox_of_another_workspace_is_not_taken_over_in_this_one() -> None:
    desk = Desk()
    desk.holder(applied={"workspace": "digest-2"}, deleting=True)
    claimant = desk.account(name="new", created=LATER)
    desk.sweep()
    assert desk.step(claimant).action is Action.WAIT


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
    other.sweep()
    other.ask(Operation.CREATE_SMTP, claimant)  # the inbox is not there
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


def with_a_claimant_without_key(reason: Reason, **around: Any) -> tuple[Desk, Account, Account]:
    claims = Claims()
    desk, keyless = Desk(claims=claims), Desk(NO_WORKSPACE, claims=claims)
    holder = desk.holder(deleting=True)
    claimant = keyless.account(**{"name": "new", "created": LATER, **around})
    transitions.key_read(claimant, (reason, "There is no key."))
    desk.sweep(row())
    return desk, holder, claimant


@pytest.mark.parametrize("reason", [Reason.SECRET_NOT_FOUND, Reason.SECRET_KEY_NOT_FOUND])
def test_rule_30_a_deletion_waits_for_a_claimant_whose_api_key_has_yet_to_come(reason: Reason) -> None:
    desk, holder, claimant = with_a_claimant_without_key(reason)
    assert writes(desk) == []
    assert "SenderAccount new" in desk.step(holder).message
    desk.workspace.claims.remove(claimant)
    desk.step(holder)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_deletion_waits_until_another_api_key_has_shown_whether_it_leads_to_the_same_workspace() -> None:
    claims = Claims()
    desk, other = Desk(claims=claims), Desk("digest-2", claims=claims)
    holder, claimant = desk.holder(deleting=True), other.account(name="new", created=LATER)
    desk.sweep(row())
    assert writes(desk) == []
    other.sweep()
    other.ask(Operation.CREATE_SMTP, claimant)
    desk.step(holder)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_deletion_does_not_wait_for_an_api_key_for_ever() -> None:
    desk, _, _ = with_a_claimant_without_key(Reason.SECRET_NOT_FOUND)
    desk.wait(KEY_WAIT - 10.0)
    assert writes(desk) == []
    desk.wait(10.0)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_deletion_does_not_wait_for_one_that_may_not_use_its_api_key() -> None:
    desk, _, _ = with_a_claimant_without_key(Reason.UNAUTHORIZED)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


@pytest.mark.parametrize("around", [{"namespace": "support", "adoptionPolicy": "Adopt"}, {"inboxType": "OUTLOOK_365"}])
def test_rule_30_a_deletion_does_not_wait_for_the_api_key_of_one_that_could_not_take_over(
    around: dict[str, Any],
) -> None:
    desk, _, _ = with_a_claimant_without_key(Reason.SECRET_NOT_FOUND, **around)
    assert writes(desk) == [Operation.DELETE_ACCOUNT]


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
    desk.wait(SETTLE_SECONDS)
    assert desk.step(holder).reason is Reason.DELETION_HELD
    claimant = desk.account(name="new", created=LATER)
    assert takes_over(desk, holder, claimant)


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


def test_rule_30_an_inbox_that_may_be_handed_over_leaves_no_call_and_does_not_count_in_the_brake() -> None:
    desk, holder = held()
    claimant = read_object(object_of(ANN, "uid-of-new", name="new", created=LATER))
    desk.workspace.claims.await_workspace(claimant)
    desk.change(holder, name="ann", deleting=True)
    call = desk.ask(Operation.DELETE_ACCOUNT, holder, inbox_ids=("inbox-1",))
    assert not still_due(holder, call, holder.desired.generation, desk.workspace)
    assert not desk.workspace.brake.waiting


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


@pytest.mark.parametrize("before", [{}, {"testEmail": {**MAIL, "requestID": "0", "sentAt": "2023-11-14T22:13:20Z"}}])
def test_rule_34_a_request_that_stood_there_at_an_adoption_counts_as_served(before: dict[str, Any]) -> None:
    desk = Desk()
    account = desk.account(adoptionPolicy="Adopt", testEmail=MAIL, status=before)
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
