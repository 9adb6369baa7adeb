"""A status that somebody with rights on it writes: the operator that runs knows better."""

from typing import Any

import pytest

from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.reasons import Reason
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, row
from tests.support.simulation import Simulation

ANN = "ann@company.com"
MAIL = {"recipient": "ops@company.com", "requestID": "1"}


def write_status(simulation: Simulation, uid: str, **fields: Any) -> None:
    raw = simulation.cluster.find(uid) or {}
    simulation.cluster._update(raw | {"status": {**(raw.get("status") or {}), **fields}})
    simulation.wait(60.0)


def test_an_inbox_made_by_hand_is_not_deleted_by_an_object_whose_status_claims_it() -> None:
    simulation = Simulation()
    inbox = simulation.remote.make_by_hand(ANN)
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 60.0)
    write_status(simulation, uid, inboxID=inbox.inbox_id, origin="Created")
    assert simulation.ready(uid)[1] == "AlreadyExists"
    assert "inboxID" not in simulation.status(uid)
    simulation.delete(uid)
    simulation.wait(400.0)
    assert simulation.uids == []
    assert simulation.remote.live() == [inbox]


@pytest.mark.parametrize(("deleting", "way_out"), [(False, "adoptionPolicy: Adopt"), (True, "force-orphan")])
def test_an_inbox_id_that_coldsend_refuses_is_told_with_a_way_out(deleting: bool, way_out: str) -> None:
    core = CoreWorld()
    account = core.holder(ANN, "no-uuid", deleting=deleting)
    for _ in range(10):
        core.sweep(row(ANN, "inbox-1"))
        core.get(account, Failure(FailureKind.REFUSED, "Input should be a valid UUID", 422))
        core.wait(60.0)
    _, reason, message = core.says(account)["Synced"]
    assert reason == Reason.UNKNOWN_STATUS
    assert "(no-uuid)" in message
    assert way_out in message
    assert Operation.GET_ACCOUNT in core.operations()


def test_a_test_mail_is_not_sent_again_when_somebody_removes_it_from_status() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", ANN, testEmail=MAIL)
    running(simulation, 60.0)
    assert len(simulation.remote.mails) == 1
    write_status(simulation, uid, testEmail=None)
    assert len(simulation.remote.mails) == 1
    assert simulation.status(uid)["testEmail"]["requestID"] == "1"


def test_an_inbox_that_two_objects_show_after_a_start_stays_ready_for_the_one_and_is_deleted_by_neither() -> None:
    simulation = Simulation()
    victim = simulation.apply("sales", "ann", ANN)
    running(simulation, 60.0)
    other = simulation.apply("support", "ann", ANN)
    simulation.wait(60.0)
    simulation.crash()
    shown = simulation.status(victim)
    write_status(simulation, other, **{key: shown[key] for key in ("inboxID", "origin", "lastApplied")})
    running(simulation, 60.0)
    assert simulation.says(victim)["Synced"][1] == simulation.says(other)["Synced"][1] == "AddressConflict"
    assert simulation.ready(victim)[1] == "Active"
    simulation.delete(other)
    simulation.wait(400.0)
    assert simulation.uids == [victim]
    assert len(simulation.remote.live()) == 1
    assert simulation.says(victim)["Synced"][1] == "InSync"


def test_a_status_that_somebody_keeps_changing_is_written_ever_less_often_and_put_right_when_that_ends() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "ann", ANN)
    running(simulation, 60.0)
    right = simulation.status(uid)
    rewrites = 0
    for _ in range(1_200):
        if simulation.status(uid) == right:
            rewrites += 1
            simulation.cluster._update(simulation.raw(uid) | {"status": {**right, "origin": "Adopted"}})
        simulation.wait(1.0)
    assert 8 <= rewrites <= 16
    simulation.wait(300.0)
    assert simulation.status(uid) == right
