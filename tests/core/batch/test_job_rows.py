"""The rows of `status.jobs` are complete from their first writing on."""

from coldsend_operator.core.batch.jobs import job_rows
from coldsend_operator.core.model.answers import BulkAnswer
from coldsend_operator.core.model.calls import Operation
from tests.support.desk import Desk

COUNTS = ("total", "processed", "succeeded", "failed", "progressPercentage")


def test_a_job_that_was_not_polled_yet_shows_that_nothing_is_done() -> None:
    desk = _with_a_job()
    (row,) = job_rows((), desk.workspace.jobs.values(), (), desk.now)
    assert [row[count] for count in COUNTS] == [2, 0, 0, 0, 0]


def test_a_job_that_a_new_process_has_not_polled_yet_keeps_its_counts() -> None:
    desk = _with_a_job()
    before = {"id": "job-1", "processed": 2, "succeeded": 1, "failed": 1, "progressPercentage": 100}
    (row,) = job_rows((before,), desk.workspace.jobs.values(), (), desk.now)
    assert [row[count] for count in COUNTS] == [2, 2, 1, 1, 100]


def _with_a_job() -> Desk:
    desk = Desk()
    accounts = desk.asked_for("a@company.com", "b@company.com")
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1", total=2))
    return desk
