"""The inbox type of a row, from its content only, without network lookups."""

import re
from collections.abc import Mapping

from coldsend_operator.resources.common import InboxType

_WORDS = {
    InboxType.GOOGLE_WORKSPACE: {"google", "gmail", "googleworkspace", "gsuite", "googleworkspaces", "workspace"},
    InboxType.OUTLOOK_365: {
        *("outlook", "outlook365", "office365", "office", "o365", "microsoft", "microsoft365", "m365", "ms365"),
        *("exchange", "exchangeonline", "azure", "hotmail"),
    },
    InboxType.CUSTOM_SMTP: {"smtp", "customsmtp", "custom", "imap", "smtpimap", "imapsmtp", "other", "private"},
    InboxType.COLDSEND: {"coldsend", "coldsendnative", "native"},
}
_TYPES = {word: inbox_type for inbox_type, words in _WORDS.items() for word in words}
_GOOGLE_HOSTS = ("gmail.com", "googlemail.com", "google.com")
_MICROSOFT_HOSTS = ("office365.com", "outlook.com", "microsoft.com", "hotmail.com")


def type_of(cells: Mapping[str, str]) -> InboxType | None:
    """The type by the provider in the row, else by its SMTP, IMAP or MX host; None if unknown."""
    named = _TYPES.get(re.sub(r"[^a-z0-9]", "", cells.get("provider", "").lower()))
    if named is not None:
        return named
    for field in ("smtp_host", "imap_host"):
        if field in cells:
            return _type_of_host(cells[field]) or InboxType.CUSTOM_SMTP
    return _type_of_host(cells["mx"]) if "mx" in cells else None


def _type_of_host(host: str) -> InboxType | None:
    host = host.lower().rstrip(".").split()[-1] if host.strip() else ""  # an MX may be written `10 mx.host.`
    for inbox_type, ends in ((InboxType.GOOGLE_WORKSPACE, _GOOGLE_HOSTS), (InboxType.OUTLOOK_365, _MICROSOFT_HOSTS)):
        if any(host == end or host.endswith(f".{end}") for end in ends):
            return inbox_type
    return None
