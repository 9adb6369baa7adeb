"""Absence: an address that a probe does not show, and inboxes that a list does not show."""

from coldsend_operator.core.apply.common import (
    back_off_create,
    fails_alone,
    refusal_reason,
    repeated_create,
    says_exists,
)
from coldsend_operator.core.decide.questions import IMPLAUSIBLE_AT
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Scope
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.workspace import Workspace

FAILS_ON_CREATE = "ColdSend fails to create this particular inbox; the operator retries automatically."
AFTER_DELETE_FIRST, AFTER_DELETE_LONGEST = 15.0, 600.0


def judge_absence(workspace: Workspace, account: Account, begun: float, now: float) -> None:
    """A probe started at `begun` does not show the address, which settles the hint of a refusal."""
    if account.address is not None and workspace.inventory.at(account.address):
        return
    unknown, over = account.unknown_create, workspace.wait_until(account)
    # A failed row is trusted at once; `success: false` under 2xx may have been done, and lists lag (row 35).
    if unknown is not None and unknown.hint is not None and begun >= (unknown.at if unknown.answered else over):
        transitions.create_had_no_effect(account)
        workspace.index(account)
        if says_exists(unknown.hint):
            _exists_elsewhere(workspace, account, now)
        else:
            message = unknown.hint or "ColdSend refused the inbox."
            back_off_create(workspace, account, refusal_reason(unknown.hint), message, now)
    elif unknown is not None and fails_alone(workspace, account, Scope.CREATE) and begun >= over:
        transitions.create_had_no_effect(account)  # its neighbours do not wait for it
        workspace.index(account)
        back_off_create(workspace, account, Reason.API_UNAVAILABLE, FAILS_ON_CREATE, now)
    elif account.conflict_seen_at and begun > max(account.conflict_seen_at, over):
        transitions.create_had_no_effect(account)
        workspace.index(account)
        _exists_elsewhere(workspace, account, now)


def _exists_elsewhere(workspace: Workspace, account: Account, now: float) -> None:
    """ColdSend says that the address exists, and this workspace does not show it (contract rows 9 and 24)."""
    if workspace.inventory.is_freed(account.address, now):
        message = "ColdSend has not released the address since its deletion; the operator retries automatically."
        back_off_create(workspace, account, Reason.PROVISIONING, message, now, AFTER_DELETE_FIRST, AFTER_DELETE_LONGEST)
        return
    message = (
        "ColdSend says that the address exists, but it is not in this workspace; delete it there, or use another "
        "address."
    )
    lost = repeated_create(workspace, account, now)
    if lost is not None:  # lists may lag behind it for longer than it is waited for (contract row 35)
        transitions.repeated_create_unknown(account, lost, now)
        message = (
            "ColdSend says that the address exists, but does not list it. If the inbox is from this object's create, "
            "whose response was lost, the operator picks it up once it is listed; otherwise delete it where it is, or "
            "use another address."
        )
    back_off_create(workspace, account, Reason.ALREADY_EXISTS, message, now)


def judge_plausibility(workspace: Workspace) -> None:
    """Whether a list is trusted that has just ended: if most known inboxes are missing at once, it is not."""
    known = [account for account in workspace.accounts.values() if _counts_as_known(workspace, account)]
    count = sum(account.stored.inbox_id not in workspace.inventory.rows for account in known)
    before, workspace.implausible = workspace.implausible, None
    if count >= IMPLAUSIBLE_AT and count * 2 > len(known):
        workspace.implausible = (
            f"{count} of {len(known)} inboxes known in this workspace are missing at once; nothing is created or "
            "forgotten. Check the API key, or set the annotation coldsend.pro/approve-recreation: 'true'."
        )
    if workspace.implausible != before:
        workspace.touch_everything()


def _counts_as_known(workspace: Workspace, account: Account) -> bool:
    """Whether the inbox may count as missing: not deleted by us (rule 19), not of another workspace (rule 40)."""
    if workspace.members.bound_to(account.uid) not in workspace.digests or account.deleted_at is not None:
        return False
    return not (account.desired.deleting is not None and account.not_found_at is not None)
