"""The JSON of inboxes, domains and pages."""

import math
from typing import Any

from coldsend_emulator.clock import rfc3339
from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.switches import Switches
from coldsend_emulator.workspaces import Domain

_UNKNOWN_STATUS = {"ACTIVE": "WARMING_UP", "PAUSED": "ON_HOLD", "DISABLED": "QUARANTINED", "PENDING": "QUEUED"}
_UNKNOWN_TYPE = {
    "COLDSEND": "NATIVE",
    "GOOGLE_WORKSPACE": "GMAIL_API",
    "OUTLOOK_365": "GRAPH",
    "CUSTOM_SMTP": "AMAZON_SES",
}


class RowWriter:
    """Writes rows by the current switches; create one for each response."""

    def __init__(self, switches: Switches) -> None:
        self._status_words = switches.choice("status_words")
        self._type_words = switches.choice("type_words")
        self._health_form = switches.choice("health_form")

    def row(self, inbox: Inbox) -> dict[str, Any]:
        row: dict[str, Any] = {
            "inbox_id": inbox.inbox_id,
            "email_address": inbox.email_address,
            "display_name": inbox.display_name,
            "inbox_type": self.type_word(inbox.inbox_type),
            "overall_status": self.status_word(inbox.overall_status),
            "daily_limit": inbox.daily_limit,
            "emails_sent_today": inbox.emails_sent_today,
            "created_at": rfc3339(inbox.created_at),
        }
        if self._health_form != "absent":
            row["health_score"] = self._health(inbox.health_score)
        return row

    def status_word(self, status: str) -> str:
        if self._status_words == "unknown":
            return _UNKNOWN_STATUS.get(status, status)
        return status.lower() if self._status_words == "lower_case" else status

    def type_word(self, inbox_type: str) -> str:
        if self._type_words == "unknown":
            return _UNKNOWN_TYPE.get(inbox_type, inbox_type)
        return inbox_type.lower() if self._type_words == "lower_case" else inbox_type

    def _health(self, score: float | None) -> float | None:
        if score is None or self._health_form == "null":
            return None
        if self._health_form == "fraction":
            return score / 100
        return int(score) if self._health_form == "integer" else float(score)


def details(inbox: Inbox, switches: Switches) -> dict[str, Any]:
    """The details: a superset of the row, without credentials."""
    shown = RowWriter(switches).row(inbox)
    envelope = switches.choice("detail_envelope")
    if envelope != "row_only":
        shown |= {"domain_id": inbox.domain_id, "smtp_host": inbox.smtp.host if inbox.smtp else None}
        shown |= {"smtp_port": inbox.smtp.port if inbox.smtp else None}
        shown |= {"imap_host": inbox.imap.host if inbox.imap else None}
        shown |= {"imap_port": inbox.imap.port if inbox.imap else None}
        if switches.choice("disabled_reason") == "detail":
            shown["status_reason"] = inbox.status_reason
    head = {"success": True, "message": "Sender account retrieved successfully"}
    return {**head, envelope: shown} if envelope in {"sender_account", "data"} else {**head, **shown}


def created(inbox: Inbox, switches: Switches) -> dict[str, Any]:
    """The response to a single create."""
    write = RowWriter(switches)
    return {
        "success": True,
        "message": "Sender account created successfully",
        "inbox_id": inbox.inbox_id,
        "email_address": inbox.email_address,
        "display_name": inbox.display_name,
        "inbox_type": write.type_word(inbox.inbox_type),
        "daily_limit": inbox.daily_limit,
        "overall_status": write.status_word(inbox.overall_status),
        "created_at": rfc3339(inbox.created_at),
    }


def domain_row(domain: Domain, inboxes: int) -> dict[str, Any]:
    return {
        "domain_id": domain.domain_id,
        "domain_name": domain.domain_name,
        "status": domain.status,
        "mailcow_added": domain.mailcow_added,
        "cloudflare_verified": domain.cloudflare_verified,
        "max_inboxes": domain.max_inboxes,
        "current_inboxes": inboxes,
        "created_at": rfc3339(domain.created_at),
    }


def pagination(page: int, limit: int, total: int) -> dict[str, Any]:
    pages = math.ceil(total / limit)
    return {
        "page": page,
        "limit": limit,
        "total": total,
        "pages": pages,
        "has_next": page < pages,
        "has_prev": page > 1,
    }
