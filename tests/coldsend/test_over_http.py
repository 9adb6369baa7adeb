"""The client against the emulator over HTTP: the documented behavior, faults, and what is sent.

Other forms of answers have their tests as bytes in test_answers.py and test_failures.py, and with every reading of the
emulator in tests/open_points/.
"""

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


# What is sent


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


@pytest.mark.parametrize("search", ["jane+tag@company.com", "50%off@company.com", "o'neil@company.com"])
async def test_a_search_finds_awkward_addresses(clean: RunningEmulator, client: ColdSendClient, search: str) -> None:
    clean.seed({"email_address": search}, {"email_address": "other@company.com"})
    assert [row.email_address for row in (await client.list_accounts(page=1, search=search)).rows] == [search]
