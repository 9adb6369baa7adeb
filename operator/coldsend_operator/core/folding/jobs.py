"""Bulk jobs: begun, progressed, ended, lost."""

from dataclasses import replace

from coldsend_operator.core import jobs
from coldsend_operator.core.answers import BulkAnswer, Failure, FailureKind, JobProgress
from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.folding.pieces import each_alone, outcome_unknown, says_exists
from coldsend_operator.core.jobs import Job
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account, JobRef, Lost


def begin_job(ledger: Ledger, call: Call, job_id: str, members: list[Account], now: float) -> None:
    """The id is stored with every member before the first poll (safety.md, 8).

    An id that stands for another job already tells nothing of that one any more: a look decides about its members.
    """
    if job_id in ledger.jobs:
        _finish_job(ledger, ledger.jobs[job_id], "Lost", now)
    uids = {account.uid for account in members}
    operation = "Create" if call.operation.creates else "Delete"
    job = Job(job_id, operation, uids, begun=now, moved_at=now, size=len(uids), left_at=call.begun)
    job.next_poll = ledger.pace.first_poll(job, ledger.policy.poll_seconds)
    ledger.jobs[job_id] = job
    for account in members:
        account.job = job_id
        account.wrote_at = now
        if operation == "Create":
            job.unstored.add(account.uid)
            account.facts = replace(account.facts, job=JobRef(job_id, operation))


def answered_at_once(ledger: Ledger, call: Call, operation: str, answer: BulkAnswer, now: float) -> None:
    """A bulk call with no job to follow: batches show it among the finished ones."""
    progress = JobProgress(total=answer.total, succeeded=answer.success_count, failed=answer.failed_count)
    job = Job(answer.job_id or "", operation, set(call.uids), call.begun, size=len(call.uids), progress=progress)
    ledger.finished_jobs.append((job, "Completed", now))


def finish_members(
    ledger: Ledger, name: str, members: list[Account], failures: dict[str, str], now: float, left_at: float | None
) -> None:
    """A bulk create has ended: the list says who has an inbox now, its rows are hints (contract row 2).

    `left_at` is when its call left; None when an earlier run sent it.
    """

    def finish(account: Account) -> None:
        account.lost = Lost(name, now, left_at)  # whatever fails below
        account.job = None
        hint = failures.get(account.address or "")
        existed = account.repeats is None and says_exists(hint)
        if account.repeats is not None and says_exists(hint):
            account.since = account.repeats  # most likely it speaks of the lost create that this one repeated
        account.facts = replace(account.facts, job=None)
        account.wrote_at = now
        account.lost = Lost(name, now, left_at, hint, answered=True, existed=existed)
        account.look_at, account.looks = None, 0
        ledger.touch(account.uid)

    each_alone(members, finish)


def progressed(ledger: Ledger, call: Call, progress: JobProgress, now: float) -> None:
    job = ledger.jobs.get(call.job or "")
    if job is None:
        return
    jobs.fold(job, progress, now)
    if jobs.ended(progress):
        ledger.pace.learn(job)
        ledger.parallel[job.operation] = 4
        _finish_job(ledger, job, "Completed", now)
    elif jobs.stuck(job, now):
        _finish_job(ledger, job, "Failed", now)
    else:
        job.next_poll = ledger.pace.next_poll(job, now, ledger.policy.poll_seconds)


def poll_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    job = ledger.jobs.get(call.job or "")
    if job is None:
        return
    if failure.kind is FailureKind.NOT_FOUND:
        _finish_job(ledger, job, "Lost", now)
    elif jobs.stuck(job, now):
        _finish_job(ledger, job, "Failed", now)
    else:
        job.polls, job.asked_at = job.polls + 1, now
        job.next_poll = ledger.pace.next_poll(job, now, ledger.policy.poll_seconds)


def _finish_job(ledger: Ledger, job: Job, state: str, now: float) -> None:
    del ledger.jobs[job.id]
    ledger.finished_jobs.append((job, state, now))
    members = [account for uid in job.members if (account := ledger.accounts.get(uid)) is not None]
    results = job.progress.results if job.progress is not None else ()
    if job.operation == "Create":
        failures = jobs.failures(results)
        finish_members(ledger, f"job-{job.id}", members, failures, now, job.left_at if state == "Completed" else None)
        if state != "Completed":
            outcome_unknown(ledger, Operation.CREATE_SMTP_BULK, tuple(sorted(job.members)), now)
        return
    progress = job.progress
    doubted = progress is None or bool(progress.failed or progress.skipped) or state != "Completed"
    for account in members:
        account.job = None
        account.doubted = doubted
        account.look_at, account.looks = None, 0
        ledger.touch(account.uid)
