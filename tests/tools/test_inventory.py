"""Lines and totals of `inventory`, from objects and rows as they come; a real cluster is in tests/e2e/test_tools.py."""

from pathlib import Path
from typing import Any

import pytest

from coldsend_operator.core.model.answers import Row
from coldsend_operator.kube import paths
from coldsend_operator.tools import output
from coldsend_operator.tools.errors import UsageError
from coldsend_operator.tools.inventory.command import read_age
from coldsend_operator.tools.inventory.lines import InventoryLine, State, lines
from coldsend_operator.tools.inventory.totals import read_by, totals
from coldsend_operator.tools.senders import Sender, read_sender
from tests.tools.api_pages import api_server
from tests.tools.support import command

KEY: dict[str, Any] = {"apiKeySecretRef": {"name": "workspace"}}


def sender(name: str, address: str = "", inbox_id: str = "", origin: str = "Created", **parts: Any) -> Sender:
    status = parts.pop("status", {})
    if inbox_id:
        status = {"inboxID": inbox_id, "origin": origin, "emailAddress": address, **status}
    condition = {"type": "Ready", "status": str(parts.pop("ready", bool(inbox_id))), "reason": parts.pop("reason", "x")}
    return read_sender(
        {
            "metadata": {
                "namespace": parts.pop("namespace", "sales"),
                "name": name,
                "labels": parts.pop("labels", None),
            },
            "spec": {"inboxType": "GOOGLE_WORKSPACE", "emailAddress": address, **parts},
            "status": {**status, "conditions": [condition]},
        }
    )


def row(inbox_id: str, address: str, **fields: Any) -> Row:
    return Row(inbox_id, address, **{"inbox_type": "GOOGLE_WORKSPACE", "overall_status": "ACTIVE", **fields})


def states(senders: list[Sender], rows: list[Row] | None = None) -> dict[str, str]:
    return {line.name or line.address: line.state.value for line in lines(senders, rows, None)}


def test_an_object_manages_what_it_made_or_adopted_and_observes_the_rest() -> None:
    senders = [
        sender("made", "a@one.com", "1"),
        sender("adopted", "b@one.com", "2", "Adopted"),
        sender("watcher", "c@one.com", "3", "Observed", managementPolicy="Observe"),
        sender("newer", "d@one.com", "4", "Rented"),
        sender("waiting", "e@one.com"),
    ]
    assert states(senders) == {
        "made": "managed",
        "adopted": "managed",
        "watcher": "observed",
        "newer": "managed",
        "waiting": "no-inbox",
    }


def test_an_inbox_that_no_object_shows_is_unmanaged() -> None:
    rows = [row("1", "a@one.com"), row("9", "z@two.com")]
    assert states([sender("made", "a@one.com", "1")], rows) == {"made": "managed", "z@two.com": "unmanaged"}


def test_two_objects_for_one_address_or_inbox_are_a_conflict() -> None:
    asked_twice = [sender("first", "a@one.com", "1"), sender("second", "A@one.com")]
    held_twice = [sender("first", "a@one.com", "1"), sender("second", "a@one.com", "1")]
    told = [sender("second", "a@one.com", reason="AddressConflict")]

    assert states(asked_twice) == {"first": "managed", "second": "conflict"}
    assert states(held_twice) == {"first": "conflict", "second": "conflict"}
    assert states(told) == {"second": "conflict"}


def test_two_workspaces_may_have_one_address_and_an_observer_is_no_rival() -> None:
    apart = [sender("first", "a@one.com", "1"), sender("second", "a@one.com", **KEY)]
    watched = [
        sender("first", "a@one.com", "1"),
        sender("watcher", "a@one.com", "1", "Observed", managementPolicy="Observe"),
    ]
    assert states(apart) == {"first": "managed", "second": "no-inbox"}
    assert states(watched) == {"first": "managed", "watcher": "observed"}


def test_an_inbox_that_is_gone_from_the_list_is_gone_and_one_of_another_workspace_is_not() -> None:
    senders = [sender("lost", "a@one.com", "1"), sender("elsewhere", "b@one.com", "2", **KEY)]
    assert states(senders, rows=[]) == {"lost": "no-inbox", "elsewhere": "managed"}


def test_values_come_from_the_list_where_it_was_asked_for() -> None:
    known = sender(
        "made", "a@one.com", "1", status={"overallStatus": "ACTIVE", "healthScore": 90, "emailsSentToday": 1}
    )
    now = row("1", "a@one.com", overall_status="PAUSED", health_score=55.5, emails_sent_today=7)

    (then,) = lines([known], None, None)
    (live,) = lines([known], [now], None)

    assert (then.status, then.health, then.sent) == ("ACTIVE", 90, 1)
    assert (live.status, live.health, live.sent) == ("PAUSED", 55.5, 7)


