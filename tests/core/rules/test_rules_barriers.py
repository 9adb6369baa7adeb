"""Whatever goes wrong with one object costs that object alone: it is set aside, told, and tried again (rule 38)."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
import structlog
from structlog.testing import capture_logs

from coldsend_operator import metric_names as names
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan import make_plan
from coldsend_operator.core.workspace.queues import CallKind
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.resources.names import BATCH_KIND
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, asked_for, row
from tests.support.process import Process
from tests.support.simulation import SECOND, Simulation, inboxes_of, template_of

VICTIM = "victim@company.com"
BROKEN = ["no", "annotations"]  # what the API server never shows stands for whatever we fail to read


@pytest.fixture(scope="module", autouse=True)
def failures_in_the_log() -> Iterator[None]:
    """The faults of this module are wanted, and nothing of them is printed."""
    before = structlog.get_config()
    structlog.configure(processors=[drop])
    yield
    structlog.configure(**before)


def drop(*_: object) -> NoReturn:
    raise structlog.DropEvent


def with_broken_object(kind: str = "SenderAccount") -> tuple[Simulation, str]:
    simulation = Simulation()
    if kind == BATCH_KIND:
        spec = {"template": template_of(), "inboxes": inboxes_of(["b@company.com"])}
        uid = simulation.cluster.create("support", "evil", spec, BATCH_KIND)["metadata"]["uid"]
    else:
        uid = simulation.apply("support", "evil", "evil@company.com")
    simulation.apply("sales", "victim", VICTIM)
    break_object(simulation, uid)
    return simulation, uid


def break_object(simulation: Simulation, uid: str, annotations: Any = BROKEN) -> None:
    raw = simulation.raw(uid)
    simulation.cluster.on_stored = simulation.cluster.on_status = watch_nothing  # what watches reads good objects only
    simulation.cluster._update(raw | {"metadata": raw["metadata"] | {"annotations": annotations}})


def watch_nothing(_before: dict[str, Any] | None, _after: dict[str, Any]) -> None:
    """The rules are watched on objects that can be read."""


def set_aside(process: Process) -> dict[str, float]:
    return {kind: count for (kind,), count in process.operator.figures()[names.OBJECTS_SET_ASIDE].items()}


@pytest.mark.parametrize("kind", ["SenderAccount", BATCH_KIND])
def test_rule_38_an_object_that_cannot_be_read_does_not_keep_the_operator_from_starting(kind: str) -> None:
    simulation, _ = with_broken_object(kind)
    with capture_logs() as lines:
        process = running(simulation, 60.0)
    assert process.operator.ready
    assert process.operator.alive
    assert len(simulation.remote.at(VICTIM)) == 1
    told = [line for line in lines if line["event"] == "object_set_aside"]
    assert [(line["namespace"], line["name"], line["operation"]) for line in told[:1]] == [("support", "evil", "read")]
    assert len(told) <= 2  # once as what it is, once as a child; not again at each try
    assert set_aside(process)[kind] == 1


def test_rule_38_an_object_that_cannot_be_read_is_tried_again_at_its_next_event() -> None:
    simulation, uid = with_broken_object()
    process = running(simulation, 60.0)
    break_object(simulation, uid, {})
    simulation.wait(60.0)
    assert len(simulation.remote.at("evil@company.com")) == 1
    assert set_aside(process)["SenderAccount"] == 0


def test_rule_38_an_object_with_an_inbox_is_left_alone_while_its_newest_state_cannot_be_read() -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com")
    simulation.wait(30.0)
    break_object(simulation, uid)
    simulation.edit(uid, displayName="Other", updatePolicy="Recreate")
    simulation.wait(600.0)
    assert [inbox.display_name for inbox in simulation.remote.at("a@company.com")] == ["Jane"]
    assert set_aside(process)["SenderAccount"] == 1


def test_rule_38_an_object_that_cannot_be_read_and_goes_is_forgotten() -> None:
    simulation, uid = with_broken_object()
    process = running(simulation, 30.0)
    simulation.delete(uid)
    simulation.wait(30.0)
    assert set_aside(process)["SenderAccount"] == 0


def test_rule_38_a_fault_in_the_decision_for_one_account_costs_that_account_alone() -> None:
    core = CoreWorld()
    evil, victim = core.account("evil@company.com"), core.account(VICTIM)
    core.sweep()
    evil.create_backoff = "nonsense"  # type: ignore[assignment] # whatever a decision fails at
    core.workspace.touch_everything()
    core.wait(3.0)
    calls = core.calls()
    assert [uid for call in calls for uid in call.uids] == [victim.uid]
    assert list(core.workspace.undecided) == [evil.uid]


def test_rule_38_a_fault_in_a_decision_is_told_and_decided_again() -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com")
    simulation.apply("sales", "victim", VICTIM)
    simulation.wait(30.0)
    account = process.operator.controller.accounts[uid]
    account.probe_at = "soon"  # type: ignore[assignment] # whatever a decision fails at
    process.loops[0].decide_again(uid)
    simulation.wait(5.0)
    assert set_aside(process)["SenderAccount"] == 1
    account.probe_at = None
    simulation.wait(700.0)
    assert set_aside(process)["SenderAccount"] == 0
    assert process.operator.alive


def test_rule_38_a_fault_in_the_plan_of_one_lane_keeps_no_other_lane_waiting() -> None:
    core, victim = asked_for(VICTIM)
    core.wait(3.0)
    core.workspace.jobs = "nonsense"  # type: ignore[assignment] # whatever a plan fails at
    plan = make_plan(core.workspace, core.now)
    assert [call.uids for call in plan.calls if call.operation.creates] == [(victim.uid,)]
    assert plan.faults


def test_rule_38_an_account_that_cannot_be_planned_keeps_no_other_of_its_lane_waiting() -> None:
    core = CoreWorld()
    names = [f"{number}@company.com" for number in range(4)]
    accounts = [core.holder(name, f"inbox-{name}", deleting=True) for name in names]
    core.sweep(*(row(name, f"inbox-{name}") for name in names))
    core.wait(30.0)
    evil = accounts[0]
    evil.stored = "nonsense"  # type: ignore[assignment] # whatever a plan fails at
    plan = make_plan(core.workspace, core.now)
    (call,) = [call for call in plan.calls if call.operation.deletes]
    assert set(call.uids) == {each.uid for each in accounts[1:]}
    assert list(plan.unplanned) == [evil.uid]
    assert not plan.faults


def test_rule_38_an_account_that_cannot_be_planned_is_told_and_keeps_no_look_of_others_waiting() -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com")
    other = simulation.apply("sales", "victim", VICTIM)
    simulation.wait(30.0)
    workspace, accounts = process.loops[0].workspace, process.operator.controller.accounts
    for each in (uid, other):
        workspace.queues.put(
            accounts[each].uid, accounts[each].desired.namespace, CallKind(Action.SEARCH), simulation.clock()
        )
    workspace.searches[uid] = "nonsense"  # type: ignore[assignment] # whatever a plan fails at
    process.call(process.loops[0].wake)
    simulation.pass_time(0.1)
    assert set_aside(process)["SenderAccount"] == 1
    assert {each for call in workspace.in_flight.values() for each in call.uids} == {other}
    simulation.wait(30.0)
    assert set_aside(process)["SenderAccount"] == 0


@pytest.mark.parametrize("field", ["estimated_at", "timers"])
def test_rule_38_a_fault_in_the_round_of_a_workspace_is_told_once_and_ends_nothing(field: str) -> None:
    simulation = Simulation()
    process = running(simulation)
    simulation.apply("sales", "one", "a@company.com")
    simulation.wait(30.0)
    kept = getattr(process.loops[0].workspace, field)
    with capture_logs() as lines:
        setattr(process.loops[0].workspace, field, "nonsense")  # whatever a round fails at
        process.call(process.loops[0].wake)
        for _ in range(20):
            simulation.pass_time(5.0)
            simulation.drain()
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["loop_failed"]
    assert process.operator.alive
    setattr(process.loops[0].workspace, field, kept)
    simulation.apply("sales", "victim", VICTIM)
    simulation.wait(60.0)
    assert len(simulation.remote.at(VICTIM)) == 1


def test_rule_38_a_status_that_is_never_taken_is_tried_ever_more_slowly_and_keeps_nobody_waiting() -> None:
    simulation = Simulation()
    uid = simulation.apply("support", "large", "large@company.com")
    simulation.apply("sales", "victim", VICTIM)
    simulation.cluster.refuses["large/status"] = KubeError("etcdserver: request is too large", status=500)
    with capture_logs() as lines:
        process = running(simulation, 3600.0)
    assert len(simulation.cluster.refused) < 20
    assert len([line for line in lines if line.get("operation") == "write_status"]) == 1
    assert set_aside(process)["SenderAccount"] == 1
    assert len(simulation.remote.at(VICTIM)) == 1
    assert process.operator.controller.accounts[uid].stored.inbox_id
    assert process.operator.figures()[names.SWEEP_AGE][("default",)] < 400.0


def test_rule_38_a_background_task_that_ends_fails_the_liveness_probe() -> None:
    simulation = Simulation()
    process = running(simulation, 5.0)
    assert process.operator.alive
    task = next(task for task in process.operator._background if task.get_name() == "secrets")
    process.call(task.cancel)
    assert not process.operator.alive


def test_rule_38_a_key_that_changed_moves_all_objects_but_the_one_that_fails() -> None:
    simulation = Simulation()
    process = running(simulation)
    key = {"apiKeySecretRef": {"name": SECOND}}
    simulation.give_second_key("sales", there=False)
    evil = simulation.apply("sales", "evil", "evil@company.com", **key)
    simulation.apply("sales", "victim", VICTIM, **key)
    simulation.wait(5.0)
    account = process.operator.controller.accounts[evil]
    account.stored, kept = "nonsense", account.stored  # type: ignore[assignment] # whatever placing fails at
    simulation.give_second_key("sales")
    simulation.wait(60.0)
    assert process.operator.alive
    assert len(simulation.remote.at(VICTIM)) == 1
    account.stored = kept
    simulation.wait(700.0)
    assert len(simulation.remote.at("evil@company.com")) == 1


def test_rule_38_a_workspace_that_cannot_be_stopped_keeps_no_other_from_storing_what_it_has_spent() -> None:
    simulation, keys = Simulation(), ("cs_live_one", "cs_live_two", "cs_live_three")
    for number, key in enumerate(keys):
        simulation.add_workspace(key, "sales", f"key-{number}")
        simulation.apply("sales", f"one-{number}", f"{number}@company.com", apiKeySecretRef={"name": f"key-{number}"})
    process = running(simulation, 60.0)
    process.loops[0].workspace.timers = "nonsense"  # type: ignore[assignment] # whatever a stop fails at
    task = process.stop()
    while not task.done():
        simulation.pass_time(1.0)
        for call in list(process.traffic.movable):
            simulation.go_on(call)
    assert task.exception() is None
    (state,) = simulation.cluster.config_maps.values()
    opened = [
        json.loads(text)["budget"]["open"]
        for name, text in state["data"].items()
        if name not in {"key-workspaces", "report"}
    ]
    assert opened.count(0) >= len(keys) - 1
