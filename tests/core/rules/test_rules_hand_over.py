"""Who takes an inbox over (rule 30), and test mails of inboxes with a past (rule 34), in a workspace of the core."""

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
from tests.support.core_world import ANN, LONG_AGO, CoreWorld, held, object_of, row

NATIVE = "n@mail.example.com"
MAIL = {"recipient": "ops@example.com", "requestID": "1"}
WRITES = {operation for operation in Operation if operation.creates or operation.deletes}
LATER = START - LONG_AGO + 60.0


def writes(core: CoreWorld) -> list[Operation]:
    """What would be created or deleted, once no more deletions come."""
    core.wait(SETTLE_SECONDS)
    return [operation for operation in core.operations() if operation in WRITES]


def renamed(core: CoreWorld, *, old: dict[str, Any] | None = None, **new: Any) -> tuple[Account, Account]:
    """The holder in deletion, and another object that claims its address; the inbox is seen."""
    holder = core.holder(**(old or {}))
    claimant = core.account(**{"name": "new", "created": LATER, **new})
    core.sweep(row())
    around = {"name": "ann", **(old or {}), "deleting": True}
    core.change(holder, **around)
    return holder, claimant


def finish_chores(core: CoreWorld, *accounts: Account) -> None:
    for _ in range(4):
        for account in accounts:
            core.patch(account)


def takes_over(core: CoreWorld, holder: Account, claimant: Account) -> bool:
    """Whether the inbox comes to the claimant, and the holder goes without a call."""
    finish_chores(core, holder, claimant)
    if writes(core) or claimant.stored.inbox_id is None:
        return False
    assert claimant.stored.origin == "Created"
    assert not holder.desired.finalized
    return True


def test_rule_30_a_claimant_takes_over_the_inbox_of_a_deleted_object_with_all_that_is_known_of_it() -> None:
    core = CoreWorld()
    holder, claimant = renamed(core)
    assert core.step(claimant).action is Action.ADD_FINALIZER
    assert takes_over(core, holder, claimant)
    stored = claimant.stored
    assert (stored.inbox_id, stored.origin, stored.applied) == ("inbox-1", "Created", holder.stored.applied)
    assert stored.handed_over_from is not None
    assert (stored.handed_over_from.namespace, stored.handed_over_from.name) == ("sales", "ann")


def test_rule_30_the_old_object_says_where_its_inbox_goes() -> None:
    core = CoreWorld()
    holder, _ = renamed(core)
    assert core.step(holder).reason is Reason.HANDED_OVER
    assert "SenderAccount new" in core.step(holder).message


def test_rule_30_before_the_holder_is_deleted_the_claimant_says_that_it_will_take_over() -> None:
    core = CoreWorld()
    core.holder()
    claimant = core.account(name="new", created=LATER)
    core.sweep(row())
    step = core.step(claimant)
    assert step.reason is Reason.ADDRESS_CONFLICT
    assert "SenderAccount ann" in step.message
    assert "takes the inbox over" in step.message
    status = project(claimant, core.workspace, core.now) or {}
    assert status["takesOverFrom"] == {"namespace": "sales", "name": "ann"}  # with which Argo CD prunes the old one


def test_rule_30_to_a_claimant_of_another_namespace_nothing_is_promised_and_nobody_named() -> None:
    core = CoreWorld()
    core.holder()
    claimant = core.account(name="new", namespace="support", created=LATER, adoptionPolicy="Adopt")
    core.sweep(row())
    assert "ann" not in core.step(claimant).message
    assert "takes the inbox over" not in core.step(claimant).message


def test_rule_30_a_claimant_that_comes_after_the_deletion_began_takes_over_as_well() -> None:
    core, holder = held(deleting=True)
    claimant = core.account(name="new", created=LATER)
    assert takes_over(core, holder, claimant)


def test_rule_30_the_finalizer_comes_first_then_the_status_then_the_old_object_goes() -> None:
    core = CoreWorld()
    core.stores = False
    holder, claimant = renamed(core)
    assert core.patch(holder) is None
    assert core.patch(claimant) is Action.ADD_FINALIZER
    assert claimant.stored.inbox_id == "inbox-1"
    assert core.patch(holder) is None  # not yet stored: a crash now would lose the inbox
    core.workspace.status_stored(claimant.uid, claimant.stored)
    assert core.patch(holder) is Action.REMOVE_FINALIZER


