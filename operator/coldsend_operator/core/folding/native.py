"""Domains that could not be read, and native inboxes whose address follows from them."""

from coldsend_operator.core.answers import Failure, FailureKind
from coldsend_operator.core.folding.pieces import RETRY_FIRST
from coldsend_operator.core.ledger import Ledger


def domains_failed(ledger: Ledger, failure: Failure, now: float) -> None:
    if failure.kind in {FailureKind.FORBIDDEN, FailureKind.PLAN_LIMIT}:
        ledger.domains.forbid(failure.required, failure.message, now + RETRY_FIRST)
    else:
        ledger.domains.page = 1
    rename_natives(ledger)


def rename_natives(ledger: Ledger) -> None:
    for account in ledger.accounts.values():
        if account.desired.spec.native is not None and not account.facts.held:
            ledger.name_address(account)
            ledger.index(account)
