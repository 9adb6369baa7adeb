"""Polls of bulk jobs."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.plan.candidate import Candidate, score
from coldsend_operator.core.workspace.workspace import Workspace

STORED_WITHIN = 300.0  # rule 8: the job id is stored before the first poll


def polls(workspace: Workspace) -> Iterator[Candidate]:
    for job in workspace.jobs.values():
        if job.in_flight or job.next_poll is None:
            continue
        create = job.operation == "Create"
        # An object whose status cannot be written must not block the others; its create mark records the create.
        ready_at = max(job.next_poll, job.begun + STORED_WITHIN) if job.unstored else job.next_poll
        yield Candidate(
            ready_at=ready_at,
            score=score(workspace, Lane.POLL, ready_at),
            operation=Operation.POLL_CREATE_JOB if create else Operation.POLL_DELETE_JOB,
            lane=Lane.POLL,
            job=job.id,
        )