def test_rule_30_the_old_object_stays_while_the_new_one_lacks_the_finalizer_that_it_had() -> None:
    core = CoreWorld()
    holder, claimant = renamed(core)
    core.patch(claimant)
    assert claimant.confirmed.inbox_id == "inbox-1"
    core.change(claimant, name="new", created=LATER, finalizers=())
    assert core.step(holder).action is Action.WAIT
    core.patch(claimant)
    assert core.step(holder).action is Action.REMOVE_FINALIZER


def test_rule_30_an_inbox_of_another_workspace_is_not_taken_over_in_this_one() -> None:
    core = CoreWorld()
    core.holder(applied={"workspace": "digest-2"}, deleting=True)
    claimant = core.account(name="new", created=LATER)
    core.sweep()
    assert core.step(claimant).action is Action.WAIT


def test_rule_30_the_oldest_claimant_takes_over_and_the_others_wait() -> None:
    core = CoreWorld()
    holder, younger = renamed(core, created=LATER + 60.0)
    older = core.account(name="older", created=LATER)
    assert takes_over(core, holder, older)
    assert younger.stored.inbox_id is None
    assert core.step(younger).reason is Reason.ADDRESS_CONFLICT
    assert core.patch(younger) is None


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
    core = CoreWorld()
    holder, claimant = renamed(core, **around)
    assert not takes_over(core, holder, claimant)
    assert Operation.DELETE_ACCOUNT in writes(core)


def test_rule_30_a_claimant_of_another_workspace_does_not_take_over() -> None:
    claims = Claims()
    core, other = CoreWorld("digest-1", claims=claims), CoreWorld("digest-2", claims=claims)
    holder = core.holder(deleting=True)
    claimant = other.account(name="new")
    other.sweep()
    other.ask(Operation.CREATE_SMTP, claimant)  # the inbox is not there
    core.sweep(row())
    assert not takes_over(core, holder, claimant)
    assert Operation.DELETE_ACCOUNT in writes(core)


def test_rule_30_a_claimant_with_another_key_of_the_same_workspace_takes_over() -> None:
    claims, policy = Claims(), Policy()
    core, other = (CoreWorld(digest, claims=claims, policy=policy) for digest in ("digest-1", "digest-2"))
    merge(core.workspace, other.workspace, START)
    holder = core.holder()
    claimant = other.account(name="new")
    core.sweep(row())
    core.change(holder, deleting=True)
    for _ in range(3):
        for each, account in ((core, holder), (other, claimant)):
            each.patch(account)
    assert claimant.stored.inbox_id == "inbox-1"
    assert not holder.desired.finalized


def test_rule_30_a_key_of_the_claimant_that_cannot_be_had_is_no_claim() -> None:
    core = CoreWorld()
    holder = core.holder()
    claimant = core.account(name="new")
    claimant.key_problem = (Reason.SECRET_NOT_FOUND, "The Secret is not there.")
    core.sweep(row())
    core.change(holder, deleting=True)
    assert not takes_over(core, holder, claimant)


@pytest.mark.parametrize(
    "old",
    [{"deletionPolicy": "Orphan"}, {"annotations": {FORCE_ORPHAN_ANNOTATION: "true"}}],
    ids=["orphan", "force_orphan"],
)
def test_rule_30_an_inbox_that_is_to_stay_is_left_to_the_adoption_policy_of_the_claimant(old: dict[str, Any]) -> None:
    core = CoreWorld()
    holder, claimant = renamed(core, old=old)
    finish_chores(core, holder, claimant)
    core.workspace.remove(holder.uid)
    assert claimant.stored.inbox_id is None
    assert core.step(claimant).reason is Reason.ALREADY_EXISTS
    core.change(claimant, name="new", adoptionPolicy="Adopt")
    finish_chores(core, claimant)
    assert claimant.stored.origin == "Adopted"


def test_rule_30_a_native_inbox_is_handed_over_too() -> None:
    core = CoreWorld()
    holder, claimant = core.holder(NATIVE), core.account(NATIVE, name="new", created=LATER)
    for account in (holder, claimant):
        account.address = NATIVE
        core.workspace.index(account)
    core.sweep(row(NATIVE, inbox_type="COLDSEND"))
    holder.desired = replace(holder.desired, deleting=START)
    core.workspace.index(holder)
    assert takes_over(core, holder, claimant)


