"""The switches: a closed table of all points that the documentation of the API leaves open.

`rows` are rows of docs/contributing/api-assumptions.md. The default is the most likely behavior. Other values are what
the real API may do as well, hostile behavior included. Each switch is read in one place.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    name: str
    rows: tuple[int, ...]
    values: tuple[str, ...]  # the first is the default
    meaning: str

    @property
    def default(self) -> str:
        return self.values[0]

    @property
    def allowed(self) -> str:
        return ", ".join(self.values)

    def parse(self, value: object) -> str:
        text = str(value)
        if text not in self.values:
            raise ValueError(f"{self.name}: {text!r} is not one of {self.allowed}")
        return text


@dataclass(frozen=True)
class Amount:
    """A number; if `optional`, null (or "none") means unlimited."""

    name: str
    rows: tuple[int, ...]
    default: float | None
    meaning: str
    minimum: float = 0
    maximum: float = 1e9
    optional: bool = False

    @property
    def allowed(self) -> str:
        return f"{self.minimum:g} to {self.maximum:g}" + (", none" if self.optional else "")

    def parse(self, value: object) -> float | None:
        if self.optional and value in {None, "none", "null"}:
            return None
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not self.minimum <= number <= self.maximum:
            raise ValueError(f"{self.name}: {value!r} is not within {self.allowed}")
        return number


Switch = Choice | Amount

TABLE: tuple[Switch, ...] = (
    # Jobs
    Choice(
        "job_words",
        (1,),
        (
            "usual", "lower_case", "complete", "success", "succeeded", "done", "finished", "partial",
            "partially_completed", "completed_with_errors", "failed", "error", "canceled", "unknown", "absent",
            "always_running",
        ),
        "the words of job.status for running and finished",
    ),
    Choice("job_completed_at", (1,), ("given", "null", "absent"), "whether a finished job shows completed_at"),
    Choice("job_counters", (1,), ("full", "zero", "absent"), "what processed_count and total_rows of a job show"),
    Choice(
        "job_ending",
        (1,),
        ("complete", "cancelled_halfway", "failed_halfway", "stuck_halfway"),
        "whether a job does all items, ends after half of them, or stops after half and never ends",
    ),
    Choice(
        "result_rows",
        (2,),
        (
            "full", "empty", "null", "absent", "shuffled", "other_names", "doubled", "gaps", "failures_only",
            "without_ids", "strings",
        ),
        "shape of the result rows of all three bulks",
    ),
    Choice("results_where", (3,), ("progress", "first", "both", "neither"), "which responses of a job contain results"),
    Choice("bulk_first_counts", (3,), ("zero", "accepted"), "success count of a bulk that is not done yet"),
    Choice(
        "job_id",
        (4,),
        ("given", "given_done", "null_done", "null_later"),
        "whether a bulk returns a job id, and whether its work is done before or after the response",
    ),
    Amount("job_ttl_seconds", (5,), None, "how long a finished job can be polled; then 404", optional=True),
    Choice("bulk_bad_item", (6,), ("whole_422", "whole_400", "row"), "effect of one invalid item on its bulk"),
    Choice(
        "validation_detail",
        (6,),
        ("plain", "first_only", "without_loc", "sentence", "with_input", "value_in_msg"),
        "form of a validation error; with_input and value_in_msg quote the request, passwords too",
    ),
    Choice(
        "duplicate_in_bulk",
        (7,),
        ("row", "whole_409", "whole_422", "first_wins", "both"),
        "effect of an address twice in one bulk; both: two inboxes",
    ),
    Choice("existing_in_bulk", (7,), ("row", "whole_409", "upsert"), "effect of an existing address in a bulk"),
    Choice("conflict_body", (8,), ("without_id", "field", "sentence", "object"), "whether a 409 names the inbox_id"),
    Choice("address_scope", (9,), ("workspace", "platform", "nowhere"), "where an address must be unique"),
    Choice(
        "existing_single",
        (7, 12),
        ("409", "400", "422", "upsert"),
        "response to a single create of an existing address; upsert: new passwords, old id",
    ),
    # Limits
    Choice("retry_after", (13,), ("absent", "seconds", "http_date"), "Retry-After of a 429"),
    Choice("limit_detail", (13,), ("sixty", "seconds", "wordless", "list"), "the message of a 429"),
    Choice("limit_scope", (14,), ("workspace", "key", "address"), "which requests share one limit"),
    Choice("window_kind", (15,), ("sliding", "fixed"), "how both windows move"),
    Choice("refused_requests", (15,), ("counted", "free"), "whether a refused request counts"),
    Choice("headers_window", (16,), ("minute", "hour", "tighter", "absent"), "the window that the headers describe"),
    Amount("repeated_create_seconds", (17,), 0, "how long an equal single create gets the first response again"),
    # Success and failure
    Choice("create_code", (18,), ("201", "200", "202", "204"), "code of a single create; 204 has no body"),
    Choice("bulk_code", (18,), ("200", "201", "202", "204"), "code of the three bulks; 204 has no body"),
    Choice("delete_code", (18,), ("200", "202", "204", "200_empty"), "code of a single delete"),
    Choice("test_email_code", (18,), ("200", "201", "202", "204"), "code of a test mail; 204 has no body"),
    Choice(
        "success_false",
        (19,),
        ("never", "refusals", "although_done"),
        "success: false with 2xx: never, instead of 400 and 409, or for successful writes",
    ),
    Choice(
        "test_mail_outcome",
        (19,),
        ("sent", "sent_without_id", "failed_200", "failed_400"),
        "outcome of a test mail from an active inbox",
    ),
    # Deletion
    Choice("in_use_code", (20,), ("409", "400", "422"), "code of a delete of an inbox that a campaign uses"),
    Choice("in_use_states", (21,), ("all", "active_or_paused", "active"), "campaign states that prevent a deletion"),
    Choice("skipped_rows", (22,), ("reasoned", "unreasoned", "absent"), "row of a skipped inbox"),
    Amount("delete_seconds", (23,), 0, "how long an inbox still exists after the response to its delete"),
    Amount("recreate_refused_seconds", (24,), 0, "how long after a deletion a create of the address gets 409"),
    # Native inboxes
    Choice("native_answer", (25,), ("full", "without_id", "wrapped", "empty"), "response to a single native create"),
    Amount("native_seconds", (25,), 0, "how long after the response a native inbox appears"),
    Choice("native_first_status", (25,), ("ACTIVE", "PENDING"), "first status of a native inbox (pending_seconds)"),
    Choice("native_bulk_answer", (26,), ("results", "counts", "job", "empty"), "response to a native bulk"),
    Choice("native_bulk_partial", (26,), ("rows", "whole_409"), "effect of one impossible item in a native bulk"),
    Choice("native_bulk_progress", (26,), ("404", "answered"), "the SMTP progress path for a native job"),
    Choice("domain_not_active", (27,), ("400", "409", "422", "accepted"), "native create on a domain not ACTIVE"),
    Choice("domain_full", (27,), ("400", "409", "422", "403"), "native create on a full domain"),
    Choice("prefix_rules", (28,), ("cautious", "letters_digits", "anything"), "which email_prefix is accepted"),
    Amount("native_display_name_maximum", (29,), 255, "longest display name of a native inbox", 1, 10_000),
    Choice("display_name_form", (29,), ("as_sent", "trimmed", "cut_64"), "how a display name is stored"),
    Amount("native_daily_limit", (30,), 100, "daily_limit of a native inbox; none: null", optional=True),
    Choice("native_limit_sent", (30,), ("ignored", "taken", "refused"), "daily_limit in a native create"),
    # Rows
    Choice("limit_out_of_range", (31,), ("refused", "clamped"), "a daily_limit beyond what the provider allows"),
    Amount("limit_minimum", (31,), 1, "lowest daily_limit", 0, 1000),
    Amount("pending_seconds", (32,), 0, "how long a new SMTP inbox (or native, row 25) shows PENDING"),
    Choice("pending_filter", (32,), ("refused", "accepted"), "status=PENDING as a filter"),
    Choice("status_words", (33,), ("usual", "lower_case", "unknown"), "the words of overall_status"),
    Choice("type_words", (33,), ("usual", "lower_case", "unknown"), "the words of inbox_type"),
    Choice(
        "search_match",
        (34,),
        ("partial", "partial_case", "exact", "exact_case", "prefix", "with_name", "sql_like", "ignored"),
        "how search compares",
    ),
    Choice("search_plus", (34,), ("literal", "space"), "what a plus sign in search stands for after decoding"),
    Amount("list_delay_seconds", (35,), 0, "how long after its creation an inbox is missing from lists"),
    Amount("list_vanish_seconds", (35,), 0, "how long after its removal an inbox is still in lists"),
    Choice("list_order", (35,), ("stable", "unsorted_only", "unstable"), "which lists are shuffled for each page"),
    Choice("list_total", (35,), ("exact", "stale"), "stale: pagination.total is the workspace's maximum so far"),
    Choice("default_sort", (36,), ("created_at_desc", "created_at_asc", "email_address"), "order if none is requested"),
    Choice("default_order", (36,), ("asc", "desc"), "direction if only sort_by is sent"),
    Choice("detail_envelope", (37,), ("top_level", "sender_account", "data", "row_only"), "place of the details"),
    Choice("health_form", (38,), ("float", "null", "absent", "fraction", "integer"), "how health_score is shown"),
    Choice("address_case", (39,), ("lower", "lower_domain", "as_sent"), "how an address is stored and shown"),
    Choice("disabled_reason", (40,), ("absent", "detail"), "whether details say why an inbox is DISABLED"),
    # Scopes, limits of one request, the rest
    Choice("progress_scope", (41,), ("read", "as_start", "none"), "scope of the two progress endpoints"),
    Choice("test_email_scope", (41,), ("read", "create", "all", "none"), "scope of a test mail"),
    Choice("domain_scope", (41,), ("none", "read", "domains"), "scope of the domain endpoints; domains: domains:read"),
    Amount("connection_check_seconds", (42,), 0, "how long the check of one single SMTP create takes"),
    Amount("connection_check_limit_seconds", (42,), None, "time after which the server responds 504", optional=True),
    Choice("connection_check_over", (42,), ("nothing_done", "done_later"), "what happens after a 504 of the check"),
    Choice("connection_failure", (42,), ("refused", "disabled"), "a failed check: no inbox, or a DISABLED one"),
    Choice("connection_failed_code", (42,), ("400", "422", "424", "502"), "code of a failed check"),
    Amount("parallel_jobs", (43,), None, "jobs of one kind at once in a workspace", 1, optional=True),
    Choice("parallel_jobs_code", (43,), ("429", "409", "400", "503"), "code of one job too many"),
    Choice("request_id", (44,), ("absent", "given"), "X-Request-ID on answers"),
    Amount("body_limit_bytes", (45,), None, "longest request body; longer: 413", 1, optional=True),
    Amount("plan_limit", (46,), None, "inboxes that a workspace may have", optional=True),
    Choice("plan_limit_code", (46,), ("402", "403", "400", "409"), "code of one inbox too many"),
    Choice("plan_limit_in_bulk", (46,), ("row", "whole"), "what the plan limit does to a bulk"),
    Amount("secret_minimum", (48,), 1, "shortest password, IMAP host and user name", 0, 64),
    Amount("secret_maximum", (48,), 255, "longest password, IMAP host and user name", 1, 10_000),
    Choice("domain_delete", (49,), ("deletes_inboxes", "keeps_inboxes", "refused"), "deleting a domain with inboxes"),
    Choice("unknown_fields", (50,), ("ignored", "refused"), "undocumented fields in a request body"),
    # Beyond section 5
    Amount("job_seconds", (), 1, "how long a job takes as a whole"),
    Amount("domain_setup_seconds", (), 1, "how long a domain takes from activation to ACTIVE"),
    Amount("date_skew_seconds", (), 0, "how far the server's clock is ahead: Date header and all times", -1e9, 1e9),
)  # fmt: skip

FIXED: dict[int, str] = {
    10: "there is no update endpoint; other methods on a path get 405",
    11: "there is no endpoint to pause or resume; a person does it (control API: change a row)",
    47: "webhooks are calls by the server; they change no request or response",
}
"""Rows without a switch, and why the server cannot differ there."""

BY_NAME: dict[str, Switch] = {switch.name: switch for switch in TABLE}


class Switches:
    """The current values of all switches; a switch not set here has its value in `common`, else its default."""

    def __init__(self, common: "Switches | None" = None) -> None:
        self._common = common
        self._set: dict[str, str | float | None] = {}

    def reset(self) -> None:
        self._set = {}

    def set(self, name: str, value: object) -> None:
        """Set one switch by name, or by row if the row has only one switch."""
        self.set_all({name: value})

    def set_all(self, values: Mapping[str, object]) -> None:
        """Set these switches; if one is invalid, set none."""
        named = [(BY_NAME.get(name) or _of_row(name), value) for name, value in values.items()]
        self._set |= {switch.name: switch.parse(value) for switch, value in named}

    def choice(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str):
            raise TypeError(f"{name} is not a choice")
        return value

    def amount(self, name: str) -> float:
        """The number; infinity if unlimited."""
        value = self.value(name)
        if isinstance(value, str):
            raise TypeError(f"{name} is not an amount")
        return math.inf if value is None else value

    def values(self) -> dict[str, str | float | None]:
        return {name: self.value(name) for name in BY_NAME}

    def value(self, name: str) -> str | float | None:
        if name in self._set:
            return self._set[name]
        return BY_NAME[name].default if self._common is None else self._common.value(name)


def of_row(row: int) -> list[Switch]:
    return [switch for switch in TABLE if row in switch.rows]


def _of_row(text: str) -> Switch:
    if not text.isdigit():
        raise ValueError(f"there is no switch {text!r}")
    found = of_row(int(text))
    if len(found) != 1:
        names = ", ".join(switch.name for switch in found) or FIXED.get(int(text), "none")
        raise ValueError(f"row {text} is not one switch: {names}")
    return found[0]
