"""The next action for an account with an inbox."""

from coldsend_operator.core.decide.native_domain import domain_of_replacement
from coldsend_operator.core.decide.questions import (
    IMPLAUSIBLE_AT,
    asked_without_answer,
    beside_wanted_get,
    on_hold,
    other_workspace,
    paced,
    unconfirmed_404,
    under_own_address,
    waits_for_crd,
)
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Row
from coldsend_operator.core.model.calls import Scope
from coldsend_operator.core.model.decision import IN_SYNC, Action, Decision
from coldsend_operator.core.model.differences import needs_recreation
from coldsend_operator.core.model.pauses import PAUSES
from coldsend_operator.core.model.phases import Gone
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.breaker import ASKED_AGAIN
from coldsend_operator.core.workspace.workspace import Workspace


def decide_hold(account: Account, workspace: Workspace, now: float) -> Decision:
    if account.key_problem is not None:
        return Decision(Action.WAIT, *account.key_problem)
    if account.moving:
        return Decision(quiet=True)
    decision = other_workspace(account, workspace, now)
    if decision is not None:
        return decision
    row = workspace.inventory.row(account.stored.inbox_id)
    if account.deleted_at is not None:
        return _replacing(account, workspace, now)
    if row is None:
        return _vanished(account, workspace, now)
    if not under_own_address(account, row):
        return Decision(
            reason=Reason.ADDRESS_CONFLICT,
            message="The inboxID in status belongs to another address in ColdSend; the operator does not touch it. "
            "Restore the status or delete the object.",
        )
    wanted = _recreation(account, row, workspace, now) or _mail(account, row, workspace) or IN_SYNC
    return beside_wanted_get(account, now, wanted)


def _vanished(account: Account, workspace: Workspace, now: float) -> Decision:
    """The held inbox is not in the inventory: trust that late, and only with a 404 of its id."""
    if account.not_found_at is None and workspace.inventory.swept_at == 0:
        return Decision(quiet=True)
    if workspace.implausible is not None and not workspace.policy.recreation_approved(account.desired):
        return Decision(reason=Reason.INVENTORY_IMPLAUSIBLE, message=workspace.implausible)
    if isinstance(account.removal, Gone):
        return (
            unconfirmed_404(account, workspace, now)
            or _unlisted(account, account.removal, workspace)
            or Decision(
                Action.FORGET,
                Reason.NOT_FOUND,
                "The inbox was removed in ColdSend; the operator creates it again, as this object still requests it.",
            )
        )
    settled = account.wrote_at + workspace.policy.lost_seconds
    if now < settled and account.probe_count >= len(PAUSES):
        return Decision(quiet=True, due=settled)
    return paced(account, now, asked_without_answer(account, Decision(Action.GET, quiet=True)))


def _unlisted(account: Account, gone: Gone, workspace: Workspace) -> Decision | None:
    """A probe of this inbox alone, on request of a person, does not replace the check of a full list."""
    judged = (
        not gone.listed
        or workspace.inventory.swept_at >= gone.at
        or workspace.policy.recreation_approved(account.desired)
    )
    if judged or sum(workspace.managed.values()) < IMPLAUSIBLE_AT:
        return None
    message = (
        "ColdSend does not find the inbox. The operator creates it again after the next full list of the workspace, "
        "which shows whether other inboxes are missing too."
    )
    return Decision(reason=Reason.NOT_FOUND, message=message)


def _recreation(account: Account, row: Row, workspace: Workspace, now: float) -> Decision | None:
    """Replace the inbox: only if spec or Secret changed since they were sent (rule 21), and in turns (rule 22)."""
    if not account.desired.spec.recreate or not needs_recreation(account, row):
        return None
    credentials = account.credentials
    if credentials is not None and credentials.reason is not None:
        return Decision(reason=credentials.reason, message=credentials.message)
    waits = waits_for_crd(workspace, "lastApplied", "origin", "inboxID")
    if waits is not None:
        return Decision(reason=Reason.RECREATING, message=waits)
    if account.desired.spec.smtp is not None and credentials is None:
        return Decision(quiet=True)
    if account.delete_backoff is not None and now < account.delete_backoff.retry_at:
        refused = account.delete_backoff
        return Decision(Action.WAIT, refused.reason, refused.message, refused.retry_at)
    held = on_hold(account, workspace)
    if not workspace.policy.protected(account.desired) and not workspace.replacements.slot(account, now):
        return Decision(
            reason=Reason.RECREATING, message="The inbox waits for its turn to be replaced (maxUnavailable)."
        )
    if held is not None:
        return Decision(reason=Reason.DELETION_HELD, message=held)
    stop = _key_may_not_create(account, workspace) or domain_of_replacement(account, workspace, now)
    if stop is not None:
        return stop
    return Decision(Action.DELETE, Reason.RECREATING, "The inbox is deleted and created again with the current spec.")


def _key_may_not_create(account: Account, workspace: Workspace) -> Decision | None:
    """Whether ColdSend has refused the scope to create to its key; a person may say that it is granted by now."""
    block = workspace.keys.breaker(account.key).blocks.get(Scope.CREATE)
    if block is None or block.reason is not Reason.MISSING_SCOPES or block.until <= block.hastened_at:
        return None
    message = (
        f"The inbox is not deleted, as it could not be created again. {block.message.removesuffix(ASKED_AGAIN)}The "
        "operator goes on when ColdSend accepts a create with this key, or when the annotation coldsend.pro/reconcile "
        "changes."
    )
    return Decision(reason=Reason.MISSING_SCOPES, message=message)


def _replacing(account: Account, workspace: Workspace, now: float) -> Decision:
    """The delete for a replacement was accepted: wait until the inbox is known to be gone."""
    message = "The inbox is deleted and created again with the current spec."
    if account.job is not None:
        return Decision(Action.WAIT, Reason.RECREATING, message)
    if workspace.confirmed_gone(account):
        return Decision(Action.FORGET, Reason.RECREATING, message)
    return paced(account, now, Decision(Action.GET, Reason.RECREATING, message))


def _mail(account: Account, row: Row, workspace: Workspace) -> Decision | None:
    """Rule 28: the intent is stored before the call; a started mail without a response is never sent again."""
    if waits_for_crd(workspace, "testEmail") is not None:
        return None
    spec, mail = account.desired.spec, account.stored.mail
    if spec.mail_request is None or spec.mail_recipient is None or row.overall_status != "ACTIVE":
        return None
    if mail is not None and spec.mail_request in mail.earlier:
        return Decision(Action.REFUSE_MAIL)
    if mail is None or mail.request_id != spec.mail_request:
        return Decision(Action.BEGIN_MAIL)
    if mail.settled:
        return None
    if account.mail_begun != mail.request_id:
        return Decision(Action.GIVE_UP_MAIL)
    if account.confirmed.mail != mail:
        return Decision(quiet=True)
    return Decision(Action.MAIL)
