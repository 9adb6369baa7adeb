"""Polls of bulk jobs, and which jobs need none."""

from collections.abc import Iterator

from coldsend_operator.core.calls import Lane, Operation
from coldsend_operator.core.jobs import Job
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Candidate, ample
from coldsend_operator.core.steps import Move

STORED_WITHIN = 300.0  # the id of a job stands in the status of its members before it is polled (safety.md, 8)


def polls(ledger: Ledger, now: float) -> Iterator[Candidate]:
    spared = set(unpolled(ledger, now))
    for job in ledger.jobs.values():
        if job.flying or job.next_poll is None or job.id in spared:
            continue
        create = job.operation == "Create"
        # One object whose status cannot be written must not keep the others waiting; its mark tells of the create.
        ready_at = max(job.next_poll, job.begun + STORED_WITHIN) if job.unstored else job.next_poll
        yield Candidate(
            ready_at=ready_at,
            score=ready_at + Lane.POLL.patience,
            operation=Operation.POLL_CREATE_JOB if create else Operation.POLL_DELETE_JOB,
            lane=Lane.POLL,
            job=job.id,
        )


def unpolled(ledger: Ledger, now: float) -> dict[str, Job]:
    """Jobs that are not polled at first, by id: more creates wait, and requests are scarce.

    Each inbox is looked up in the end anyway. One look at the newest rows for all jobs under way ends those whose
    inboxes it shows, at half the requests; the others are polled after it.
    """
    if ample(ledger, now) or not _more_wait(ledger):
        return {}
    return {job.id: job for job in ledger.jobs.values() if job.unasked}


def _more_wait(ledger: Ledger) -> bool:
    return any(move is Move.CREATE and len(queue) > 1 for (move, _), queue in ledger.queues.items())
