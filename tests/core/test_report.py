"""The key `report` of the state ConfigMap: what it says, and what it costs."""

import json
from typing import Any

from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.plan import make_plan
from coldsend_operator.core.report import key_state, waiting_by_lane, workspace_report, worth_a_write
from coldsend_operator.core.workspace.wait_estimate import estimate_waits
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, row
from tests.support.simulation import Simulation

HOUR = 3600.0
DAY = 24 * HOUR


def report_of(simulation: Simulation) -> dict[str, Any]:
    (found,) = simulation.cluster.config_maps.values()
    report: dict[str, Any] = json.loads(found["data"]["report"])
    return report


def test_it_says_what_is_used_what_waits_and_whose_the_inboxes_are() -> None:
    simulation = Simulation(per_minute=30, per_hour=600)
    simulation.remote.make_by_hand("old@company.com")
    simulation.apply("sales", "ann", "ann@company.com")
    running(simulation, HOUR)
    report = report_of(simulation)
    (workspace,) = report["workspaces"].values()
    assert report["version"]
    assert report["leader"]
    assert (workspace["key"], workspace["keyState"]) == ("default", "Accepted")
    for window, limit in (("minute", 30), ("hour", 600)):
        assert workspace[window]["limit"] == limit
        assert workspace[window]["used"] + workspace[window]["left"] == limit
    assert (workspace["managed"], workspace["unmanaged"], workspace["held"]) == (1, 1, 0)
    assert workspace["sweep"]["periodSeconds"] == 300
    assert workspace["sweep"]["ageSeconds"] <= 300
    assert workspace["queue"] == {}
    assert workspace["doneAt"] is None


def test_the_first_report_after_a_start_waits_for_the_first_answer_and_tells_of_a_freeze() -> None:
    simulation = Simulation(changes={"freeze": True})
    simulation.apply("sales", "ann", "ann@company.com")
    running(simulation)
    seconds = 0
    while not (
        told := [found["data"] for found in simulation.cluster.config_maps.values() if "report" in found["data"]]
    ):
        simulation.wait(1.0)
        seconds += 1
        assert seconds < 60
    report = json.loads(told[0]["report"])
    assert report["frozen"] is True
    assert [each["keyState"] for each in report["workspaces"].values()] == ["Accepted"]


def test_a_quiet_day_has_no_write_that_is_for_the_report_alone() -> None:
    simulation = Simulation()
    for number in range(5):
        simulation.apply("sales", f"a{number}", f"a{number}@company.com")
    running(simulation, 600.0)
    simulation.cluster.map_writes.clear()
    simulation.wait(DAY)
    assert simulation.cluster.map_writes
    assert frozenset({"report"}) not in simulation.cluster.map_writes
    assert any("report" in keys for keys in simulation.cluster.map_writes)


def test_what_changes_is_told_within_a_minute_or_so_and_at_most_once_a_minute() -> None:
    simulation = Simulation(brake="3")
    process = running(simulation)
    uids = [simulation.apply("sales", f"a{number}", f"a{number}@company.com") for number in range(5)]
    simulation.wait(300.0)
    for uid in uids:
        simulation.delete(uid)
    simulation.wait(90.0)
    (workspace,) = report_of(simulation)["workspaces"].values()
    assert workspace["held"] == 5
    simulation.cluster.map_writes.clear()
    for turn in range(20):
        simulation.apply("sales", f"b{turn}", f"b{turn}@company.com")
        simulation.wait(15.0)
    assert sum("report" in keys for keys in simulation.cluster.map_writes) <= 6
    assert process.failure is None


def test_whoever_edits_it_is_overwritten_and_the_budget_is_booked_all_the_same() -> None:
    simulation = Simulation()
    simulation.apply("sales", "ann", "ann@company.com")
    running(simulation, 300.0)
    ((path, found),) = simulation.cluster.config_maps.items()
    simulation.cluster.version += 1
    edited = {**found["data"], "report": "nonsense"}
    simulation.cluster.config_maps[path] = {
        "metadata": {"resourceVersion": str(simulation.cluster.version)},
        "data": edited,
    }
    for number in range(30):
        simulation.apply("sales", f"b{number}", f"b{number}@company.com")
    simulation.wait(HOUR)
    assert report_of(simulation)["workspaces"]
    simulation.check()


def test_the_oldest_of_each_lane_and_the_end_of_all_that_waits_are_told() -> None:
    core = CoreWorld()
    core.sweep()
    for number in range(250):
        core.account(f"a{number}@company.com", name=f"a{number}")
    core.wait(40.0)
    report = workspace_report(core.workspace, core.workspace.digest, core.now, key="default", answered=True)
    assert report["queue"]["create"]["waiting"] == 250
    assert report["queue"]["create"]["oldest"]
    assert report["doneAt"] is not None
    lanes = waiting_by_lane(core.workspace)
    assert {lane.value: each.count for lane, each in lanes.items()} == {"create": 250, "poll": 0}


def test_windows_and_probes_that_move_all_day_are_worth_no_write() -> None:
    core = CoreWorld()
    core.holder()
    core.sweep(row())
    before = workspace_report(core.workspace, core.workspace.digest, core.now, key="default", answered=True)
    core.wait(100.0)
    core.sweep(row())
    after = workspace_report(core.workspace, core.workspace.digest, core.now, key="default", answered=True)
    assert before != after
    assert worth_a_write(before) == worth_a_write(after)


def test_the_state_of_the_key_is_one_word() -> None:
    core = CoreWorld()
    assert key_state(core.workspace, core.workspace.digest, core.now, answered=False) == "Untried"
    assert key_state(core.workspace, core.workspace.digest, core.now, answered=True) == "Accepted"
    core.workspace.budget.refuse(core.now, 30.0)
    assert key_state(core.workspace, core.workspace.digest, core.now, answered=True) == "RateLimited"


def test_a_waiting_object_says_its_place_in_line_and_namespaces_take_turns() -> None:
    core = CoreWorld()
    core.sweep()
    crowd = [core.account(f"a{number}@company.com", name=f"a{number}") for number in range(300)]
    alone = core.account("zoe@company.com", name="zoe", namespace="support")
    for _ in range(core.workspace.budget.hour_limit):
        core.workspace.budget.start()
        core.workspace.budget.end(core.now)
    estimate_waits(core.workspace, core.now)
    assert "it was 2 of 301 in line" in core.says(alone)["Ready"][2]
    assert "it was 301 of 301 in line" in core.says(crowd[-1])["Ready"][2]


def test_sweeps_that_begin_together_drift_apart_by_what_chance_says() -> None:
    due = []
    for jitter in (0.0, 0.5, 1.0):
        core = CoreWorld()
        core.workspace.first_period = 1.0 - jitter / 2
        core.holder()
        core.sweep(row())
        begun = core.now
        while Operation.LIST_ACCOUNTS not in {each.operation for each in make_plan(core.workspace, core.now).calls}:
            core.wait(1.0)
        due.append(core.now - begun)
        core.sweep(row())
        again = core.now
        while Operation.LIST_ACCOUNTS not in {each.operation for each in make_plan(core.workspace, core.now).calls}:
            core.wait(1.0)
        assert 299.0 <= core.now - again <= 302.0  # later periods are whole
    assert due == sorted(due, reverse=True)
    assert due[0] - due[2] > 140.0
