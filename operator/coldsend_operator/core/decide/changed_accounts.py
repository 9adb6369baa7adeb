"""Decides again for changed accounts, and queues each for its next call."""

from contextlib import suppress

from coldsend_operator.core.decide import asks_for_deletion, decide
from coldsend_operator.core.decide.questions import waits_for_crd
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.kstatus import SECRET_SECONDS
from coldsend_operator.core.model.pauses import nth
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.queues import CallKind
from coldsend_operator.core.workspace.workspace import Workspace

FINALIZER_ACTIONS = frozenset({Action.ADD_FINALIZER, Action.REMOVE_FINALIZER, Action.FORGET})
RECONCILE_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # an annotation that changes all the time waits
QUIET_SECONDS = 30.0  # a burst of 1,000 passes faster: reporting each wait would cost a write each


def decide_changed(workspace: Workspace, now: float) -> None:
    """Decide again for every changed account."""
    workspace.dirty.update(workspace.timers.fire(now))
    workspace.replacements.begin_round()
    _decide_brake(workspace, now)
    for _ in range(8):  # an action without a call or write is followed by the next one
        if not workspace.dirty:
            break
        batch, workspace.dirty = workspace.dirty, set()
        for uid in batch:
            account = workspace.accounts.get(uid)
            if account is not None:
                _decide_one(workspace, account, now)
        _decide_brake(workspace, now)
    if workspace.brake.tell_at is not None:
        workspace.timers.set("", workspace.brake.tell_at)


def _decide_brake(workspace: Workspace, now: float) -> None:
    changed = workspace.brake.decide(workspace.managed, now, hold_all=workspace.policy.hold_deletions)
    workspace.touch_in_all_parts(changed)


def _decide_one(workspace: Workspace, account: Account, now: float) -> None:
    """A fault in the decision for one account affects only that account, which gets no action (rule 38)."""
    try:
        _decide(workspace, account, now)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong with one account costs that account alone
        give_up(workspace, account.uid, error)
    else:
        workspace.undecided.pop(account.uid, None)


def give_up(workspace: Workspace, uid: str, error: Exception) -> None:
    """Nothing can be decided or planned for the account until it is decided again."""
    workspace.undecided[uid] = error
    workspace.unqueue(uid)
    workspace.decisions.pop(uid, None)
    workspace.patches.pop(uid, None)


def _decide(workspace: Workspace, account: Account, now: float) -> None:
    if account.uid in workspace.patching:
        return  # its end touches the account
    _acknowledge(workspace, account, now)
    _accept_credentials(workspace, account, now)
    transitions.change_noted(account, now)
    decision = decide(account, workspace, now)
    _forget_the_observed(workspace, account, decision)
    workspace.decisions[account.uid] = decision
    _ask_brake(workspace, account, decision, now)
    if decision.reason is Reason.HANDED_OVER:
        workspace.touch_others(account)
    if decision.due is not None:
        workspace.timers.set(account.uid, decision.due)
    queue = _queue_of(workspace, account, decision)
    if queue is not None and now < account.postponed_until:
        workspace.timers.set(account.uid, account.postponed_until)
        queue = None
    workspace.enqueue(account, queue, now)
    if decision.action in FINALIZER_ACTIONS:
        if account.uid not in workspace.patches:
            workspace.patches[account.uid] = decision.action
    else:
        workspace.patches.pop(account.uid, None)
        _apply_action(workspace, account, decision, now)
    if queue is None:
        transitions.left_the_line(account)
    _wait(workspace, account, decision, now)
    _note_missing_secret(workspace, account, decision, now)
    workspace.changed.add(account.uid)


def _forget_the_observed(workspace: Workspace, account: Account, decision: Decision) -> None:
    """An object that may no longer observe, or is to manage now, shows no inbox once refused (rule 12)."""
    desired = account.desired
    if account.stored.origin != "Observed" or _is_paused(workspace, account) or desired.deleting is not None:
        return
    if desired.spec.observe and workspace.may_adopt(account) and workspace.may_use_key(account):
        return
    if decision.reason is not None and decision.action is not Action.ACQUIRE and account.busy is None:
        transitions.observation_ended(account)
        workspace.index(account)


def _acknowledge(workspace: Workspace, account: Account, now: float) -> None:
    """`coldsend.pro/reconcile`: read ColdSend and the Secret now."""
    asked, stored = account.desired.reconcile, account.stored
    if asked is None or asked == stored.reconcile or _is_paused(workspace, account):
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


