"""Sweeps: all inboxes, page by page."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Call, Lane, Operation
from coldsend_operator.core.plan.candidate import Candidate, by_deadline
from coldsend_operator.core.plan.probes import pages_of, waiting_since
from coldsend_operator.core.workspace.workspace import Workspace

SWEEP_SHARE = 0.5  # of the hour that sweeps may take


def sweep(workspace: Workspace, now: float, *, listed: bool) -> Iterator[Candidate]:
    """`listed`: a full list serves the accounts that wait for a probe best."""
    if not workspace.accounts or any(call.sweeps for call in workspace.in_flight.values()):
        return
    under_way = workspace.inventory.sweep
    key = workspace.keys.for_list(Operation.LIST_ACCOUNTS, next_turn=under_way is None)
    page = under_way.page if under_way is not None else 1
    breaker = workspace.keys.breaker(key)
    if breaker.down or breaker.doubtful:
        call = Call(Operation.LIST_ACCOUNTS, Lane.PROBE, key, page=page)  # harmless, for no account
        yield Candidate(workspace.sweep_after, 0.0, call)
        return
    urgent = listed and now >= workspace.sweep_after
    lane = Lane.PROBE if urgent else Lane.SWEEP
    ready_at = max(waiting_since(workspace, now), workspace.sweep_after) if urgent else sweep_due(workspace)
    yield by_deadline(workspace, ready_at, Call(Operation.LIST_ACCOUNTS, lane, key, page=page))


def sweep_due(workspace: Workspace) -> float:
    """When the next page of a sweep is due: at once while one is under way, else by the period."""
    inventory = workspace.inventory
    if inventory.sweep is not None:
        return workspace.sweep_after
    if inventory.swept_at == 0:
        return max(workspace.begun, workspace.sweep_after)
    return max(inventory.swept_at + sweep_period(workspace) * workspace.first_period, workspace.sweep_after)


def sweep_period(workspace: Workspace) -> float:
    """`COLDSEND_SWEEP_SECONDS` if the budget allows; longer if the pages would take too much of the hour."""
    return max(
        workspace.policy.sweep_seconds, pages_of(workspace) * 3600.0 / (SWEEP_SHARE * workspace.budget.hour_limit)
    )
