"""Creations: a lone one by the single endpoint, what waits together in bulks."""

from collections.abc import Iterator

from coldsend_operator.core.calls import BULK, Lane, Operation
from coldsend_operator.core.jobs import idle
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Alone, Candidate, ample, parts, score
from coldsend_operator.core.planning.looks import looking
from coldsend_operator.core.queues import Queue
from coldsend_operator.core.steps import Move


def creates(ledger: Ledger, now: float, alone: Alone) -> Iterator[Candidate]:
    """What goes again in halves comes before the rest of its namespaces, which it would fail together with.

    It stops no other namespace: these come first (rule 41).
    """
    without = ledger.budget.exhausted_by(now, looks=False)
    splits: dict[str, tuple[str, ...]] = {}  # the first of each group
    halved: dict[str, frozenset[str]] = {}
    for split in ledger.splits:
        uids = ledger.still_queued(split, Move.CREATE)
        (group,) = alone.each(uids[:1], lambda uid: ledger.create_group(ledger.accounts[uid])) or ("",)
        halved[group] = halved.get(group, frozenset()) | ledger.namespaces_of(uids)
        if in_turn := ledger.in_turn(uids, without):
            splits.setdefault(group, in_turn)
    for (move, group), queue in ledger.queues.items():
        if move is Move.CREATE and len(queue):
            for left_out in parts(ledger, Operation.CREATE_SMTP, queue, without | halved.get(group, frozenset()), now):
                yield from _waiting(ledger, group, queue, left_out, now)
    for group, uids in splits.items():
        yield from _sent(ledger, group, uids, _since(ledger, group, now))


def _waiting(ledger: Ledger, group: str, queue: Queue, without: frozenset[str], now: float) -> Iterator[Candidate]:
    if group.startswith("single:"):
        yield from _sent(ledger, group, queue.take(1, without), queue.since)
    else:
        ready_at = queue.ready_at(now, BULK, ample=ample(ledger, now))
        yield from _sent(ledger, group, queue.take(_most(ledger, group), without), ready_at)


def _sent(ledger: Ledger, group: str, uids: tuple[str, ...], ready_at: float) -> Iterator[Candidate]:
    if len(uids) == 1 or (uids and _bulk_free(ledger, group)):
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
