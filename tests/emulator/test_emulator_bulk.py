"""Bulks and their jobs: item by item, each for itself, as long as they take."""

from typing import Any

import httpx
import pytest

from tests.emulator.client import NOBODY, EmulatorClient, smtp_item

SMTP_BULK, NATIVE_BULK, DELETE_BULK = (
    f"/sender-accounts/{path}" for path in ("smtp/bulk", "coldsend-native/bulk", "bulk/delete")
)


def test_an_smtp_bulk_answers_at_once_and_works_afterwards(client: EmulatorClient) -> None:
    answer = client.bulk("a@company.com", "b@company.com").json()
    assert (answer["success"], answer["total"], answer["success_count"], answer["failed_count"]) == (True, 2, 0, 0)
    assert client.rows() == []


def test_a_job_shows_how_far_it_is(client: EmulatorClient) -> None:
    answer = client.bulk(*(f"u{n}@company.com" for n in range(10)))
    client.emulator.advance(450)
    job = client.progress(answer).json()["job"]
    assert (job["total_rows"], job["processed_count"], job["progress_percentage"]) == (10, 4, 40)
    assert (job["status"], job["completed_at"], len(client.rows())) == ("IN_PROGRESS", None, 4)


def test_a_job_looks_the_same_each_time_when_nothing_has_changed(client: EmulatorClient) -> None:
    answer = client.bulk("a@company.com")
    client.wait_for_jobs()
    assert client.progress(answer).json() == client.progress(answer).json()


def test_one_bad_account_fails_alone(client: EmulatorClient) -> None:
    client.seed("taken@company.com")
    client.emulator.break_connections(addresses=["broken@company.com"])
    job = client.finished(client.bulk("a@company.com", "taken@company.com", "broken@company.com", "b@company.com"))
    assert client.outcomes(job) == ["created", "failed", "failed", "created"]
    assert (job["success_count"], job["failed_count"], job["status"]) == (2, 2, "COMPLETED")
    assert [row["error"] and row["error"][:10] for row in job["results"]] == [None, "Email acco", "Connection", None]


def test_a_job_of_which_all_items_fail_has_failed(client: EmulatorClient) -> None:
    client.seed("a@company.com")
    assert client.finished(client.bulk("a@company.com"))["status"] == "FAILED"


def test_an_address_twice_in_a_bulk_is_created_once(client: EmulatorClient) -> None:
    job = client.finished(client.bulk("a@company.com", "A@company.com"))
    assert client.outcomes(job) == ["created", "failed"]
    assert client.emulator.doubled() == []


@pytest.mark.parametrize("items", [0, 101])
def test_a_bulk_has_1_to_100_items(client: EmulatorClient, items: int) -> None:
    domain = client.domain()
    native: dict[str, Any] = {"domain_id": domain, "inboxes": [{"email_prefix": "a", "display_name": "A"}] * items}
    bodies: dict[str, dict[str, Any]] = {
        SMTP_BULK: {"inboxes": [smtp_item("a@company.com")] * items},
        NATIVE_BULK: native,
        DELETE_BULK: {"inbox_ids": [NOBODY] * items, "confirm_deletion": True},
    }
    assert [client.http.post(path, json=body).status_code for path, body in bodies.items()] == [422, 422, 422]


def test_a_bulk_of_100_is_taken(client: EmulatorClient) -> None:
    job = client.finished(client.bulk(*(f"u{n}@company.com" for n in range(100))))
    assert (job["success_count"], len(client.rows(limit=100))) == (100, 100)


def test_the_place_of_a_bad_field_is_told(client: EmulatorClient) -> None:
    items = [smtp_item(f"u{n}@company.com") for n in range(4)]
    items[3]["smtp_port"] = "x"
    detail = client.http.post(SMTP_BULK, json={"inboxes": items}).json()["detail"]
    assert detail[0]["loc"] == ["body", "inboxes", 3, "smtp_port"]


def test_a_job_of_another_workspace_or_kind_is_not_found(client: EmulatorClient) -> None:
    answer = client.bulk("a@company.com")
    assert client.progress(answer, deleting=True).status_code == 404
    with client.with_key("cs_live_other") as other:
        assert other.get(f"/sender-accounts/smtp/bulk/{answer.json()['job_id']}/progress").status_code == 404


def test_a_native_bulk_answers_with_its_results(client: EmulatorClient) -> None:
    domain = client.domain(max_inboxes=2)
    body = client.native_bulk(domain, "a", "b", "c").json()
    assert (body["success_count"], body["failed_count"]) == (2, 1)
    assert [row["status"] for row in body["results"]] == ["created", "created", "failed"]


def test_a_bulk_delete_skips_what_is_in_use_or_not_there(client: EmulatorClient) -> None:
    free, held = client.seed("free@company.com", "held@company.com")
    client.emulator.hold(held)
    answer = client.bulk_delete(free, held, NOBODY)
    job = client.finished(answer, deleting=True)
    assert client.outcomes(job) == ["deleted", "skipped", "skipped"]
    assert (job["deleted_count"], job["skipped_count"], job["failed_count"], job["status"]) == (1, 2, 0, "COMPLETED")
    assert client.addresses() == ["held@company.com"]


@pytest.mark.parametrize("confirmed", [False, None, "true", 1])
def test_a_bulk_delete_wants_to_be_confirmed(client: EmulatorClient, confirmed: object) -> None:
    inbox_id = client.seed("a@company.com")[0]
    body = {"inbox_ids": [inbox_id], "confirm_deletion": confirmed}
    answer = client.http.post(DELETE_BULK, json=body)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "confirm_deletion"])


def test_a_client_gone_in_the_middle_changes_nothing_of_a_job(client: EmulatorClient) -> None:
    fault = client.emulator.fault("cut", when="after", operation="bulkCreateSmtpAccounts", count=1)
    with pytest.raises(httpx.TransportError):
        client.bulk("a@company.com")
    client.emulator.remove_fault(fault)
    client.wait_for_jobs()
    assert client.addresses() == ["a@company.com"]
