"""What is not there: an address that a look does not show, an inbox that a GET does not find."""

from coldsend_operator.core.folding.pieces import FAILS_ON_CREATE, refusal_reason, set_back
from coldsend_operator.core.ledger import FREED_FOR, Ledger
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account

AFTER_DELETE_FIRST, AFTER_DELETE_LONGEST = 15.0, 600.0


def judge_absence(ledger: Ledger, account: Account, begun: float, now: float) -> None:
    """A look begun at `begun` does not show the address: what a refusal hinted at is settled now."""
    if account.address is not None and ledger.inventory.at(account.address):
        return
    if account.lost is not None and account.lost.hint is not None and begun >= _judged_from(ledger, account):
        hint, existed, account.lost = account.lost.hint, account.lost.existed, None
        ledger.index(account)
        if existed:
            _exists_elsewhere(ledger, account, now)
        else:
            set_back(ledger, account, refusal_reason(hint), hint or "ColdSend refused the inbox.", now)
    elif account.lost is not None and (account.uid,) in ledger.splits and begun >= ledger.over(account):
        account.lost = None  # nothing came of a create that left alone, twice: its neighbours do not wait for it
        ledger.index(account)
        set_back(ledger, account, Reason.API_UNAVAILABLE, FAILS_ON_CREATE, now)
    elif account.unsure_at and begun > max(account.unsure_at, ledger.over(account)):
        account.lost = None
        ledger.index(account)
        _exists_elsewhere(ledger, account, now)


def _judged_from(ledger: Ledger, account: Account) -> float:
    """A row that failed is believed at once; `success: false` under 2xx may have been done, and lists lag (row 35)."""
    lost = account.lost
    return lost.at if lost is not None and lost.answered else ledger.over(account)


def _exists_elsewhere(ledger: Ledger, account: Account, now: float) -> None:
    """ColdSend says that the address exists, and this workspace does not show it (contract rows 9 and 24)."""
    freed = ledger.address_writes.get(account.address or "", 0.0)
    account.unsure_at = 0.0
    if freed and now - freed < FREED_FOR:
        message = "ColdSend still keeps the address after its deletion; the operator tries again automatically."
        set_back(ledger, account, Reason.PROVISIONING, message, now, AFTER_DELETE_FIRST, AFTER_DELETE_LONGEST)
        return
    message = (
        "ColdSend says that the address exists, but not in this workspace; free it where it is, or use another address."
    )
    set_back(ledger, account, Reason.ALREADY_EXISTS, message, now)
