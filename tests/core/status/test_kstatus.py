"""`Reconciling` and `Stalled`, by which tools wait (Helm, Flux, kpt), and which cost no write of their own."""

from dataclasses import replace
from typing import Any

import pytest

from coldsend_operator.batches.reading import ChildReader
from coldsend_operator.core.batch.counts import Counts, count_child
from coldsend_operator.core.batch.decide import decide_child
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.reasons import KstatusType
from coldsend_operator.core.status.projection import project
from coldsend_operator.resources.names import BATCH_KIND, PAUSED_ANNOTATION
from tests.core.rules.test_rules_batches import CHILD, NAME, batch_of
from tests.core.rules.test_rules_values import an_account, passwords_sent
from tests.core.rules.watching import play_until, running
from tests.support.core_world import ANN, BOB, CoreWorld, held, row
from tests.support.simulation import SECRET, Simulation

STALLED = {"Ready": "False", "Synced": "False", "Stalled": "True"}


def progress_of(simulation: Simulation, uid: str) -> dict[str, tuple[str, str]]:
    return told(simulation.status(uid))


def told(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Type to reason and message."""
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    found = {kind.value: conditions[kind] for kind in KstatusType if kind in conditions}
    assert {each["status"] for each in found.values()} <= {"True"}
    return {kind: (each["reason"], each["message"]) for kind, each in found.items()}


def versions_of(simulation: Simulation, uid: str) -> int:
    """How often the object has changed."""
    return sum(event.object["metadata"]["uid"] == uid for event in simulation.cluster.history)


def test_that_an_account_that_becomes_ready_has_neither_and_one_write() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 30.0)
    assert simulation.ready(uid)[1] == "Active"
    statuses = [
        event.object["status"] for event in simulation.cluster.history if "conditions" in event.object["status"]
    ]
    assert [told(status) for status in statuses] == [{}]


def test_that_a_refused_login_is_stalled_at_once_with_the_message_of_ready() -> None:
    simulation = Simulation()
    uid = an_account(simulation, "wrong word")
    passwords_sent(simulation, good="right")
    simulation.wait(30.0)
    assert progress_of(simulation, uid) == {"Stalled": simulation.ready(uid)[1:]}
    assert simulation.ready(uid)[1] == "ConnectionFailed"


def test_that_a_secret_may_come_half_a_minute_after_the_account() -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("sales", SECRET, None)
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 20.0)
    assert progress_of(simulation, uid) == {"Reconciling": simulation.ready(uid)[1:]}
    simulation.wait(20.0)
    assert progress_of(simulation, uid) == {"Stalled": simulation.ready(uid)[1:]}
    simulation.crash()
    before = versions_of(simulation, uid)
    running(simulation, 60.0)
    assert progress_of(simulation, uid) == {"Stalled": simulation.ready(uid)[1:]}
    assert versions_of(simulation, uid) == before
    simulation.cluster.write_secret("sales", SECRET, {"password": "one"})
    simulation.wait(700.0)
    assert progress_of(simulation, uid) == {}


def test_that_a_restart_does_not_begin_the_half_minute_anew() -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("sales", SECRET, None)
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 20.0)
    simulation.crash()
    running(simulation, 20.0)
    assert progress_of(simulation, uid) == {"Stalled": simulation.ready(uid)[1:]}


def test_that_an_account_that_waits_is_reconciling() -> None:
    core = CoreWorld()
    account = core.account()
    core.wait(60.0)
    says = core.says(account)
    assert says["Reconciling"] == ("True", *says["Ready"][1:])
    assert "Stalled" not in says


def test_that_an_inbox_that_is_replaced_is_reconciling_though_it_is_ready() -> None:
    core, account = held(updatePolicy="Recreate", status={"overallStatus": "ACTIVE"})
    assert "Reconciling" not in core.says(account)
    core.change(account, updatePolicy="Recreate", displayName="Another")
    core.wait(60.0)
    says = core.says(account)
    assert says["Ready"][0] == "True"
    assert says["Reconciling"] == ("True", *says["Synced"][1:])


def test_that_a_ready_inbox_that_only_cannot_be_read_is_neither() -> None:
    core, account = held(status={"overallStatus": "ACTIVE"})
    for _ in range(3):
        core.answer(core.ask(Operation.LIST_ACCOUNTS), Failure(FailureKind.REFUSED, "out of order", 503))
        core.wait(60.0)
    says = core.says(account)
    assert says["Ready"][0] == "True"
    assert not {"Reconciling", "Stalled"} & says.keys()


def test_that_the_new_object_of_a_rename_is_reconciling_until_the_old_one_goes() -> None:
    core = CoreWorld()
    core.holder(name="old", status={"overallStatus": "ACTIVE"})
    claimant = core.account(name="new")
    core.sweep(row())
    says = core.says(claimant)
    assert says["Ready"][1] == "AddressConflict"
    assert says["Reconciling"] == ("True", *says["Ready"][1:])
    assert "Stalled" not in says


def test_that_an_upgrade_writes_no_object_only_to_say_that_it_is_reconciling() -> None:
    core = CoreWorld()
    account = core.holder()
    core.sweep(row(overall_status="PENDING"))
    status = project(account, core.workspace, core.now)
    assert status is not None
    assert told(status).keys() == {"Reconciling"}
    earlier = {**status, "conditions": [each for each in status["conditions"] if each["type"] != "Reconciling"]}
    transitions.status_kept(account, earlier)
    assert project(account, core.workspace, core.now) is None
    transitions.status_kept(account, {**earlier, "overallStatus": "PAUSED"})
    news = project(account, core.workspace, core.now)
    assert news is not None
    assert told(news).keys() == {"Reconciling"}


@pytest.mark.parametrize("exists", [False, True])
def test_that_a_batch_is_reconciling_until_nothing_moves_any_more(*, exists: bool) -> None:
    simulation = Simulation()
    if exists:
        simulation.remote.make_by_hand(BOB)
    simulation.list_in_batch("sales", "pool", [ANN, BOB])
    running(simulation)
    play_until(simulation, lambda: "conditions" in simulation.cluster.of_kind(BATCH_KIND)[0]["status"])
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    uid = batch["metadata"]["uid"]
    assert progress_of(simulation, uid) == {"Reconciling": simulation.ready(uid)[1:]}
    simulation.wait(120.0)
    assert progress_of(simulation, uid) == ({"Stalled": simulation.ready(uid)[1:]} if exists else {})


def test_that_a_batch_is_stalled_by_no_state_that_its_children_had_before_the_template_was_corrected() -> None:
    """Tools fail as soon as they see Stalled for the generation that they have applied."""
    simulation = Simulation()
    wrong, right = ({"passwordSecretRef": {"name": SECRET, "key": key}} for key in ("absent", "password"))
    simulation.list_in_batch("sales", "pool", [ANN, BOB], smtp=wrong)
    running(simulation, 120.0)
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    uid = batch["metadata"]["uid"]
    assert progress_of(simulation, uid) == {"Stalled": simulation.ready(uid)[1:]}
    simulation.change_template(uid, smtp=right)
    simulation.wait(700.0)
    assert simulation.ready(uid)[0] == "True"
    of_batch = (event.object["status"] for event in simulation.cluster.history if event.object["kind"] == BATCH_KIND)
    after = [status for status in of_batch if status.get("observedGeneration") == 2]
    assert {kind for status in after for kind in told(status)} == {"Reconciling"}


@pytest.mark.parametrize(("observed", "working"), [(1, True), (2, False)], ids=["before", "after"])
def test_that_a_child_stalls_its_batch_once_it_has_judged_its_present_spec(observed: int, working: bool) -> None:
    conditions = [{"type": kind, "status": status, "reason": "DomainFull"} for kind, status in STALLED.items()]
    status = {"observedGeneration": observed, "conditions": conditions}
    read = ChildReader().read({"metadata": {"uid": "uid-1", "name": NAME, "generation": 2}, "status": status}, None)
    child = replace(CHILD, shown=read.shown, settled=read.settled)
    counts, batch = Counts(), batch_of(child)
    count_child(counts, batch, NAME, child, decide_child(batch, NAME, child))
    assert counts.working is working


@pytest.mark.parametrize("annotations", [{PAUSED_ANNOTATION: "true"}, {}], ids=["paused", "of another workspace"])
def test_that_an_inbox_of_unknown_state_is_stalled_by_what_keeps_the_operator_from_looking(
    annotations: dict[str, str],
) -> None:
    core = CoreWorld()
    account = core.holder(annotations=annotations, applied={} if annotations else {"workspace": "elsewhere"})
    core.sweep(row("zoe@company.com", "inbox-9"))
    says = core.says(account)
    assert says["Ready"] == says["Synced"]
    assert says["Ready"][1] == ("ReconciliationPaused" if annotations else "InventoryImplausible")
    assert says["Stalled"] == ("True", *says["Ready"][1:])
    assert "Reconciling" not in says
