"""Whether a list is trusted: most known inboxes do not vanish at once."""

from coldsend_operator.core.decide.questions import IMPLAUSIBLE_AT
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.workspace.workspace import Workspace


def check(workspace: Workspace, count: int) -> None:
    """Check a list without `count` known inboxes: if most are missing at once, it is not trusted."""
    known = sum(1 for account in workspace.accounts.values() if _counts_as_known(workspace, account))
    before = workspace.implausible
    workspace.implausible = None
    if count >= IMPLAUSIBLE_AT and count * 2 > known:
        workspace.implausible = (
            f"{count} of {known} inboxes known in this workspace are missing at once; nothing is created or "
            "forgotten. Check the API key, or set the annotation coldsend.pro/approve-recreation: 'true'."
        )
    if workspace.implausible != before:
        workspace.touch_everything()


def missing(workspace: Workspace) -> int:
    """Inboxes that are held, not being deleted, and not in the inventory."""
    return sum(
        1
        for account in workspace.accounts.values()
        if _counts_as_known(workspace, account) and account.stored.inbox_id not in workspace.inventory.rows
    )


def _counts_as_known(workspace: Workspace, account: Account) -> bool:
    """Whether the inbox may count as missing: not deleted by us (rule 19), not of another workspace (rule 40)."""
    if not workspace.holds_here(account) or account.deleted_at is not None:
        return False
    return not (account.desired.deleting is not None and account.not_found_at is not None)
