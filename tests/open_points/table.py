"""Section 5 of the contract, row by row: what the API may do, and what must come true all the same.

A row is a list of cases, or the reason why the server cannot differ. A case sets switches of the emulator and names
the story that is played with them; the story is played once for each combination of the values.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from coldsend_emulator.switches import BY_NAME, FIXED, Choice
from tests.open_points.place import Place
from tests.open_points.stories import access, deleting, existing, limits, living, native, refusing

Story = Callable[[Place], None]
Values = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`long`: what the story waits for takes minutes, so that it is played in simulated time only."""

    row: int
    story: Story
    values: tuple[tuple[str, Any], ...]
    long: bool = False

    def __str__(self) -> str:
        values = "-".join(f"{name}={value}" for name, value in self.values)
        return f"row-{self.row}-{self.story.__name__}" + (f"-{values}" if values else "")


@dataclass(frozen=True)
class Play:
    """A story under some readings: one value or several of each switch."""

    story: Story
    values: Values
    long: bool = False

    def cases(self, row: int) -> Iterator[Case]:
        options = [value if isinstance(value, list) else [value] for value in self.values.values()]
        for chosen in product(*options):
            yield Case(row, self.story, tuple(zip(self.values, chosen, strict=True)), self.long)


def plays(*stories: Story, long: bool = False, **values: Any) -> list[Play]:
    return [Play(story, values, long) for story in stories]


def every(name: str, *but: str) -> list[str]:
    """All values of a switch, besides these."""
    switch = BY_NAME[name]
    assert isinstance(switch, Choice)
    return [value for value in switch.values if value not in but]


_SEVERAL, _ONE = living.several_are_made_once_and_deleted_once, living.one_is_made_once_and_deleted_once
_NATIVE_ONE = living.a_native_one_is_made_once_and_deleted_once
_NATIVE = living.several_native_ones_are_made_once_and_deleted_once
_TOLD_BY_NOTHING = {"job_completed_at": ["null", "absent"], "job_counters": ["zero", "absent"]}

