"""What ColdSend answered, as the rest of the product sees it.

The client of ColdSend (`coldsend.client`) turns every HTTP answer into one of these records; nothing behind it
reads JSON. Names of fields follow the API (contract.md, section 2); everything the pages leave open is optional.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from coldsend_operator.addresses import comparable

INBOX_TYPES = frozenset({"COLDSEND", "GOOGLE_WORKSPACE", "OUTLOOK_365", "CUSTOM_SMTP"})
STATUSES = frozenset({"ACTIVE", "PAUSED", "DISABLED", "PENDING"})
UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class Row:
    """One inbox as ColdSend shows it (row of the list, detail, or answer to a create).

    `inbox_id` and `email_address` are as sent; compare addresses by `address_key`. `created_at` is RFC 3339 text as
    sent. None means: not in this answer.
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

    No spec has an address with a letter that becomes another one on the way, such as U+212A: it is refused (rule 37).
    """
    key = comparable(address)
    return address if key == address else key  # not twice in memory


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


@dataclass(frozen=True, slots=True)
class DomainPage:
    """One page of the domains."""

    domains: tuple[Domain, ...]
    page: int
    has_next: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A 2xx answer to a call that writes; `code` is its HTTP status."""

    code: int | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class Created(Written):
    """A 2xx answer to a single create.

    `row` is None when the answer carried no inbox_id (contract rows 18, 25), or of a native inbox no address with it.
    """

    row: Row | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of `results` of a bulk: a hint only, in no order, perhaps missing, perhaps twice (contract row 2)."""

    email_address: str | None = None
    inbox_id: str | None = None
    success: bool | None = None
    status: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class BulkAnswer(Written):
    """A 2xx answer to a bulk call. Without `job_id` it is final (contract row 4).

    It may have said `success: false` if it named a job, a success or result rows: what failed in part is not refused.
    """

    job_id: str | None = None
    total: int | None = None
    success_count: int | None = None
    failed_count: int | None = None
    skipped_count: int | None = None
    results: tuple[ResultRow, ...] = ()


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What a progress path says of a job. Counters are None when absent; times are texts as sent."""

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
    """A 2xx answer to a single delete."""


@dataclass(frozen=True, slots=True)
class MailSent(Written):
    """A 2xx answer to a test mail that did not say `success: false`."""

    sent_at: str | None
    message_id: str | None


class FailureKind(StrEnum):
    """What a failed call means for the next step."""

    NOT_SENT = "NotSent"  # no connection could be made: ColdSend has not seen it
    LOST = "Lost"  # sent, but no (readable) answer: timeout, cut connection, 2xx with a body that is not understood
    UNAVAILABLE = "Unavailable"  # 5xx, 408, 425, 499: for a write its outcome is unknown (contract row 17)
    MISROUTED = "Misrouted"  # what answered is not the API: nothing was done, and nothing is said of any inbox
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
    """A call that did not succeed.

    `message` is a sentence for people: at most 200 characters, made of `loc` and `msg` or of a text `detail` only,
    every secret value of the call masked (rule 11); of a bulk it refers to the first three `faults`, whoever's
    they are. `retry_after` is in seconds, None when the answer named no time at all (contract row 13); UNAVAILABLE may
    have one too.
    """

    kind: FailureKind
    message: str
    status: int | None = None
    faults: tuple[Fault, ...] = ()
    required: tuple[str, ...] = ()
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """X-RateLimit-Limit, -Remaining and -Reset (Unix seconds) of one answer.

    They describe one window, unknown which (contract row 16).
    """

    limit: int | None
    remaining: int | None
    reset: float | None


Answer = Page | Row | Created | BulkAnswer | JobProgress | Deleted | MailSent | DomainPage
