"""The audit log: what is told of each write, its cause, who approved it and what came of it."""

from typing import Any

import pytest

from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import BulkAnswer, Created, Deleted, Failure, FailureKind, MailSent
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import BatchSettings, NamespaceSettings
from coldsend_operator.core.workspace.audit_lines import fields_of
from tests.support.core_world import ANN, BOB, LOST, CoreWorld, held, row

POOL = "uid-of-the-pool"


def told(core: CoreWorld) -> list[tuple[str, ...]]:
    """Operation, cause and outcome of each line since the last look."""
    lines = [fields_of(line) for line in core.workspace.audit.lines]
    core.workspace.audit.lines.clear()
    return [(str(line["operation"]), str(line["cause"]), str(line["outcome"])) for line in lines]


def last(core: CoreWorld) -> dict[str, Any]:
    return fields_of(core.workspace.audit.lines[-1])


def deleted(core: CoreWorld, account: Account, inbox_id: str = "inbox-1") -> None:
    """Its inbox is deleted and seen to be gone."""
    call = core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=(inbox_id,))
    core.answer(call, Deleted(code=200))
    core.wait(2)
    core.sweep()


def test_a_new_inbox_is_told_before_the_call_leaves_and_when_it_is_there() -> None:
    core = CoreWorld()
    core.sweep()
    account = core.account()
    call = core.ask(Operation.CREATE_SMTP, account)
    assert last(core)["outcome"] == "intent"
    core.answer(call, Created(row(), code=201))
    assert last(core) == {
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
    assert told(core) == [("create_smtp", "new", "intent"), ("create_smtp", "new", "created")]


def test_each_inbox_of_a_bulk_has_its_lines_and_the_job_stands_in_them() -> None:
    core = CoreWorld()
    core.sweep()
    ann, bob = core.account(), core.account(BOB)
    call = core.ask(Operation.CREATE_SMTP_BULK, ann, bob)
    core.answer(call, BulkAnswer(job_id="job-7", code=202))
    line = last(core)
    assert (line["job"], line["outcome"], line["code"], line["name"]) == ("job-7", "accepted", 202, "bob")
    assert len(told(core)) == 4


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
    core = CoreWorld()
    core.sweep()
    account = core.account()
    core.answer(core.ask(Operation.CREATE_SMTP, account), failure)
    assert (last(core)["outcome"], last(core)["code"]) == (outcome, failure.status)


def test_a_create_whose_answer_was_lost_is_told_again_when_its_inbox_appears() -> None:
    core = CoreWorld()
    core.sweep()
    account = core.account()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.search(account, row())
    assert told(core) == [("create_smtp", "new", each) for each in ("intent", "unknown", "created")]


def test_a_create_that_came_to_nothing_is_told_so_before_it_is_repeated() -> None:
    core = CoreWorld()
    core.sweep()
    account = core.account()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.wait(121)
    core.search(account)
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert told(core)[-1] == ("create_smtp", "new", "nothing")
    core.ask(Operation.CREATE_SMTP, account)
    assert last(core)["attempt"] == 2


def test_a_run_that_finds_a_create_of_the_one_before_tells_what_became_of_it() -> None:
    core = CoreWorld()
    account = core.account(marked=core.now - 1)
    core.search(account, row())
    assert told(core) == [("create_smtp", "new", "created")]


def test_the_job_of_an_earlier_run_stands_with_the_inbox_that_it_made() -> None:
    core = CoreWorld()
    job = {"id": "job-7", "operation": "Create", "state": "Running"}
    account = core.account(marked=core.now - 1, status={"job": job})
    poll = core.ask(Operation.POLL_CREATE_JOB, job="job-7")
    core.answer(poll, Failure(FailureKind.NOT_FOUND, "no such job", 404))
    core.search(account, row())
    line = last(core)
    assert (line["operation"], line["job"], line["outcome"]) == ("create_smtp_bulk", "job-7", "created")


def test_a_deletion_says_which_inbox_went_and_that_the_object_was_deleted() -> None:
    core, account = held(deleting=True)
    deleted(core, account)
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert last(core)["inbox_id"] == "inbox-1"
    assert told(core) == [("delete_account", "deletion", each) for each in ("intent", "accepted", "deleted")]


def test_a_run_that_finds_an_inbox_gone_which_was_to_be_deleted_says_gone() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.sweep()
    core.get(account)
    core.wait(1)
    core.search(account)
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert told(core) == [("delete_account", "deletion", "gone")]


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
    core = CoreWorld()
    core.workspace.policy.batches[POOL] = BatchSettings(approve_deletion=batch)
    core.workspace.policy.namespaces["sales"] = NamespaceSettings(approve_deletion=namespace)
    annotations = {"coldsend.pro/approve-deletion": "true"} if object_says else {}
    account = core.holder(deleting=True, batch=POOL, annotations=annotations)
    core.sweep(row())
    core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",))
    assert last(core)["approved_by"] == approved_by


@pytest.mark.parametrize(("listed", "cause"), [({"ann"}, "deletion"), (set[str](), "left-batch")])
def test_a_child_that_its_batch_does_not_list_any_more_has_left_it(listed: set[str], cause: str) -> None:
    core = CoreWorld()
    core.workspace.policy.batches[POOL] = BatchSettings(listed=listed)
    account = core.holder(deleting=True, batch=POOL)
    core.sweep(row())
    core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",))
    assert last(core)["cause"] == cause


def test_a_replacement_says_whether_spec_or_the_secret_asks_for_it_and_the_create_that_follows_belongs_to_it() -> None:
    for what in ("spec", "secret"):
        core, account = held(updatePolicy="Recreate")
        if what == "spec":
            core.change(account, ANN, updatePolicy="Recreate", displayName="Another")
        else:
            account.credentials = Credentials("hmac-of-two")
        deleted(core, account)
        assert core.patch(account) is Action.FORGET
        core.ask(Operation.CREATE_SMTP, account)
        assert told(core) == [
            ("delete_account", what, "intent"),
            ("delete_account", what, "accepted"),
            ("delete_account", what, "deleted"),
            ("create_smtp", "recreate", "intent"),
        ]


def test_an_inbox_that_a_person_removed_is_made_again_as_vanished() -> None:
    core = CoreWorld()
    account = core.holder()
    core.sweep()
    core.get(account)
    core.wait(1)
    core.search(account)
    assert core.patch(account) is Action.FORGET
    core.ask(Operation.CREATE_SMTP, account)
    assert told(core) == [("create_smtp", "vanished", "intent")]


def test_an_inbox_that_changes_its_object_is_told_without_a_call() -> None:
    core = CoreWorld()
    core.holder(name="old", deleting=True)
    core.account(name="new", finalizers=("coldsend.pro/finalizer",))
    core.sweep(row())
    line = last(core)
    assert (line["name"], line["inbox_id"]) == ("new", "inbox-1")
    assert told(core) == [("hand_over", "hand-over", "handed-over")]


def test_a_test_mail_is_told_when_it_is_sent() -> None:
    core, account = held(testEmail={"recipient": "ops@company.com", "requestID": "1"})
    call = core.ask(Operation.SEND_TEST_EMAIL, account, inbox_ids=("inbox-1",))
    core.answer(call, MailSent(None, None, code=200))
    assert told(core) == [("send_test_email", "spec", "intent"), ("send_test_email", "spec", "sent")]


def test_a_call_whose_lines_cannot_be_written_leaves_no_line() -> None:
    core = CoreWorld()
    core.sweep()
    call = core.ask(Operation.CREATE_SMTP, core.account())
    core.workspace.audit.take_back(call)
    assert told(core) == []
