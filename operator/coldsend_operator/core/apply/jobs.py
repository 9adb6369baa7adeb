"""Bulk jobs: started, in progress, ended, lost."""

from collections.abc import Callable, Iterable

from coldsend_operator.core.apply.common import members_of, outcome_unknown, says_exists
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind, JobProgress
from coldsend_operator.core.model.calls import Call, Operation
from coldsend_operator.core.model.phases import UnknownCreate
from coldsend_operator.core.workspace import jobs
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.core.workspace.workspace import Workspace


def begin_job(workspace: Workspace, call: Call, job_id: str, members: list[Account], now: float) -> None:
    """The id is stored with every member before the first poll (rule 8).

    An id already in use by another job no longer identifies that one: a probe decides about its members.
    """
    if job_id in workspace.jobs:
        _finish_job(workspace, call.key, workspace.jobs[job_id], "Lost", now)
    uids = {account.uid for account in members}
    operation = jobs.job_operation(call.operation)
    job = Job(job_id, operation, uids, begun=now, moved_at=now, size=len(uids), left_at=call.begun)
    job.next_poll = workspace.poll_intervals.first_poll(job, workspace.policy.poll_seconds)
    workspace.jobs[job_id] = job
    for account in members:
        if operation == "Create":
            job.unstored.add(account.uid)
            transitions.create_job_started(account, job_id, now)
        else:
            transitions.delete_job_started(account, job_id, now)


def answered_at_once(workspace: Workspace, call: Call, answer: BulkAnswer, now: float) -> None:
    """A bulk call without a job: batches list it as finished."""
    operation = jobs.job_operation(call.operation)
    workspace.parallel[operation] = jobs.MAX_PARALLEL
    progress = JobProgress(total=answer.total, succeeded=answer.success_count, failed=answer.failed_count)
    job = Job(answer.job_id or "", operation, set(call.uids), call.begun, size=len(call.uids), progress=progress)
    workspace.finished_jobs.append((job, "Completed", now))


def finish_members(
    workspace: Workspace, name: str, members: list[Account], failures: dict[str, str], now: float, left_at: float | None
) -> None:
    """A bulk create has ended: the list shows the inboxes; its rows are hints (contract row 2).

    `left_at` is when its call left, or this run began to follow its job; None where an earlier run sent it and ColdSend
    does not tell of each that it is made: then clocks decide (rule 39).
    """

    def finish(account: Account) -> None:
        transitions.bulk_create_ended(account, UnknownCreate(name, now, left_at), now)  # even if something below fails
        hint = failures.get(account.address or "")
        transitions.bulk_create_told(account, hint, exists=says_exists(hint))
        workspace.touch(account.uid)

    _each_alone(members, finish)


def progressed(workspace: Workspace, call: Call, progress: JobProgress, now: float) -> None:
    job = workspace.jobs.get(call.job or "")
    if job is None:
        return
    jobs.fold(job, progress, now)
    if jobs.ended(progress):
        workspace.poll_intervals.learn(job)
        workspace.parallel[job.operation] = jobs.MAX_PARALLEL
        _finish_job(workspace, call.key, job, "Completed", now)
    elif jobs.stuck(job, now):
        _finish_job(workspace, call.key, job, "Failed", now)
    else:
        job.next_poll = workspace.poll_intervals.next_poll(job, now, workspace.policy.poll_seconds)


def poll_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    job = workspace.jobs.get(call.job or "")
    if job is None:
        return
    if failure.kind is FailureKind.NOT_FOUND:
        _finish_job(workspace, call.key, job, "Lost", now)
    elif jobs.stuck(job, now):
        _finish_job(workspace, call.key, job, "Failed", now)
    else:
        job.polls, job.asked_at = job.polls + 1, now
        job.next_poll = workspace.poll_intervals.next_poll(job, now, workspace.policy.poll_seconds)


def _finish_job(workspace: Workspace, key: str, job: Job, state: str, now: float) -> None:
    del workspace.jobs[job.id]
    workspace.finished_jobs.append((job, state, now))
    members = members_of(workspace, job.members)
    results = job.progress.results if job.progress is not None else ()
    if job.operation == "Create":
        failures = jobs.failures(results)
        left_at = job.left_at
        if left_at is None and jobs.tells_of_each(job, failures):
            left_at = job.begun  # no probe of this run began before, so none showed what was there before the call
        finish_members(workspace, f"job-{job.id}", members, failures, now, left_at if state == "Completed" else None)
        if state != "Completed":
            outcome_unknown(workspace, key, Operation.CREATE_SMTP_BULK, tuple(sorted(job.members)), now)
        return
    progress = job.progress
    uncertain = progress is None or bool(progress.failed or progress.skipped) or state != "Completed"
    for account in members:
        transitions.delete_job_ended(account, partial=uncertain)
        workspace.touch(account.uid)


def _each_alone(accounts: Iterable[Account], take_in: Callable[[Account], None]) -> None:
    """Apply a response account by account: an error affects only its account (rule 38).

    Raises the error when all others are done.
    """
    faults = []
    for account in accounts:
        try:
            take_in(account)
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong with one account costs that account alone
            faults.append(fault)
    if faults:
        raise ExceptionGroup("an answer could not be taken in for all its accounts", faults)
