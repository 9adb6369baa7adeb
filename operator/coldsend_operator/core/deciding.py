"""Decides anew for the accounts that something happened to, and lines each up for what its step asks."""

from contextlib import suppress
from dataclasses import replace

from coldsend_operator.core.kstatus import SECRET_SECONDS
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account, Mail
from coldsend_operator.core.steps import Move, Step, asks_for_deletion, next_step
from coldsend_operator.core.steps.step import waits_for_crd
from coldsend_operator.core.times import rfc3339

CHORES = frozenset({Move.MARK, Move.UNMARK, Move.FORGET})
RECONCILE_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # an annotation that changes all the time waits
RECONCILE_QUIET = 300.0  # after which it is taken up at once again
QUIET_SECONDS = 30.0  # a flood of 1,000 passes in less: telling each that it waits would cost a write each


def settle(ledger: Ledger, now: float) -> None:
    """Decide anew for every account that something happened to."""
    ledger.dirty.update(ledger.timers.fire(now))
    ledger.replacements.begin_round()
    _settle_brake(ledger, now)
    for _ in range(8):  # a step that only changes what is known is followed by the next one
        if not ledger.dirty:
            break
        batch, ledger.dirty = ledger.dirty, set()
        for uid in batch:
            account = ledger.accounts.get(uid)
            if account is not None:
                _decide_one(ledger, account, now)
        _settle_brake(ledger, now)
    if ledger.brake.tell_at is not None:
        ledger.timers.set("", ledger.brake.tell_at)


def _settle_brake(ledger: Ledger, now: float) -> None:
    changed = ledger.brake.settle(ledger.managed, now, hold_all=ledger.policy.hold_deletions)
    for each in ledger.kin if changed else ():
        each.dirty |= changed


def _decide_one(ledger: Ledger, account: Account, now: float) -> None:
    """A fault in the decision for one account costs that account alone: it asks for nothing (rule 38)."""
    try:
        _decide(ledger, account, now)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong with one account costs that account alone
        give_up(ledger, account.uid, error)
    else:
        ledger.undecided.pop(account.uid, None)


def give_up(ledger: Ledger, uid: str, error: Exception) -> None:
    """Nothing can be decided or planned for the account: it waits for nothing until it is decided anew."""
    ledger.undecided[uid] = error
    ledger.unqueue(uid)
    ledger.steps.pop(uid, None)
    ledger.chores.pop(uid, None)


def _decide(ledger: Ledger, account: Account, now: float) -> None:
    if account.uid in ledger.working:
        return  # its end touches the account
    _acknowledge(ledger, account, now)
    _accept_credentials(ledger, account, now)
    _see_change(account, now)
    step = next_step(account, ledger, now)
    _forget_the_observed(ledger, account, step)
    ledger.steps[account.uid] = step
    _ask_brake(ledger, account, step, now)
    if step.reason is Reason.HANDED_OVER:
        ledger.touch_others(account)
    if step.due is not None:
        ledger.timers.set(account.uid, step.due)
    queue = _queue_of(ledger, account, step)
    if queue is not None and now < account.hold_until:
        ledger.timers.set(account.uid, account.hold_until)
        queue = None
    ledger.enqueue(account, queue, now)
    if step.move in CHORES:
        if account.uid not in ledger.chores:
            ledger.chores[account.uid] = step.move
    else:
        ledger.chores.pop(account.uid, None)
        _know(ledger, account, step, now)
    if queue is None:
        account.turn_at = None
    _wait(ledger, account, step, now)
    _miss_secret(ledger, account, step, now)
    ledger.changed.add(account.uid)


def _see_change(account: Account, now: float) -> None:
    """Note since when the object is as it is: who adopts or observes looks at its address once more after a change.

    A Secret that was missing, a refusal and a value of the reconcile annotation count as changes.
    """
    credentials, setback = account.credentials, account.setback
    lacking = credentials is not None and credentials.reason is not None
    as_is = hash((account.desired.generation, account.reconcile_asked, lacking, setback.at if setback else 0.0))
    if as_is != account.as_is:
        account.as_is, account.as_is_since = as_is, now


def _forget_the_observed(ledger: Ledger, account: Account, step: Step) -> None:
    """An object that observed and may not any more, or is to manage now, shows no inbox once refused (rule 12)."""
    desired = account.desired
    if account.facts.origin != "Observed" or _is_paused(ledger, account) or desired.deleting is not None:
        return
    if desired.spec.observe and ledger.may_adopt(account) and ledger.may_use_key(account):
        return
    if step.reason is not None and step.move is not Move.TAKE and account.busy is None:
        account.facts = replace(account.facts, inbox_id=None, origin=None)
        ledger.index(account)


def _acknowledge(ledger: Ledger, account: Account, now: float) -> None:
    """`coldsend.pro/reconcile`: a fresh look now, at ColdSend and at the Secret."""
    asked, facts = account.desired.reconcile, account.facts
    if asked is None or asked == facts.reconcile or _is_paused(ledger, account):
        return
    if account.reconcile_asked != asked:
        if not _taken_up(ledger, account, now):
            return
        account.reconcile_asked = asked
        account.refused_delete, account.looks = None, 0
        ledger.breaker.hasten(now)
        account.look_at = 0.0 if facts.inbox_id is not None else None
        if account.desired.spec.native is not None and facts.inbox_id is None:
            ledger.domains.doubt(now)
        if account.desired.spec.smtp is not None:
            account.credentials = None
            ledger.stale_secrets.add(account.uid)
        return
    if account.look_at is not None or account.uid in ledger.stale_secrets:
        return
    account.facts = replace(facts, reconcile=asked)


