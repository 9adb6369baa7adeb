"""Creations: a lone one by the single endpoint, what waits together in bulks."""

from collections.abc import Iterator

from coldsend_operator.core.calls import BULK, Lane, Operation
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Candidate, ample, score
from coldsend_operator.core.planning.looks import looking
from coldsend_operator.core.steps import Move


def creates(ledger: Ledger, now: float) -> Iterator[Candidate]:
    busy = sum(1 for call in ledger.flying.values() if call.operation.creates and len(call.uids) > 1)
    jobs = sum(1 for job in ledger.jobs.values() if job.operation == "Create")
    bulk_free = busy + jobs < ledger.parallel["Create"] and not looking(ledger)
    for split in ledger.splits:
        uids = ledger.still_queued(split)
        if uids and bulk_free:
            group = ledger.create_group(ledger.accounts[uids[0]])
            yield _create(ledger, uids, group, _since(ledger, group, now))
            return
    for (move, group), queue in ledger.queues.items():
        if move is not Move.CREATE or not len(queue):
            continue
        if group.startswith("single:"):
            uids = queue.take(1)
            ready_at = queue.since
        else:
            ready_at = queue.ready_at(now, BULK, ample=ample(ledger, now))
            uids = queue.take(_most(ledger, group))
        if len(uids) > 1 and not bulk_free:
            continue
        if uids:
            yield _create(ledger, uids, group, ready_at)


def _since(ledger: Ledger, group: str, now: float) -> float:
    queue = ledger.queues.get((Move.CREATE, group))
    return queue.since if queue else now


def _most(ledger: Ledger, group: str) -> int:
    """A bulk carries 100, and of native inboxes no more than the domain has room for."""
    domain = None if group == "smtp" else ledger.domains.by_id(group)
    return BULK if domain is None else max(0, min(BULK, ledger.domains.free(domain)))


def _create(ledger: Ledger, uids: tuple[str, ...], group: str, ready_at: float) -> Candidate:
    smtp = group == "smtp"
    if len(uids) > 1:
        operation = Operation.CREATE_SMTP_BULK if smtp else Operation.CREATE_NATIVE_BULK
    else:
        operation = Operation.CREATE_SMTP if smtp else Operation.CREATE_NATIVE
    return Candidate(
        ready_at=ready_at,
        score=score(ledger, Lane.CREATE, ready_at, group),
        operation=operation,
        lane=Lane.CREATE,
        uids=uids,
        domain_id=None if smtp else group.removeprefix("single:"),
    )