ROWS: dict[int, list[Play] | str] = {
    1: [
        *plays(_SEVERAL, job_words=every("job_words")),
        *plays(_SEVERAL, job_completed_at=every("job_completed_at")),
        *plays(_SEVERAL, job_counters=every("job_counters")),
        *plays(_SEVERAL, job_ending=every("job_ending", "stuck_halfway")),
        *plays(_SEVERAL, job_ending="stuck_halfway", long=True),
        *plays(_SEVERAL, job_words=["unknown", "absent", "always_running"], **_TOLD_BY_NOTHING, long=True),
        *plays(refusing.several_with_one_bad_connection, job_words=every("job_words")),
        *plays(_SEVERAL, job_seconds=[1, 30, 900], long=True),
    ],
    2: [
        *plays(_SEVERAL, _NATIVE, result_rows=every("result_rows")),
        *plays(refusing.several_with_one_bad_connection, result_rows=every("result_rows")),
        *plays(deleting.only_the_one_in_use_is_kept, result_rows=every("result_rows")),
    ],
    3: [
        *plays(
            _SEVERAL, refusing.several_with_one_bad_connection, deleting.only_the_one_in_use_is_kept,
            results_where=every("results_where"), bulk_first_counts=every("bulk_first_counts"),
        ),
    ],
    4: [
        *plays(
            _SEVERAL, refusing.several_with_one_bad_connection, deleting.only_the_one_in_use_is_kept,
            job_id=every("job_id"),
        ),
        *plays(_SEVERAL, job_id="null_later", job_seconds=[30, 300], long=True),
    ],
    5: [
        *plays(_SEVERAL, refusing.several_with_one_bad_connection, job_ttl_seconds=[None, 0]),
    ],
    6: [
        *plays(
            refusing.one_bad_item_costs_itself_alone,
            bulk_bad_item=every("bulk_bad_item"), validation_detail=every("validation_detail"),
        ),
        *plays(refusing.a_bad_single_is_told_and_mended, validation_detail=every("validation_detail")),
        *plays(
            refusing.a_prefix_that_is_refused_costs_itself_alone,
            prefix_rules="letters_digits", bulk_bad_item=every("bulk_bad_item"),
        ),
    ],
    7: [
        *plays(existing.one_address_in_two_objects_is_made_once, duplicate_in_bulk=every("duplicate_in_bulk")),
        *plays(
            existing.an_address_of_a_bulk_that_a_person_takes_first_is_theirs,
            existing_in_bulk=every("existing_in_bulk"),
        ),
        *plays(existing.an_address_that_a_person_takes_first_is_theirs, existing_single=every("existing_single")),
    ],
    8: [
        *plays(
            existing.an_address_that_a_person_takes_first_is_theirs,
            existing.an_address_that_a_person_takes_first_is_adopted_where_that_is_wanted,
            existing.an_address_that_exists_is_refused_or_adopted,
            conflict_body=every("conflict_body"),
        ),
    ],
    9: [
        *plays(existing.an_address_of_another_workspace_is_told_once, address_scope="platform"),
        *plays(existing.an_address_of_another_workspace_is_free_here, address_scope=["workspace", "nowhere"]),
        *plays(
            existing.a_create_whose_answer_is_lost_is_not_repeated,
            existing.a_bulk_whose_answer_is_lost_is_not_repeated,
            existing.one_address_in_two_objects_is_made_once,
            address_scope=every("address_scope"),
        ),
    ],
    10: [*plays(living.a_change_of_spec_is_told_and_nothing_is_called)],
    11: [*plays(living.a_person_pauses_and_nobody_fights_it)],
    12: [
        *plays(living.a_changed_secret_is_told_and_nothing_is_called),
        *plays(living.an_inbox_is_deleted_and_made_again, existing_single=every("existing_single")),
    ],
    13: [
        *plays(
            limits.a_refusal_says_how_long_to_wait,
            retry_after=every("retry_after"), limit_detail=every("limit_detail"), headers_window="absent", long=True,
        ),
        *plays(limits.less_is_granted_than_the_settings_say, headers_window="minute", long=True),
    ],
    14: [
        *plays(limits.two_keys_share_one_account, limit_scope=every("limit_scope"), long=True),
    ],
    15: [
        *plays(
            limits.less_is_granted_than_the_settings_say,
            window_kind=every("window_kind"), refused_requests=every("refused_requests"), long=True,
        ),
    ],
    16: [
        *plays(
            limits.less_is_granted_than_the_settings_say, limits.an_hour_is_spent_by_others,
            headers_window=every("headers_window"), long=True,
        ),
    ],
    17: [
        *plays(
            existing.a_create_whose_answer_is_lost_is_not_repeated,
            existing.a_create_that_never_arrived_is_repeated_once,
            repeated_create_seconds=[0, 30, 3600],
        ),
        *plays(
            existing.a_create_whose_answer_is_lost_is_not_repeated,
            existing.a_bulk_whose_answer_is_lost_is_not_repeated,
            date_skew_seconds=[-3600, 0, 86_400], long=True,
        ),
    ],
    18: [
        *plays(_ONE, _NATIVE_ONE, create_code=every("create_code")),
        *plays(_SEVERAL, _NATIVE, bulk_code=every("bulk_code")),
        *plays(_ONE, delete_code=every("delete_code")),
        *plays(access.a_test_mail_is_sent_once, test_email_code=every("test_email_code")),
    ],
    19: [
        *plays(
            _ONE, _NATIVE_ONE, _SEVERAL, _NATIVE, deleting.only_the_one_in_use_is_kept,
            deleting.an_inbox_in_use_is_kept_until_it_is_free,
            existing.an_address_that_a_person_takes_first_is_theirs,
            success_false=every("success_false"),
        ),
        *plays(access.a_test_mail_is_sent_once, test_mail_outcome=["sent", "sent_without_id"]),
        *plays(
            access.a_test_mail_that_fails_is_told_and_not_sent_again, test_mail_outcome=["failed_200", "failed_400"]
        ),
        *plays(access.a_test_mail_of_uncertain_fate_is_not_sent_again, success_false="although_done"),
    ],
    20: [
        *plays(
            deleting.an_inbox_in_use_is_kept_until_it_is_free,
            in_use_code=every("in_use_code"), success_false=["never", "refusals"],
        ),
    ],
    21: [
        *plays(
            deleting.whatever_a_campaign_does_its_inboxes_stay_as_long_as_coldsend_says,
            in_use_states=every("in_use_states"),
        ),
    ],
    22: [
        *plays(
            deleting.only_the_one_in_use_is_kept, deleting.one_that_vanished_before_the_delete_is_let_go,
            skipped_rows=every("skipped_rows"),
        ),
    ],
    23: [
        *plays(_ONE, _SEVERAL, delete_seconds=[0, 5]),
        *plays(_ONE, living.an_inbox_is_deleted_and_made_again, delete_seconds=[30, 300], long=True),
    ],
    24: [
        *plays(
            living.an_inbox_is_deleted_and_made_again, living.several_are_deleted_and_applied_again,
            recreate_refused_seconds=[0, 5, 600], long=True,
        ),
    ],
    25: [
        *plays(_NATIVE_ONE, native_answer=every("native_answer")),
        *plays(
            native.a_native_one_by_the_id_of_its_domain, native_answer=every("native_answer"),
        ),
        *plays(_NATIVE_ONE, native_seconds=[0, 2]),
        *plays(_NATIVE_ONE, native_seconds=[30, 100], native_answer=every("native_answer"), long=True),
        *plays(
            living.a_native_one_becomes_ready_when_it_is_active,
            native_first_status=every("native_first_status"), pending_seconds=3,
        ),
    ],
    26: [
        *plays(
            _NATIVE, native.a_native_bulk_with_one_taken_address,
            native_bulk_answer=every("native_bulk_answer"), native_bulk_partial=every("native_bulk_partial"),
        ),
        *plays(_NATIVE, native_bulk_answer="job", native_bulk_progress=every("native_bulk_progress")),
        *plays(
            native.a_native_bulk_whose_answer_is_lost_is_not_repeated, native_bulk_answer=every("native_bulk_answer")
        ),
    ],
    27: [
        *plays(
            native.a_domain_that_is_closed_behind_our_back, domain_not_active=every("domain_not_active", "accepted")
        ),
        *plays(
            native.a_domain_that_is_not_active_may_take_inboxes_all_the_same, domain_not_active="accepted"
        ),
        *plays(
            native.a_domain_that_fills_up_behind_our_back, native.a_domain_with_room_for_some,
            domain_full=every("domain_full"),
        ),
        *plays(native.a_domain_is_waited_for_while_it_is_set_up, domain_setup_seconds=[1, 900], long=True),
    ],
    28: [
        *plays(refusing.a_prefix_with_punctuation, prefix_rules=["cautious", "anything"]),
        *plays(refusing.a_prefix_that_is_refused_costs_itself_alone, prefix_rules="letters_digits"),
    ],
    29: [
        *plays(_NATIVE_ONE, native_display_name_maximum=[255, 300]),
        *plays(refusing.a_name_that_is_too_long_for_a_native_one_is_told, native_display_name_maximum=5),
        *plays(refusing.a_name_is_kept_as_it_was_sent, display_name_form="as_sent"),
        *plays(
            refusing.a_name_that_is_kept_otherwise_is_drift_and_never_a_call, display_name_form=["trimmed", "cut_64"]
        ),
    ],
    30: [
        *plays(_NATIVE_ONE, _NATIVE, native_daily_limit=[100, None]),
        *plays(_NATIVE_ONE, _NATIVE, native_limit_sent=every("native_limit_sent")),
    ],
    31: [
        *plays(refusing.a_limit_below_what_coldsend_allows, limit_out_of_range=every("limit_out_of_range")),
        *plays(refusing.a_limit_that_is_refused_is_told, limit_minimum=10, limit_out_of_range="refused"),
        *plays(
            refusing.a_limit_that_is_clamped_is_drift_and_never_a_call, limit_minimum=10, limit_out_of_range="clamped"
        ),
        *plays(refusing.a_limit_below_what_coldsend_allows, limit_minimum=[0, 1]),
    ],
    32: [
        *plays(_ONE, _SEVERAL, pending_seconds=0, pending_filter=every("pending_filter")),
        *plays(
            living.a_pending_one_is_told_as_pending, pending_seconds=4, pending_filter=every("pending_filter"),
        ),
        *plays(living.a_pending_one_is_told_as_pending, pending_seconds=7200, long=True),
    ],
    33: [
        *plays(_ONE, _SEVERAL, status_words=["usual", "lower_case"], type_words=["usual", "lower_case"]),
        *plays(access.an_unknown_status_is_shown_and_not_ready, status_words="unknown"),
        *plays(access.an_unknown_type_is_shown_as_it_is, type_words="unknown"),
    ],
    34: [
        *plays(
            existing.a_lost_create_of_an_odd_address_is_found_again,
            search_match=every("search_match"), search_plus=every("search_plus"),
        ),
        *plays(existing.a_lone_one_among_many_is_looked_up_by_search, search_match=every("search_match")),
        *plays(
            existing.a_lost_create_of_an_odd_address_is_found_again,
            search_match="exact_case", address_case=every("address_case"),
        ),
    ],
    35: [
        *plays(_ONE, _SEVERAL, _NATIVE, list_delay_seconds=[0, 2]),
        *plays(_ONE, _SEVERAL, list_vanish_seconds=[0, 2]),
        *plays(_ONE, _SEVERAL, _NATIVE, list_delay_seconds=[30, 110], long=True),
        *plays(
            _ONE, _SEVERAL, living.an_inbox_is_deleted_and_made_again,
            deleting.an_inbox_that_a_person_removed_is_made_again,
            list_vanish_seconds=[30, 300], long=True,
        ),
        *plays(
            deleting.a_few_among_many_keep_theirs_whatever_the_pages_show,
            list_order=every("list_order"), list_total=every("list_total"), long=True,
        ),
        *plays(deleting.an_inbox_that_a_person_removed_is_made_again, list_total=every("list_total"), long=True),
        *plays(_SEVERAL, list_total=every("list_total")),
        *plays(existing.a_create_whose_answer_is_lost_is_not_repeated, list_delay_seconds=[30, 110], long=True),
        *plays(existing.a_bulk_whose_answer_is_lost_is_not_repeated, list_delay_seconds=[30, 110], long=True),
        *plays(existing.a_bulk_whose_answer_is_lost_is_not_repeated, list_total="stale", list_order="unstable"),
    ],
    36: [
        *plays(
            access.every_list_names_its_order,
            default_sort=every("default_sort"), default_order=every("default_order"),
        ),
    ],
    37: [
        *plays(access.details_are_read_under_any_wrapper, detail_envelope=every("detail_envelope")),
    ],
    38: [
        *plays(access.a_health_score_is_shown_as_it_comes, health_form=["float", "integer"]),
        *plays(access.a_health_score_that_nobody_tells_is_unknown, health_form=["null", "absent"]),
        *plays(access.a_health_score_of_one_is_no_scale_of_ours, health_form="fraction"),
    ],
    39: [
        *plays(living.an_address_is_the_same_in_capitals, address_case=every("address_case")),
    ],
    40: [
        *plays(living.a_disabled_one_is_told_and_not_made_again, disabled_reason=every("disabled_reason")),
    ],
    41: [
        *plays(access.three_scopes_are_enough_for_accounts, progress_scope=every("progress_scope")),
        *plays(access.a_test_mail_goes_with_the_usual_scopes, test_email_scope=["read", "create", "none"]),
        *plays(access.a_test_mail_without_its_scope_is_told, test_email_scope="all"),
        *plays(
            access.a_native_one_needs_no_domain_scope_when_its_domain_is_given_by_id,
            domain_scope=every("domain_scope"),
        ),
        *plays(access.domains_that_may_not_be_read_are_told, domain_scope="domains"),
        *plays(access.a_key_without_read_cannot_even_look),
    ],
    42: [
        *plays(_ONE, connection_check_seconds=[0, 2], connection_check_limit_seconds=[None, 60]),
        *plays(_ONE, connection_check_seconds=110, long=True),
        *plays(
            existing.a_slow_check_ends_in_one_inbox,
            connection_check_seconds=[30, 100], connection_check_limit_seconds=20,
            connection_check_over="done_later", long=True,
        ),
        *plays(
            existing.a_check_that_is_always_too_slow_is_told,
            connection_check_seconds=30, connection_check_limit_seconds=20, connection_check_over="nothing_done",
            long=True,
        ),
        *plays(
            refusing.a_connection_that_fails_is_told_and_tried_again_when_mended,
            connection_failure="refused", connection_failed_code=["400", "422", "424"],
        ),
        *plays(
            refusing.a_connection_that_fails_at_the_gateway_is_no_verdict, connection_failed_code="502", long=True
        ),
        *plays(refusing.a_connection_that_fails_leaves_a_disabled_inbox, connection_failure="disabled"),
        *plays(refusing.several_with_one_bad_connection, connection_failure="refused"),
    ],
    43: [
        *plays(limits.three_bulks_are_made, parallel_jobs=[None], job_seconds=20, long=True),
        *plays(
            limits.one_job_too_many_is_refused_and_repeated,
            parallel_jobs=1, parallel_jobs_code=every("parallel_jobs_code"), job_seconds=20, long=True,
        ),
    ],
    44: [*plays(_ONE, _SEVERAL, request_id=every("request_id"))],
    45: [
        *plays(refusing.a_long_body_is_halved, body_limit_bytes=[None, 1200]),
    ],
    46: [
        *plays(
            refusing.a_plan_that_is_full_is_told_and_gone_on_with_when_there_is_room,
            plan_limit_code=every("plan_limit_code"),
        ),
        *plays(
            refusing.a_bulk_beyond_the_plan_makes_what_there_is_room_for,
            plan_limit_in_bulk=every("plan_limit_in_bulk"), plan_limit_code=every("plan_limit_code"), long=True,
        ),
        *plays(_SEVERAL, plan_limit=[None, 6]),
    ],
    47: FIXED[47],
    48: [
        *plays(refusing.a_short_password_is_the_business_of_coldsend, secret_minimum=[0, 1]),
        *plays(refusing.a_bad_single_is_told_and_mended, secret_minimum=8),
        *plays(refusing.a_password_that_is_too_long_is_told, secret_maximum=255),
        *plays(refusing.a_long_password_is_the_business_of_coldsend, secret_maximum=300),
    ],
    49: [
        *plays(
            deleting.a_domain_that_somebody_deletes_is_none_of_ours, domain_delete=every("domain_delete"), long=True
        ),
    ],
    50: [*plays(living.each_type_is_taken_as_it_is_sent, unknown_fields=every("unknown_fields"))],
}  # fmt: skip

CASES: list[Case] = [
    case for row, played in ROWS.items() if not isinstance(played, str) for play in played for case in play.cases(row)
]
