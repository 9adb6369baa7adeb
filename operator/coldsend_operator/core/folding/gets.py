"""Answers to the GET of an inbox: it is there, it is still there, it is gone."""

from coldsend_operator.core.answers import Failure, FailureKind, Row
from coldsend_operator.core.calls import Call
from coldsend_operator.core.folding.looks import show
from coldsend_operator.core.folding.pieces import back_off, gone, look_again, members_of, still_there
from coldsend_operator.core.ledger import Ledger


def found(ledger: Ledger, call: Call, row: Row, now: float) -> None:
    """A GET answered 200."""
    for account in members_of(ledger, call):
        account.gone_at = None
        account.look_at = None
        if account.deleted_at is not None:
            still_there(ledger, account, now, sure=True)
    ledger.inventory.revive(row.inbox_id)
    show(ledger, (row,), call.begun)
    for account in members_of(ledger, call):
        if account.facts.inbox_id not in ledger.inventory.rows:
            back_off(account, now)  # what it showed is not what was asked for: to ask again at once shows no more


def get_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    if failure.kind is not FailureKind.NOT_FOUND:
        look_again(ledger, call, now)
        return
    for account in members_of(ledger, call):
        young = now < account.wrote_at + ledger.policy.lost_seconds
        if young and account.deleted_at is None:
            back_off(account, now)  # it may lag behind our own create (contract row 35)
            continue
        gone(ledger, account, now)
