"""Decides the next action of each changed account, and queues it for its next call.

`decide` is a pure function of what is known, in the order of the rules: it only reads, and each function below it
answers one question, or returns None. `decide_changed` notes in the workspace what follows from its decisions.
"""

from dataclasses import replace

from coldsend_operator.core.decide.annotations import accept_credentials, acknowledge
from coldsend_operator.core.decide.create import decide_create
from coldsend_operator.core.decide.delete import ask_brake, decide_delete
from coldsend_operator.core.decide.hand_over import is_handed_over
from coldsend_operator.core.decide.hold import decide_hold
from coldsend_operator.core.decide.observe import decide_observe
from coldsend_operator.core.decide.questions import shared_inbox, under_way, unknown_origin, wait_without_call
from coldsend_operator.core.decide.still_wanted import frozen, still_due
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.conditions import NAMESPACE_PAUSED, PAUSED, SECRET_SECONDS
from coldsend_operator.core.model.create_marks import is_mark
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.holding import acquire, take_over
from coldsend_operator.core.workspace.queues import CallKind
from coldsend_operator.core.workspace.workspace import Workspace

__all__ = [
    "QUIET_SECONDS",
    "decide_changed",
    "give_up",
    "is_handed_over",
    "still_due",
]

FINALIZER_ACTIONS = frozenset({Action.ADD_FINALIZER, Action.REMOVE_FINALIZER, Action.FORGET})
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
    if workspace.brake.holds.tell_at is not None:
        workspace.timers.set("", workspace.brake.holds.tell_at)


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
    workspace.queues.drop(uid)
    workspace.decisions.pop(uid, None)
    workspace.patches.pop(uid, None)


def _decide(workspace: Workspace, account: Account, now: float) -> None:
    if account.uid in workspace.patching:
        return  # its end touches the account
    acknowledge(workspace, account, now)
    accept_credentials(workspace, account, now)
    transitions.change_noted(account, now)
    decision = decide(account, workspace, now)
    _forget_the_observed(workspace, account, decision)
    workspace.decisions[account.uid] = decision
    ask_brake(workspace, account, decision, now)
    if decision.reason is Reason.HANDED_OVER:
        workspace.touch_others(account)
    if decision.due is not None:
        workspace.timers.set(account.uid, decision.due)
    queue = _queue_of(workspace, account, decision)
    if queue is not None and now < account.postponed_until:
        workspace.timers.set(account.uid, account.postponed_until)
        queue = None
    workspace.queues.put(account.uid, account.desired.namespace, queue, now)
    if decision.action in FINALIZER_ACTIONS:
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
    desired, policy = account.desired, workspace.policy
    if account.stored.origin != "Observed" or policy.paused(desired) or desired.deleting is not None:
        return
    if desired.spec.observe and policy.may_adopt(desired) and policy.may_use_key(desired):
        return
    if decision.reason is not None and decision.action is not Action.ACQUIRE and account.busy is None:
        transitions.observation_ended(account)
        workspace.index(account)


def _wait(workspace: Workspace, account: Account, decision: Decision, now: float) -> None:
    """A quiet action is reported in status only if it lasts."""
    transitions.decided(account, now, quiet=decision.quiet)
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
        acquire(workspace, account, decision.inbox_id or "", decision.origin or "", now)
    elif decision.action is Action.TAKE_OVER:
        take_over(workspace, account, decision.inbox_id or "")
    elif decision.action is Action.REBIND and stored.applied is not None:
        workspace.trust.prove(account.desired.key_ref, stored.applied.workspace or account.key, account.key)
        transitions.rebound(account, account.key)
    elif decision.action is Action.BEGIN_MAIL:
        transitions.mail_begun(account, now)
    elif decision.action is Action.REFUSE_MAIL:
        transitions.mail_refused(account)
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
            return CallKind(Action.CREATE, _create_group(workspace, account), account.key)
        case Action.DELETE:
            return CallKind(Action.DELETE, "edit" if account.desired.deleting is None else "delete", account.key)
        case Action.SEARCH | Action.GET | Action.MAIL | Action.DOMAINS:
            return CallKind(decision.action, "", account.key)
    return None


def _create_group(workspace: Workspace, account: Account) -> str:
    """Accounts of one group can share a bulk create: all SMTP types, or the native ones of one domain."""
    native = account.desired.spec.native
    if native is None:
        return "smtp"
    domain = workspace.domains.find(native)
    return domain.domain_id if domain else f"single:{native.domain_id}"


def decide(account: Account, workspace: Workspace, now: float) -> Decision:
    """Decide what this account needs now."""
    decision = _next_action(account, workspace, now)
    return frozen(account, decision, now) if workspace.policy.freeze else decision


def _next_action(account: Account, workspace: Workspace, now: float) -> Decision:
    if account.desired.deleting is not None:
        return decide_delete(account, workspace, now)
    if _lacks_finalizer(account, workspace):
        return Decision(Action.ADD_FINALIZER, quiet=True)
    if account.busy is not None:
        return under_way(account, workspace)
    decision = _decide_live(account, workspace, now)
    if not _has_stale_mark(account) or (decision.action is Action.CREATE and workspace.goes_again(account)):
        return decision
    return replace(decision, action=Action.REMOVE_FINALIZER)


def _decide_live(account: Account, workspace: Workspace, now: float) -> Decision:
    stop = (
        _invalid(account) or _paused(account, workspace) or shared_inbox(account, workspace) or unknown_origin(account)
    )
    if stop is not None:
        return stop
    if account.desired.spec.observe:
        return decide_observe(account, workspace, now)
    if account.stored.held:
        return decide_hold(account, workspace, now)
    return decide_create(account, workspace, now)


def _lacks_finalizer(account: Account, workspace: Workspace) -> bool:
    """An object that holds an inbox, or may get one, needs our finalizer (rule 4: it must not vanish without us).

    While a create is under way or lost its mark comes back at once too, beside the call and with its time (rule 39).
    """
    finalizers, since = account.desired.finalizers, account.marked_at
    if account.create_pending and since is not None:
        marked = workspace.policy.create_marks.text(account.uid, since) in finalizers
        return not (marked and account.desired.finalized)
    must_stay = account.stored.held or account.unknown_create is not None
    return must_stay and not account.desired.spec.observe and not account.desired.finalized


def _has_stale_mark(account: Account) -> bool:
    """Whether a create mark is stale: the outcome of its call is known, or it is forged.

    Where status shows a held inbox a mark says nothing, so to leave it there saves a write: it goes with the finalizer.
    """
    return not account.create_pending and not account.stored.held and any(map(is_mark, account.desired.finalizers))


def _invalid(account: Account) -> Decision | None:
    if not account.desired.problems:
        return None
    return wait_without_call(account, Reason.INVALID_SPEC, " ".join(account.desired.problems))


def _paused(account: Account, workspace: Workspace) -> Decision | None:
    desired = account.desired
    if not workspace.policy.paused(desired):
        return None
    return Decision(reason=Reason.RECONCILIATION_PAUSED, message=PAUSED if desired.paused else NAMESPACE_PAUSED)
