"""Each value of each switch shows what its line in open_points.py says; the table of switches is whole."""

import re
from pathlib import Path

import pytest

import coldsend_emulator
from coldsend_emulator.switches import FIXED, TABLE, Choice, Switches, of_row
from tests.emulator.client import EmulatorClient
from tests.emulator.open_points import CASES, Case

SOURCE = Path(coldsend_emulator.__file__).parent
ROWS = range(1, 51)


def sentence(case: Case) -> str:
    values, story, _ = case
    return " ".join(f"{name}={value}" for name, value in values.items()) + f" seen by {story.__name__}"


@pytest.mark.parametrize("case", CASES, ids=sentence)
def test_a_switch_changes_what_a_client_sees(client: EmulatorClient, case: Case) -> None:
    values, story, expected = case
    client.emulator.switch(**values)
    assert story(client) == expected


def test_each_value_of_each_switch_has_a_line() -> None:
    covered = {(name, value) for values, _, _ in CASES for name, value in values.items()}
    missing = [
        f"{switch.name}={value}"
        for switch in TABLE
        if isinstance(switch, Choice)
        for value in switch.values
        if (switch.name, value) not in covered
    ]
    assert missing == ["window_kind=fixed"], "test_emulator_limits.py shows that one"


def test_each_number_is_set_to_something_else_than_its_default() -> None:
    changed = {name for values, _, _ in CASES for name, value in values.items() if value != Switches().values()[name]}
    assert [switch.name for switch in TABLE if not isinstance(switch, Choice) and switch.name not in changed] == []


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_section_5_has_a_switch_or_a_reason_why_it_needs_none(row: int) -> None:
    assert bool(of_row(row)) != (row in FIXED)


def test_no_switch_names_a_row_that_is_not_there() -> None:
    assert {row for switch in TABLE for row in switch.rows} <= set(ROWS)


def test_switches_have_names_of_their_own() -> None:
    assert len({switch.name for switch in TABLE}) == len(TABLE)


def test_each_switch_is_consulted_in_one_place() -> None:
    code = "\n".join(path.read_text() for path in SOURCE.rglob("*.py") if path.name != "switches.py")
    consulted = re.findall(r'\.(?:choice|amount)\("(\w+)"\)', code)
    assert sorted(consulted) == sorted(switch.name for switch in TABLE)


def test_a_switch_can_be_set_by_its_row_where_it_is_the_only_one() -> None:
    switches = Switches()
    switches.set("20", "422")
    assert switches.choice("in_use_code") == "422"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("nonsense", "x", "there is no switch 'nonsense'"),
        ("18", "201", "row 18 is not one switch: create_code, bulk_code"),
        ("47", "x", "webhooks are calls by the server"),
        ("in_use_code", "418", "in_use_code: '418' is not one of 409, 400, 422"),
        ("job_seconds", "-1", "job_seconds: '-1' is not within 0 to 1e+09"),
        ("job_seconds", "soon", "job_seconds: 'soon' is not within"),
        ("job_seconds", "none", "job_seconds: 'none' is not within"),
    ],
)
def test_a_wrong_switch_or_value_is_told(name: str, value: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Switches().set(name, value)
