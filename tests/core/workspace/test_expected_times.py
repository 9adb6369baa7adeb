"""The time at which an object that waits for the budget expects its turn is told once."""

from collections.abc import Sequence
from typing import Any

import pytest

from coldsend_operator.core.status.projection import project
from coldsend_operator.core.workspace.wait_estimate import estimate_waits
from tests.support.core_world import ANN, BOB, CoreWorld


def status_of_last(addresses: Sequence[str], *, wait: float, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """The status of the last of these new objects while ColdSend takes no call for `wait` seconds."""
    core = CoreWorld()
    *_, account = [core.account(address, status=before if address == ANN else None) for address in addresses]
    core.workspace.budget.refuse(core.now, wait)
    estimate_waits(core.workspace, core.now)
    return project(account, core.workspace, core.now) or {}


@pytest.mark.parametrize(("moved", "again"), [(0.0, False), (60.0, False), (900.0, True)])
def test_that_an_expected_time_is_told_again_after_a_restart_only_if_it_has_moved(moved: float, again: bool) -> None:
    before = status_of_last([ANN], wait=3600.0)
    assert {each["reason"] for each in before["conditions"]} == {"RateLimited"}
    after = status_of_last([BOB, ANN], wait=3600.0 + moved, before=before)
    assert (after != before) is again
