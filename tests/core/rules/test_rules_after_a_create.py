"""The rules of "After a create": 6 to 11."""

import json
from dataclasses import replace

import pytest
from pydantic import SecretStr

from coldsend_operator.coldsend.masking import Mask
from coldsend_operator.coldsend.refusals import read_refusal
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import (
    BulkAnswer,
    Created,
    Failure,
    FailureKind,
    Fault,
    JobProgress,
    ResultRow,
    Row,
)
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored import JobRef
from tests.support.clock import START
from tests.support.core_world import ANN, BOB, LOST, CoreWorld, asked_for, held, row

REPEATING = {Action.CREATE, Action.REMOVE_FINALIZER}  # the mark of a lost create comes off before it is repeated
EXISTS = Failure(FailureKind.CONFLICT, "email already exists", 409)
DOMAIN_ID = "550e8400-e29b-41d4-a716-446655440000"


def after_lost_create() -> tuple[CoreWorld, Account]:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    return core, account


def test_rule_06_exists_to_a_first_create_means_not_ours_however_much_it_looks_like_it() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), EXISTS)
    core.wait(1.0)
    core.search(account, row(made=core.now))
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_06_a_row_that_says_exists_means_not_ours() -> None:
    core = CoreWorld()
    ann, bob = core.asked_for(ANN, BOB)
    failed = ResultRow(ANN, None, success=False, message="email already exists")
    call = core.ask(Operation.CREATE_SMTP_BULK, ann, bob)
    core.answer(call, BulkAnswer(None, 2, 1, 1, 0, (failed,)))
    core.wait(1.0)
    core.sweep(row(made=core.now), row(BOB, "inbox-2", made=core.now))
    assert ann.stored.inbox_id is None
    assert bob.stored.inbox_id == "inbox-2"
    core.wait(130.0)
    core.sweep(row(made=START), row(BOB, "inbox-2", made=START))
    assert core.step(ann).reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("status", [200, 409])
def test_rule_06_exists_without_an_inbox_is_already_exists_with_whatever_code_it_comes(status: int) -> None:
    core, account = asked_for()
    kind = FailureKind.CONFLICT if status == 409 else FailureKind.REFUSED  # `success: false` under 2xx (row 19)
    core.answer(core.ask(Operation.CREATE_SMTP, account), Failure(kind, "email already exists", status))
    core.wait(130.0)
    core.search(account)
    decision = core.step(account)
    assert decision.reason is Reason.ALREADY_EXISTS
    assert "not in this workspace" in decision.message


def test_rule_06_adoption_policy_decides_about_what_exists() -> None:
    core = CoreWorld()
    account = core.account(adoptionPolicy="Adopt")
    core.sweep(row())
    assert core.patch(account) is Action.ADD_FINALIZER
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Adopted")


OURS = row(made=START)


@pytest.mark.parametrize(
    ("shown", "ours"),
    [
        (OURS, True),
        (row(made=START - 4.0), True),
        (row(made=START - 7.0), False),
        (row(made=START + 100.0), True),
        (row(inbox_type="OUTLOOK_365"), False),
        (row(display_name="Somebody Else"), False),
        (row(display_name=" Jane "), True),
        (replace(OURS, created_at=None), False),
        (replace(OURS, created_at="yesterday"), False),
    ],
    ids=["all", "in_the_slack", "before", "later", "type", "name", "trimmed_name", "no_time", "bad_time"],
)
def test_rule_06_after_a_lost_answer_what_shows_our_marks_is_ours(shown: Row, ours: bool) -> None:
    core, account = after_lost_create()
    core.wait(130.0)
    core.search(account, shown)
    core.settle()
    assert (account.stored.inbox_id == "inbox-1") == ours
    if not ours:
        assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_06_a_name_that_coldsend_composes_and_trims_is_the_name_that_was_sent() -> None:
    core, account = asked_for(displayName="Zoe\u0308  Joe ")
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.search(account, row(display_name="Zo\u00eb Joe"))
    core.settle()
    assert account.stored.inbox_id == "inbox-1"


@pytest.mark.parametrize("lost", [False, True])
def test_rule_06_a_row_without_a_name_is_ours_only_if_coldsend_accepted_the_create(lost: bool) -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, account), LOST if lost else BulkAnswer(None, 1, 1))
    core.wait(130.0)
    core.search(account, row(made=START, display_name=None))
    core.settle()
    assert (account.stored.inbox_id == "inbox-1") == (not lost)


@pytest.mark.parametrize(("server_offset", "ours"), [(0.0, False), (-50.0, True)])
def test_rule_06_created_at_is_read_by_coldsends_own_clock(server_offset: float, ours: bool) -> None:
    core, account = after_lost_create()
    core.workspace.server_offset = server_offset
    core.wait(130.0)
    core.search(account, row(made=START - 50.0))
    assert (account.stored.inbox_id is not None) == ours