def test_rule_30_a_native_inbox_whose_domain_cannot_be_read_is_handed_over_too() -> None:
    core = CoreWorld()
    native: dict[str, Any] = {"native": {"domainID": "550e8400-e29b-41d4-a716-446655440000", "emailPrefix": "n"}}
    holder, claimant = core.holder(NATIVE, **native), core.account(NATIVE, name="new", created=LATER, **native)
    core.sweep(row(NATIVE, inbox_type="COLDSEND"))
    assert claimant.address is None
    core.change(holder, NATIVE, deleting=True, **native)
    assert takes_over(core, holder, claimant)


def with_a_claimant_without_key(reason: Reason, **around: Any) -> tuple[CoreWorld, Account, Account]:
    claims = Claims()
    core, keyless = CoreWorld(claims=claims), CoreWorld(NO_WORKSPACE, claims=claims)
    holder = core.holder(deleting=True)
    claimant = keyless.account(**{"name": "new", "created": LATER, **around})
    transitions.key_read(claimant, (reason, "There is no key."))
    core.sweep(row())
    return core, holder, claimant


@pytest.mark.parametrize("reason", [Reason.SECRET_NOT_FOUND, Reason.SECRET_KEY_NOT_FOUND])
def test_rule_30_a_deletion_waits_for_a_claimant_whose_api_key_has_yet_to_come(reason: Reason) -> None:
    core, holder, claimant = with_a_claimant_without_key(reason)
    assert writes(core) == []
    assert "SenderAccount new" in core.step(holder).message
    core.workspace.claims.remove(claimant)
    core.step(holder)
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_deletion_waits_until_another_api_key_has_shown_whether_it_leads_to_the_same_workspace() -> None:
    claims = Claims()
    core, other = CoreWorld(claims=claims), CoreWorld("digest-2", claims=claims)
    holder, claimant = core.holder(deleting=True), other.account(name="new", created=LATER)
    core.sweep(row())
    assert writes(core) == []
    other.sweep()
    other.ask(Operation.CREATE_SMTP, claimant)
    core.step(holder)
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_deletion_does_not_wait_for_an_api_key_for_ever() -> None:
    core, _, _ = with_a_claimant_without_key(Reason.SECRET_NOT_FOUND)
    core.wait(KEY_WAIT - 10.0)
    assert writes(core) == []
    core.wait(10.0)
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_deletion_does_not_wait_for_one_that_may_not_use_its_api_key() -> None:
    core, _, _ = with_a_claimant_without_key(Reason.UNAUTHORIZED)
    assert writes(core) == [Operation.DELETE_ACCOUNT]


@pytest.mark.parametrize("around", [{"namespace": "support", "adoptionPolicy": "Adopt"}, {"inboxType": "OUTLOOK_365"}])
def test_rule_30_a_deletion_does_not_wait_for_the_api_key_of_one_that_could_not_take_over(
    around: dict[str, Any],
) -> None:
    core, _, _ = with_a_claimant_without_key(Reason.SECRET_NOT_FOUND, **around)
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def test_rule_30_once_a_delete_has_left_its_outcome_decides() -> None:
    core, holder = held(deleting=True)
    call = core.ask(Operation.DELETE_ACCOUNT, holder, inbox_ids=("inbox-1",))
    claimant = core.account(name="new", created=LATER)
    finish_chores(core, holder, claimant)
    assert claimant.stored.inbox_id is None
    core.answer(call, Deleted())
    finish_chores(core, holder, claimant)
    assert claimant.stored.inbox_id is None


def test_rule_30_a_delete_that_coldsend_refused_leaves_the_inbox_to_be_handed_over() -> None:
    core, holder = held(deleting=True)
    call = core.ask(Operation.DELETE_ACCOUNT, holder, inbox_ids=("inbox-1",))
    claimant = core.account(name="new", created=LATER)
    core.answer(call, Failure(FailureKind.CONFLICT, "in use", 409))
    assert takes_over(core, holder, claimant)


