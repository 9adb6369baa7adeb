"""Each row of section 5 of the contract: the whole operator against the emulator under every reading of the API.

The settings are those that users have; simulated time makes hours short.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from coldsend_emulator.switches import FIXED, TABLE, Choice
from tests.e2e.support.tenant import LOGIN, WORKSPACE
from tests.open_points.place import Place
from tests.open_points.simulated import Simulated, simulated_world
from tests.open_points.table import CASES, ROWS, Case


def played(story: Callable[[Place], None], values: Mapping[str, Any]) -> None:
    """Play a story where the API is as `values` say, with an operator that knows nothing of that."""
    simulated = Simulated()
    place = Place(simulated_world(simulated), "reading", simulated=simulated)
    place.emulator.add_key(place.key, workspace=place.workspace)
    place.emulator.add_domain(place.domain, workspace=place.workspace)
    place.secret(LOGIN, password=place.password)
    place.secret(WORKSPACE, apiKey=place.key)
    place.emulator.switch(**values)
    story(place)
    assert place.emulator.doubled() == []
    assert simulated.troubles() == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_that(case: Case) -> None:
    played(case.story, dict(case.values))


def test_that_each_row_of_the_contract_is_played_or_cannot_differ() -> None:
    assert list(ROWS) == list(range(1, 51))
    assert {row for row, played in ROWS.items() if isinstance(played, str)} <= set(FIXED)
    assert [row for row, played in ROWS.items() if not played] == []


def test_that_each_value_of_each_switch_is_played_in_a_row_of_its_own() -> None:
    played = {(name, value) for case in CASES for name, value in case.values}
    missing = [
        f"{switch.name}={value}"
        for switch in TABLE
        if isinstance(switch, Choice)
        for value in switch.values
        if (switch.name, value) not in played
    ]
    assert missing == []


def test_that_each_number_is_played_at_its_default_and_beside_it() -> None:
    played = {(name, value) for case in CASES for name, value in case.values}
    amounts = [switch for switch in TABLE if not isinstance(switch, Choice)]
    assert [each.name for each in amounts if (each.name, each.default) not in played] == []
    assert [
        each.name
        for each in amounts
        if {name for name, value in played if value != each.default}.isdisjoint({each.name})
    ] == []


def test_that_each_switch_is_played_in_the_rows_that_it_stands_for() -> None:
    played = {(name, case.row) for case in CASES for name, _ in case.values}
    missing = [(switch.name, row) for switch in TABLE for row in switch.rows if (switch.name, row) not in played]
    assert missing == []
