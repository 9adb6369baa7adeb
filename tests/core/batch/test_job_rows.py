"""The rows of `status.jobs` are complete from their first writing on."""

from coldsend_operator.core.batch.jobs import job_rows
from coldsend_operator.core.model.answers import BulkAnswer
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld

COUNTS = ("total", "processed", "succeeded", "failed", "progressPercentage")


def test_a_job_that_was_not_polled_yet_shows_that_nothing_is_done() -> None:
    core = _with_a_job()
    (row,) = job_rows((), core.workspace.jobs.values(), (), core.now)
    assert [row[count] for count in COUNTS] == [2, 0, 0, 0, 0]


def test_a_job_that_a_new_process_has_not_polled_yet_keeps_its_counts() -> None:
    core = _with_a_job()
    before = {"id": "job-1", "processed": 2, "succeeded": 1, "failed": 1, "progressPercentage": 100}
    (row,) = job_rows((before,), core.workspace.jobs.values(), (), core.now)
    assert [row[count] for count in COUNTS] == [2, 2, 1, 1, 100]


def _with_a_job() -> CoreWorld:
    core = CoreWorld()
    accounts = core.asked_for("a@company.com", "b@company.com")
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1", total=2))
    return core
