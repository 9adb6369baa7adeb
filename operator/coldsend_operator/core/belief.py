"""Whether what a list shows is believed: most known inboxes do not vanish at once (settled.md)."""

from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.step import IMPLAUSIBLE_AT


def believe(ledger: Ledger, missing: int) -> None:
    """Judge a list: when most known inboxes are missing at once it is not believed (settled.md)."""
    known = sum(1 for account in ledger.accounts.values() if _counts_as_known(ledger, account))
    before = ledger.implausible
    ledger.implausible = None
    if missing >= IMPLAUSIBLE_AT and missing * 2 > known:
        ledger.implausible = (
            f"{missing} of {known} inboxes known in this workspace are missing at once; nothing is created or "
            "forgotten. Check the API key, or set the annotation coldsend.pro/approve-recreation: 'true'."
        )
    if ledger.implausible != before:
        ledger.touch_everything()


def missing(ledger: Ledger) -> int:
    """Inboxes that are held, not being deleted, and not in the inventory."""
    return sum(
        1
        for account in ledger.accounts.values()
        if _counts_as_known(ledger, account) and account.facts.inbox_id not in ledger.inventory.rows
    )


def _counts_as_known(ledger: Ledger, account: Account) -> bool:
    """Inboxes that go by our own deletion (rule 19) or belong to another workspace (rule 40) are not missed."""
    if not ledger.at_home(account) or account.deleted_at is not None:
        return False
    return not (account.desired.deleting is not None and account.gone_at is not None)
