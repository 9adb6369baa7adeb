"""Domains: from added to active, and what stands on them."""

import pytest

from tests.emulator.client import EmulatorClient


def test_a_domain_is_added_activated_and_then_takes_inboxes(client: EmulatorClient) -> None:
    added = client.http.post("/domains", json={"domain": "new.company.com"})
    domain = added.json()["domain_id"]
    assert (added.status_code, added.json()["status"], len(added.json()["name_servers"])) == (201, "DNS_PENDING", 2)
    assert client.native(domain).status_code == 400
    assert client.http.post(f"/domains/{domain}/activate").json()["status"] == "SERVICES_CONFIGURING"
    assert client.http.get(f"/domains/{domain}/progress").json()["status"] == "IN_PROGRESS"
    client.wait_for_jobs()
    assert client.http.get(f"/domains/{domain}/progress").json()["status"] == "COMPLETED"
    assert client.native(domain).status_code == 201


@pytest.mark.parametrize("status", ["PENDING", "DNS_CONFIGURING", "SERVICES_CONFIGURING", "ACTIVE", "FAILED"])
def test_only_a_domain_in_dns_pending_can_be_activated(client: EmulatorClient, status: str) -> None:
    domain = client.domain(status=status)
    assert client.http.post(f"/domains/{domain}/activate").status_code == 400


def test_a_domain_exists_only_once_on_the_platform(client: EmulatorClient) -> None:
    client.domain("mail.company.com", workspace="workspace-2")
    assert client.http.post("/domains", json={"domain": "Mail.company.com"}).status_code == 409


def test_a_domain_can_have_a_status_that_no_page_names(client: EmulatorClient) -> None:
    domain = client.domain(status="SUSPENDED")
    assert client.http.get(f"/domains/{domain}").json()["status"] == "SUSPENDED"
    assert client.http.get(f"/domains/{domain}/progress").json()["status"] == "IN_PROGRESS"


@pytest.mark.parametrize("name", ["", "no-dot", "two..dots", "sp ace.com"])
def test_a_domain_needs_a_name(client: EmulatorClient, name: str) -> None:
    answer = client.http.post("/domains", json={"domain": name})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "domain"])


def test_domains_are_listed_page_by_page_and_by_status(client: EmulatorClient) -> None:
    for number in range(5):
        client.domain(f"d{number}.company.com", status="ACTIVE" if number else "FAILED")
    answer = client.http.get("/domains", params={"page": 2, "limit": 3, "status": "ACTIVE"}).json()
    assert [row["domain_name"] for row in answer["domains"]] == ["d4.company.com"]
    assert answer["pagination"] == {
        "page": 2,
        "limit": 3,
        "total": 4,
        "pages": 2,
        "has_next": False,
        "has_prev": True,
    }


def test_a_row_shows_what_room_is_left(client: EmulatorClient) -> None:
    domain = client.domain(max_inboxes=1)
    client.native(domain, "a")
    row = client.http.get("/domains").json()["domains"][0]
    assert (row["max_inboxes"], row["current_inboxes"]) == (1, 1)
    assert client.native(domain, "b").status_code == 400
    client.emulator.change_domain("mail.example.com", max_inboxes=2)
    assert client.native(domain, "b").status_code == 201


def test_a_deleted_domain_takes_its_inboxes_along(client: EmulatorClient) -> None:
    domain = client.domain()
    client.native(domain)
    answer = client.http.delete(f"/domains/{domain}").json()
    assert (answer["success"], answer["domain_name"], answer["deleted"]) == (True, "mail.example.com", True)
    assert client.rows() == []
