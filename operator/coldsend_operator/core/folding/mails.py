"""Answers to test mails."""

from dataclasses import replace

from coldsend_operator.core.answers import Failure, FailureKind, MailSent
from coldsend_operator.core.calls import Call
from coldsend_operator.core.folding.pieces import UNKNOWN, members_of
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.core.times import rfc3339


def mailed(ledger: Ledger, account: Account, answer: MailSent, now: float) -> None:
    ledger.budget.mails.add(now)
    if account.facts.mail is not None:
        sent_at = answer.sent_at or rfc3339(now)
        mail = replace(account.facts.mail, sent_at=sent_at, message_id=answer.message_id)
        account.facts = replace(account.facts, mail=mail)


def mail_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    if failure.kind in {FailureKind.NOT_SENT, FailureKind.RATE_LIMITED, FailureKind.MISROUTED}:
        return
    ledger.budget.mails.add(now)
    error = f"ColdSend refused the test mail: {failure.message}"
    if failure.required:
        error += f"; grant {', '.join(failure.required)} to the API key. A new requestID sends again."
    if failure.kind in UNKNOWN:
        error = "ColdSend's answer was lost; the mail may have left. A new requestID sends again."
    for account in members_of(ledger, call):
        if account.facts.mail is not None:
            account.facts = replace(account.facts, mail=replace(account.facts.mail, error=error))
