"""The end of a bulk job and the inboxes that a look shows after it are one write of status, not two."""

from coldsend_operator.core.answers import BulkAnswer, JobProgress
from coldsend_operator.core.calls import Operation
from coldsend_operator.core.deciding import QUIET_SECONDS
from coldsend_operator.core.projection import project
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps import Move
from tests.support.desk import Desk, row


def after_the_job() -> tuple[Desk, Account]:
    """The job has ended, and the look at its inboxes has not left yet; status still names the job."""
    desk = Desk()
    desk.sweep()
    account, other = desk.account("ann@company.com"), desk.account("bob@company.com")
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, account, other), BulkAnswer(job_id="job-1", total=2))
    desk.stores = False
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), JobProgress(status="COMPLETED", total=2))
    assert account.recorded.job is not None
    assert account.facts.job is None
    return desk, account


def test_that_the_end_alone_is_not_written() -> None:
    desk, account = after_the_job()
    assert desk.step(account).move is Move.SEARCH
    assert project(account, desk.ledger, desk.now) is None


def test_that_it_is_written_with_the_inbox() -> None:
    desk, account = after_the_job()
    desk.search(account, row("ann@company.com", "inbox-1"))
    status = project(account, desk.ledger, desk.now)
    assert status is not None
    assert status["inboxID"] == "inbox-1"
    assert "job" not in status


def test_that_it_is_written_when_the_look_keeps_waiting() -> None:
    desk, account = after_the_job()
    desk.wait(QUIET_SECONDS + 1)
    status = project(account, desk.ledger, desk.now)
    assert status is not None
    assert "job" not in status