def _accept_credentials(workspace: Workspace, account: Account, now: float) -> None:
    """`coldsend.pro/credentials-current`: ColdSend has the current content of the Secret.

    The Secret is read again first. Without an inbox there is nothing to confirm yet.
    """
    asked, stored, desired = account.desired.credentials_current, account.stored, account.desired
    if (
        asked is None
        or asked == stored.credentials_current
        or _is_paused(workspace, account)
        or desired.deleting is not None
    ):
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
    free_at = account.reconciled_at + nth(RECONCILE_PAUSES, account.reconciles)
    if now < free_at:
        workspace.timers.set(account.uid, free_at)
        return False
    transitions.annotation_picked_up(account, now)
    return True


def _is_paused(workspace: Workspace, account: Account) -> bool:
    return workspace.policy.paused(account.desired.namespace, said=account.desired.paused)


def _wait(workspace: Workspace, account: Account, decision: Decision, now: float) -> None:
    """A quiet action is reported in status only if it lasts."""
    transitions.quiet_step(account, now, quiet=decision.quiet)
    if account.waiting_since is not None and now < account.waiting_since + QUIET_SECONDS:
        workspace.timers.set(account.uid, account.waiting_since + QUIET_SECONDS)


def _note_missing_secret(workspace: Workspace, account: Account, decision: Decision, now: float) -> None:
    """A missing Secret counts as stalled only after a while."""
    transitions.secret_waited_for(account, now, missing=decision.reason is Reason.SECRET_NOT_FOUND)
    since = account.secret_missing_since
    if since is not None and now < since + SECRET_SECONDS:
        workspace.timers.set(account.uid, since + SECRET_SECONDS)


def _apply_action(workspace: Workspace, account: Account, decision: Decision, now: float) -> None:
    """Actions that only change the workspace."""
    stored = account.stored
    if decision.action is Action.ACQUIRE:
        workspace.acquire(account, decision.inbox_id or "", decision.origin or "", now)
    elif decision.action is Action.TAKE_OVER:
        workspace.take_over(account, decision.inbox_id or "")
    elif decision.action is Action.REBIND and stored.applied is not None:
        workspace.trust.prove(account.desired.key_ref, stored.applied.workspace or account.key, account.key)
        transitions.rebound(account, account.key)
    elif decision.action is Action.BEGIN_MAIL:
        transitions.mail_begun(account, now)
    elif decision.action is Action.GIVE_UP_MAIL and stored.mail is not None:
        error = (
            "The operator stopped while it sent the mail, which may have left. To send another, set a new requestID."
        )
        transitions.mail_failed(account, error)
    else:
        return
    workspace.index(account)


def _queue_of(workspace: Workspace, account: Account, decision: Decision) -> CallKind | None:
    match decision.action:
        case Action.CREATE:
            return CallKind(Action.CREATE, workspace.create_group(account), account.key)
        case Action.DELETE:
            return CallKind(Action.DELETE, "edit" if account.desired.deleting is None else "delete", account.key)
        case Action.SEARCH | Action.GET | Action.MAIL | Action.DOMAINS:
            return CallKind(decision.action, "", account.key)
    return None


def ask_brake_for_all(workspace: Workspace, now: float) -> None:
    """At a start, before the first call of any key of the workspace: the brake decides about all of them (rule 45)."""
    for account in workspace.accounts.values():
        if account.desired.deleting is not None:
            with suppress(Exception):  # its own decision reports the fault, which affects that account alone (rule 38)
                _ask_brake(workspace, account, None, now)


def _ask_brake(workspace: Workspace, account: Account, decision: Decision | None, now: float) -> None:
    """Count a deletion from the moment it is known. One that ColdSend refused before was counted then."""
    desired = account.desired
    if account.busy is not None:
        return  # counted before the call left; the end of the call touches the account
    if (
        account.delete_backoff is not None
        or account.delete_partial
        or not asks_for_deletion(account, decision, workspace)
    ):
        workspace.brake.withdraw(account.uid)
        return
    approved = workspace.approved_deletion(account)
    if desired.deleting is None:
        workspace.brake.ask(account.uid, desired.namespace, now, approved=approved)
    else:
        size = workspace.policy.leaving.get(desired.batch or "", 0)
        asked_at = desired.deleting - workspace.kube_offset
        # Anybody may write any UID into ownerReferences: objects join no decision of another namespace.
        batch = f"{desired.namespace}/{desired.batch}" if desired.batch else None
        workspace.brake.ask(account.uid, desired.namespace, asked_at, approved=approved, batch=batch, size=size)
