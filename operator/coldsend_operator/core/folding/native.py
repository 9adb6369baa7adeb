"""Domains that could not be read, and native inboxes whose address follows from them."""

from coldsend_operator.core.answers import Failure, FailureKind
from coldsend_operator.core.folding.pieces import BREAKER_PACES
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import RETRY_FIRST


def domains_failed(ledger: Ledger, failure: Failure, now: float) -> None:
    if failure.kind in {FailureKind.FORBIDDEN, FailureKind.PLAN_LIMIT}:
        ledger.domains.forbid(failure.required, failure.message, now + RETRY_FIRST)
    elif failure.kind in BREAKER_PACES:
        ledger.domains.page = 1
    else:
        ledger.domains.refuse(failure.message, now)
    rename_natives(ledger)


def domains_listed(ledger: Ledger) -> None:
    natives = (account.desired.spec.native for account in ledger.accounts.values())
    ledger.domains.sought = frozenset(native.domain for native in natives if native is not None)
    rename_natives(ledger)


def rename_natives(ledger: Ledger) -> None:
    for account in ledger.accounts.values():
        if account.desired.spec.native is not None and not account.facts.held:
            ledger.name_address(account)
            ledger.index(account)
