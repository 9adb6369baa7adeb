"""Many creates wait and requests are scarce: one look at the newest rows ends the jobs whose inboxes it shows."""

from typing import Any

from coldsend_operator.core.answers import BulkAnswer, JobProgress, Page, Row
from coldsend_operator.core.budget import Limits
from coldsend_operator.core.calls import Operation
from coldsend_operator.core.policy import Policy
from coldsend_operator.core.records import Account
from tests.support.desk import Desk, row

JOBS = ("job-1", "job-2")
SECONDS = 5.0  # later both jobs are likely done


def flooded(*, scarce: bool = True) -> tuple[Desk, list[Account]]:
    """Two jobs of two accounts are under way, and three more accounts wait."""
    desk = Desk(policy=Policy(limits=Limits(per_minute=10, reserve=0.0)))
    desk.sweep()
    accounts = [desk.account(f"{name}@company.com") for name in ("ann", "bob", "cat", "dan")]
    calls = [desk.ask(Operation.CREATE_SMTP_BULK, *pair) for pair in (accounts[:2], accounts[2:])]
    for call, job in zip(calls, JOBS, strict=True):
        desk.answer(call, BulkAnswer(job_id=job, total=2))
    for name in ("eve", "fay", "gus") if scarce else ():
        desk.account(f"{name}@company.com")
    desk.ledger.parallel["Create"] = 2
    desk.ledger.budget._minute.add(desk.now, 3 if scarce else 0)  # what others have spent
    desk.wait(SECONDS)
    return desk, accounts


def rows_of(accounts: list[Account], **changes: Any) -> list[Row]:
    return [row(account.address or "", f"inbox-{account.uid}", **changes) for account in accounts]


def look(desk: Desk, *rows: Row) -> None:
    call = desk.ask(Operation.LIST_ACCOUNTS, newest=True)
    desk.answer(call, Page(rows, 1, len(rows), 1, has_next=False))


def newest(desk: Desk) -> int:
    return sum(call.operation is Operation.LIST_ACCOUNTS and call.newest for call in desk.calls())


def test_that_one_look_is_taken_for_both_jobs_and_no_poll() -> None:
    desk, _ = flooded()
    assert newest(desk) == 1
    assert Operation.POLL_CREATE_JOB not in desk.operations()


def test_that_jobs_whose_inboxes_are_shown_are_over() -> None:
    desk, accounts = flooded()
    look(desk, *rows_of(accounts))
    assert not desk.ledger.jobs
    assert [state for _, state, _ in desk.ledger.finished_jobs] == ["Completed", "Completed"]
    assert [account.facts.inbox_id for account in accounts] == [f"inbox-{account.uid}" for account in accounts]


def test_that_a_job_of_which_one_inbox_is_missing_is_polled_then() -> None:
    desk, accounts = flooded()
    look(desk, *rows_of(accounts[:3]))
    assert list(desk.ledger.jobs) == ["job-2"]
    polls = [call for call in desk.calls() if call.operation is Operation.POLL_CREATE_JOB]
    assert [call.job for call in polls] == ["job-2"]
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-2"), JobProgress(status="COMPLETED", total=2))
    assert not desk.ledger.jobs


def test_that_a_job_whose_inboxes_are_still_checked_is_polled_then() -> None:
    desk, accounts = flooded()
    look(desk, *rows_of(accounts, overall_status="PENDING"))
    assert list(desk.ledger.jobs) == list(JOBS)
    assert desk.operations().count(Operation.POLL_CREATE_JOB) == 2


def test_that_an_inbox_that_is_not_ours_ends_no_job() -> None:
    desk, accounts = flooded()
    look(desk, *rows_of(accounts, display_name="Somebody else"))
    assert list(desk.ledger.jobs) == list(JOBS)


def test_that_jobs_are_polled_when_nothing_else_waits() -> None:
    desk, _ = flooded(scarce=False)
    assert desk.operations().count(Operation.POLL_CREATE_JOB) == 2
    assert newest(desk) == 0


def test_that_polls_that_the_budget_delayed_do_not_make_jobs_seem_slow() -> None:
    desk, _ = flooded(scarce=False)
    desk.wait(50.0)
    for job in JOBS:
        desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job=job), JobProgress(status="COMPLETED", total=2))
    more = [desk.account(f"{name}@company.com") for name in ("eve", "fay")]
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, *more), BulkAnswer(job_id="job-3", total=2))
    desk.wait(SECONDS)
    assert Operation.POLL_CREATE_JOB in desk.operations()
