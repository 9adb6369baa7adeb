"""Single inboxes: what a client can do with them, and what it is told when it cannot."""

from typing import Any

import pytest

from tests.emulator.client import NOBODY, EmulatorClient, smtp_item

SMTP, NATIVE, LIST = "/sender-accounts/smtp", "/sender-accounts/coldsend-native", "/sender-accounts"


def test_a_created_account_is_answered_with_what_was_sent_and_never_a_password(client: EmulatorClient) -> None:
    answer = client.create("ann@company.com", display_name="Ann", daily_limit=50)
    body = answer.json()
    assert answer.status_code == 201
    assert list(body) == [
        *("success", "message", "inbox_id", "email_address", "display_name"),
        *("inbox_type", "daily_limit", "overall_status", "created_at"),
    ]
    assert (body["email_address"], body["daily_limit"], body["overall_status"]) == ("ann@company.com", 50, "ACTIVE")


def test_a_row_has_the_documented_fields(client: EmulatorClient) -> None:
    client.create()
    assert set(client.row()) == {
        *("inbox_id", "email_address", "display_name", "inbox_type", "overall_status"),
        *("daily_limit", "emails_sent_today", "health_score", "created_at"),
    }


def test_no_password_comes_back_from_either_side(client: EmulatorClient) -> None:
    inbox_id = client.create(smtp_password="never-shown", imap_password="nor-this").json()["inbox_id"]
    seen = [client.get(inbox_id).text, client.http.get(LIST).text, str(client.emulator.inboxes())]
    assert not any("never-shown" in text or "nor-this" in text for text in seen)
    assert client.emulator.has_passwords(inbox_id, "never-shown", "nor-this")
    assert not client.emulator.has_passwords(inbox_id, "never-shown", "wrong")


def test_fields_left_out_get_their_defaults(client: EmulatorClient) -> None:
    body = smtp_item("a@company.com")
    assert client.http.post(SMTP, json=body).json()["daily_limit"] == 100
    assert client.emulator.inboxes()[0]["smtp"]["encrypted"] is True


@pytest.mark.parametrize(
    ("changes", "field", "kind"),
    [
        ({"email_address": "a@b"}, "email_address", "string_too_short"),
        ({"email_address": f"{'a' * 250}@b.com"}, "email_address", "string_too_long"),
        ({"email_address": "no-at-sign"}, "email_address", "value_error"),
        ({"display_name": ""}, "display_name", "string_too_short"),
        ({"display_name": "x" * 256}, "display_name", "string_too_long"),
        ({"inbox_type": "COLDSEND"}, "inbox_type", "literal_error"),
        ({"smtp_host": ""}, "smtp_host", "string_too_short"),
        ({"smtp_port": 0}, "smtp_port", "greater_than_equal"),
        ({"smtp_port": 65536}, "smtp_port", "less_than_equal"),
        ({"smtp_port": "587"}, "smtp_port", "int_type"),
        ({"imap_port": 70000}, "imap_port", "less_than_equal"),
        ({"smtp_username": "x" * 256}, "smtp_username", "string_too_long"),
        ({"smtp_password": ""}, "smtp_password", "string_too_short"),
        ({"imap_host": ""}, "imap_host", "string_too_short"),
        ({"smtp_use_tls": "yes"}, "smtp_use_tls", "bool_type"),
        ({"inbox_type": "GOOGLE_WORKSPACE", "daily_limit": 2001}, "daily_limit", "less_than_equal"),
        ({"inbox_type": "OUTLOOK_365", "daily_limit": 5001}, "daily_limit", "less_than_equal"),
        ({"inbox_type": "CUSTOM_SMTP", "daily_limit": 100_001}, "daily_limit", "less_than_equal"),
        ({"daily_limit": 0}, "daily_limit", "greater_than_equal"),
    ],
)
def test_a_bad_field_is_named(client: EmulatorClient, changes: dict[str, Any], field: str, kind: str) -> None:
    answer = client.http.post(SMTP, json={**smtp_item("a@company.com"), **changes})
    assert answer.status_code == 422
    assert [(problem["loc"], problem["type"]) for problem in answer.json()["detail"]] == [(["body", field], kind)]


