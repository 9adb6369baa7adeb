"""The responses of ColdSend, as the rest of the operator sees them.

The client of ColdSend (`coldsend.client`) turns every HTTP response into one of these records; nothing behind it
reads JSON. Field names follow the API (contract, section 2); what its documentation leaves open is optional.
"""

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from coldsend_operator.addresses import comparable

INBOX_TYPES = frozenset({"COLDSEND", "GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"})
STATUSES = frozenset({"ACTIVE", "PAUSED", "DISABLED", "PENDING"})
UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Row:
    """One inbox as ColdSend returns it (row of the list, details, or response to a create).

    `inbox_id` and `email_address` are as sent; compare addresses by `address_key`. `created_at` is RFC 3339 text as
    sent. None means: not in this response.
    """

    inbox_id: str
    email_address: str
    display_name: str | None = None
    inbox_type: str | None = None
    overall_status: str | None = None
    daily_limit: int | None = None
    emails_sent_today: int | None = None
    health_score: float | None = None
    created_at: str | None = None

    @property
    def address(self) -> str:
        """The address in the form in which addresses are compared."""
        return address_key(self.email_address)


def address_key(address: str) -> str:
    """The form in which addresses are compared (contract row 39).

    Letters that change in this form, such as U+212A, are refused in a spec (rule 37: addresses are plain).
    """
    key = comparable(address)
    return address if key == address else key  # not twice in memory


def name_key(name: str | None) -> str:
    """The form in which display names are compared: servers compose characters (NFC) and drop superfluous blanks."""
    return " ".join(unicodedata.normalize("NFC", name or "").split())


def inbox_key(inbox_id: str) -> str:
    """The form in which ids of inboxes are compared: a UUID (contract, section 2) is the same in either case."""
    key = inbox_id.lower() if len(inbox_id) == UUID_LENGTH else inbox_id
    return inbox_id if key == inbox_id else key  # not twice in memory


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list. `total` and `pages` are None when the server left them out."""

    rows: tuple[Row, ...]
    page: int
    total: int | None
    pages: int | None
    has_next: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain of the workspace (row of GET /domains)."""

    domain_id: str
    domain_name: str
    status: str
    max_inboxes: int | None = None
    current_inboxes: int | None = None

    def is_active(self) -> bool:
        """Whether inboxes can be created in it."""
        return self.status.upper() == "ACTIVE"


@dataclass(frozen=True, slots=True)
class DomainPage:
    """One page of the domains."""

    domains: tuple[Domain, ...]
    page: int
    has_next: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A 2xx response to a call that writes; `code` is its HTTP status."""

    code: int | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class Created(Written):
    """A 2xx response to a single create.

    `row` is None if the response had no inbox_id (contract rows 18, 25), or no address of a native inbox.
    """

    row: Row | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of `results` of a bulk: a hint only; rows are unordered, may be missing or repeated (contract row 2)."""

    email_address: str | None = None
    inbox_id: str | None = None
    success: bool | None = None
    status: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class BulkAnswer(Written):
    """A 2xx response to a bulk call. Without `job_id` it is final (contract row 4).

    It may say `success: false` and still name a job, a success or result rows: a partial failure is no refusal.
    """

    job_id: str | None = None
    total: int | None = None
    success_count: int | None = None
    failed_count: int | None = None
    skipped_count: int | None = None
    results: tuple[ResultRow, ...] = ()


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The progress of a job. Counters are None when absent; times are texts as sent."""

    status: str = ""
    progress_percentage: float | None = None
    total: int | None = None
    processed: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    skipped: int | None = None
    started_at: str | None = None
    completed_at: str | None = None
    results: tuple[ResultRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted(Written):
    """A 2xx response to a single delete."""


@dataclass(frozen=True, slots=True)
class MailSent(Written):
    """A 2xx response to a test mail without `success: false`."""

    sent_at: str | None
    message_id: str | None


class FailureKind(StrEnum):
    """What a failed call means for the next action."""

    NOT_SENT = "NotSent"  # no connection: ColdSend did not receive the request
    LOST = "Lost"  # sent, but no readable response: timeout, closed connection, 2xx with an unreadable body
    UNAVAILABLE = "Unavailable"  # 5xx, 408, 425, 499: for a write its outcome is unknown (contract row 17)
    MISROUTED = "Misrouted"  # the server is not the API: nothing was done, and nothing is known about any inbox
    REFUSED = "Refused"  # 400, 422, other 4xx, a redirect, or `success: false` under 2xx (then `status` is 2xx)
    CONFLICT = "Conflict"  # 409
    NOT_FOUND = "NotFound"  # 404
    TOO_LARGE = "TooLarge"  # 413
    RATE_LIMITED = "RateLimited"  # 429
    UNAUTHORIZED = "Unauthorized"  # 401
    FORBIDDEN = "Forbidden"  # 403 that names scopes in `required`
    PLAN_LIMIT = "PlanLimit"  # 402, or 403 without `required` (contract row 46)


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of `detail: [{loc, msg}]`: item index of a bulk (None: no index), field, and the sentence."""

    index: int | None
    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call.

    `message` is a sentence for people: at most 200 characters, made of `loc` and `msg` or of a text `detail` only,
    every secret value of the call masked (rule 11); of a bulk it refers to the first three `faults`, whoever's
    they are. `retry_after` is the wait in seconds after a 429, None if the response named no time (contract row 13).
    """

    kind: FailureKind
    message: str
    status: int | None = None
    faults: tuple[Fault, ...] = ()
    required: tuple[str, ...] = ()
    retry_after: float | None = None


ABSENT_CODES = frozenset({404, 410})
"""HTTP codes that say of the path of an inbox that there is none, if the ColdSend API answers."""
NOT_PROCESSED = Failure(FailureKind.LOST, "the operator failed to process the answer")


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """X-RateLimit-Limit, -Remaining and -Reset (Unix seconds) of one response.

    They describe one window, unknown which (contract row 16).
    """

    limit: int | None
    remaining: int | None
    reset: float | None


Answer = Page | Row | Created | BulkAnswer | JobProgress | Deleted | MailSent | DomainPage
