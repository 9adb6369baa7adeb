"""A bulk job that never ends, or takes minutes, keeps nobody else waiting."""

from coldsend_operator.core.model.answers import BulkAnswer, DomainPage, Failure, FailureKind, JobProgress
from coldsend_operator.core.model.calls import Operation
from tests.support.desk import Desk
from tests.support.remote import DOMAIN


def under_way(desk: Desk) -> None:
    accounts = [desk.account(f"{n}@company.com") for n in range(3)]
    desk.sweep()
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1", total=3))


def poll(desk: Desk, processed: int) -> None:
    call = desk.ask(Operation.POLL_CREATE_JOB, job="job-1")
    desk.answer(call, JobProgress(status="IN_PROGRESS", total=3, processed=processed))


def more(desk: Desk) -> None:
    for number in range(3):
        desk.account(f"more-{number}@company.com")
    desk.wait(5.0)


def test_that_native_inboxes_do_not_wait_for_a_job_of_smtp_accounts() -> None:
    desk = Desk()
    under_way(desk)
    desk.answer(desk.ask(Operation.LIST_DOMAINS), DomainPage((DOMAIN,), 1, has_next=False))
    for number in range(3):
        desk.account(f"n{number}@{DOMAIN.domain_name}")
    desk.wait(5.0)
    assert Operation.CREATE_NATIVE_BULK in desk.operations()


def test_that_a_job_which_goes_on_keeps_its_slot() -> None:
    desk = Desk()
    under_way(desk)
    more(desk)
    for done in range(3):
        desk.wait(50.0)
        poll(desk, done)
        assert Operation.CREATE_SMTP_BULK not in desk.operations()


def test_that_a_job_without_progress_for_a_minute_gives_its_slot_back_and_is_watched_on() -> None:
    desk = Desk()
    under_way(desk)
    more(desk)
    poll(desk, 0)
    desk.wait(61.0)
    assert Operation.CREATE_SMTP_BULK not in desk.operations()
    poll(desk, 0)
    assert Operation.CREATE_SMTP_BULK in desk.operations()
    assert "job-1" in desk.workspace.jobs


def test_that_a_job_which_cannot_be_asked_for_gives_its_slot_back_too() -> None:
    desk = Desk()
    under_way(desk)
    more(desk)
    desk.wait(61.0)
    down = Failure(FailureKind.UNAVAILABLE, "Internal Server Error", 500)
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), down)
    assert Operation.CREATE_SMTP_BULK in desk.operations()
