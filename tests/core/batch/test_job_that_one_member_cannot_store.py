"""Tenants share bulk calls: the status of one that refuses to be written keeps nobody else waiting."""

from coldsend_operator.core.model.answers import BulkAnswer
from coldsend_operator.core.model.calls import Operation
from tests.support.desk import Desk


def test_that_a_job_is_polled_late_when_one_member_cannot_store_its_id() -> None:
    desk = Desk()
    first, second = desk.account("a@company.com"), desk.account("b@company.com", namespace="frozen")
    desk.sweep()
    desk.stores = False
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, first, second), BulkAnswer(job_id="job-1", total=2))
    desk.workspace.status_stored(first.uid, first.stored)
    desk.wait(290.0)
    assert Operation.POLL_CREATE_JOB not in desk.operations()
    desk.wait(11.0)
    assert Operation.POLL_CREATE_JOB in desk.operations()


def test_that_a_job_is_polled_soon_when_all_have_stored_its_id() -> None:
    desk = Desk()
    accounts = [desk.account("a@company.com"), desk.account("b@company.com")]
    desk.sweep()
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1", total=2))
    desk.wait(3.0)
    assert Operation.POLL_CREATE_JOB in desk.operations()
