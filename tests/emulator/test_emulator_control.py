"""The control side: everything can be seen, set and counted."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

import coldsend_emulator
from coldsend_emulator.control import changes, disturb, look
from coldsend_emulator.switches import FIXED, TABLE, Choice, Switch
from tests.emulator.client import KEY, NOBODY, EmulatorClient, smtp_item

README = (Path(coldsend_emulator.__file__).parent / "README.md").read_text()
CALLS = sorted(
    f"{method} {route.path}"
    for router in (look.router, changes.router, disturb.router)
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
)


def test_thousands_of_inboxes_are_seeded_by_one_call(client: EmulatorClient) -> None:
    ids = client.emulator.seed_many(5000, "u{n}@company.com", health_score=80.5, inbox_type="OUTLOOK_365")
    assert len(set(ids)) == 5000
    row = client.row(search="u4999@")
    assert (row["inbox_id"], row["health_score"], row["inbox_type"]) == (ids[4999], 80.5, "OUTLOOK_365")


@pytest.mark.parametrize(
    "values",
    [
        {"overall_status": "PAUSED"},
        {"overall_status": "SOMETHING_NEW"},
        {"health_score": 12.5},
        {"health_score": None},
        {"emails_sent_today": 7},
        {"display_name": "New name"},
        {"daily_limit": 9},
        {"inbox_type": "GOOGLE_WORKSPACE"},
    ],
)
def test_a_row_is_changed_by_hand(client: EmulatorClient, values: dict[str, Any]) -> None:
    client.seed("a@company.com")
    client.emulator.change("a@company.com", **values)
    assert {name: client.row()[name] for name in values} == values


def test_many_rows_are_changed_by_one_call(client: EmulatorClient) -> None:
    ids = client.seed("a@company.com", "b@company.com")
    client.emulator.change_many([{"inbox": inbox_id, "emails_sent_today": 3} for inbox_id in ids])
    assert [row["emails_sent_today"] for row in client.rows()] == [3, 3]


def test_inboxes_are_deleted_by_hand_one_some_or_all(client: EmulatorClient) -> None:
    client.seed(*(f"{name}@company.com" for name in "abcd"))
    client.emulator.delete("a@company.com")
    assert client.emulator.delete_many(["b@company.com"]) == 1
    assert sorted(client.addresses()) == ["c@company.com", "d@company.com"]
    assert client.emulator.delete_many() == 2
    assert client.rows() == []


def test_the_history_tells_who_created_and_deleted_what(client: EmulatorClient) -> None:
    client.delete(client.create("a@company.com").json()["inbox_id"])
    client.seed("b@company.com")
    told = [(entry["event"], entry["by"], entry["email_address"]) for entry in client.emulator.history()]
    assert told == [
        ("created", "createSmtpAccount", "a@company.com"),
        ("deleted", "deleteSenderAccount", "a@company.com"),
        ("created", "control", "b@company.com"),
    ]
    assert len(client.emulator.history(by="createSmtpAccount")) == 1
    assert len(client.emulator.history(address="B@company.com", event="created")) == 1


def test_an_address_with_two_inboxes_is_told_for_ever(client: EmulatorClient) -> None:
    client.emulator.switch(address_scope="nowhere")
    client.create("a@company.com")
    client.delete(client.create("A@company.com").json()["inbox_id"])
    assert client.emulator.doubled() == ["a@company.com"]


def test_the_same_address_in_two_workspaces_is_not_doubled(client: EmulatorClient) -> None:
    client.seed("a@company.com")
    client.emulator.seed({"email_address": "a@company.com"}, workspace="workspace-2")
    assert client.emulator.doubled() == []
    assert [inbox["workspace"] for inbox in client.emulator.inboxes(address="a@company.com")] == [
        "default",
        "workspace-2",
    ]


def test_requests_are_counted_by_operation_method_and_status(client: EmulatorClient) -> None:
    client.create()
    client.create()
    client.rows()
    counts = client.emulator.request_counts()
    assert counts["total"] == 3
    assert counts["by_operation"] == {"createSmtpAccount": 2, "listSenderAccounts": 1}
    assert counts["by_method"] == {"POST": 2, "GET": 1}
    assert counts["by_status"] == {"201": 1, "409": 1, "200": 1}
    assert counts["by_operation_and_status"]["createSmtpAccount 409"] == 1
    client.emulator.clear_request_log()
    assert client.emulator.request_counts()["total"] == 0


def test_the_request_log_holds_no_key_and_no_body(client: EmulatorClient) -> None:
    client.create(smtp_password="never-logged")
    text = str(client.emulator.requests(operation="createSmtpAccount"))
    assert "createSmtpAccount" in text
    assert KEY not in text
    assert "never-logged" not in text


def test_keys_are_shown_without_themselves(client: EmulatorClient) -> None:
    client.emulator.add_key("cs_live_secret", "third", ["sender_accounts:read"])
    shown = client.emulator.call("GET", "/keys")["keys"]
    assert "cs_live_secret" not in str(shown)
    assert shown[-1]["workspace"] == "third"


def test_a_campaign_changes_its_state_and_its_inboxes(client: EmulatorClient) -> None:
    client.seed("a@company.com", "b@company.com")
    campaign = client.emulator.hold("a@company.com", state="DRAFT")
    client.emulator.call("PATCH", f"/campaigns/{campaign}", {"state": "PAUSED", "inboxes": ["b@company.com"]})
    shown = client.emulator.call("GET", "/campaigns")["campaigns"][0]
    assert (shown["state"], shown["inbox_ids"]) == ("PAUSED", [client.row(search="b@")["inbox_id"]])


def test_a_domain_goes_by_hand_and_its_inboxes_stay(client: EmulatorClient) -> None:
    client.native(client.domain())
    client.emulator.call("DELETE", "/domains/mail.example.com")
    assert (client.emulator.call("GET", "/domains")["domains"], len(client.rows())) == ([], 1)


def test_jobs_are_seen_from_outside(client: EmulatorClient) -> None:
    client.bulk("a@company.com")
    client.wait_for_jobs()
    job = client.emulator.jobs()[0]
    assert (job["kind"], job["total"], job["done"], job["ended"]) == ("smtp_create", 1, 1, True)


def test_switches_are_set_all_or_none(client: EmulatorClient) -> None:
    with pytest.raises(Exception, match="in_use_code"):
        client.emulator.switch(create_code="200", in_use_code="418")
    assert client.create().status_code == 201


def test_switches_show_their_rows_and_go_back_to_their_defaults(client: EmulatorClient) -> None:
    client.emulator.call("PUT", "/switches", {"20": "422"})
    shown = {each["name"]: each for each in client.emulator.call("GET", "/switches")["switches"]}
    assert (shown["in_use_code"]["value"], shown["in_use_code"]["rows"]) == ("422", [20])
    client.emulator.reset_switches()
    assert client.emulator.call("GET", "/switches")["switches"][0]["value"] == "usual"


def test_a_reset_forgets_all_but_keys_and_limits(client: EmulatorClient) -> None:
    client.emulator.limit(50, 500)
    client.create()
    client.domain()
    client.emulator.break_connections(hosts=["x"])
    client.emulator.reset()
    assert client.emulator.call("GET", "/limits") == {"per_minute": 50, "per_hour": 500}
    assert client.emulator.history() == []
    assert client.emulator.call("GET", "/bad-connections")["hosts"] == []
    assert client.http.get("/domains").json()["domains"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/inboxes/{NOBODY}", None),
        ("DELETE", "/inboxes/nobody@company.com", None),
        ("PATCH", "/domains/nothing", {"status": "ACTIVE"}),
        ("DELETE", "/campaigns/nothing", None),
        ("PATCH", "/keys", {"key": "cs_live_nobody", "revoked": True}),
        ("GET", "/faults/nothing", None),
    ],
)
def test_what_the_control_side_does_not_know_is_404(client: EmulatorClient, method: str, path: str, body: Any) -> None:
    with pytest.raises(Exception, match="404"):
        client.emulator.call(method, path, body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/inboxes", {"inboxes": [smtp_item("a@company.com")]}),
        ("/inboxes", {"count": 5, "pattern": "the-same@company.com"}),
        ("/clock", {"advance_seconds": -1}),
        ("/limits/forget", None),
    ],
)
def test_what_the_control_side_cannot_read_is_422(client: EmulatorClient, path: str, body: Any) -> None:
    if body is None:
        assert client.emulator.call("POST", path) == {"forgotten": True}
        return
    with pytest.raises(Exception, match="422"):
        client.emulator.call("POST", path, body)


@pytest.mark.parametrize("call", CALLS)
def test_each_control_call_stands_in_the_readme(call: str) -> None:
    assert f"| `{call}` |" in README


@pytest.mark.parametrize("switch", TABLE, ids=lambda switch: switch.name)
def test_each_switch_stands_in_the_readme_as_it_is(switch: Switch) -> None:
    rows = ", ".join(str(row) for row in switch.rows) or "-"
    if isinstance(switch, Choice):
        default = switch.default
    else:
        default = "none" if switch.default is None else f"{switch.default:g}"
    assert f"| `{switch.name}` | {rows} | {default} | {switch.allowed} | {switch.meaning} |" in README


def test_the_reasons_for_rows_without_a_switch_stand_in_the_readme() -> None:
    assert [row for row, reason in FIXED.items() if f"| {row} | {reason} |" not in README] == []
