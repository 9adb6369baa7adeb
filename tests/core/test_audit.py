"""The audit log: what is told of each write, its cause, who approved it and what came of it."""

from typing import Any

import pytest

from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import BulkAnswer, Created, Deleted, Failure, FailureKind, MailSent
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import BatchSettings, NamespaceSettings
from coldsend_operator.core.workspace.audit_lines import fields_of
from tests.support.desk import ANN, BOB, LOST, Desk, held, row

POOL = "uid-of-the-pool"


def told(desk: Desk) -> list[tuple[str, ...]]:
    """Operation, cause and outcome of each line since the last look."""
    lines = [fields_of(line) for line in desk.workspace.audit.lines]
    desk.workspace.audit.lines.clear()
    return [(str(line["operation"]), str(line["cause"]), str(line["outcome"])) for line in lines]


def last(desk: Desk) -> dict[str, Any]:
    return fields_of(desk.workspace.audit.lines[-1])


def deleted(desk: Desk, account: Account, inbox_id: str = "inbox-1") -> None:
    """Its inbox is deleted and seen to be gone."""
    call = desk.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=(inbox_id,))
    desk.answer(call, Deleted(code=200))
    desk.wait(2)
    desk.sweep()


def test_a_new_inbox_is_told_before_the_call_leaves_and_when_it_is_there() -> None:
    desk = Desk()
    desk.sweep()
    account = desk.account()
    call = desk.ask(Operation.CREATE_SMTP, account)
    assert last(desk)["outcome"] == "intent"
    desk.answer(call, Created(row(), code=201))
    assert last(desk) == {
        "event": "write",
        "workspace": "digest-1",
        "operation": "create_smtp",
        "namespace": "sales",
        "name": "ann",
        "uid": account.uid,
        "inbox_id": "inbox-1",
        "job": None,
        "generation": 1,
        "cause": "new",
        "approved_by": None,
        "attempt": 1,
        "outcome": "created",
        "code": 201,
    }
    assert told(desk) == [("create_smtp", "new", "intent"), ("create_smtp", "new", "created")]


def test_each_inbox_of_a_bulk_has_its_lines_and_the_job_stands_in_them() -> None:
    desk = Desk()
    desk.sweep()
    ann, bob = desk.account(), desk.account(BOB)
    call = desk.ask(Operation.CREATE_SMTP_BULK, ann, bob)
    desk.answer(call, BulkAnswer(job_id="job-7", code=202))
    line = last(desk)
    assert (line["job"], line["outcome"], line["code"], line["name"]) == ("job-7", "accepted", 202, "bob")
    assert len(told(desk)) == 4


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (Failure(FailureKind.REFUSED, "bad password", 400), "refused"),
        (Failure(FailureKind.RATE_LIMITED, "slow down", 429), "refused"),
        (Failure(FailureKind.UNAVAILABLE, "down", 503), "unknown"),
        (Failure(FailureKind.REFUSED, "success: false", 200), "unknown"),
        (LOST, "unknown"),
        (Failure(FailureKind.NOT_SENT, "no connection"), "not-sent"),
    ],
)
def test_what_the_answer_says_is_told_with_its_code(failure: Failure, outcome: str) -> None:
    desk = Desk()
    desk.sweep()
    account = desk.account()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), failure)
    assert (last(desk)["outcome"], last(desk)["code"]) == (outcome, failure.status)


def test_a_create_whose_answer_was_lost_is_told_again_when_its_inbox_appears() -> None:
    desk = Desk()
    desk.sweep()
    account = desk.account()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), LOST)
    desk.search(account, row())
    assert told(desk) == [("create_smtp", "new", each) for each in ("intent", "unknown", "created")]


def test_a_create_that_came_to_nothing_is_told_so_before_it_is_repeated() -> None:
    desk = Desk()
    desk.sweep()
    account = desk.account()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), LOST)
    desk.wait(121)
    desk.search(account)
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    assert told(desk)[-1] == ("create_smtp", "new", "nothing")
    desk.ask(Operation.CREATE_SMTP, account)
    assert last(desk)["attempt"] == 2


def test_a_run_that_finds_a_create_of_the_one_before_tells_what_became_of_it() -> None:
    desk = Desk()
    account = desk.account(marked=desk.now - 1)
    desk.search(account, row())
    assert told(desk) == [("create_smtp", "new", "created")]


def test_the_job_of_an_earlier_run_stands_with_the_inbox_that_it_made() -> None:
    desk = Desk()
    job = {"id": "job-7", "operation": "Create", "state": "Running"}
    account = desk.account(marked=desk.now - 1, status={"job": job})
    poll = desk.ask(Operation.POLL_CREATE_JOB, job="job-7")
    desk.answer(poll, Failure(FailureKind.NOT_FOUND, "no such job", 404))
    desk.search(account, row())
    line = last(desk)
    assert (line["operation"], line["job"], line["outcome"]) == ("create_smtp_bulk", "job-7", "created")


