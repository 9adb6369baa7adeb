"""Answers that contradict one another, or what was asked: nothing is stuck, and nothing of others is taken."""

import pytest

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Created, JobProgress
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld, asked_for, row

ENDED = JobProgress(status="COMPLETED")


def bulk(core: CoreWorld, *names: str) -> list[Account]:
    accounts = [core.account(f"{name}@company.com") for name in names]
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1"))
    return accounts


def test_two_bulk_creates_that_are_told_the_same_job_both_end_with_it() -> None:
    core = CoreWorld()
    core.sweep()
    accounts = [*bulk(core, "a", "b"), *bulk(core, "c", "d")]
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), ENDED)
    assert [account.job for account in accounts] == [None] * 4
    assert all(account.unknown_create is not None for account in accounts)


@pytest.mark.parametrize("create_first", [True, False])
def test_a_create_and_a_delete_that_are_told_the_same_job_both_end(create_first: bool) -> None:
    core = CoreWorld()
    doomed = [core.holder(f"{name}@company.com", f"in-{name}", deleting=True) for name in "xy"]
    core.show(*doomed)
    made = bulk(core, "a", "b") if create_first else []
    ids = tuple(account.stored.inbox_id or "" for account in doomed)
    core.answer(core.ask(Operation.DELETE_ACCOUNTS, *doomed, inbox_ids=ids), BulkAnswer(job_id="job-1"))
    made = made or bulk(core, "a", "b")
    for _ in range(2):
        for job in tuple(core.workspace.jobs.values()):
            operation = Operation.POLL_CREATE_JOB if job.operation == "Create" else Operation.POLL_DELETE_JOB
            core.answer(core.ask(operation, job=job.id), ENDED)
    assert [account.job for account in (*made, *doomed)] == [None] * 4
    assert all(account.unknown_create is not None for account in made)


def test_a_create_that_is_answered_with_the_inbox_of_another_address_takes_nothing() -> None:
    core, account = asked_for("a@company.com")
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(row("other@company.com", "inbox-9", made=core.now)))
    assert not account.stored.held
    assert account.unknown_create is not None
    owner = core.account("other@company.com", adoptionPolicy="Adopt")
    core.sweep(row("other@company.com", "inbox-9", made=core.now), row("a@company.com", "inbox-1", made=core.now))
    core.patch(owner)
    assert [each.stored.inbox_id for each in (account, owner)] == ["inbox-1", "inbox-9"]
