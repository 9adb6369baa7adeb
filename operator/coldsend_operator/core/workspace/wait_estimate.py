"""Estimates when accounts that wait for the budget have their turn."""

import re

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import BULK
from coldsend_operator.core.model.conditions import condition
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import ConditionType
from coldsend_operator.core.model.stored_status import from_text
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.workspace.workspace import Workspace

SHORT_WAIT = 5.0  # shorter waits are not reported
ETA_MOVED = 600.0
ESTIMATED = frozenset({Action.CREATE, Action.DELETE, Action.SEARCH, Action.DOMAINS})  # whose turn is estimated
REQUESTS_PER_BULK = 3  # the call, a poll of its job, and a list page
TURN = (
    "The ColdSend request budget is used up; the turn of this object is expected at {at} (it was {place} in line at "
    "the time of writing)."
)
_TOLD = re.compile(re.escape(TURN).replace(r"\{at\}", "(.+?)").replace(r"\{place\}", "(.+?)"))


def estimate_waits(workspace: Workspace, now: float) -> None:
    """Set the expected time of accounts that wait for the budget: an absolute time, written once."""
    if now < workspace.estimated_at + SHORT_WAIT / 2:
        return
    workspace.estimated_at = now
    budget = workspace.budget
    ahead = 1 if workspace.inventory.listed_at else 1 + len(workspace.accounts) // BULK
    for kind, queue in workspace.queues.of(*ESTIMATED):
        turn_at, length = now, len(queue)
        free_at = budget.free_at(now, kind.lane.reserved, kind.lane.hour_share)
        # a namespace that has used its part of the hour still profits from the list of all domains
        exhausted = budget.exhausted_by(now, probes=kind.lane.probes) if kind.action is not Action.DOMAINS else ()
        shares = {name: budget.share_free_at(name, now, probes=kind.lane.probes) for name in exhausted}
        for index, uid in enumerate(queue.in_turn()):
            if index % BULK == 0:
                turn_at = max(free_at, budget.done_at(now, ahead))
                ahead += REQUESTS_PER_BULK
            account = workspace.accounts[uid]
            at = max(turn_at, shares.get(account.desired.namespace, now))
            if at > now + SHORT_WAIT:
                _set_eta(workspace, account, at, index, length)


def _set_eta(workspace: Workspace, account: Account, turn_at: float, ahead: int, length: int) -> None:
    """The place is updated with the time only, as each change costs a write; a restart keeps what status tells."""
    place = f"{ahead + 1:,} of {length:,}"
    told = _told(account) if account.eta is None else None
    if told is not None and abs(told[0] - turn_at) <= ETA_MOVED:
        turn_at, place = told
    if account.eta is None or abs(account.eta - turn_at) > ETA_MOVED:
        transitions.turn_estimated(account, turn_at, place)
        workspace.changed.add(account.uid)


def _told(account: Account) -> tuple[float, str] | None:
    """The expected time and the place that status tells."""
    said = condition(from_text(account.raw_status), ConditionType.SYNCED).get("message", "")
    found = _TOLD.match(said)
    at = unix_of(found[1]) if found is not None else None
    return None if found is None or at is None else (at, found[2])
