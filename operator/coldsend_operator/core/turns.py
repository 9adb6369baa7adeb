"""When those that wait for the budget are expected to have their turn (settled.md)."""

from coldsend_operator.core.calls import BULK, Lane
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps import Move

SHORT_WAIT = 5.0  # waits for the budget that are shorter are not told
TURN_MOVED = 600.0
ESTIMATED = {  # whose turn is told when the budget is spent
    Move.CREATE: Lane.CREATE,
    Move.DELETE: Lane.DELETE,
    Move.SEARCH: Lane.LOOK,
    Move.DOMAINS: Lane.LOOK,
}
REQUESTS_PER_BULK = 3  # the call, a poll of its job, a list page


def estimate(ledger: Ledger, now: float) -> None:
    """Tell those whom the budget puts off when their turn is expected (settled.md: absolute, and told once)."""
    if now < ledger.estimated_at + SHORT_WAIT / 2:
        return
    ledger.estimated_at = now
    budget = ledger.budget
    free_at = {move: budget.free_at(now, lane.headroom, lane.hour_share) for move, lane in ESTIMATED.items()}
    ahead = 1 if ledger.inventory.listed_at else 1 + len(ledger.accounts) // BULK
    for (move, _), queue in ledger.queues.items():
        if move not in ESTIMATED:
            continue
        turn_at = now
        for index, uid in enumerate(queue):
            if index % BULK == 0:
                turn_at = max(free_at[move], ledger.budget.done_at(now, ahead))
                ahead += REQUESTS_PER_BULK
            if turn_at > now + SHORT_WAIT:
                _tell_turn(ledger, ledger.accounts[uid], turn_at)


def _tell_turn(ledger: Ledger, account: Account, turn_at: float) -> None:
    if account.turn_at is None or abs(account.turn_at - turn_at) > TURN_MOVED:
        account.turn_at = turn_at
        ledger.changed.add(account.uid)
