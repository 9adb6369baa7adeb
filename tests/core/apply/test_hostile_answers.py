"""Answers that contradict one another, or what was asked: nothing is stuck, and nothing of others is taken."""

import pytest

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Created, JobProgress
from coldsend_operator.core.model.calls import Operation
from tests.support.desk import Desk, asked_for, row

ENDED = JobProgress(status="COMPLETED")


def bulk(desk: Desk, *names: str) -> list[Account]:
    accounts = [desk.account(f"{name}@company.com") for name in names]
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1"))
    return accounts


def test_two_bulk_creates_that_are_told_the_same_job_both_end_with_it() -> None:
    desk = Desk()
    desk.sweep()
    accounts = [*bulk(desk, "a", "b"), *bulk(desk, "c", "d")]
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), ENDED)
    assert [account.job for account in accounts] == [None] * 4
    assert all(account.unknown_create is not None for account in accounts)


@pytest.mark.parametrize("create_first", [True, False])
def test_a_create_and_a_delete_that_are_told_the_same_job_both_end(create_first: bool) -> None:
    desk = Desk()
    doomed = [desk.holder(f"{name}@company.com", f"in-{name}", deleting=True) for name in "xy"]
    desk.show(*doomed)
    made = bulk(desk, "a", "b") if create_first else []
    ids = tuple(account.stored.inbox_id or "" for account in doomed)
    desk.answer(desk.ask(Operation.DELETE_ACCOUNTS, *doomed, inbox_ids=ids), BulkAnswer(job_id="job-1"))
    made = made or bulk(desk, "a", "b")
    for _ in range(2):
        for job in tuple(desk.workspace.jobs.values()):
            operation = Operation.POLL_CREATE_JOB if job.operation == "Create" else Operation.POLL_DELETE_JOB
            desk.answer(desk.ask(operation, job=job.id), ENDED)
    assert [account.job for account in (*made, *doomed)] == [None] * 4
    assert all(account.unknown_create is not None for account in made)


def test_a_create_that_is_answered_with_the_inbox_of_another_address_takes_nothing() -> None:
    desk, account = asked_for("a@company.com")
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Created(row("other@company.com", "inbox-9", made=desk.now)))
    assert not account.stored.held
    assert account.unknown_create is not None
    owner = desk.account("other@company.com", adoptionPolicy="Adopt")
    desk.sweep(row("other@company.com", "inbox-9", made=desk.now), row("a@company.com", "inbox-1", made=desk.now))
    desk.patch(owner)
    assert [each.stored.inbox_id for each in (account, owner)] == ["inbox-1", "inbox-9"]
