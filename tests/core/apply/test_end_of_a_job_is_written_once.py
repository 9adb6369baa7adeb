"""The end of a bulk job and the inboxes that a look shows after it are one write of status, not two."""

import pytest

from coldsend_operator.core.decide import QUIET_SECONDS
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, JobProgress
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.status.projection import project
from tests.support.core_world import CoreWorld, row


def after_the_job(seconds: float = 0.0) -> tuple[CoreWorld, Account]:
    """The job has ended after so long, and the look at its inboxes has not left yet; status still names the job."""
    core = CoreWorld()
    core.sweep()
    account, other = core.account("ann@company.com"), core.account("bob@company.com")
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, account, other), BulkAnswer(job_id="job-1", total=2))
    core.wait(seconds)
    core.stores = False
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), JobProgress(status="COMPLETED", total=2))
    assert account.confirmed.job is not None
    assert account.stored.job is None
    return core, account


@pytest.mark.parametrize("seconds", [0.0, 2 * QUIET_SECONDS])
def test_that_the_end_alone_is_not_written(seconds: float) -> None:
    core, account = after_the_job(seconds)
    assert core.step(account).action is Action.SEARCH
    assert project(account, core.workspace, core.now) is None


def test_that_it_is_written_with_the_inbox() -> None:
    core, account = after_the_job()
    core.search(account, row("ann@company.com", "inbox-1"))
    status = project(account, core.workspace, core.now)
    assert status is not None
    assert status["inboxID"] == "inbox-1"
    assert "job" not in status


def test_that_it_is_written_when_the_probe_keeps_waiting() -> None:
    core, account = after_the_job()
    core.wait(QUIET_SECONDS + 1)
    status = project(account, core.workspace, core.now)
    assert status is not None
    assert "job" not in status