@pytest.mark.parametrize("broken", [None, [], "spec", {"emailAddress": 7, "native": "x", "apiKeySecretRef": []}])
def test_an_object_of_any_shape_has_a_line(broken: object) -> None:
    raw = {"metadata": {"namespace": "sales", "name": "odd"}, "spec": broken, "status": broken}
    (line,) = lines([read_sender(raw)], None, None)
    assert (line.state, line.name) == (State.NO_INBOX, "odd")


def line(address: str, **fields: Any) -> InventoryLine:
    return InventoryLine(State.MANAGED, address, "GOOGLE_WORKSPACE", "sales", address.partition("@")[0], **fields)


def test_totals_add_up_what_is_known() -> None:
    found = [
        line("a@one.com", ready=True, status="ACTIVE", health=90.0, sent=5, limit=50),
        line("b@one.com", status="DISABLED", health=60.5, sent=2, limit=50),
        line("c@One.com", status="PAUSED", batch="pool"),
        line("d@two.com", ready=True, status="ACTIVE", batch="pool"),
    ]

    one, two = totals(found, "domain")

    assert (one.name, one.count, one.ready, one.disabled, one.paused) == ("one.com", 3, 1, 1, 1)
    assert (one.health_min, one.health_mean, one.sent, one.limit) == (60.5, 75.2, 7, 100)
    assert (two.name, two.health_min, two.health_mean) == ("two.com", None, None)
    assert {total.name: total.count for total in totals(found, "status")} == {"ACTIVE": 2, "DISABLED": 1, "PAUSED": 1}
    assert {total.name: total.count for total in totals(found, "batch")} == {"": 2, "sales/pool": 2}
    assert sum(total.count for total in totals(found, "namespace")) == len(found)


def test_totals_by_a_label_of_the_objects_tell_the_spare_ones() -> None:
    key = "company.com/role"
    senders = [
        sender("ann", "a@one.com", "1", labels={key: "spare"}),
        sender("bob", "b@one.com", "2", labels={key: "active"}),
        sender("cat", "c@one.com", "3", labels={key: "spare"}),
        sender("dan", "d@one.com", "4"),
    ]
    found = totals(lines(senders, None, None), f"label={key}")
    assert {total.name: total.count for total in found} == {"": 1, "active": 1, "spare": 2}


@pytest.mark.parametrize("by", ["label", "label=", "colour", ""])
def test_what_totals_cannot_be_made_by_is_wrong_usage(by: str) -> None:
    with pytest.raises(UsageError, match="label=KEY"):
        read_by(by)


def test_an_inbox_is_burned_since_its_condition_healthy_is_false() -> None:
    since = "2026-03-02T09:14:07Z"
    ill, well = sender("ill", "a@one.com", "1"), sender("well", "b@one.com", "2")
    for each, status in ((ill, "False"), (well, "True")):
        told = {"type": "Healthy", "status": status, "reason": "x", "message": "", "lastTransitionTime": since}
        each.status["conditions"].append(told)
    assert [line.unhealthy_since for line in lines([ill, well], None, None)] == [since, ""]


@pytest.mark.parametrize(("text", "seconds"), [("30d", 2_592_000), ("12h", 43_200), (" 2w ", 1_209_600)])
def test_ages_are_read(text: str, seconds: float) -> None:
    assert read_age(text) == seconds


@pytest.mark.parametrize("text", ["30", "d", "-1d", "1.5d", "30 days", "٣d"])
def test_what_is_no_age_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        read_age(text)


@pytest.mark.parametrize("options", [("--by", "colour"), ("-o", "yaml"), ("--color", "green"), ("--older-than", "x")])
def test_wrong_usage_ends_with_2(options: tuple[str, str]) -> None:
    assert command("inventory", *options).exit_code == 2


def test_a_table_has_colour_only_when_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    shown: dict[output.Color, str] = {}
    colors: tuple[output.Color, ...] = ("auto", "always", "never")
    for color in colors:
        output.write_table(("STATE", "ADDRESS"), [("managed", "a@one.com"), ("conflict", "[b]@one.com")], color)
        shown[color] = capsys.readouterr().out

    assert shown["auto"] == shown["never"] == "STATE     ADDRESS\nmanaged   a@one.com\nconflict  [b]@one.com\n"
    assert "\x1b[32mmanaged" in shown["always"]


@pytest.mark.parametrize("by", [(), ("--by", "domain")])
def test_csv_has_its_header_also_when_nothing_is_found(by: tuple[str, ...], tmp_path: Path) -> None:
    empty = {"metadata": {"resourceVersion": "1"}, "items": [], "kind": "SenderAccountList"}
    with api_server({paths.collection("SenderAccount", "sales"): empty}, tmp_path / "config"):
        run = command("inventory", "-n", "sales", "-o", "csv", *by, "--kubeconfig", tmp_path / "config")
    first = "name,count,ready," if by else "state,address,domain,"
    assert run.exit_code == 0
    assert run.stdout.startswith(first)
    assert run.stdout.count("\n") == 1