def test_rule_30_an_object_in_deletion_takes_nothing_over_while_a_create_of_its_own_is_under_way() -> None:
    core = CoreWorld()
    holder = core.holder()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    core.account(name="new", created=LATER, marked=START, status={"job": job}, deleting=True)
    core.sweep(row())
    core.change(holder, name="ann", deleting=True)
    assert core.step(holder).reason is Reason.DELETING
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def test_rule_30_of_two_inboxes_of_one_address_that_of_the_deleted_object_goes() -> None:
    """The address stays with the other holder: whoever stands in line takes the inbox over from that one."""
    core = CoreWorld()
    holder = core.holder()
    core.holder(inbox_id="inbox-2", name="second", created=LATER)
    core.account(name="third", created=LATER + 60.0)
    core.sweep(row(), row(inbox_id="inbox-2"))
    core.change(holder, name="ann", deleting=True)
    assert core.step(holder).reason is Reason.DELETING
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def test_rule_30_a_claimant_that_differs_is_not_supported_as_any_changed_object_is() -> None:
    core = CoreWorld()
    holder, claimant = renamed(core, displayName="Joe")
    assert takes_over(core, holder, claimant)
    core.workspace.remove(holder.uid)
    assert core.says(claimant)["Synced"][1] == "UpdateNotSupported"


def test_rule_30_a_claimant_that_differs_is_recreated_if_its_policy_says_so() -> None:
    core = CoreWorld()
    holder, claimant = renamed(core, displayName="Joe", updatePolicy="Recreate")
    finish_chores(core, holder, claimant)
    assert claimant.stored.inbox_id == "inbox-1"
    core.workspace.remove(holder.uid)
    assert claimant.credentials is None  # its digest is made again, with the salt of what was sent
    claimant.credentials = replace(holder.credentials) if holder.credentials is not None else None
    core.workspace.touch(claimant.uid)
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def named(target: str) -> dict[str, Any]:
    return {"annotations": {HAND_OVER_ANNOTATION: target}}


@pytest.mark.parametrize(("adopts", "taken"), [({"adoptionPolicy": "Adopt"}, True), ({}, False)])
def test_rule_30_across_namespaces_the_old_object_names_the_new_one_and_that_one_adopts(
    adopts: dict[str, Any], taken: bool
) -> None:
    core = CoreWorld()
    holder, claimant = renamed(core, old=named("support/new"), namespace="support", **adopts)
    assert takes_over(core, holder, claimant) == taken
    if not taken:
        assert writes(core) == []
        assert core.step(holder).reason is Reason.DELETION_HELD


def test_rule_30_a_namespace_that_may_not_adopt_is_handed_nothing() -> None:
    core = CoreWorld(policy=Policy(adopt_namespaces=frozenset({"sales"})))
    holder, claimant = renamed(core, old=named("support/new"), namespace="support", adoptionPolicy="Adopt")
    assert not takes_over(core, holder, claimant)
    assert writes(core) == []


def test_rule_30_of_several_claimants_only_the_named_one_takes_over() -> None:
    core = CoreWorld()
    holder, older = renamed(core, old=named("sales/chosen"), name="older")
    chosen = core.account(name="chosen", created=LATER + 60.0)
    finish_chores(core, older)
    assert older.stored.inbox_id is None
    assert takes_over(core, holder, chosen)


@pytest.mark.parametrize("target", ["sales/new", "new", "a/b/c"])
def test_rule_30_a_deletion_that_names_nobody_who_can_take_over_waits(target: str) -> None:
    core, holder = held(**named(target), deleting=True)
    assert writes(core) == []
    step = core.step(holder)
    assert step.reason is Reason.DELETION_HELD
    assert target in step.message
    assert holder.uid not in core.workspace.brake.holds
    core.change(holder, deleting=True)
    assert writes(core) == [Operation.DELETE_ACCOUNT]


def test_rule_30_inboxes_that_are_handed_over_do_not_count_in_the_brake() -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(number=3)))
    addresses = [f"{number}@company.com" for number in range(8)]
    holders = [core.holder(address, f"inbox-{address}") for address in addresses]
    leaving = core.holder("x@company.com", "inbox-x")
    claimants = [core.account(address, name=f"new-{address}", created=LATER) for address in addresses]
    core.show(*holders, leaving)
    for account in [*holders, leaving]:
        core.change(account, account.address or "", deleting=True)
    finish_chores(core, *holders, *claimants)
    assert writes(core) == [Operation.DELETE_ACCOUNT]
    assert len(core.workspace.brake.holds) == 0
    assert all(claimant.stored.inbox_id is not None for claimant in claimants)


def test_rule_30_what_the_brake_holds_is_still_handed_over() -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(number=0)))
    holder = core.holder(deleting=True)
    core.sweep(row())
    core.wait(SETTLE_SECONDS)
    assert core.step(holder).reason is Reason.DELETION_HELD
    claimant = core.account(name="new", created=LATER)
    assert takes_over(core, holder, claimant)


