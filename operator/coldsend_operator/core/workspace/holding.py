"""How an account comes to an inbox: by a create of ours, by adoption, by observing, from another object."""

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.workspace.workspace import Workspace


def acquire(workspace: Workspace, account: Account, inbox_id: str, origin: str, now: float) -> None:
    """The account has an inbox from now on."""
    if account.missed is not None and account.missed[0] == inbox_id:
        transitions.found_again(account)
    elif origin == "Created":
        workspace.audit.created(workspace, account, inbox_id)
        if account.unknown_create is not None:
            workspace.lost_creates.appeared(account.unknown_create.call, now, workspace.policy.lost_seconds)
        transitions.created(account, inbox_id, account.key)
    elif origin == "Adopted":
        transitions.adopted(account, inbox_id, account.key)
    else:
        transitions.observed(account, inbox_id)
    _begin_to_hold(workspace, account)


def take_over(workspace: Workspace, account: Account, inbox_id: str) -> None:
    """The account has the inbox of an object in deletion from now on, and what is known of it (rule 30)."""
    holder = next(iter(workspace.claims.inbox_owners(inbox_id, account.uid)), None)
    if holder is None:
        return
    workspace.audit.handed_over(account, inbox_id)
    transitions.handed_over(account, holder)
    if account.desired.spec.smtp is not None:
        workspace.stale_secrets.add(account.uid)
    _begin_to_hold(workspace, account)


def _begin_to_hold(workspace: Workspace, account: Account) -> None:
    row = workspace.inventory.row(account.stored.inbox_id)
    if row is not None and account.address is None:
        transitions.address_found(account, row.address)
    workspace.index(account)
