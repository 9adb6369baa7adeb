"""Creations: a lone one by the single endpoint, what waits together in bulks."""

from collections.abc import Iterator

from coldsend_operator.core.calls import BULK, Lane, Operation
from coldsend_operator.core.jobs import idle
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Candidate, ample, score
from coldsend_operator.core.planning.looks import looking
from coldsend_operator.core.steps import Move


def creates(ledger: Ledger, now: float) -> Iterator[Candidate]:
    """What goes again in halves comes before the rest of its group, which it would fail together with."""
    halved = set()
    without = ledger.budget.exhausted_by(now, looks=False)
    for split in ledger.splits:
        uids = ledger.in_turn(ledger.still_queued(split, Move.CREATE), without)
        group = ledger.create_group(ledger.accounts[uids[0]]) if uids else None
        if group is None or group in halved:
            continue
        halved.add(group)
        if len(uids) == 1 or _bulk_free(ledger, group):
            yield _create(ledger, uids, group, _since(ledger, group, now))
    for (move, group), queue in ledger.queues.items():
        if move is not Move.CREATE or not len(queue) or group in halved:
            continue
        if group.startswith("single:"):
            uids = queue.take(1, without)
            ready_at = queue.since
        else:
            ready_at = queue.ready_at(now, BULK, ample=ample(ledger, now))
            uids = queue.take(_most(ledger, group), without)
        if len(uids) > 1 and not _bulk_free(ledger, group):
            continue
        if uids:
            yield _create(ledger, uids, group, ready_at)


def _bulk_free(ledger: Ledger, group: str) -> bool:
    """Whether one more bulk of this kind may leave: only SMTP bulks have jobs, and native ones wait for none."""
    operation = _operation(group, 2)
    busy = sum(1 for call in ledger.flying.values() if call.operation is operation)
    if operation is Operation.CREATE_SMTP_BULK:
        busy += sum(1 for job in ledger.jobs.values() if job.operation == "Create" and not idle(job))
    return busy < ledger.parallel["Create"] and not looking(ledger)


def _operation(group: str, count: int) -> Operation:
    if group == "smtp":
        return Operation.CREATE_SMTP_BULK if count > 1 else Operation.CREATE_SMTP
    return Operation.CREATE_NATIVE_BULK if count > 1 else Operation.CREATE_NATIVE


def _since(ledger: Ledger, group: str, now: float) -> float:
    queue = ledger.queues.get((Move.CREATE, group))
    return queue.since if queue else now


def _most(ledger: Ledger, group: str) -> int:
    """A bulk carries 100, and of native inboxes no more than the domain has room for."""
    domain = None if group == "smtp" else ledger.domains.by_id(group)
    return BULK if domain is None else max(0, min(BULK, ledger.domains.free(domain)))


def _create(ledger: Ledger, uids: tuple[str, ...], group: str, ready_at: float) -> Candidate:
    return Candidate(
        ready_at=ready_at,
        score=score(ledger, Lane.CREATE, ready_at, group),
        operation=_operation(group, len(uids)),
        lane=Lane.CREATE,
        uids=uids,
        domain_id=None if group == "smtp" else group.removeprefix("single:"),
    )
