"""Tenants share bulk calls: the status of one that refuses to be written keeps nobody else waiting."""

from coldsend_operator.core.model.answers import BulkAnswer
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld


def test_that_a_job_is_polled_late_when_one_member_cannot_store_its_id() -> None:
    core = CoreWorld()
    first, second = core.account("a@company.com"), core.account("b@company.com", namespace="frozen")
    core.sweep()
    core.stores = False
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, first, second), BulkAnswer(job_id="job-1", total=2))
    core.workspace.status_stored(first.uid, first.stored)
    core.wait(290.0)
    assert Operation.POLL_CREATE_JOB not in core.operations()
    core.wait(11.0)
    assert Operation.POLL_CREATE_JOB in core.operations()


def test_that_a_job_is_polled_soon_when_all_have_stored_its_id() -> None:
    core = CoreWorld()
    accounts = [core.account("a@company.com"), core.account("b@company.com")]
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1", total=2))
    core.wait(3.0)
    assert Operation.POLL_CREATE_JOB in core.operations()