def both_in_deletion(new: dict[str, Any], old: dict[str, Any]) -> tuple[CoreWorld, Account, Account]:
    """The process ended between the two last writes of a hand-over, and then the new object was deleted too."""
    core = CoreWorld()
    before = core.holder(name="old", deleting=True, **old)
    former = {"handedOverFrom": {"namespace": "sales", "name": "old"}}
    after = core.holder(name="new", created=LATER, deleting=True, status=former, **new)
    core.sweep(row())
    return core, before, after


def test_rule_30_objects_that_took_over_from_each_other_do_not_wait_for_each_other() -> None:
    """A rename, and a rename back to the first name."""
    core, before, after = both_in_deletion({}, {"status": {"handedOverFrom": {"namespace": "sales", "name": "new"}}})
    assert core.step(after).action is Action.WAIT
    assert core.patch(before) is Action.REMOVE_FINALIZER
    assert writes(core) == [Operation.DELETE_ACCOUNT]
    assert not before.desired.finalized
    assert after.desired.finalized


def test_rule_30_an_inbox_that_is_to_stay_with_its_last_object_is_not_deleted_with_the_one_before() -> None:
    core, before, after = both_in_deletion({"deletionPolicy": "Orphan"}, {})
    assert core.patch(after) is None
    assert core.patch(before) is Action.REMOVE_FINALIZER
    assert core.patch(after) is Action.REMOVE_FINALIZER
    assert not writes(core)


def test_rule_30_an_inbox_that_may_be_handed_over_leaves_no_call_and_does_not_count_in_the_brake() -> None:
    core, holder = held()
    claimant = read_object(object_of(ANN, "uid-of-new", name="new", created=LATER))
    core.workspace.claims.await_workspace(claimant)
    core.change(holder, name="ann", deleting=True)
    call = core.ask(Operation.DELETE_ACCOUNT, holder, inbox_ids=("inbox-1",))
    assert not still_due(holder, call, holder.desired.generation, core.workspace)
    assert not core.workspace.brake.waiting


@pytest.mark.parametrize("sent", [True, False], ids=["sent_before", "never_sent"])
def test_rule_34_a_request_that_stood_there_at_a_hand_over_counts_as_served(sent: bool) -> None:
    core = CoreWorld()
    before = {"testEmail": {**MAIL, "sentAt": "2023-11-14T22:13:20Z"}} if sent else {}
    holder, claimant = renamed(core, old={"status": before}, testEmail=MAIL)
    assert takes_over(core, holder, claimant)
    core.workspace.remove(holder.uid)
    assert Operation.SEND_TEST_EMAIL not in core.operations()
    mail = claimant.stored.mail
    assert mail is not None
    assert (mail.sent_at is not None, "No mail was sent" in (mail.error or "")) == (sent, not sent)
    core.change(claimant, name="new", testEmail={**MAIL, "requestID": "2"})
    assert Operation.SEND_TEST_EMAIL in core.operations()


@pytest.mark.parametrize("before", [{}, {"testEmail": {**MAIL, "requestID": "0", "sentAt": "2023-11-14T22:13:20Z"}}])
def test_rule_34_a_request_that_stood_there_at_an_adoption_counts_as_served(before: dict[str, Any]) -> None:
    core = CoreWorld()
    account = core.account(adoptionPolicy="Adopt", testEmail=MAIL, status=before)
    core.sweep(row(made=START - LONG_AGO))
    finish_chores(core, account)
    assert account.stored.origin == "Adopted"
    assert Operation.SEND_TEST_EMAIL not in core.operations()
    assert account.stored.mail is not None
    assert "No mail was sent" in (account.stored.mail.error or "")
    core.change(account, adoptionPolicy="Adopt", testEmail={**MAIL, "requestID": "2"})
    assert Operation.SEND_TEST_EMAIL in core.operations()


def test_rule_34_a_mail_does_not_leave_before_its_start_is_seen_in_the_answer_of_the_api_server() -> None:
    core = CoreWorld()
    core.stores = False
    account = core.holder(testEmail=MAIL)
    core.sweep(row())
    mail = account.stored.mail
    assert mail is not None
    core.workspace.status_stored(account.uid, replace(account.stored, mail=replace(mail, started_at=None)))  # pruned
    assert Operation.SEND_TEST_EMAIL not in core.operations()
    core.wait(3600.0)
    assert Operation.SEND_TEST_EMAIL not in core.operations()
    core.workspace.status_stored(account.uid, account.stored)
    assert Operation.SEND_TEST_EMAIL in core.operations()
