"""When a bulk job is asked for its progress: when one of its size is likely done, as the jobs before it have shown."""

from coldsend_operator.core.model.answers import BulkAnswer, JobProgress
from coldsend_operator.core.model.calls import Operation
from tests.support.desk import Desk

ENDED = JobProgress(status="COMPLETED", total=2)


def begin(desk: Desk, job: str, *names: str) -> None:
    accounts = [desk.account(f"{name}@company.com") for name in names]
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id=job, total=len(accounts)))


def end(desk: Desk, job: str) -> None:
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job=job), ENDED)


def polled(desk: Desk) -> bool:
    return Operation.POLL_CREATE_JOB in desk.operations()


def slow_first_job() -> Desk:
    """A job that was still running after 10 s, and over after 30."""
    desk = Desk()
    desk.sweep()
    begin(desk, "job-1", "ann", "bob")
    desk.wait(10.0)
    running = JobProgress(status="RUNNING", total=2, processed=1)
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), running)
    desk.wait(20.0)
    end(desk, "job-1")
    return desk


def test_that_the_next_job_of_that_size_is_asked_as_late_as_the_last_one_took() -> None:
    desk = slow_first_job()
    begin(desk, "job-2", "cat", "dan")
    desk.wait(15.0)
    assert not polled(desk)
    desk.wait(6.0)
    assert polled(desk)


def test_that_a_job_of_another_size_is_asked_early() -> None:
    desk = slow_first_job()
    begin(desk, "job-2", "cat", "dan", "eve", "fay")
    desk.wait(3.0)
    assert polled(desk)


def test_that_polls_that_the_budget_delayed_do_not_make_jobs_seem_slow() -> None:
    desk = Desk()
    desk.sweep()
    begin(desk, "job-1", "ann", "bob")
    desk.wait(50.0)
    end(desk, "job-1")
    begin(desk, "job-2", "cat", "dan")
    desk.wait(3.0)
    assert polled(desk)


def test_that_a_job_from_before_a_restart_teaches_nothing() -> None:
    desk = slow_first_job()
    begin(desk, "job-2", "cat", "dan")
    desk.workspace.jobs["job-2"].next_poll = desk.workspace.jobs["job-2"].begun
    end(desk, "job-2")
    begin(desk, "job-3", "eve", "fay")
    desk.wait(15.0)
    assert not polled(desk)
