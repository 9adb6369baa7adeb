"""Polls of bulk jobs."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.plan.candidate import Candidate, score
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.core.workspace.workspace import Workspace

STORED_WITHIN = 300.0  # rule 8: the job id is stored before the first poll


def polls(workspace: Workspace) -> Iterator[Candidate]:
    for job in workspace.jobs.values():
        if job.in_flight or job.next_poll is None:
            continue
        create = job.operation == "Create"
        # An object whose status cannot be written must not block the others; its create mark records the create.
        ready_at = max(job.next_poll, job.begun + STORED_WITHIN) if job.unstored else job.next_poll
        key = _key_of(workspace, job)
        yield Candidate(
            ready_at=ready_at,
            score=score(workspace, Lane.POLL, key, ready_at),
            operation=Operation.POLL_CREATE_JOB if create else Operation.POLL_DELETE_JOB,
            lane=Lane.POLL,
            key=key,
            job=job.id,
        )


def _key_of(workspace: Workspace, job: Job) -> str:
    """The key of its members: a poll of their own may name them."""
    members = (workspace.accounts.get(uid) for uid in sorted(job.members))
    found = (account.key for account in members if account is not None)
    return next(found, None) or workspace.keys.for_list(Operation.POLL_CREATE_JOB)
