"""A bulk job that never ends, or takes minutes, keeps nobody else waiting."""

from coldsend_operator.core.model.answers import BulkAnswer, DomainPage, Failure, FailureKind, JobProgress
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld
from tests.support.remote import DOMAIN


def under_way(core: CoreWorld) -> None:
    accounts = [core.account(f"{n}@company.com") for n in range(3)]
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id="job-1", total=3))


def poll(core: CoreWorld, processed: int) -> None:
    call = core.ask(Operation.POLL_CREATE_JOB, job="job-1")
    core.answer(call, JobProgress(status="IN_PROGRESS", total=3, processed=processed))


def more(core: CoreWorld) -> None:
    for number in range(3):
        core.account(f"more-{number}@company.com")
    core.wait(5.0)


def test_that_native_inboxes_do_not_wait_for_a_job_of_smtp_accounts() -> None:
    core = CoreWorld()
    under_way(core)
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((DOMAIN,), 1, has_next=False))
    for number in range(3):
        core.account(f"n{number}@{DOMAIN.domain_name}")
    core.wait(5.0)
    assert Operation.CREATE_NATIVE_BULK in core.operations()


def test_that_a_job_which_goes_on_keeps_its_slot() -> None:
    core = CoreWorld()
    under_way(core)
    more(core)
    for done in range(3):
        core.wait(50.0)
        poll(core, done)
        assert Operation.CREATE_SMTP_BULK not in core.operations()


def test_that_a_job_without_progress_for_a_minute_gives_its_slot_back_and_is_watched_on() -> None:
    core = CoreWorld()
    under_way(core)
    more(core)
    poll(core, 0)
    core.wait(61.0)
    assert Operation.CREATE_SMTP_BULK not in core.operations()
    poll(core, 0)
    assert Operation.CREATE_SMTP_BULK in core.operations()
    assert "job-1" in core.workspace.jobs


def test_that_a_job_which_cannot_be_asked_for_gives_its_slot_back_too() -> None:
    core = CoreWorld()
    under_way(core)
    more(core)
    core.wait(61.0)
    down = Failure(FailureKind.UNAVAILABLE, "Internal Server Error", 500)
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), down)
    assert Operation.CREATE_SMTP_BULK in core.operations()
