"""Bulks and their jobs: item by item, each for itself, as long as they take."""

from typing import Any

import httpx
import pytest

from tests.emulator.desk import NOBODY, Desk, smtp_item

SMTP_BULK, NATIVE_BULK, DELETE_BULK = (
    f"/sender-accounts/{path}" for path in ("smtp/bulk", "coldsend-native/bulk", "bulk/delete")
)


def test_an_smtp_bulk_answers_at_once_and_works_afterwards(desk: Desk) -> None:
    answer = desk.bulk("a@company.com", "b@company.com").json()
    assert (answer["success"], answer["total"], answer["success_count"], answer["failed_count"]) == (True, 2, 0, 0)
    assert desk.rows() == []


def test_a_job_shows_how_far_it_is(desk: Desk) -> None:
    answer = desk.bulk(*(f"u{n}@company.com" for n in range(10)))
    desk.emulator.advance(450)
    job = desk.progress(answer).json()["job"]
    assert (job["total_rows"], job["processed_count"], job["progress_percentage"]) == (10, 4, 40)
    assert (job["status"], job["completed_at"], len(desk.rows())) == ("IN_PROGRESS", None, 4)


def test_a_job_looks_the_same_each_time_when_nothing_has_changed(desk: Desk) -> None:
    answer = desk.bulk("a@company.com")
    desk.wait_for_jobs()
    assert desk.progress(answer).json() == desk.progress(answer).json()


def test_one_bad_account_fails_alone(desk: Desk) -> None:
    desk.seed("taken@company.com")
    desk.emulator.break_connections(addresses=["broken@company.com"])
    job = desk.finished(desk.bulk("a@company.com", "taken@company.com", "broken@company.com", "b@company.com"))
    assert desk.outcomes(job) == ["created", "failed", "failed", "created"]
    assert (job["success_count"], job["failed_count"], job["status"]) == (2, 2, "COMPLETED")
    assert [row["error"] and row["error"][:10] for row in job["results"]] == [None, "Email acco", "Connection", None]


def test_a_job_of_which_all_items_fail_has_failed(desk: Desk) -> None:
    desk.seed("a@company.com")
    assert desk.finished(desk.bulk("a@company.com"))["status"] == "FAILED"


def test_an_address_twice_in_a_bulk_is_created_once(desk: Desk) -> None:
    job = desk.finished(desk.bulk("a@company.com", "A@company.com"))
    assert desk.outcomes(job) == ["created", "failed"]
    assert desk.emulator.doubled() == []


@pytest.mark.parametrize("items", [0, 101])
def test_a_bulk_has_1_to_100_items(desk: Desk, items: int) -> None:
    domain = desk.domain()
    native: dict[str, Any] = {"domain_id": domain, "inboxes": [{"email_prefix": "a", "display_name": "A"}] * items}
    bodies: dict[str, dict[str, Any]] = {
        SMTP_BULK: {"inboxes": [smtp_item("a@company.com")] * items},
        NATIVE_BULK: native,
        DELETE_BULK: {"inbox_ids": [NOBODY] * items, "confirm_deletion": True},
    }
    assert [desk.http.post(path, json=body).status_code for path, body in bodies.items()] == [422, 422, 422]


def test_a_bulk_of_100_is_taken(desk: Desk) -> None:
    job = desk.finished(desk.bulk(*(f"u{n}@company.com" for n in range(100))))
    assert (job["success_count"], len(desk.rows(limit=100))) == (100, 100)


def test_the_place_of_a_bad_field_is_told(desk: Desk) -> None:
    items = [smtp_item(f"u{n}@company.com") for n in range(4)]
    items[3]["smtp_port"] = "x"
    detail = desk.http.post(SMTP_BULK, json={"inboxes": items}).json()["detail"]
    assert detail[0]["loc"] == ["body", "inboxes", 3, "smtp_port"]


def test_a_job_of_another_workspace_or_kind_is_not_found(desk: Desk) -> None:
    answer = desk.bulk("a@company.com")
    assert desk.progress(answer, deleting=True).status_code == 404
    with desk.with_key("cs_live_other") as other:
        assert other.get(f"/sender-accounts/smtp/bulk/{answer.json()['job_id']}/progress").status_code == 404


def test_a_native_bulk_answers_with_its_results(desk: Desk) -> None:
    domain = desk.domain(max_inboxes=2)
    body = desk.native_bulk(domain, "a", "b", "c").json()
    assert (body["success_count"], body["failed_count"]) == (2, 1)
    assert [row["status"] for row in body["results"]] == ["created", "created", "failed"]


def test_a_bulk_delete_skips_what_is_in_use_or_not_there(desk: Desk) -> None:
    free, held = desk.seed("free@company.com", "held@company.com")
    desk.emulator.hold(held)
    answer = desk.bulk_delete(free, held, NOBODY)
    job = desk.finished(answer, deleting=True)
    assert desk.outcomes(job) == ["deleted", "skipped", "skipped"]
    assert (job["deleted_count"], job["skipped_count"], job["failed_count"], job["status"]) == (1, 2, 0, "COMPLETED")
    assert desk.addresses() == ["held@company.com"]


@pytest.mark.parametrize("confirmed", [False, None, "true", 1])
def test_a_bulk_delete_wants_to_be_confirmed(desk: Desk, confirmed: object) -> None:
    inbox_id = desk.seed("a@company.com")[0]
    body = {"inbox_ids": [inbox_id], "confirm_deletion": confirmed}
    answer = desk.http.post(DELETE_BULK, json=body)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "confirm_deletion"])


def test_a_client_gone_in_the_middle_changes_nothing_of_a_job(desk: Desk) -> None:
    fault = desk.emulator.fault("cut", when="after", operation="bulkCreateSmtpAccounts", count=1)
    with pytest.raises(httpx.TransportError):
        desk.bulk("a@company.com")
    desk.emulator.remove_fault(fault)
    desk.wait_for_jobs()
    assert desk.addresses() == ["a@company.com"]
