"""The domains of native inboxes."""

from collections.abc import Iterator

from coldsend_operator.core.calls import Lane, Operation
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Candidate, queue_of
from coldsend_operator.core.steps import Move


def domains(ledger: Ledger) -> Iterator[Candidate]:
    queue = queue_of(ledger, Move.DOMAINS)
    flying = any(call.operation is Operation.LIST_DOMAINS for call in ledger.flying.values())
    if not len(queue) or flying:
        return
    yield Candidate(
        ready_at=max(queue.since, ledger.domains.free_at),
        score=queue.since + Lane.CREATE.patience,
        operation=Operation.LIST_DOMAINS,
        lane=Lane.LOOK,
        page=ledger.domains.page,
    )
