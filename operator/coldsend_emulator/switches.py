"""Every point that the contract leaves open, as a switch: a closed table.

`rows` are the rows of section 5 of the contract. The default is the most likely reading; the other values are what the
real API may do as well, hostile ones included. Each switch is consulted in one place of the code.
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
    """A number; where `optional`, null (or "none") means without bound."""

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
        "the words of job.status: which ones say running and finished",
    ),
    Choice("job_completed_at", (1,), ("given", "null", "absent"), "whether a finished job shows completed_at"),
    Choice("job_counters", (1,), ("full", "zero", "absent"), "what processed_count and total_rows of a job show"),
    Choice(
        "job_ending",
        (1,),
        ("complete", "cancelled_halfway", "failed_halfway", "stuck_halfway"),
        "whether a job does all its items, ends after half of them, or stops there without an end",
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
    Choice("results_where", (3,), ("progress", "first", "both", "neither"), "which answers of a job carry results"),
    Choice("bulk_first_counts", (3,), ("zero", "accepted"), "success count of a bulk answer whose work is still to do"),
    Choice(
        "job_id",
        (4,),
        ("given", "given_done", "null_done", "null_later"),
        "whether a bulk gives a job id, and whether its work is done before the answer or after",
    ),
    Amount("job_ttl_seconds", (5,), None, "how long a finished job can be asked for; then 404", optional=True),
    Choice("bulk_bad_item", (6,), ("whole_422", "whole_400", "row"), "what one invalid item does to its bulk"),
    Choice(
        "validation_detail",
        (6,),
        ("plain", "first_only", "without_loc", "sentence", "with_input", "value_in_msg"),
        "what a validation error says; with_input and value_in_msg show what was sent, passwords too",
    ),
    Choice(
        "duplicate_in_bulk",
        (7,),
        ("row", "whole_409", "whole_422", "first_wins", "both"),
        "an address twice in one bulk; both makes two inboxes of it",
    ),
    Choice("existing_in_bulk", (7,), ("row", "whole_409", "upsert"), "an address in a bulk that exists already"),
    Choice("conflict_body", (8,), ("without_id", "field", "sentence", "object"), "whether a 409 names the inbox_id"),
    Choice("address_scope", (9,), ("workspace", "platform", "nowhere"), "where an address can exist only once"),
    Choice(
        "existing_single",
        (7, 12),
        ("409", "400", "422", "upsert"),
        "answer to a single create of an address that exists; upsert takes the new passwords and gives the old id",
    ),
    # Limits
    Choice("retry_after", (13,), ("absent", "seconds", "http_date"), "Retry-After of a 429"),
    Choice("limit_detail", (13,), ("sixty", "seconds", "wordless", "list"), "the sentence of a 429"),
    Choice("limit_scope", (14,), ("workspace", "key", "address"), "what shares one pool of requests"),
    Choice("window_kind", (15,), ("sliding", "fixed"), "how both windows move"),
    Choice("refused_requests", (15,), ("counted", "free"), "whether a refused request counts"),
    Choice("headers_window", (16,), ("minute", "hour", "tighter", "absent"), "the window that the headers describe"),
    Amount("repeated_create_seconds", (17,), 0, "within it the same body of a single create gets the first answer"),
    # Success and failure
    Choice("create_code", (18,), ("201", "200", "202", "204"), "code of a single create; 204 has no body"),
    Choice("bulk_code", (18,), ("200", "201", "202", "204"), "code of the three bulks; 204 has no body"),
    Choice("delete_code", (18,), ("200", "202", "204", "200_empty"), "code of a single delete"),
    Choice("test_email_code", (18,), ("200", "201", "202", "204"), "code of a test mail; 204 has no body"),
    Choice(
        "success_false",
        (19,),
        ("never", "refusals", "although_done"),
        "success: false under 2xx: never, in place of 400 and 409, or on writes that were done",
    ),
    Choice(
        "test_mail_outcome",
        (19,),
        ("sent", "sent_without_id", "failed_200", "failed_400"),
        "what becomes of the test mail of an active inbox",
    ),
    # Deletion
    Choice("in_use_code", (20,), ("409", "400", "422"), "code of a delete that a campaign refuses"),
    Choice("in_use_states", (21,), ("all", "active_or_paused", "active"), "campaign states that hold an inbox"),
    Choice("skipped_rows", (22,), ("reasoned", "unreasoned", "absent"), "what a bulk delete says of a skipped inbox"),
    Amount("delete_seconds", (23,), 0, "how long an inbox is still there after its delete was answered"),
    Amount("recreate_refused_seconds", (24,), 0, "how long after a deletion the address gets 409"),
    # Native inboxes
    Choice("native_answer", (25,), ("full", "without_id", "wrapped", "empty"), "answer to a single native create"),
    Amount("native_seconds", (25,), 0, "how long after the answer a native inbox appears"),
    Choice("native_first_status", (25,), ("ACTIVE", "PENDING"), "first status of a native inbox (pending_seconds)"),
    Choice("native_bulk_answer", (26,), ("results", "counts", "job", "empty"), "answer to a native bulk"),
    Choice("native_bulk_partial", (26,), ("rows", "whole_409"), "one impossible item of a native bulk"),
    Choice("native_bulk_progress", (26,), ("404", "answered"), "the SMTP progress path asked for a native job"),
    Choice("domain_not_active", (27,), ("400", "409", "422", "accepted"), "native create on a domain not ACTIVE"),
    Choice("domain_full", (27,), ("400", "409", "422", "403"), "native create on a full domain"),
    Choice("prefix_rules", (28,), ("cautious", "letters_digits", "anything"), "which email_prefix is taken"),
    Amount("native_display_name_maximum", (29,), 255, "longest display name of a native inbox", 1, 10_000),
    Choice("display_name_form", (29,), ("as_sent", "trimmed", "cut_64"), "how a display name is kept"),
    Amount("native_daily_limit", (30,), 100, "daily_limit shown of a native inbox; none: null", optional=True),
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
    Amount("list_vanish_seconds", (35,), 0, "how long after its removal an inbox still stands in lists"),
    Choice("list_order", (35,), ("stable", "unsorted_only", "unstable"), "what is shuffled again for each page"),
    Choice("list_total", (35,), ("exact", "stale"), "stale: pagination.total is what the workspace once had at most"),
    Choice("default_sort", (36,), ("created_at_desc", "created_at_asc", "email_address"), "order when none is asked"),
    Choice("default_order", (36,), ("asc", "desc"), "direction when only sort_by is sent"),
    Choice("detail_envelope", (37,), ("top_level", "sender_account", "data", "row_only"), "where details stand"),
    Choice("health_form", (38,), ("float", "null", "absent", "fraction", "integer"), "how health_score is shown"),
    Choice("address_case", (39,), ("lower", "lower_domain", "as_sent"), "how an address is kept and shown"),
    Choice("disabled_reason", (40,), ("absent", "detail"), "whether details say why an inbox is DISABLED"),
    # Scopes, limits of one request, the rest
    Choice("progress_scope", (41,), ("read", "as_start", "none"), "scope of the two progress endpoints"),
    Choice("test_email_scope", (41,), ("read", "create", "all", "none"), "scope of a test mail"),
    Choice("domain_scope", (41,), ("none", "read", "domains"), "scope of the domain endpoints; domains: domains:read"),
    Amount("connection_check_seconds", (42,), 0, "how long the check of one single SMTP create takes"),
    Amount("connection_check_limit_seconds", (42,), None, "after it the server answers 504", optional=True),
    Choice("connection_check_over", (42,), ("nothing_done", "done_later"), "what a 504 of the check leaves behind"),
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
    Choice("unknown_fields", (50,), ("ignored", "refused"), "fields that no page names, in a request body"),
    # Beyond section 5
    Amount("job_seconds", (), 1, "how long a job takes as a whole"),
    Amount("domain_setup_seconds", (), 1, "how long a domain takes from activation to ACTIVE"),
    Amount("date_skew_seconds", (), 0, "how far the server's clock is ahead: Date header and all times", -1e9, 1e9),
)  # fmt: skip

FIXED: dict[int, str] = {
    10: "there is no update path to call; any other method on a path gets 405",
    11: "there is no path to pause or resume; a person does it (control side: change a row)",
    47: "webhooks would be calls of the server; nothing in a request or an answer could differ",
}
"""Rows of section 5 that no switch covers, and why the server cannot differ there."""

BY_NAME: dict[str, Switch] = {switch.name: switch for switch in TABLE}


class Switches:
    """The present value of every switch; what is not set here is as `common` has it, else the default."""

    def __init__(self, common: "Switches | None" = None) -> None:
        self._common = common
        self._set: dict[str, str | float | None] = {}

    def reset(self) -> None:
        self._set = {}

    def set(self, name: str, value: object) -> None:
        """Set one switch by its name, or by its row where one switch alone covers that row."""
        self.set_all({name: value})

    def set_all(self, values: Mapping[str, object]) -> None:
        """Set all of these, or none when one is wrong."""
        named = [(BY_NAME.get(name) or _of_row(name), value) for name, value in values.items()]
        self._set |= {switch.name: switch.parse(value) for switch, value in named}

    def choice(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str):
            raise TypeError(f"{name} is not a choice")
        return value

    def amount(self, name: str) -> float:
        """The number; infinity where there is no bound."""
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
        raise ValueError(f"no switch is called {text!r}")
    found = of_row(int(text))
    if len(found) != 1:
        names = ", ".join(switch.name for switch in found) or FIXED.get(int(text), "none")
        raise ValueError(f"row {text} is not one switch: {names}")
    return found[0]