def _accept_credentials(ledger: Ledger, account: Account, now: float) -> None:
    """`coldsend.pro/credentials-current`: the Secret's present content is what ColdSend has.

    It is read once more first, and waited for while it cannot be read. Without an inbox there is nothing to accept yet.
    """
    asked, facts, desired = account.desired.credentials_current, account.facts, account.desired
    if (
        asked is None
        or asked == facts.credentials_current
        or _is_paused(ledger, account)
        or desired.deleting is not None
    ):
        return
    if not facts.held or facts.applied is None or desired.spec.smtp is None or desired.spec.observe:
        return
    if waits_for_crd(ledger, "lastCredentialsCurrentRequest") is not None:
        return  # after a restart it would be accepted again, whatever the Secret holds by then
    if account.credentials_asked != asked:
        if _taken_up(ledger, account, now):
            account.credentials_asked, account.credentials = asked, None
            ledger.stale_secrets.add(account.uid)
        return
    digest = account.credentials.digest if account.credentials else None
    if digest is not None and account.uid not in ledger.stale_secrets:
        applied = replace(facts.applied, credentials_hash=digest)
        account.facts = replace(facts, credentials_current=asked, applied=applied)


def _taken_up(ledger: Ledger, account: Account, now: float) -> bool:
    """Whether a new value of an annotation is taken up now; one that changes all the time waits."""
    free_at = account.reconciled_at + RECONCILE_PAUSES[min(account.reconciles, len(RECONCILE_PAUSES) - 1)]
    if now < free_at:
        ledger.timers.set(account.uid, free_at)
        return False
    account.reconciles = account.reconciles + 1 if now < account.reconciled_at + RECONCILE_QUIET else 1
    account.reconciled_at = now
    return True


def _is_paused(ledger: Ledger, account: Account) -> bool:
    return ledger.policy.paused(account.desired.namespace, said=account.desired.paused)


def _wait(ledger: Ledger, account: Account, step: Step, now: float) -> None:
    """A quiet step is told in status only when it lasts."""
    if not step.quiet:
        account.waiting_since = None
        return
    if account.waiting_since is None:
        account.waiting_since = now
    if now < account.waiting_since + QUIET_SECONDS:
        ledger.timers.set(account.uid, account.waiting_since + QUIET_SECONDS)


def _miss_secret(ledger: Ledger, account: Account, step: Step, now: float) -> None:
    """A Secret that is missing is called stalled only when it stays away."""
    if step.reason is not Reason.SECRET_NOT_FOUND:
        account.secret_missing_since = None
        return
    if account.secret_missing_since is None:
        account.secret_missing_since = now
    if now < account.secret_missing_since + SECRET_SECONDS:
        ledger.timers.set(account.uid, account.secret_missing_since + SECRET_SECONDS)


def _know(ledger: Ledger, account: Account, step: Step, now: float) -> None:
    """Steps that only change what is known."""
    facts = account.facts
    if step.move is Move.TAKE:
        ledger.take(account, step.inbox_id or "", step.origin or "", now)
    elif step.move is Move.TAKE_OVER:
        ledger.take_over(account, step.inbox_id or "")
    elif step.move is Move.REBIND and facts.applied is not None:
        ledger.trust.prove(account.desired.key_ref, facts.applied.workspace or ledger.digest, ledger.digest)
        account.facts = replace(facts, applied=replace(facts.applied, workspace=ledger.digest))
    elif step.move is Move.BEGIN_MAIL:
        spec = account.desired.spec
        account.mail_begun = spec.mail_request
        mail = Mail(spec.mail_request or "", spec.mail_recipient or "", started_at=rfc3339(now))
        account.facts = replace(facts, mail=mail)
    elif step.move is Move.GIVE_UP_MAIL and facts.mail is not None:
        error = "The operator stopped while the mail was being sent; it may have left. A new requestID sends again."
        account.facts = replace(facts, mail=replace(facts.mail, error=error))
    else:
        return
    ledger.index(account)


def _queue_of(ledger: Ledger, account: Account, step: Step) -> tuple[Move, str] | None:
    match step.move:
        case Move.CREATE:
            return (Move.CREATE, ledger.create_group(account))
        case Move.DELETE:
            return (Move.DELETE, "edit" if account.desired.deleting is None else "delete")
        case Move.SEARCH | Move.GET | Move.MAIL | Move.DOMAINS:
            return (step.move, "")
    return None


def ask_brake_for_all(ledger: Ledger, now: float) -> None:
    """At a start, before the first call of any key of the workspace: the brake decides over all of them (rule 45)."""
    for account in ledger.accounts.values():
        if account.desired.deleting is not None:
            with suppress(Exception):  # its own decision tells of the fault, which costs that account alone (rule 38)
                _ask_brake(ledger, account, None, now)


def _ask_brake(ledger: Ledger, account: Account, step: Step | None, now: float) -> None:
    """Count a deletion from the moment it is known. One that ColdSend refused before was counted then."""
    desired = account.desired
    if account.busy is not None:
        return  # it was counted before the call left; the end of the call touches the account
    if account.refused_delete is not None or account.doubted or not asks_for_deletion(account, step, ledger):
        ledger.brake.withdraw(account.uid)
        return
    approved = ledger.approved_deletion(account)
    if desired.deleting is None:
        ledger.brake.ask(account.uid, desired.namespace, now, approved=approved)
    else:
        size = ledger.policy.leaving.get(desired.batch or "", 0)
        asked_at = desired.deleting - ledger.kube_offset
        # Anybody may write any UID into ownerReferences: an object joins no decision of another namespace.
        batch = f"{desired.namespace}/{desired.batch}" if desired.batch else None
        ledger.brake.ask(account.uid, desired.namespace, asked_at, approved=approved, batch=batch, size=size)
