"""The client against the emulator over HTTP: the documented behavior, then every open point visible in a response."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from coldsend_emulator.running import RunningEmulator, running_emulator
from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.coldsend.headers import Meta
from coldsend_operator.core.model.answers import BulkAnswer, Created, Deleted, FailureKind, JobProgress
from tests.coldsend.support import ALL_CALLS, API_KEY, DOMAIN_ID, INBOX_ID, failure_of, native_inbox, smtp_inbox


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator([API_KEY.get_secret_value()]) as running:
        yield running


@pytest.fixture
def clean(emulator: RunningEmulator) -> RunningEmulator:
    emulator.reset()
    emulator.limit()
    emulator.change_key(API_KEY.get_secret_value(), scopes=["*"], revoked=False)
    emulator.switch(job_seconds=0)
    return emulator


@pytest.fixture
def heard() -> list[tuple[str, Meta]]:
    return []


@pytest.fixture
async def client(clean: RunningEmulator, heard: list[tuple[str, Meta]]) -> AsyncIterator[ColdSendClient]:
    client = ColdSendClient(
        clean.api_url, API_KEY, on_answer=lambda operation, meta: heard.append((operation, meta)), timeout=10
    )
    yield client
    await client.aclose()


async def new_inbox(client: ColdSendClient) -> str:
    created = await client.create_smtp(smtp_inbox())
    assert created.row is not None
    return created.row.inbox_id


async def finished(client: ColdSendClient, bulk: BulkAnswer) -> JobProgress:
    assert bulk.job_id is not None
    return await client.create_job(bulk.job_id)


# As documented


async def test_an_smtp_inbox_from_creation_to_deletion(clean: RunningEmulator, client: ColdSendClient) -> None:
    created = await client.create_smtp(smtp_inbox('pa"ss\\wörd', daily_limit=20))
    assert created.row is not None
    inbox_id = created.row.inbox_id
    assert clean.has_passwords(inbox_id, 'pa"ss\\wörd')
    details = await client.get_account(inbox_id)
    page = await client.list_accounts(page=1)
    found = await client.list_accounts(page=1, search="jane@company.com")
    assert page.rows == found.rows == (details,)
    assert (details.email_address, details.daily_limit, details.overall_status) == ("jane@company.com", 20, "ACTIVE")
    assert (page.total, page.has_next) == (1, False)
    assert await client.delete_account(inbox_id) == Deleted()
    assert (await failure_of(client.get_account(inbox_id))).kind is FailureKind.NOT_FOUND


async def test_a_bulk_of_a_hundred_and_its_job(clean: RunningEmulator, client: ColdSendClient) -> None:
    bulk = await client.create_smtp_bulk([smtp_inbox(email_address=f"jane{n}@company.com") for n in range(100)])
    progress = await finished(client, bulk)
    assert (bulk.total, progress.total, progress.succeeded, progress.failed) == (100, 100, 100, 0)
    assert progress.completed_at is not None
    assert len(progress.results) == 100
    first = await client.list_accounts(page=1, limit=60)
    second = await client.list_accounts(page=2, limit=60)
    assert (first.has_next, second.has_next, first.total) == (True, False, 100)
    ids = [row.inbox_id for row in first.rows + second.rows]
    deletion = await client.delete_accounts(ids)
    assert deletion.job_id is not None
    assert (await client.delete_job(deletion.job_id)).succeeded == 100
    assert clean.inboxes() == []


async def test_native_inboxes_and_their_domain(clean: RunningEmulator, client: ColdSendClient) -> None:
    domain_id = clean.add_domain("mail.company.com", max_inboxes=50)
    created = await client.create_native(domain_id, native_inbox())
    assert created.row is not None
    assert created.row.email_address == "john@mail.company.com"
    bulk = await client.create_native_bulk(domain_id, [native_inbox("ann"), native_inbox("bob")])
    assert (bulk.total, bulk.success_count) == (2, 2)
    [domain] = (await client.list_domains(page=1)).domains
    assert (domain.domain_id, domain.domain_name, domain.status) == (domain_id, "mail.company.com", "ACTIVE")
    assert (domain.max_inboxes, domain.current_inboxes) == (50, 3)


async def test_a_test_mail_is_sent_once(clean: RunningEmulator, client: ColdSendClient) -> None:
    sent = await client.send_test_email(await new_inbox(client), "ops@company.com")
    [mail] = clean.mails(recipient="ops@company.com")
    assert (sent.message_id, sent.sent_at is not None) == (mail["message_id"], True)


async def test_rate_headers_and_the_servers_time_are_told(
    client: ColdSendClient, clean: RunningEmulator, heard: Any
) -> None:
    clean.limit(100, 1000)
    await client.list_accounts(page=1)
    [(operation, meta)] = heard
    assert (operation, meta.status, meta.rate.limit, meta.rate.remaining) == ("list_accounts", 200, 100, 99)
    assert abs(meta.rate.reset - meta.server_time) <= 61


async def test_a_revoked_key_is_unauthorized(clean: RunningEmulator, client: ColdSendClient) -> None:
    clean.change_key(API_KEY.get_secret_value(), revoked=True)
    for call in ALL_CALLS.values():
        assert (await failure_of(call(client))).kind is FailureKind.UNAUTHORIZED


async def test_a_missing_scope_is_named(clean: RunningEmulator, client: ColdSendClient) -> None:
    clean.change_key(API_KEY.get_secret_value(), scopes=["sender_accounts:read"])
    failure = await failure_of(client.create_smtp(smtp_inbox()))
    assert failure.kind is FailureKind.FORBIDDEN
    assert "sender_accounts:create" in failure.required


async def test_a_wrong_item_of_a_bulk_is_named(client: ColdSendClient) -> None:
    inboxes = [smtp_inbox(), smtp_inbox(email_address="b@company.com", smtp_port=0)]
    failure = await failure_of(client.create_smtp_bulk(inboxes))
    assert failure.kind is FailureKind.REFUSED
    assert [(fault.index, fault.field) for fault in failure.faults] == [(1, "smtp_port")]


async def test_unknown_ids_and_ids_that_are_none(client: ColdSendClient) -> None:
    assert (await failure_of(client.delete_account(INBOX_ID))).kind is FailureKind.NOT_FOUND
    assert (await failure_of(client.get_account("../domains"))).kind in {FailureKind.REFUSED, FailureKind.NOT_FOUND}
    assert (await failure_of(client.create_job(".."))).kind is FailureKind.NOT_FOUND


# Faults


FAULTS: list[tuple[dict[str, Any], FailureKind, int]] = [
    ({"kind": "cut", "when": "before"}, FailureKind.LOST, 0),
    ({"kind": "cut", "when": "after"}, FailureKind.LOST, 1),
    ({"kind": "truncated", "when": "after"}, FailureKind.LOST, 1),
    ({"kind": "not_json", "when": "after"}, FailureKind.LOST, 1),
    ({"kind": "status", "when": "after", "status": 500}, FailureKind.UNAVAILABLE, 1),
    ({"kind": "status", "when": "before", "status": 503}, FailureKind.UNAVAILABLE, 0),
    ({"kind": "status", "when": "before", "status": 429}, FailureKind.RATE_LIMITED, 0),
]


@pytest.mark.parametrize(("fault", "kind", "made"), FAULTS)
async def test_a_disturbed_create_is_one_request_whatever_came_of_it(
    clean: RunningEmulator, client: ColdSendClient, fault: dict[str, Any], kind: FailureKind, made: int
) -> None:
    clean.clear_request_log()
    clean.fault(operation="createSmtpAccount", **fault)
    assert (await failure_of(client.create_smtp(smtp_inbox()))).kind is kind
    assert len(clean.inboxes()) == made
    assert clean.request_counts()["total"] == 1


# Open points of section 5 that show in an answer, by row

ALREADY_THERE: list[tuple[int, dict[str, Any], FailureKind]] = [
    (7, {"existing_single": "409"}, FailureKind.CONFLICT),
    (7, {"existing_single": "400"}, FailureKind.REFUSED),
    (7, {"existing_single": "422"}, FailureKind.REFUSED),
    *((8, {"conflict_body": form}, FailureKind.CONFLICT) for form in ("without_id", "field", "sentence", "object")),
    (19, {"success_false": "refusals"}, FailureKind.REFUSED),
]


@pytest.mark.parametrize(("row", "switches", "kind"), ALREADY_THERE)
async def test_creating_what_exists(
    clean: RunningEmulator, client: ColdSendClient, row: int, switches: dict[str, Any], kind: FailureKind
) -> None:
    await new_inbox(client)
    clean.switch(**switches)
    failure = await failure_of(client.create_smtp(smtp_inbox()))
    assert failure.kind is kind
    assert failure.message


CREATE_ANSWERS: list[tuple[int, dict[str, Any], bool]] = [
    (18, {"create_code": "200"}, True),
    (18, {"create_code": "202"}, True),
    (18, {"create_code": "204"}, False),
    (33, {"status_words": "unknown", "type_words": "unknown"}, True),
    (39, {"address_case": "lower"}, True),
    (44, {"request_id": "given"}, True),
]


@pytest.mark.parametrize(("row", "switches", "told"), CREATE_ANSWERS)
async def test_creates_are_understood_in_every_form(
    clean: RunningEmulator, client: ColdSendClient, row: int, switches: dict[str, Any], told: bool
) -> None:
    clean.switch(**switches)
    created = await client.create_smtp(smtp_inbox(email_address="Jane@Company.com"))
    [inbox] = clean.inboxes()
    assert (created.row and created.row.inbox_id) == (inbox["inbox_id"] if told else None)
    assert created.row is None or created.row.address == "jane@company.com"


@pytest.mark.parametrize(("form", "told"), [("full", True), ("without_id", False), ("wrapped", True), ("empty", False)])
async def test_native_creates_are_understood_in_every_form(
    clean: RunningEmulator, client: ColdSendClient, form: str, told: bool
) -> None:
    domain_id = clean.add_domain("mail.company.com")
    clean.switch(native_answer=form)
    created = await client.create_native(domain_id, native_inbox())
    [inbox] = clean.inboxes()
    assert (created.row and created.row.inbox_id) == (inbox["inbox_id"] if told else None)


@pytest.mark.parametrize(("form", "told"), [("results", 2), ("counts", 2), ("job", None), ("empty", None)])
async def test_native_bulks_are_understood_in_every_form(
    clean: RunningEmulator, client: ColdSendClient, form: str, told: int | None
) -> None:
    domain_id = clean.add_domain("mail.company.com")
    clean.switch(native_bulk_answer=form)
    bulk = await client.create_native_bulk(domain_id, [native_inbox("ann"), native_inbox("bob")])
    assert told is None or bulk.success_count == told
    assert (len(bulk.results) == 2) == (form == "results")
    assert (bulk.job_id is not None) == (form == "job")


JOB_SWITCHES: list[tuple[int, str, str]] = [
    *((1, "job_words", word) for word in ("usual", "lower_case", "partial", "unknown", "absent", "always_running")),
    *((1, "job_completed_at", form) for form in ("null", "absent")),
    *((1, "job_counters", form) for form in ("zero", "absent")),
    *(
        (2, "result_rows", form)
        for form in ("empty", "null", "absent", "shuffled", "other_names", "doubled", "gaps", "without_ids", "strings")
    ),
    *((3, "results_where", form) for form in ("first", "both", "neither")),
]


@pytest.mark.parametrize(("row", "switch", "value"), JOB_SWITCHES)
async def test_jobs_are_understood_in_every_form(
    clean: RunningEmulator, client: ColdSendClient, row: int, switch: str, value: str
) -> None:
    clean.switch(**{switch: value})
    bulk = await client.create_smtp_bulk([smtp_inbox(), smtp_inbox(email_address="b@company.com")])
    progress = await finished(client, bulk)
    told = {row.email_address for row in progress.results + bulk.results} - {None}
    assert told <= {"jane@company.com", "b@company.com"}
    assert progress.succeeded in {2, 0, None}
    assert (progress.status == "") == (value == "absent" and switch == "job_words")


async def test_result_rows_under_other_names_are_read(clean: RunningEmulator, client: ColdSendClient) -> None:
    clean.switch(result_rows="other_names")
    progress = await finished(client, await client.create_smtp_bulk([smtp_inbox()]))
    [inbox] = clean.inboxes()
    [result] = progress.results
    assert (result.email_address, result.inbox_id, result.success) == ("jane@company.com", inbox["inbox_id"], True)


@pytest.mark.parametrize(("form", "given"), [("given", True), ("given_done", True), ("null_done", False)])
async def test_a_bulk_with_and_without_a_job(
    clean: RunningEmulator, client: ColdSendClient, form: str, given: bool
) -> None:
    clean.switch(job_id=form)
    assert ((await client.create_smtp_bulk([smtp_inbox()])).job_id is not None) == given


@pytest.mark.parametrize("code", ["200", "201", "202", "204"])
async def test_codes_of_bulks_and_test_mails(clean: RunningEmulator, client: ColdSendClient, code: str) -> None:
    inbox_id = await new_inbox(client)
    clean.switch(bulk_code=code, test_email_code=code)
    bulk = await client.create_smtp_bulk([smtp_inbox(email_address="b@company.com")])
    mail = await client.send_test_email(inbox_id, "ops@company.com")
    deletion = await client.delete_accounts([inbox_id])
    told = code != "204"
    assert [bulk.job_id is not None, mail.sent_at is not None, deletion.job_id is not None] == [told] * 3


@pytest.mark.parametrize("code", ["200", "202", "204", "200_empty"])
async def test_codes_of_a_delete(clean: RunningEmulator, client: ColdSendClient, code: str) -> None:
    inbox_id = await new_inbox(client)
    clean.switch(delete_code=code)
    assert await client.delete_account(inbox_id) == Deleted()


@pytest.mark.parametrize(
    ("code", "kind"), [("409", FailureKind.CONFLICT), ("400", FailureKind.REFUSED), ("422", FailureKind.REFUSED)]
)
async def test_a_delete_that_a_campaign_refuses(
    clean: RunningEmulator, client: ColdSendClient, code: str, kind: FailureKind
) -> None:
    inbox_id = await new_inbox(client)
    clean.hold(inbox_id)
    clean.switch(in_use_code=code)
    assert (await failure_of(client.delete_account(inbox_id))).kind is kind


@pytest.mark.parametrize("rows", ["reasoned", "unreasoned", "absent"])
async def test_a_bulk_delete_skips_what_a_campaign_uses(
    clean: RunningEmulator, client: ColdSendClient, rows: str
) -> None:
    inbox_id = await new_inbox(client)
    clean.hold(inbox_id)
    clean.switch(skipped_rows=rows)
    deletion = await client.delete_accounts([inbox_id, INBOX_ID])
    assert deletion.job_id is not None
    progress = await client.delete_job(deletion.job_id)
    assert (progress.succeeded, progress.failed, progress.skipped) == (0, 0, 2)


@pytest.mark.parametrize("envelope", ["top_level", "sender_account", "data", "row_only"])
async def test_details_in_every_envelope(clean: RunningEmulator, client: ColdSendClient, envelope: str) -> None:
    inbox_id = await new_inbox(client)
    clean.switch(detail_envelope=envelope)
    details = await client.get_account(inbox_id)
    assert (details.inbox_id, details.health_score) == (inbox_id, 100.0)


@pytest.mark.parametrize(
    ("form", "score"), [("null", None), ("absent", None), ("fraction", 1.0), ("integer", 100.0), ("float", 100.0)]
)
async def test_health_in_every_form(
    clean: RunningEmulator, client: ColdSendClient, form: str, score: float | None
) -> None:
    await new_inbox(client)
    clean.switch(health_form=form)
    assert (await client.list_accounts(page=1)).rows[0].health_score == score


@pytest.mark.parametrize("retry_after", ["seconds", "http_date"])
async def test_a_429_names_its_time_in_the_header(
    clean: RunningEmulator, client: ColdSendClient, retry_after: str
) -> None:
    clean.switch(retry_after=retry_after, limit_detail="wordless", date_skew_seconds=5000)
    clean.limit(1, None)
    await client.list_accounts(page=1)
    failure = await failure_of(client.list_accounts(page=1))
    assert failure.kind is FailureKind.RATE_LIMITED
    assert failure.retry_after is not None
    assert 50 <= failure.retry_after <= 62


@pytest.mark.parametrize(
    ("window", "detail", "seconds"),
    [("minute", "wordless", 60), ("absent", "sixty", 60), ("absent", "wordless", None), ("absent", "list", None)],
)
async def test_a_429_without_retry_after(
    clean: RunningEmulator, client: ColdSendClient, window: str, detail: str, seconds: int | None
) -> None:
    clean.switch(headers_window=window, limit_detail=detail, date_skew_seconds=-5000)
    clean.limit(1, None)
    await client.list_accounts(page=1)
    failure = await failure_of(client.list_accounts(page=1))
    assert failure.kind is FailureKind.RATE_LIMITED
    assert (failure.retry_after is None) == (seconds is None)
    assert seconds is None or failure.retry_after is None or abs(failure.retry_after - seconds) <= 10


@pytest.mark.parametrize("detail", ["plain", "first_only", "without_loc", "sentence", "with_input", "value_in_msg"])
async def test_a_validation_error_shows_no_password(
    clean: RunningEmulator, client: ColdSendClient, detail: str
) -> None:
    clean.switch(validation_detail=detail, secret_maximum=10)
    inboxes = [smtp_inbox("first-long-password"), smtp_inbox("second long\npassword", email_address="b@company.com")]
    failure = await failure_of(client.create_smtp_bulk(inboxes))
    assert failure.kind is FailureKind.REFUSED
    for shown in (failure.message, *(fault.message for fault in failure.faults)):
        assert "long" not in shown
        assert shown


LIMITS: list[tuple[int, dict[str, Any], FailureKind]] = [
    (45, {"body_limit_bytes": 100}, FailureKind.TOO_LARGE),
    (46, {"plan_limit": 0, "plan_limit_code": "402"}, FailureKind.PLAN_LIMIT),
    (46, {"plan_limit": 0, "plan_limit_code": "403"}, FailureKind.PLAN_LIMIT),
    (46, {"plan_limit": 0, "plan_limit_code": "400"}, FailureKind.REFUSED),
    (48, {"secret_maximum": 3}, FailureKind.REFUSED),
    (42, {"connection_check_seconds": 1, "connection_check_limit_seconds": 0.1}, FailureKind.UNAVAILABLE),
]


@pytest.mark.parametrize(("row", "switches", "kind"), LIMITS)
async def test_what_a_create_can_run_into(
    clean: RunningEmulator, client: ColdSendClient, row: int, switches: dict[str, Any], kind: FailureKind
) -> None:
    clean.switch(**switches)
    assert (await failure_of(client.create_smtp(smtp_inbox()))).kind is kind


async def test_only_documented_fields_are_sent(clean: RunningEmulator, client: ColdSendClient) -> None:
    clean.switch(unknown_fields="refused")
    domain_id = clean.add_domain("mail.company.com")
    inbox_id = await new_inbox(client)
    await client.create_smtp_bulk([smtp_inbox(email_address="b@company.com")])
    assert isinstance(await client.create_native(domain_id, native_inbox()), Created)
    await client.create_native_bulk(domain_id, [native_inbox("ann")])
    await client.send_test_email(inbox_id, "ops@company.com")
    await client.delete_accounts([inbox_id])
    assert (await failure_of(client.create_native(DOMAIN_ID, native_inbox()))).kind is FailureKind.NOT_FOUND


@pytest.mark.parametrize("code", ["400", "409", "422"])
async def test_a_domain_that_is_full_or_not_active(clean: RunningEmulator, client: ColdSendClient, code: str) -> None:
    kind = FailureKind.CONFLICT if code == "409" else FailureKind.REFUSED
    clean.switch(domain_not_active=code, domain_full=code)
    for domain_id in (clean.add_domain("a.de", status="DNS_PENDING"), clean.add_domain("b.de", max_inboxes=0)):
        assert (await failure_of(client.create_native(domain_id, native_inbox()))).kind is kind


@pytest.mark.parametrize("outcome", ["failed_200", "failed_400"])
async def test_a_test_mail_that_failed(clean: RunningEmulator, client: ColdSendClient, outcome: str) -> None:
    inbox_id = await new_inbox(client)
    clean.switch(test_mail_outcome=outcome)
    assert (await failure_of(client.send_test_email(inbox_id, "ops@company.com"))).kind is FailureKind.REFUSED


async def test_success_false_although_the_bulk_was_done_hides_no_job(
    clean: RunningEmulator, client: ColdSendClient
) -> None:
    clean.switch(success_false="although_done")
    bulk = await client.create_smtp_bulk([smtp_inbox()])
    assert bulk.job_id is not None
    assert (await failure_of(client.create_smtp(smtp_inbox(email_address="b@company.com")))).status == 201


@pytest.mark.parametrize("search", ["jane+tag@company.com", "50%off@company.com", "o'neil@company.com"])
async def test_a_search_finds_awkward_addresses(clean: RunningEmulator, client: ColdSendClient, search: str) -> None:
    clean.seed({"email_address": search}, {"email_address": "other@company.com"})
    assert [row.email_address for row in (await client.list_accounts(page=1, search=search)).rows] == [search]