@pytest.mark.parametrize(
    "field",
    [
        *("email_address", "display_name", "inbox_type", "smtp_host", "smtp_port", "smtp_username", "smtp_password"),
        *("imap_host", "imap_port", "imap_username", "imap_password"),
    ],
)
def test_a_missing_field_is_named(client: EmulatorClient, field: str) -> None:
    body = smtp_item("a@company.com")
    del body[field]
    detail = client.http.post(SMTP, json=body).json()["detail"]
    assert detail == [{"loc": ["body", field], "msg": "Field required", "type": "missing"}]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_object_is_refused(client: EmulatorClient, body: bytes) -> None:
    answer = client.http.post(SMTP, content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"


def test_an_address_exists_only_once_whatever_its_case(client: EmulatorClient) -> None:
    assert [client.create("ann@company.com").status_code, client.create("ANN@company.com").status_code] == [201, 409]


@pytest.mark.parametrize(
    "broken", [{"hosts": ["imap.company.com"]}, {"addresses": ["A@company.com"]}, {"passwords": ["s3cret-smtp"]}]
)
def test_an_account_that_cannot_be_reached_is_refused_until_it_can(
    client: EmulatorClient, broken: dict[str, list[str]]
) -> None:
    client.emulator.break_connections(**broken)
    refused = client.create("a@company.com")
    assert (refused.status_code, refused.json()["detail"][:17]) == (400, "Connection failed")
    client.emulator.mend_connections()
    assert client.create("a@company.com").status_code == 201


def test_an_inbox_made_while_the_connection_check_goes_on_wins(client: EmulatorClient) -> None:
    client.emulator.switch(connection_check_seconds=0.2)
    assert client.create("a@company.com").status_code == 201
    assert client.create("a@company.com").status_code == 409


def test_a_deleted_inbox_is_gone(client: EmulatorClient) -> None:
    inbox_id = client.seed("a@company.com")[0]
    assert client.delete(inbox_id).json()["success"] is True
    assert [client.get(inbox_id).status_code, client.delete(inbox_id).status_code] == [404, 404]


def test_an_inbox_that_a_campaign_uses_stays_until_it_is_freed(client: EmulatorClient) -> None:
    inbox_id = client.seed("a@company.com")[0]
    campaign = client.emulator.hold("a@company.com")
    assert client.delete(inbox_id).status_code == 409
    client.emulator.free(campaign)
    assert client.delete(inbox_id).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/sender-accounts/{NOBODY}"),
        ("DELETE", f"/sender-accounts/{NOBODY}"),
        ("POST", f"/sender-accounts/{NOBODY}/test-email"),
        ("GET", f"/domains/{NOBODY}"),
        ("DELETE", f"/domains/{NOBODY}"),
        ("POST", f"/domains/{NOBODY}/activate"),
        ("GET", f"/domains/{NOBODY}/progress"),
        ("GET", "/sender-accounts/smtp/bulk/nothing/progress"),
        ("GET", "/sender-accounts/bulk/delete/nothing/progress"),
        ("GET", "/nothing"),
    ],
)
def test_what_is_not_there_is_404(client: EmulatorClient, method: str, path: str) -> None:
    body = {"recipient_email": "ops@company.com"} if path.endswith("test-email") else None
    answer = client.http.request(method, path, json=body)
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


@pytest.mark.parametrize(("method", "path"), [("GET", "/sender-accounts/x"), ("DELETE", "/domains/x")])
def test_an_id_that_is_no_uuid_is_422(client: EmulatorClient, method: str, path: str) -> None:
    answer = client.http.request(method, path)
    assert (answer.status_code, answer.json()["detail"][0]["loc"][0]) == (422, "path")


def test_another_workspace_sees_nothing_of_this_one(client: EmulatorClient) -> None:
    inbox_id = client.seed("a@company.com")[0]
    with client.with_key("cs_live_other") as other:
        assert other.get(LIST).json()["sender_accounts"] == []
        assert other.get(f"/sender-accounts/{inbox_id}").status_code == 404


# The list


def test_pages_follow_each_other_without_gap_or_overlap(client: EmulatorClient) -> None:
    client.emulator.seed_many(45, "u{n}@company.com")
    pages = [
        client.http.get(LIST, params={"page": page, "limit": 20, "sort_by": "email_address"}) for page in (1, 2, 3)
    ]
    assert [page.json()["pagination"] for page in pages] == [
        {"page": 1, "limit": 20, "total": 45, "pages": 3, "has_next": True, "has_prev": False},
        {"page": 2, "limit": 20, "total": 45, "pages": 3, "has_next": True, "has_prev": True},
        {"page": 3, "limit": 20, "total": 45, "pages": 3, "has_next": False, "has_prev": True},
    ]
    addresses = [row["email_address"] for page in pages for row in page.json()["sender_accounts"]]
    assert addresses == sorted(f"u{n}@company.com" for n in range(45))


