"""Deletions, those of replacements first."""

from collections.abc import Iterator
from itertools import islice

from coldsend_operator.core.calls import BULK, Lane, Operation
from coldsend_operator.core.jobs import idle
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Alone, Candidate, ample, parts, score
from coldsend_operator.core.queues import Queue
from coldsend_operator.core.steps import Move


def deletes(ledger: Ledger, now: float, alone: Alone) -> Iterator[Candidate]:
    """What goes again in halves comes before the rest of its namespaces, and stops no other (rule 41)."""
    busy = sum(1 for call in ledger.flying.values() if call.operation is Operation.DELETE_ACCOUNTS)
    jobs = sum(1 for job in ledger.jobs.values() if job.operation == "Delete" and not idle(job))
    without = ledger.budget.exhausted_by(now, looks=False)
    splits = [uids for split in ledger.delete_splits if (uids := ledger.still_queued(split, Move.DELETE))]
    halved = frozenset[str]().union(*map(ledger.namespaces_of, splits))
    for group, lane in (("edit", Lane.EDIT), ("delete", Lane.DELETE)):
        queue = ledger.queues.get((Move.DELETE, group)) or Queue()
        for left_out in parts(ledger, Operation.DELETE_ACCOUNTS, queue, without | halved, now):
            uids = queue.take(BULK, left_out)
            if not uids or (len(uids) > 1 and busy + jobs >= ledger.parallel["Delete"]):
                continue
            ready_at = queue.ready_at(now, BULK, ample=ample(ledger, now))
            if lane is Lane.DELETE:
                ready_at = max(ready_at, ledger.brake.leaves_at(uids))
            yield from _delete(ledger, uids, lane, ready_at, alone)
    in_turn = (uids for split in splits if (uids := ledger.in_turn(split, without)))
    for uids in islice(in_turn, 1):
        yield from _delete(ledger, uids, Lane.DELETE, now, alone)


def _delete(ledger: Ledger, uids: tuple[str, ...], lane: Lane, ready_at: float, alone: Alone) -> Iterator[Candidate]:
    found = alone.each(uids, lambda uid: (uid, ledger.accounts[uid].facts.inbox_id or ""))
    if not found:
        return
    yield Candidate(
        ready_at=ready_at,
        score=score(ledger, lane, ready_at),
        operation=Operation.DELETE_ACCOUNTS if len(found) > 1 else Operation.DELETE_ACCOUNT,
        lane=lane,
        uids=tuple(uid for uid, _ in found),
        inbox_ids=tuple(ledger.inventory.spelled(inbox_id) for _, inbox_id in found),
    )
