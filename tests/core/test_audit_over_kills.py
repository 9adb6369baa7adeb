"""The process is killed at each step of a creation and of a deletion: the audit log and ColdSend agree in the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.rules.watching import finish, reach, running
from tests.support.core_world import ANN, row
from tests.support.remote import Fault
from tests.support.simulation import Simulation

STEPS = range(2, 40, 2)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kill_at(simulation: Simulation, step: int) -> None:
    """Kill the process when it has done so many steps, and start the next."""
    for _ in range(step):
        if not simulation.moves():
            simulation.pass_time(0.25)
        simulation.step(0)
    simulation.crash()
    simulation.start()
    simulation.wait(400.0)


@pytest.mark.parametrize("bulk", [False, True], ids=["alone", "in-bulk"])
@pytest.mark.parametrize("step", STEPS)
def test_what_coldsend_did_and_what_the_log_says_agree(tmp_path: Path, step: int, bulk: bool) -> None:
    path = tmp_path / "audit.log"
    simulation = Simulation(changes={"audit_log": str(path)}, item_seconds=0.5, brake="100%")
    simulation.start()
    simulation.wait(5.0)
    names = ["ann", "bob", "cat"] if bulk else ["ann"]
    uids = [simulation.apply("sales", name, f"{name}@company.com") for name in names]
    kill_at(simulation, step)
    for uid in uids:
        simulation.delete(uid)
    kill_at(simulation, step)

    lines, inboxes = lines_of(path), simulation.remote.inboxes
    assert not simulation.remote.live()
    assert {line["inbox_id"] for line in lines if line["outcome"] == "created"} == set(inboxes)
    assert {line["inbox_id"] for line in lines if line["outcome"] in {"deleted", "gone"}} == set(inboxes)
    for uid in uids:
        for scope in ("create", "delete"):
            told = [line["outcome"] for line in lines if line["uid"] == uid and line["operation"].startswith(scope)]
            assert told[0] in {"intent", "nothing"}  # nothing: killed between the mark on the object and the call


def test_nothing_is_written_to_coldsend_while_the_log_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "there" / "audit.log"
    simulation = Simulation(changes={"audit_log": str(path)})
    simulation.start()
    simulation.apply("sales", "ann", "ann@company.com")
    simulation.wait(60.0)
    assert simulation.remote.creates == 0
    path.parent.mkdir()
    simulation.wait(120.0)
    assert [line["outcome"] for line in lines_of(path)] == ["intent", "created"]
    simulation.check()


def test_what_is_found_while_the_operator_stops_is_written_too(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    simulation = Simulation(changes={"audit_log": str(path)})
    process = running(simulation)
    simulation.apply("sales", "ann", ANN)
    create = reach(simulation, "coldsend", f"create {ANN}")
    create.fault = Fault.LOST_AFTER
    shown = row(inbox_id="shown-before-the-response-was-lost", made=simulation.clock())
    process.loops[0].workspace.inventory.put(shown, simulation.clock())
    task = process.stop()
    finish(simulation, create)
    while not task.done():
        simulation.pass_time(1.0)
        for call in list(process.traffic.movable):
            simulation.go_on(call)
    assert [line["outcome"] for line in lines_of(path)] == ["intent", "unknown", "created"]
