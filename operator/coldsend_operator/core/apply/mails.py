"""Responses to test mails."""

from coldsend_operator.core.apply.common import UNKNOWN, members_of
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Failure, FailureKind, MailSent
from coldsend_operator.core.model.calls import Call
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.workspace.workspace import Workspace


def mailed(workspace: Workspace, account: Account, answer: MailSent, now: float) -> None:
    workspace.budget.mails.add(now)
    transitions.mail_sent(account, answer.sent_at or rfc3339(now), answer.message_id)


def mail_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    if failure.kind in {FailureKind.NOT_SENT, FailureKind.RATE_LIMITED, FailureKind.MISROUTED}:
        return
    workspace.budget.mails.add(now)
    error = f"ColdSend refused the test mail: {failure.message}"
    if failure.required:
        error += f"; grant {', '.join(failure.required)} to the API key. To send again, set a new requestID."
    if failure.kind in UNKNOWN:
        error = "ColdSend's response was lost; the mail may have been sent. To send another, set a new requestID."
    for account in members_of(workspace, call):
        transitions.mail_failed(account, error)
