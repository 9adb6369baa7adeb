"""Answers to the GET of an inbox: it is there, it is still there, it is gone."""

from coldsend_operator.core.answers import Failure, FailureKind, Row
from coldsend_operator.core.calls import Call
from coldsend_operator.core.folding.deletes import in_use
from coldsend_operator.core.folding.looks import show
from coldsend_operator.core.folding.pieces import back_off, gone, look_again, members_of
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account


def found(ledger: Ledger, call: Call, row: Row, now: float) -> None:
    """A GET answered 200."""
    for account in members_of(ledger, call):
        account.gone_at = None
        account.look_at = None
        if account.deleted_at is not None:
            _still_there(ledger, account, now)
    ledger.inventory.revive(row.inbox_id)
    show(ledger, (row,), call.begun)


def _still_there(ledger: Ledger, account: Account, now: float) -> None:
    """The inbox is visible after its delete: skipped, in use, or not yet gone (contract rows 20, 22, 23)."""
    if account.doubted:
        account.deleted_at = None
        in_use(account, "ColdSend did not delete the inbox; most likely a campaign uses it.", now)
    elif now - (account.deleted_at or now) > ledger.policy.lost_seconds:
        account.deleted_at = None  # by now the delete is lost or forgotten; by its id it may be asked for again
    else:
        back_off(account, now)


def get_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    if failure.kind is not FailureKind.NOT_FOUND:
        look_again(ledger, call, now)
        return
    for account in members_of(ledger, call):
        young = now < account.wrote_at + ledger.policy.lost_seconds
        if young and account.deleted_at is None and account.desired.deleting is None:
            back_off(account, now)  # a list may lag behind our own create (contract row 35)
            continue
        gone(ledger, account, now)
