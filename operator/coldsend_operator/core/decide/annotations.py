"""What people ask for by annotations: to read everything again, and to take the Secret as ColdSend's."""

from coldsend_operator.core.decide.questions import waits_for_crd
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.pauses import PAUSES, nth
from coldsend_operator.core.workspace.workspace import Workspace


def acknowledge(workspace: Workspace, account: Account, now: float) -> None:
    """`coldsend.pro/reconcile`: read ColdSend and the Secret now."""
    asked, stored = account.desired.reconcile, account.stored
    if asked is None or asked == stored.reconcile or workspace.policy.paused(account.desired):
        return
    if account.reconcile_asked != asked:
        if not _picked_up(workspace, account, now):
            return
        transitions.reconcile_began(account, asked)
        workspace.keys.breaker(account.key).hasten(now)
        if account.desired.spec.native is not None and stored.inbox_id is None:
            workspace.domains.doubt(now)
        if account.desired.spec.smtp is not None:
            transitions.secret_forgotten(account)
            workspace.stale_secrets.add(account.uid)
        return
    if account.probe_at is not None or account.uid in workspace.stale_secrets:
        return
    transitions.reconcile_ended(account, asked)


def accept_credentials(workspace: Workspace, account: Account, now: float) -> None:
    """`coldsend.pro/credentials-current`: ColdSend has the current content of the Secret.

    The Secret is read again first. Without an inbox there is nothing to confirm yet.
    """
    asked, stored, desired = account.desired.credentials_current, account.stored, account.desired
    if asked is None or asked == stored.credentials_current:
        return
    if workspace.policy.paused(desired) or desired.deleting is not None:
        return
    if not stored.held or stored.applied is None or desired.spec.smtp is None or desired.spec.observe:
        return
    if waits_for_crd(workspace, "lastCredentialsCurrentRequest") is not None:
        return  # after a restart it would be confirmed again for another content of the Secret
    if account.credentials_asked != asked:
        if _picked_up(workspace, account, now):
            transitions.credentials_question_began(account, asked)
            workspace.stale_secrets.add(account.uid)
        return
    digest = account.credentials.digest if account.credentials else None
    if digest is not None and account.uid not in workspace.stale_secrets:
        transitions.credentials_accepted(account, asked, digest)


def _picked_up(workspace: Workspace, account: Account, now: float) -> bool:
    """Whether a new value of an annotation is picked up now; one that changes all the time waits."""
    free_at = account.reconciled_at + nth(PAUSES, account.reconciles)
    if now < free_at:
        workspace.timers.set(account.uid, free_at)
        return False
    transitions.annotation_picked_up(account, now)
    return True
