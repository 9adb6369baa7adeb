"""The JSON of the API: requests (exactly the documented fields) and responses (tolerant).

Section 2 of the contract names the fields; the models tolerate every open point of its section 5.
Messages are masked where responses become records (`readers`).
"""

import re
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from coldsend_operator.coldsend.bodies import as_flag, as_number, as_text, as_whole
from coldsend_operator.core.model.answers import INBOX_TYPES, STATUSES, Domain, Row

_ZERO_TIME = re.compile(r"0+(\.0*)?$|0001-01-01|1970-01-01T00:00:00")


class Payload(BaseModel):
    """A request body. `to_json` returns plain passwords: call it inside the client only, and do not keep its result."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def secrets(self) -> tuple[SecretStr, ...]:
        return tuple(value for _, value in self if isinstance(value, SecretStr))

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in self
            if value is not None
        }


class SmtpInbox(Payload):
    """One SMTP account (contract 2.6). `daily_limit` None is not sent: ColdSend uses its default."""

    email_address: str
    display_name: str
    inbox_type: str
    smtp_host: str
    smtp_port: int
    smtp_username: str
    smtp_password: SecretStr
    smtp_use_tls: bool
    imap_host: str
    imap_port: int
    imap_username: str
    imap_password: SecretStr
    imap_use_ssl: bool
    daily_limit: int | None = None


class NativeInbox(Payload):
    """One native inbox (contract 2.4); the call names the domain once."""

    email_prefix: str
    display_name: str


def _moment(value: object) -> str | None:
    """A time as sent; None for the zero of a language, which means "not yet" (`0001-01-01T00:00:00Z`, 0)."""
    text = as_text(value)
    return None if text is None or _ZERO_TIME.match(text) else text


def _id(value: object) -> str | None:
    """A number under `id` is a row number, not an inbox id."""
    return value if isinstance(value, str) and value else None


Text = Annotated[str | None, BeforeValidator(as_text)]
Moment = Annotated[str | None, BeforeValidator(_moment)]
Id = Annotated[str | None, BeforeValidator(_id)]
Whole = Annotated[int | None, BeforeValidator(as_whole)]
Number = Annotated[float | None, BeforeValidator(as_number)]
Flag = Annotated[bool | None, BeforeValidator(as_flag)]
Required = Annotated[str, BeforeValidator(as_text), Field(min_length=1)]


class AnswerModel(BaseModel):
    """Part of a response. Unknown fields are ignored, unreadable optional ones count as absent."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


_KNOWN = {word: word for word in INBOX_TYPES | STATUSES}


def _known(word: str | None) -> str | None:
    """A word of the contract in any case, any other text as sent (contract row 33)."""
    return None if word is None else _KNOWN.get(word.upper(), word)


class RowAnswer(AnswerModel):
    inbox_id: Required
    email_address: Required
    display_name: Text = None
    inbox_type: Text = None
    overall_status: Text = None
    daily_limit: Whole = None
    emails_sent_today: Whole = None
    health_score: Number = None
    created_at: Text = None

    def to_row(self) -> Row:
        return Row(
            self.inbox_id,
            self.email_address,
            self.display_name,
            _known(self.inbox_type),
            _known(self.overall_status),
            self.daily_limit,
            self.emails_sent_today,
            self.health_score,
            self.created_at,
        )


class DomainAnswer(AnswerModel):
    domain_id: Required
    domain_name: Required = Field(validation_alias=AliasChoices("domain_name", "domain"))
    status: Text = None
    max_inboxes: Whole = None
    current_inboxes: Whole = None

    def to_domain(self) -> Domain:
        return Domain(self.domain_id, self.domain_name, self.status or "", self.max_inboxes, self.current_inboxes)


class PaginationAnswer(AnswerModel):
    page: Whole = None
    limit: Whole = None
    total: Whole = None
    pages: Whole = None
    has_next: Flag = None

    def another_after(self, page: int, rows: int, limit: int) -> bool:
        """Whether another page follows; without any information a full page is followed by another.

        A server may give shorter pages than `limit`, which is what was asked for.
        """
        if self.has_next is not None:
            return self.has_next
        if self.pages is not None:
            return page < self.pages
        if self.total is not None:
            return page * min(limit, self.limit or limit) < self.total
        return rows >= limit


class ResultAnswer(AnswerModel):
    """One result row of a bulk. Its fields are undocumented; these are the likely names."""

    email_address: Text = Field(None, validation_alias=AliasChoices("email_address", "email", "inbox_email"))
    inbox_id: Id = Field(None, validation_alias=AliasChoices("inbox_id", "id", "sender_account_id"))
    success: Flag = Field(None, validation_alias=AliasChoices("success", "ok", "deleted", "created"))
    status: Text = Field(None, validation_alias=AliasChoices("status", "state", "outcome"))


class BulkCounts(AnswerModel):
    job_id: Text = None
    total: Whole = Field(None, validation_alias=AliasChoices("total", "total_rows", "total_count"))
    success_count: Whole = Field(None, validation_alias=AliasChoices("deleted_count", "success_count", "created_count"))
    failed_count: Whole = None
    skipped_count: Whole = None

    def tell_of_work(self) -> bool:
        """Whether something was done or is under way, regardless of `success`."""
        return self.job_id is not None or any((self.success_count, self.skipped_count))


class JobAnswer(AnswerModel):
    status: Text = None
    progress_percentage: Number = None
    total: Whole = Field(None, validation_alias=AliasChoices("total_rows", "total", "total_count"))
    processed: Whole = Field(None, validation_alias=AliasChoices("processed_count", "processed"))
    succeeded: Whole = Field(
        None, validation_alias=AliasChoices("deleted_count", "success_count", "created_count", "succeeded")
    )
    failed: Whole = Field(None, validation_alias=AliasChoices("failed_count", "failed"))
    skipped: Whole = Field(None, validation_alias=AliasChoices("skipped_count", "skipped"))
    started_at: Text = None
    completed_at: Moment = None


class MailAnswer(AnswerModel):
    sent_at: Text = None
    message_id: Text = None
