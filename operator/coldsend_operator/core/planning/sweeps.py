"""Sweeps: all inboxes, page by page."""

from collections.abc import Iterator

from coldsend_operator.core.calls import Lane, Operation
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import Candidate, score
from coldsend_operator.core.planning.looks import pages_of, waiting_since

SWEEP_SHARE = 0.5  # of the hour that sweeps may take


def sweep(ledger: Ledger, now: float, *, listed: bool) -> Iterator[Candidate]:
    """`listed`: a whole list serves what waits for a look best."""
    listing = any(call.operation is Operation.LIST_ACCOUNTS and not call.newest for call in ledger.flying.values())
    if not ledger.accounts or listing:
        return
    if ledger.breaker.down or ledger.breaker.doubtful:
        yield _page(ledger, Lane.LOOK, ledger.sweep_after, first=True)  # it harms nobody, and asks for nobody
        return
    urgent = listed and now >= ledger.sweep_after
    lane = Lane.LOOK if urgent else Lane.SWEEP
    ready_at = max(waiting_since(ledger, now), ledger.sweep_after) if urgent else sweep_due(ledger)
    yield _page(ledger, lane, ready_at)


def _page(ledger: Ledger, lane: Lane, ready_at: float, *, first: bool = False) -> Candidate:
    sweep = ledger.inventory.sweep
    return Candidate(
        ready_at=ready_at,
        score=0.0 if first else score(ledger, lane, ready_at),
        operation=Operation.LIST_ACCOUNTS,
        lane=lane,
        page=sweep.page if sweep is not None else 1,
    )


def sweep_due(ledger: Ledger) -> float:
    """When the next page of a sweep is due: at once while one is under way, else by the period."""
    inventory = ledger.inventory
    if inventory.sweep is not None:
        return ledger.sweep_after
    if inventory.swept_at == 0:
        return max(ledger.begun, ledger.sweep_after)
    return max(inventory.swept_at + sweep_period(ledger), ledger.sweep_after)


def sweep_period(ledger: Ledger) -> float:
    """`COLDSEND_SWEEP_SECONDS` when there is room; slower when the pages would take too much of the hour."""
    return max(ledger.policy.sweep_seconds, pages_of(ledger) * 3600.0 / (SWEEP_SHARE * ledger.budget.hour_limit))
