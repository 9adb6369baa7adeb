"""An account comes to an inbox, uses it, and loses it."""

from dataclasses import replace

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.stored import Applied, Former, Mail
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.model.transitions.reads import reset_probes

NOT_SENT = (
    "No mail was sent: this requestID was already in spec when the inbox was taken over, so its mail may have been "
    "sent before. To send one, set a new requestID."
)
USED_BEFORE = "This requestID was used before, and its mail is not sent again. To send another, set a new requestID."
MAX_REQUESTS = 10  # earlier requests of test mails that status remembers


def created(account: Account, inbox_id: str, workspace: str) -> None:
    """Our create made the inbox, in the workspace of this digest."""
    sent = account.create.sent if account.create is not None else None
    spec_hash, credentials_hash = account.desired.spec.hash, None
    if sent is not None:
        spec_hash, credentials_hash = sent.spec_hash, sent.credentials_hash
    applied = Applied(spec_hash, credentials_hash, workspace)
    # It was just sent: what a person vouched for before refers to another inbox.
    account.stored = replace(account.stored, credentials_current=account.desired.credentials_current)
    _holds(account, inbox_id, "Created", applied)


def adopted(account: Account, inbox_id: str, workspace: str) -> None:
    """The inbox was there before, and the account holds it from now on: its present spec counts as sent (rule 21)."""
    account.stored = replace(account.stored, mail=_served(account, account.stored.mail))
    _holds(account, inbox_id, "Adopted", Applied(account.desired.spec.hash, None, workspace))


def found_again(account: Account) -> None:
    """ColdSend shows the missed inbox again: it is what it was."""
    if account.missed is not None:
        inbox_id, origin = account.missed
        account.stored = replace(account.stored, inbox_id=inbox_id, origin=origin)
        _begins_to_hold(account)


def observed(account: Account, inbox_id: str) -> None:
    """The account shows an inbox that it does not hold."""
    _holds(account, inbox_id, "Observed", None)


def handed_over(account: Account, holder: Account) -> None:
    """The account has the inbox of an object in deletion from now on, and what is known of it (rule 30)."""
    vouched = holder.stored.credentials_current  # a value that was copied along refers to the Secret of that time
    account.stored = replace(
        holder.stored,
        reconcile=account.stored.reconcile,
        credentials_current=vouched if vouched == account.desired.credentials_current else None,
        mail=_served(account, holder.stored.mail),
        handed_over_from=Former(holder.desired.namespace, holder.desired.name),
    )
    account.wrote_at = max(account.wrote_at, holder.wrote_at)
    if account.desired.spec.smtp is not None:  # the digest of its Secret is compared with that of the holder
        account.credentials = None
    _begins_to_hold(account)


def _holds(account: Account, inbox_id: str, origin: str, applied: Applied | None) -> None:
    stored = replace(account.stored, inbox_id=inbox_id, origin=origin, applied=applied, job=None)
    account.stored = replace(stored, handed_over_from=None)
    _begins_to_hold(account)


def _begins_to_hold(account: Account) -> None:
    """What stood between the account and an inbox is over."""
    account.unknowns = 0
    account.stored = replace(account.stored, refusal=None)
    account.create = account.repeated_mark = account.create_backoff = None
    account.removal = account.delete_backoff = account.missed = None
    account.conflict_seen_at, account.delete_partial = 0.0, False
    reset_probes(account)


def rebound(account: Account, workspace: str) -> None:
    """Its inbox is seen with this digest of the key now (rule 15)."""
    if account.stored.applied is not None:
        account.stored = replace(account.stored, applied=replace(account.stored.applied, workspace=workspace))


def forgotten(account: Account) -> None:
    """The inbox is gone, and is made again: status shows none meanwhile (rule 8)."""
    inbox_id, origin = account.stored.inbox_id, account.stored.origin
    account.missed = None if account.delete or not (inbox_id and origin) else (inbox_id, origin)
    account.stored = replace(account.stored, inbox_id=None, origin=None, job=None)
    account.removal, account.delete_partial = None, False
    reset_probes(account)


def observation_ended(account: Account) -> None:
    """The account may not show the inbox any more that it observed (rule 12)."""
    account.stored = replace(account.stored, inbox_id=None, origin=None)


def mail_begun(account: Account, now: float) -> None:
    """A test mail is about to be sent: the intent is stored first (rule 28)."""
    spec = account.desired.spec
    account.mail_begun = spec.mail_request
    mail = Mail(spec.mail_request or "", spec.mail_recipient or "", started_at=rfc3339(now))
    account.stored = replace(account.stored, mail=_after(account.stored.mail, mail))


def mail_refused(account: Account) -> None:
    """A requestID that was used before is in spec again, as after a revert in Git (rule 28: at most one mail)."""
    spec = account.desired.spec
    mail = Mail(spec.mail_request or "", spec.mail_recipient or "", error=USED_BEFORE)
    account.stored = replace(account.stored, mail=_after(account.stored.mail, mail))


def mail_sent(account: Account, sent_at: str, message_id: str | None) -> None:
    """ColdSend sent the test mail."""
    if account.stored.mail is not None:
        mail = replace(account.stored.mail, sent_at=sent_at, message_id=message_id)
        account.stored = replace(account.stored, mail=mail)


def mail_failed(account: Account, error: str) -> None:
    """The test mail is not sent, or nobody knows: this request sends none any more."""
    if account.stored.mail is not None:
        account.stored = replace(account.stored, mail=replace(account.stored.mail, error=error))


def _served(account: Account, mail: Mail | None) -> Mail | None:
    """What status says of test mails when an inbox comes with a past of its own.

    A requestID that stands in spec then may have been served before, as after a restore (rule 34).
    """
    spec = account.desired.spec
    if spec.mail_request is None or (mail is not None and mail.request_id == spec.mail_request):
        return mail
    return _after(mail, Mail(spec.mail_request, spec.mail_recipient or "", error=NOT_SENT))


def _after(before: Mail | None, mail: Mail) -> Mail:
    """The mail, with the requests that came before it: a revert in Git must not send one of these again."""
    if before is None:
        return mail
    earlier = [each for each in (before.request_id, *before.earlier) if each != mail.request_id]
    return replace(mail, earlier=tuple(earlier[:MAX_REQUESTS]))
