"""The next step of an account that only watches (managementPolicy Observe)."""

from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.native import domain_step
from coldsend_operator.core.steps.step import (
    AT_EASE,
    Move,
    Step,
    View,
    at_rest,
    look,
    looked_at_as_is,
    paced_get,
    paced_search,
    under_way,
)
from coldsend_operator.core.steps.wanting import lost


def observing(account: Account, view: View, now: float) -> Step:
    if account.key_problem is not None:
        return at_rest(account, *account.key_problem)
    if not view.may_adopt(account):
        message = (
            "This namespace may not observe inboxes with the operator's key; use apiKeySecretRef, "
            "or ask the administrator (COLDSEND_ADOPT_NAMESPACES)."
        )
        return at_rest(account, Reason.UNAUTHORIZED, message)
    if account.facts.held:
        return Step(Move.TAKE, inbox_id=account.facts.inbox_id, origin="Observed")
    if account.create_unknown or account.desired.finalizers:
        return _outgrown(account, view, now)
    if account.address is None and account.desired.spec.native is not None and account.facts.inbox_id is None:
        step = domain_step(account, view, now)
        if step is not None and step.reason not in {Reason.DOMAIN_FULL, Reason.DOMAIN_NOT_ACTIVE}:
            return step
    known = account.facts.inbox_id
    if known is not None and known in view.inventory.rows:
        return look(account, now) or AT_EASE
    row = next(iter(view.inventory.at(account.address or "")), None)
    if row is not None:
        return Step(Move.TAKE, inbox_id=row.inbox_id, origin="Observed")
    message = "ColdSend has no inbox with this address. Its values appear here once it exists."
    if known is not None:
        return _observed_vanished(account, view, now, message)
    if not looked_at_as_is(account, view):
        return paced_search(account, now)
    return Step(reason=Reason.NOT_FOUND, message=message)


def _outgrown(account: Account, view: View, now: float) -> Step:
    """A create that left before the object was to observe only: others have no turn at the address until it ended."""
    if account.job is not None:
        return under_way(account)
    if account.lost is None or account.address is None:
        return Step(Move.UNMARK, quiet=True)
    row = next(iter(view.inventory.at(account.address)), None)
    if row is not None:
        return Step(Move.TAKE, inbox_id=row.inbox_id, origin="Observed")
    step = lost(account, view, now)
    return step if step.move in {Move.SEARCH, Move.REST} else Step(Move.UNMARK, quiet=True)


def _observed_vanished(account: Account, view: View, now: float, message: str) -> Step:
    if account.gone_at is not None:
        return Step(reason=Reason.NOT_FOUND, message=message)
    if view.inventory.swept_at == 0:
        return Step(quiet=True)
    if view.implausible is not None:
        return Step(reason=Reason.INVENTORY_IMPLAUSIBLE, message=view.implausible)
    return paced_get(account, now, quiet=True)