def test_rule_06_the_mark_is_read_by_the_clock_of_the_api_server() -> None:
    core = CoreWorld()
    core.workspace.kube_offset = 300.0
    account = core.account(marked=START + 300.0)
    core.sweep(row(made=START))
    assert core.step(account).action is Action.WAIT
    assert account.stored.origin == "Created"


def test_rule_07_a_single_create_is_not_repeated_before_its_own_timeout() -> None:
    core = CoreWorld()
    core.workspace.policy.lost_seconds, core.workspace.policy.check_timeout = 3.0, 120.0
    (account,) = core.asked_for(ANN)
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.wait(100.0)
    core.search(account)
    assert core.step(account).action not in REPEATING
    core.wait(21.0)
    core.search(account)
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert core.step(account).action is Action.CREATE


def test_rule_07_a_lost_bulk_is_waited_for_from_the_last_member_that_appeared() -> None:
    core = CoreWorld()
    ann, bob = core.asked_for(ANN, BOB)
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, ann, bob), LOST)
    core.wait(100.0)
    core.sweep(row(made=core.now))
    assert ann.stored.inbox_id == "inbox-1"
    core.wait(100.0)
    core.sweep(row())
    assert core.step(bob).action not in REPEATING
    core.wait(21.0)
    core.sweep(row())
    assert core.patch(bob) is Action.REMOVE_FINALIZER
    assert core.step(bob).action is Action.CREATE


def test_rule_07_after_a_restart_a_mark_counts_as_a_create_that_has_just_left() -> None:
    core, account = asked_for(marked=START - 3600.0)
    assert core.step(account).action not in REPEATING
    core.wait(119.0)
    core.sweep()
    assert core.step(account).action not in REPEATING
    core.wait(2.0)
    core.sweep()
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert core.step(account).action is Action.CREATE


def test_rule_08_a_job_is_polled_only_when_all_its_members_show_its_id() -> None:
    core = CoreWorld()
    core.stores = False
    ann, bob = core.asked_for(ANN, BOB)
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, ann, bob), BulkAnswer("job-1", 2))
    core.wait(60.0)
    assert Operation.POLL_CREATE_JOB not in core.operations()
    core.workspace.status_stored(ann.uid, ann.stored)
    assert Operation.POLL_CREATE_JOB not in core.operations()
    core.workspace.status_stored(bob.uid, bob.stored)
    assert Operation.POLL_CREATE_JOB in core.operations()


def test_rule_08_the_id_of_an_earlier_job_in_status_is_not_that_of_the_new_one() -> None:
    core = CoreWorld()
    core.stores = False
    ann, bob = core.asked_for(ANN, BOB)
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, ann, bob), BulkAnswer("job-2", 2))
    for account in (ann, bob):
        core.workspace.status_stored(account.uid, replace(account.stored, job=JobRef("job-1", "Create")))
    core.wait(60.0)
    assert Operation.POLL_CREATE_JOB not in core.operations()


def test_rule_08_a_restart_goes_on_with_the_stored_job_and_makes_nothing_twice() -> None:
    core = CoreWorld()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    ann, bob = (core.account(address, marked=START, status={"job": job}) for address in (ANN, BOB))
    core.sweep()
    core.wait(5.0)
    polls = [call for call in core.calls() if call.operation is Operation.POLL_CREATE_JOB]
    assert [call.job for call in polls] == ["job-1"]
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), JobProgress("COMPLETED", total=2, processed=2))
    assert {core.step(each).action for each in (ann, bob)} == {Action.SEARCH}


def test_rule_08_an_inbox_is_made_again_only_after_its_old_id_was_cleared() -> None:
    core, account = held()
    core.wait(700.0)
    core.stores = False
    core.get(account)
    assert core.step(account).action is Action.SEARCH  # a wrong route answers 404 to everything
    core.search(account)
    assert core.patch(account) is Action.FORGET
    assert account.stored.inbox_id is None
    assert core.step(account).action is Action.WAIT
    core.workspace.status_stored(account.uid, account.stored)
    core.search(account)
    assert core.step(account).action is Action.CREATE


def test_rule_08_an_inbox_is_made_again_only_after_the_job_of_the_last_try_was_cleared() -> None:
    core = CoreWorld()
    account = core.account(marked=START, status={"job": {"id": "job-1", "operation": "Create", "state": "Running"}})
    core.stores = False
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), JobProgress("COMPLETED", total=1, processed=1))
    core.wait(200.0)
    core.sweep()
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert core.step(account).action is Action.WAIT
    core.workspace.status_stored(account.uid, account.stored)
    assert core.step(account).action is Action.CREATE


@pytest.mark.parametrize("order", [("inbox-1", "inbox-2"), ("inbox-2", "inbox-1")], ids=" ".join)
def test_rule_09_of_two_inboxes_of_one_address_the_one_in_status_stays_and_the_other_is_told(
    order: tuple[str, str],
) -> None:
    core = CoreWorld()
    account = core.holder(updatePolicy="Recreate", adoptionPolicy="Adopt")
    both = [row(inbox_id=inbox_id) for inbox_id in order]
    core.sweep(*both)
    core.wait(700.0)
    core.sweep(*both)
    assert account.stored.inbox_id == "inbox-1"
    status, reason, message = core.says(account)["Synced"]
    assert (status, reason) == ("False", "AddressConflict")
    assert "inbox-2" in message
    assert not {Operation.DELETE_ACCOUNT, Operation.DELETE_ACCOUNTS} & set(core.operations())


