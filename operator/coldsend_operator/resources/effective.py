"""The effective values of a spec, with the operator's defaults, which are never written into the spec."""

import math
import re
from dataclasses import dataclass

from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.common import APIKeyReference, InboxType, PasswordReference
from coldsend_operator.resources.names import API_KEY_KEY, PASSWORD_KEY

SMTP_HOSTS = {InboxType.GOOGLE_WORKSPACE: "smtp.gmail.com", InboxType.OUTLOOK_365: "smtp.office365.com"}
IMAP_HOSTS = {InboxType.GOOGLE_WORKSPACE: "imap.gmail.com", InboxType.OUTLOOK_365: "outlook.office365.com"}
SMTP_PORT = 587
IMAP_PORT = 993
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]")
DEFAULT_MAX_UNAVAILABLE = "10%"


@dataclass(frozen=True, slots=True)
class SecretKeyReference:
    """One key of a Secret in the namespace of the object."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class MailServer:
    """One side of a mailbox, every field known."""

    host: str
    port: int
    username: str
    password: SecretKeyReference
    encrypted: bool


def effective_smtp(spec: SenderAccountSpec) -> MailServer | None:
    """The SMTP server; None if the spec has none (COLDSEND, or Observe without smtp)."""
    host = (spec.smtp and spec.smtp.host) or SMTP_HOSTS.get(spec.inbox_type)
    if spec.smtp is None or host is None or spec.email_address is None:
        return None
    return MailServer(
        host=host,
        port=spec.smtp.port or SMTP_PORT,
        username=spec.smtp.username or spec.email_address,
        password=password_key(spec.smtp.password_secret_ref),
        encrypted=spec.smtp.use_tls is not False,
    )


def effective_imap(spec: SenderAccountSpec) -> MailServer | None:
    """The IMAP server; None if the spec has none (COLDSEND, or Observe without smtp)."""
    smtp = effective_smtp(spec)
    imap = spec.imap
    host = (imap and imap.host) or IMAP_HOSTS.get(spec.inbox_type)
    if smtp is None or host is None:
        return None
    return MailServer(
        host=host,
        port=(imap and imap.port) or IMAP_PORT,
        username=(imap and imap.username) or smtp.username,
        password=password_key(imap.password_secret_ref) if imap and imap.password_secret_ref else smtp.password,
        encrypted=imap is None or imap.use_ssl is not False,
    )


def password_key(reference: PasswordReference) -> SecretKeyReference:
    return SecretKeyReference(reference.name, reference.key or PASSWORD_KEY)


def api_key(reference: APIKeyReference) -> SecretKeyReference:
    return SecretKeyReference(reference.name, reference.key or API_KEY_KEY)


def api_key_default(said: str) -> SecretKeyReference:
    """The annotation coldsend.pro/api-key-secret of a Namespace: `<name>` or `<name>/<key>`.

    Characters that no Secret has in its name or key are replaced, so that such a Secret is never found.
    """
    name, _, key = said.partition("/")
    return SecretKeyReference(NOT_IN_A_NAME.sub("_", name), NOT_IN_A_NAME.sub("_", key) or API_KEY_KEY)


def max_unavailable(value: int | str | None, total: int) -> int:
    """How many of `total` inboxes may be replaced at a time: a percentage is rounded down, at least one."""
    value = DEFAULT_MAX_UNAVAILABLE if value is None else value
    if isinstance(value, int):
        return value
    return max(1, math.floor(total * int(value.removesuffix("%")) / 100))