def test_a_deletion_says_which_inbox_went_and_that_the_object_was_deleted() -> None:
    desk, account = held(deleting=True)
    deleted(desk, account)
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    assert last(desk)["inbox_id"] == "inbox-1"
    assert told(desk) == [("delete_account", "deletion", each) for each in ("intent", "accepted", "deleted")]


def test_a_run_that_finds_an_inbox_gone_which_was_to_be_deleted_says_gone() -> None:
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.sweep()
    desk.get(account)
    desk.wait(1)
    desk.search(account)
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    assert told(desk) == [("delete_account", "deletion", "gone")]


@pytest.mark.parametrize(
    ("object_says", "batch", "namespace", "approved_by"),
    [
        (True, True, True, "SenderAccount"),
        (False, True, True, "SenderAccountBatch"),
        (False, False, True, "Namespace"),
        (False, False, False, None),
    ],
)
def test_a_deletion_names_the_kind_of_the_object_that_approves_it(
    object_says: bool,
    batch: bool,
    namespace: bool,
    approved_by: str | None,
) -> None:
    desk = Desk()
    desk.workspace.policy.batches[POOL] = BatchSettings(approve_deletion=batch)
    desk.workspace.policy.namespaces["sales"] = NamespaceSettings(approve_deletion=namespace)
    annotations = {"coldsend.pro/approve-deletion": "true"} if object_says else {}
    account = desk.holder(deleting=True, batch=POOL, annotations=annotations)
    desk.sweep(row())
    desk.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",))
    assert last(desk)["approved_by"] == approved_by


@pytest.mark.parametrize(("listed", "cause"), [({"ann"}, "deletion"), (set[str](), "left-batch")])
def test_a_child_that_its_batch_does_not_list_any_more_has_left_it(listed: set[str], cause: str) -> None:
    desk = Desk()
    desk.workspace.policy.batches[POOL] = BatchSettings(listed=listed)
    account = desk.holder(deleting=True, batch=POOL)
    desk.sweep(row())
    desk.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",))
    assert last(desk)["cause"] == cause


def test_a_replacement_says_whether_spec_or_the_secret_asks_for_it_and_the_create_that_follows_belongs_to_it() -> None:
    for what in ("spec", "secret"):
        desk, account = held(updatePolicy="Recreate")
        if what == "spec":
            desk.change(account, ANN, updatePolicy="Recreate", displayName="Another")
        else:
            account.credentials = Credentials("hmac-of-two")
        deleted(desk, account)
        assert desk.patch(account) is Action.FORGET
        desk.ask(Operation.CREATE_SMTP, account)
        assert told(desk) == [
            ("delete_account", what, "intent"),
            ("delete_account", what, "accepted"),
            ("delete_account", what, "deleted"),
            ("create_smtp", "recreate", "intent"),
        ]


def test_an_inbox_that_a_person_removed_is_made_again_as_vanished() -> None:
    desk = Desk()
    account = desk.holder()
    desk.sweep()
    desk.get(account)
    desk.wait(1)
    desk.search(account)
    assert desk.patch(account) is Action.FORGET
    desk.ask(Operation.CREATE_SMTP, account)
    assert told(desk) == [("create_smtp", "vanished", "intent")]


def test_an_inbox_that_changes_its_object_is_told_without_a_call() -> None:
    desk = Desk()
    desk.holder(name="old", deleting=True)
    desk.account(name="new", finalizers=("coldsend.pro/finalizer",))
    desk.sweep(row())
    line = last(desk)
    assert (line["name"], line["inbox_id"]) == ("new", "inbox-1")
    assert told(desk) == [("hand_over", "hand-over", "handed-over")]


def test_a_test_mail_is_told_when_it_is_sent() -> None:
    desk, account = held(testEmail={"recipient": "ops@company.com", "requestID": "1"})
    call = desk.ask(Operation.SEND_TEST_EMAIL, account, inbox_ids=("inbox-1",))
    desk.answer(call, MailSent(None, None, code=200))
    assert told(desk) == [("send_test_email", "spec", "intent"), ("send_test_email", "spec", "sent")]


def test_a_call_whose_lines_cannot_be_written_leaves_no_line() -> None:
    desk = Desk()
    desk.sweep()
    call = desk.ask(Operation.CREATE_SMTP, desk.account())
    desk.workspace.audit.take_back(call)
    assert told(desk) == []