def unnamed_natives(core: CoreWorld, count: int) -> list[Account]:
    accounts = [
        core.account(f"n{number}@mail.example.com", native={"domainID": DOMAIN_ID, "emailPrefix": f"n{number}"})
        for number in range(count)
    ]
    core.sweep()
    forbidden = Failure(FailureKind.FORBIDDEN, "", 403, required=("domains:read",))
    core.answer(core.ask(Operation.LIST_DOMAINS, accounts[0]), forbidden)
    return accounts


def test_rule_10_natives_whose_domain_name_cannot_be_known_go_one_by_one() -> None:
    core = CoreWorld()
    unnamed_natives(core, 3)
    creates = [call for call in core.calls() if call.operation.creates]
    assert [(call.operation, len(call.uids)) for call in creates] == [(Operation.CREATE_NATIVE, 1)]


def test_rule_10_a_lost_one_of_them_is_neither_repeated_nor_matched() -> None:
    core = CoreWorld()
    (account,) = unnamed_natives(core, 1)
    core.answer(core.ask(Operation.CREATE_NATIVE, account, domain_id=DOMAIN_ID), LOST)
    core.wait(250.0)
    core.sweep(row("n0@mail.example.com", inbox_type="COLDSEND", made=core.now))
    step = core.step(account)
    assert (step.action, step.reason, account.stored.inbox_id) == (Action.WAIT, Reason.MISSING_SCOPES, None)
    assert "domains:read" in step.message
    assert "spec.native.domainName" in step.message


def test_rule_11_a_refused_bulk_costs_only_the_item_that_is_named() -> None:
    core = CoreWorld()
    ann, bob, eve = core.asked_for(ANN, BOB, "eve@company.com")
    fault = Fault(1, "smtp_host", "is not known")
    call = core.ask(Operation.CREATE_SMTP_BULK, ann, bob, eve)
    core.answer(call, Failure(FailureKind.REFUSED, "item 1, smtp_host: is not known", 422, (fault,)))
    assert core.step(bob).reason is Reason.REJECTED
    assert "is not known" in core.step(bob).message
    assert {core.patch(each) for each in (ann, eve)} == {Action.REMOVE_FINALIZER}
    assert {core.step(each).action for each in (ann, eve)} == {Action.CREATE}
    assert "smtp_host" not in core.step(ann).message


def test_rule_11_a_bulk_refused_without_a_place_is_halved_until_one_item_is_left() -> None:
    core = CoreWorld()
    accounts = core.asked_for(*(f"{number}@company.com" for number in range(8)))
    refused = Failure(FailureKind.REFUSED, "something is wrong", 422)
    sizes: list[int] = []
    core.wait(3.0)
    while creates := [call for call in core.calls() if call.operation.creates]:
        call = creates[0]
        sizes.append(len(call.uids))
        members = [account for account in accounts if account.uid in call.uids]
        sent = core.ask(call.operation, *members)
        if accounts[5] in members:
            core.answer(sent, refused)
        elif len(members) == 1:
            core.answer(sent, Created(row(members[0].address or "", f"inbox-{members[0].uid}")))
        else:
            core.answer(sent, BulkAnswer(None, len(members), len(members)))
        core.wait(3.0)
    assert sizes[:3] == [8, 4, 4]
    assert len(sizes) <= 8
    assert [account for account in accounts if account.create_backoff is not None] == [accounts[5]]


def refusal_of(*details: dict[str, object]) -> Failure:
    body = json.dumps({"detail": list(details)}).encode()
    return read_refusal(422, {}, body, Mask((SecretStr("hush-one"), SecretStr("hush-two"))), items=3, now=START)


def test_rule_11_of_an_error_only_place_and_sentence_are_told_never_the_input() -> None:
    failure = refusal_of({"loc": ["body", "inboxes", 1, "smtp_password"], "msg": "too short", "input": "hush-one"})
    assert failure.faults == (Fault(1, "smtp_password", "too short"),)
    assert failure.message == "item 1, smtp_password: too short"


def test_rule_11_every_secret_of_the_call_is_masked_also_those_of_other_members() -> None:
    failure = refusal_of({"loc": ["body", "inboxes", 1, "hush-two"], "msg": "hush-one is wrong, so is hush-two"})
    assert "hush" not in repr(failure)


def test_rule_11_a_sentence_has_at_most_200_characters() -> None:
    failure = refusal_of({"loc": ["body", "inboxes", 1], "msg": "long " * 200})
    assert len(failure.message) <= 200
    assert all(len(fault.message) <= 200 for fault in failure.faults)