def test_a_page_has_20_rows_when_no_limit_is_sent(client: EmulatorClient) -> None:
    client.emulator.seed_many(30, "u{n}@company.com")
    assert len(client.rows()) == 20


@pytest.mark.parametrize(
    ("sort_by", "first"), [("email_address", "a"), ("inbox_type", "b"), ("created_at", "c"), ("health_score", "d")]
)
def test_rows_come_in_the_order_asked_for(client: EmulatorClient, sort_by: str, first: str) -> None:
    for name in "bcda":
        values = {
            "inbox_type": "COLDSEND" if name == "b" else "CUSTOM_SMTP",
            "created_at": 1_700_000_000 if name == "c" else 1_800_000_000,
            "health_score": None if name == "d" else 90,
        }
        client.seed(f"{name}@company.com", **values)
    assert client.addresses(sort_by=sort_by, sort_order="asc")[0][0] == first
    assert client.addresses(sort_by=sort_by, sort_order="desc")[-1][0] == first


def test_the_order_follows_a_change(client: EmulatorClient) -> None:
    client.seed("a@company.com", "b@company.com", health_score=90)
    client.emulator.change("b@company.com", health_score=10)
    assert client.addresses(sort_by="health_score") == ["b@company.com", "a@company.com"]


def test_filters_narrow_the_list_and_its_total(client: EmulatorClient) -> None:
    client.seed("a@company.com", overall_status="PAUSED", inbox_type="OUTLOOK_365")
    client.seed("b@company.com", overall_status="PAUSED")
    client.seed("c@company.com")
    answer = client.http.get(LIST, params={"status": "PAUSED", "inbox_type": "OUTLOOK_365"}).json()
    assert [row["email_address"] for row in answer["sender_accounts"]] == ["a@company.com"]
    assert answer["pagination"]["total"] == 1


@pytest.mark.parametrize(
    "query",
    [
        *({"page": 0}, {"page": "x"}, {"limit": 0}, {"limit": 101}, {"inbox_type": "GMAIL"}),
        *({"status": "NEW"}, {"sort_by": "id"}, {"sort_order": "up"}),
    ],
)
def test_a_bad_query_is_named(client: EmulatorClient, query: dict[str, Any]) -> None:
    answer = client.http.get(LIST, params=query)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", *query]


# Native inboxes


def test_a_native_inbox_has_the_address_of_its_domain(client: EmulatorClient) -> None:
    domain = client.domain("mail.company.com")
    body = client.native(domain, "john").json()
    assert (body["email_address"], body["inbox_type"]) == ("john@mail.company.com", "COLDSEND")
    assert client.http.get(f"/domains/{domain}").json()["current_inboxes"] == 1


def test_a_domain_of_another_workspace_is_not_found(client: EmulatorClient) -> None:
    domain = client.domain("elsewhere.company.com", workspace="workspace-2")
    assert client.native(domain).status_code == 404


@pytest.mark.parametrize("missing", ["domain_id", "email_prefix", "display_name"])
def test_a_native_inbox_needs_all_three_fields(client: EmulatorClient, missing: str) -> None:
    body = {"domain_id": client.domain(), "email_prefix": "john", "display_name": "John"}
    del body[missing]
    assert client.http.post(NATIVE, json=body).json()["detail"][0]["loc"] == ["body", missing]


# Test mails


def test_a_test_mail_is_seen_in_the_mail_log(client: EmulatorClient) -> None:
    inbox_id = client.seed("a@company.com")[0]
    body = client.send_test(inbox_id, "ops@company.com").json()
    mail = client.emulator.mails()[0]
    assert (mail["sender"], mail["recipient"]) == ("a@company.com", "ops@company.com")
    assert (mail["message_id"], mail["sent_at"]) == (body["message_id"], body["sent_at"])


@pytest.mark.parametrize("status", ["PAUSED", "DISABLED", "PENDING"])
def test_an_inbox_that_is_not_active_sends_nothing_and_says_so_under_200(client: EmulatorClient, status: str) -> None:
    inbox_id = client.seed("a@company.com", overall_status=status)[0]
    answer = client.send_test(inbox_id)
    assert (answer.status_code, answer.json()["success"], answer.json()["message_id"]) == (200, False, None)
    assert client.emulator.mails() == []


@pytest.mark.parametrize("recipient", ["a@b", "nobody", f"{'a' * 250}@b.com"])
def test_a_test_mail_needs_a_recipient(client: EmulatorClient, recipient: str) -> None:
    answer = client.send_test(client.seed("a@company.com")[0], recipient)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "recipient_email"])
