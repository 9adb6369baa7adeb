"""The hour is shared: by namespaces in each lane, and by lists and single looks (rule 42)."""

from typing import Any

import pytest

from coldsend_operator.core.model.calls import Call, Lane, Operation
from coldsend_operator.core.model.policy import Policy, Threshold
from coldsend_operator.core.plan import sweep_period
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from tests.support.clock import START
from tests.support.core_world import CoreWorld, row

USED = 730  # of 800, so that 70 are left: a namespace may use nine times as many
LANES: dict[str, tuple[dict[str, Any], bool]] = {  # what an object with an inbox asks for, and whether a list shows it
    "delete": ({"deleting": True}, True),
    "look": ({"deleting": True}, False),
    "mail": ({"testEmail": {"recipient": "ops@example.com", "requestID": "1"}}, True),
}


@pytest.mark.parametrize("lane", ["create", *LANES])
def test_rule_42_a_namespace_that_has_used_its_part_of_the_hour_waits_in_each_lane(lane: str) -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(None, 100.0)))
    for _ in range(USED):
        core.workspace.budget.start()
        core.workspace.budget.shares.charge("sales", START)
        core.workspace.budget.end(START - 600.0)
    shown = []
    for namespace in ("sales", "support"):
        address, inbox_id = f"{lane}@{namespace}.com", f"in-{namespace}"
        if lane == "create":
            core.account(address, namespace=namespace)
            continue
        around, listed = LANES[lane]
        core.holder(address, inbox_id, namespace=namespace, **around)
        shown += [row(address, inbox_id)] if listed else []
    core.sweep(*shown)
    core.wait(SETTLE_SECONDS)
    calls = [call for call in core.calls() if call.uids]
    assert {core.workspace.accounts[uid].desired.namespace for call in calls for uid in call.uids} == {"support"}


def test_rule_42_pages_of_whole_lists_leave_a_part_of_the_share_of_looks_to_single_ones() -> None:
    page = Call(Operation.LIST_ACCOUNTS, Lane.PROBE, "key")
    search = Call(Operation.SEARCH_ACCOUNTS, Lane.PROBE, "key")
    assert page.hour_share < search.hour_share


def test_rule_42_whole_lists_come_more_rarely_when_they_would_take_more_than_half_of_the_hour() -> None:
    core = CoreWorld()
    assert sweep_period(core.workspace) == core.workspace.policy.sweep_seconds
    core.sweep(*(row(f"{number}@company.com", f"inbox-{number}") for number in range(10_000)))
    pages = 100 * 3600.0 / sweep_period(core.workspace)
    assert pages == core.workspace.budget.hour_limit / 2
