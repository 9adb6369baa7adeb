"""Writes to Kubernetes that steps asked for."""

from dataclasses import replace

from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.step import Move


def marked(ledger: Ledger, account: Account, since: float) -> None:
    """Our finalizer stands on the object, put there at `since` (API server's clock)."""
    account.mark = since
    ledger.chores.pop(account.uid, None)
    ledger.index(account)


def unmarked(ledger: Ledger, account: Account) -> None:
    """Our finalizer is off. For FORGET the inbox that is gone is cleared too (safety.md, 8)."""
    move = ledger.chores.pop(account.uid, None)
    account.mark = account.since = None
    account.lost = None
    if move is Move.FORGET:
        account.facts = replace(account.facts, inbox_id=None, origin=None, job=None)
        account.gone_at = account.deleted_at = account.look_at = None
        account.looks, account.doubted = 0, False
    ledger.index(account)


def chore_failed(ledger: Ledger, account: Account) -> None:
    """A write to Kubernetes did not succeed: the step is taken again."""
    ledger.chores.pop(account.uid, None)
    ledger.touch(account.uid)
