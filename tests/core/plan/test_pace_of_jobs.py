"""When a bulk job is asked for its progress: when one of its size is likely done, as the jobs before it have shown."""

from coldsend_operator.core.model.answers import BulkAnswer, JobProgress
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld

ENDED = JobProgress(status="COMPLETED", total=2)


def begin(core: CoreWorld, job: str, *names: str) -> None:
    accounts = [core.account(f"{name}@company.com") for name in names]
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id=job, total=len(accounts)))


def end(core: CoreWorld, job: str) -> None:
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job=job), ENDED)


def polled(core: CoreWorld) -> bool:
    return Operation.POLL_CREATE_JOB in core.operations()


def slow_first_job() -> CoreWorld:
    """A job that was still running after 10 s, and over after 30."""
    core = CoreWorld()
    core.sweep()
    begin(core, "job-1", "ann", "bob")
    core.wait(10.0)
    running = JobProgress(status="RUNNING", total=2, processed=1)
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), running)
    core.wait(20.0)
    end(core, "job-1")
    return core


def test_that_the_next_job_of_that_size_is_asked_as_late_as_the_last_one_took() -> None:
    core = slow_first_job()
    begin(core, "job-2", "cat", "dan")
    core.wait(15.0)
    assert not polled(core)
    core.wait(6.0)
    assert polled(core)


def test_that_a_job_of_another_size_is_asked_early() -> None:
    core = slow_first_job()
    begin(core, "job-2", "cat", "dan", "eve", "fay")
    core.wait(3.0)
    assert polled(core)


def test_that_polls_that_the_budget_delayed_do_not_make_jobs_seem_slow() -> None:
    core = CoreWorld()
    core.sweep()
    begin(core, "job-1", "ann", "bob")
    core.wait(50.0)
    end(core, "job-1")
    begin(core, "job-2", "cat", "dan")
    core.wait(3.0)
    assert polled(core)


def test_that_a_job_from_before_a_restart_teaches_nothing() -> None:
    core = slow_first_job()
    begin(core, "job-2", "cat", "dan")
    core.workspace.jobs["job-2"].next_poll = core.workspace.jobs["job-2"].begun
    end(core, "job-2")
    begin(core, "job-3", "eve", "fay")
    core.wait(15.0)
    assert not polled(core)
