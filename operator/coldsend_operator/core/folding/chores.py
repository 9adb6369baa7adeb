"""Writes to Kubernetes that steps asked for."""

from dataclasses import replace

from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.step import Move, ours


def marked(ledger: Ledger, account: Account, finalizers: tuple[str, ...]) -> None:
    """These finalizers of ours stand on the object."""
    account.desired = replace(account.desired, finalizers=finalizers)
    ledger.chores.pop(account.uid, None)
    ledger.index(account)


def unmarked(ledger: Ledger, account: Account) -> None:
    """Our finalizers are off. For FORGET the inbox that is gone is cleared too (safety.md, 8)."""
    move = ledger.chores.pop(account.uid, None)
    account.desired = replace(account.desired, finalizers=())
    _end_lost(ledger, account)
    if move is Move.FORGET:
        account.facts = replace(account.facts, inbox_id=None, origin=None, job=None)
        account.gone_at = account.deleted_at = account.look_at = None
        account.looks, account.doubted = 0, False
    ledger.index(account)


def _end_lost(ledger: Ledger, account: Account) -> None:
    """A lost create is over, unless its inbox has appeared just now."""
    lost, rows = account.lost, ledger.inventory.at(account.address or "")
    if any(ours(account, row, ledger) for row in rows):
        return
    if lost is not None and lost.matches and not rows:
        account.repeats = account.since  # "exists" to the next create most likely speaks of the lost one
    account.lost = account.since = None


def chore_failed(ledger: Ledger, account: Account) -> None:
    """A write to Kubernetes did not succeed: the step is taken again."""
    ledger.chores.pop(account.uid, None)
    ledger.touch(account.uid)
