"""Test mails."""

from collections.abc import Iterator

from coldsend_operator.core.calls import Lane, Operation
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Alone, Candidate, queue_of, score
from coldsend_operator.core.steps import Move


def mails(ledger: Ledger, now: float, alone: Alone) -> Iterator[Candidate]:
    queue = queue_of(ledger, Move.MAIL)
    if not len(queue):
        return
    uids = queue.take(1, ledger.budget.exhausted_by(now, looks=False))
    found = alone.each(uids, lambda uid: ledger.accounts[uid].facts.inbox_id or "")
    if not found:
        return
    budget = ledger.budget  # shared by the keys of one workspace: so is the share of test mails (rule 45)
    ready_at = max(queue.since, budget.mails.free_at(now, budget.minute_limit, budget.hour_limit))
    yield Candidate(
        ready_at=ready_at,
        score=score(ledger, Lane.MAIL, ready_at),
        operation=Operation.SEND_TEST_EMAIL,
        lane=Lane.MAIL,
        uids=uids,
        inbox_ids=(ledger.inventory.spelled(found[0]),),
    )
