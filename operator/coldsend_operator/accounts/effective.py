"""The effective values of a spec, with the operator's defaults, which are never written into the spec."""

import re

from coldsend_operator.core.model.desired import SecretRef, Server
from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.common import APIKeyReference, InboxType, PasswordReference
from coldsend_operator.resources.names import API_KEY_KEY, PASSWORD_KEY

SMTP_HOSTS = {InboxType.GOOGLE_WORKSPACE: "smtp.gmail.com", InboxType.OUTLOOK_365: "smtp.office365.com"}
IMAP_HOSTS = {InboxType.GOOGLE_WORKSPACE: "imap.gmail.com", InboxType.OUTLOOK_365: "outlook.office365.com"}
SMTP_PORT = 587
IMAP_PORT = 993
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]")


def effective_servers(spec: SenderAccountSpec) -> tuple[Server | None, Server | None]:
    """The SMTP and the IMAP server; None where the spec has none (COLDSEND, or Observe without smtp)."""
    smtp = _smtp(spec)
    return smtp, None if smtp is None else _imap(spec, smtp)


def _smtp(spec: SenderAccountSpec) -> Server | None:
    host = (spec.smtp and spec.smtp.host) or SMTP_HOSTS.get(spec.inbox_type)
    if spec.smtp is None or host is None or spec.email_address is None:
        return None
    return Server(
        host=host,
        port=spec.smtp.port or SMTP_PORT,
        username=spec.smtp.username or spec.email_address,
        password=_password(spec.smtp.password_secret_ref),
        encrypted=spec.smtp.use_tls is not False,
    )


def _imap(spec: SenderAccountSpec, smtp: Server) -> Server | None:
    """What the spec leaves open is that of SMTP."""
    imap = spec.imap
    host = (imap and imap.host) or IMAP_HOSTS.get(spec.inbox_type)
    if host is None:
        return None
    return Server(
        host=host,
        port=(imap and imap.port) or IMAP_PORT,
        username=(imap and imap.username) or smtp.username,
        password=_password(imap.password_secret_ref) if imap and imap.password_secret_ref else smtp.password,
        encrypted=imap is None or imap.use_ssl is not False,
    )


def _password(reference: PasswordReference) -> SecretRef:
    return SecretRef(reference.name, reference.key or PASSWORD_KEY)


def api_key(reference: APIKeyReference | None) -> SecretRef | None:
    """The API key of the object; None if it names none."""
    return None if reference is None else SecretRef(reference.name, reference.key or API_KEY_KEY)


def api_key_default(said: str) -> SecretRef:
    """The annotation coldsend.pro/api-key-secret of a Namespace: `<name>` or `<name>/<key>`.

    Characters that no Secret has in its name or key are replaced, so that such a Secret is never found.
    """
    name, _, key = said.partition("/")
    return SecretRef(NOT_IN_A_NAME.sub("_", name), NOT_IN_A_NAME.sub("_", key) or API_KEY_KEY)
