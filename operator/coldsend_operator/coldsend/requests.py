"""The requests of the API, without I/O: what each call sends, and to which path (contract, sections 2 and 3)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from coldsend_operator.coldsend.masking import Member
from coldsend_operator.coldsend.models import NativeInbox, SmtpInbox

ACCOUNTS = "/sender-accounts"
MAX_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `to_json` builds the body when it is sent, so that plain passwords live no longer than the call.

    `operation` is the name in metrics and logs, `items` the number of items of a bulk (else 0). The secrets of
    `members` are masked in messages about them. `checks_mailbox`: ColdSend tests SMTP and IMAP before it answers, which
    takes time.
    """

    operation: str
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    to_json: Callable[[], dict[str, Any]] | None = None
    items: int = 0
    members: tuple[Member, ...] = ()
    checks_mailbox: bool = False


def list_accounts(page: int, limit: int, sort_by: str, sort_order: str, **filters: str | None) -> Request:
    params = {"page": str(page), "limit": str(limit), "sort_by": sort_by, "sort_order": sort_order}
    params |= {name: value for name, value in filters.items() if value is not None}
    return Request("search_accounts" if "search" in params else "list_accounts", "GET", ACCOUNTS, params)


def get_account(inbox_id: str) -> Request:
    return Request("get_account", "GET", f"{ACCOUNTS}/{_segment(inbox_id)}")


def create_smtp(inbox: SmtpInbox) -> Request:
    return Request(
        "create_smtp",
        "POST",
        f"{ACCOUNTS}/smtp",
        to_json=inbox.to_json,
        members=(member_of(inbox),),
        checks_mailbox=True,
    )


def create_smtp_bulk(inboxes: Sequence[SmtpInbox]) -> Request:
    return Request(
        "create_smtp_bulk",
        "POST",
        f"{ACCOUNTS}/smtp/bulk",
        to_json=lambda: {"inboxes": [inbox.to_json() for inbox in inboxes]},
        items=_bounded(inboxes),
        members=tuple(map(member_of, inboxes)),
    )


def create_native(domain_id: str, inbox: NativeInbox) -> Request:
    return Request(
        "create_native",
        "POST",
        f"{ACCOUNTS}/coldsend-native",
        to_json=lambda: {"domain_id": domain_id, **inbox.to_json()},
    )


def create_native_bulk(domain_id: str, inboxes: Sequence[NativeInbox]) -> Request:
    return Request(
        "create_native_bulk",
        "POST",
        f"{ACCOUNTS}/coldsend-native/bulk",
        to_json=lambda: {"domain_id": domain_id, "inboxes": [inbox.to_json() for inbox in inboxes]},
        items=_bounded(inboxes),
    )


def delete_account(inbox_id: str) -> Request:
    return Request("delete_account", "DELETE", f"{ACCOUNTS}/{_segment(inbox_id)}")


def delete_accounts(inbox_ids: Sequence[str]) -> Request:
    return Request(
        "delete_accounts",
        "POST",
        f"{ACCOUNTS}/bulk/delete",
        to_json=lambda: {"inbox_ids": list(inbox_ids), "confirm_deletion": True},
        items=_bounded(inbox_ids),
    )


def create_job(job_id: str, members: Sequence[Member]) -> Request:
    path = f"{ACCOUNTS}/smtp/bulk/{_segment(job_id)}/progress"
    return Request("poll_create_job", "GET", path, members=tuple(members))


def delete_job(job_id: str) -> Request:
    return Request("poll_delete_job", "GET", f"{ACCOUNTS}/bulk/delete/{_segment(job_id)}/progress")


def send_test_email(inbox_id: str, recipient: str) -> Request:
    path = f"{ACCOUNTS}/{_segment(inbox_id)}/test-email"
    return Request("send_test_email", "POST", path, to_json=lambda: {"recipient_email": recipient})


def list_domains(page: int, limit: int) -> Request:
    return Request("list_domains", "GET", "/domains", {"page": str(page), "limit": str(limit)})


def member_of(inbox: SmtpInbox) -> Member:
    """The member that a part of a response is about, and its secrets."""
    shown = (inbox.display_name, inbox.smtp_host, inbox.smtp_username, inbox.imap_host, inbox.imap_username)
    return Member(inbox.email_address, inbox.secrets(), shown)


def _segment(text: str) -> str:
    """One segment of a path; dots alone would refer to a parent path."""
    if not text:
        raise ValueError("the id is empty")
    return text.replace(".", "%2E") if set(text) == {"."} else quote(text, safe="")


def _bounded(items: Sequence[object]) -> int:
    if not 1 <= len(items) <= MAX_ITEMS:
        raise ValueError(f"a bulk call takes 1 to {MAX_ITEMS} items, not {len(items)}")
    return len(items)
