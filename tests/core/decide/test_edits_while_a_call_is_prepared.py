"""What people change while the marks and bookings of a call are written still counts: the call has not left yet."""

from collections.abc import Callable
from typing import Any

import pytest

from coldsend_operator.core.model.calls import Call, Lane, Operation
from coldsend_operator.resources.names import PAUSED_ANNOTATION
from tests.core.rules.watching import finish, play_until, reach, running
from tests.support.clock import FakeLoop
from tests.support.simulation import Simulation

ADDRESS = "a@company.com"
SMTP = {"host": "mail.company.com", "passwordSecretRef": {"name": "other"}}


def hear(simulation: Simulation) -> None:
    """Deliver the events, and leave the calls under way as they are."""
    process = running(simulation)
    process.see()
    while process.events["SenderAccount"]:
        process.deliver()


def with_inbox(simulation: Simulation) -> str:
    uid = simulation.apply("sales", "one", ADDRESS)
    running(simulation, 5.0)
    return uid


def test_that_an_inbox_told_to_stay_just_before_its_delete_leaves_stays() -> None:
    simulation = Simulation()
    uid = with_inbox(simulation)
    simulation.delete(uid)
    booking = reach(simulation, "kube", "configmaps")
    simulation.edit(uid, deletionPolicy="Orphan")
    hear(simulation)
    finish(simulation, booking)
    simulation.wait(60.0)
    assert len(simulation.remote.at(ADDRESS)) == 1
    assert simulation.uids == []


@pytest.mark.parametrize(
    ("fields", "annotation"),
    [({"managementPolicy": "Observe"}, None), ({}, PAUSED_ANNOTATION)],
    ids=["to_observe_only", "paused"],
)
def test_that_nothing_is_made_for_an_object_that_must_not_write_any_more(
    fields: dict[str, Any], annotation: str | None
) -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", ADDRESS)
    running(simulation)
    mark = reach(simulation, "kube", "patch /apis/coldsend.pro")
    if annotation is not None:
        simulation.annotate(uid, annotation, "true")
    if fields:
        simulation.edit(uid, **fields)
    hear(simulation)
    finish(simulation, mark)
    simulation.wait(60.0)
    assert simulation.remote.at(ADDRESS) == []


def test_that_a_password_read_for_one_server_is_not_sent_with_another() -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("sales", "other", {"password": "two"})
    uid = simulation.apply("sales", "one", ADDRESS)
    process = running(simulation)
    sent: list[tuple[str, str]] = []
    play_until(simulation, lambda: process.loops)
    client: Any = next(iter(process.loops[0].keys.values())).client
    ask = client.create_smtp

    async def create_smtp(inbox: Any) -> Any:
        sent.append((inbox.smtp_host, inbox.smtp_password.get_secret_value()))
        return await ask(inbox)

    client.create_smtp = create_smtp
    mark = reach(simulation, "kube", "patch /apis/coldsend.pro")
    simulation.edit(uid, smtp=SMTP)
    hear(simulation)
    finish(simulation, mark)
    simulation.wait(60.0)
    assert sent == [("mail.company.com", "two")]


def test_that_a_probe_of_an_inbox_whose_object_was_just_deleted_does_not_leave() -> None:
    simulation = Simulation()
    uid = with_inbox(simulation)
    process = running(simulation)
    controller = process.operator.controller
    (loop,) = (each for each in controller.loops.values() if each.keys)
    look = Call(Operation.GET_ACCOUNT, Lane.PROBE, loop.workspace.digest, uids=(uid,), inbox_ids=("inbox",))
    process.loop.call_soon(loop._start_call, look, simulation.clock.now)
    process.loop.call_soon(controller.gone, uid)
    simulation.wait(5.0)  # an error in the log would fail the test
    assert loop.workspace.in_flight == {}


def after(loop: FakeLoop, turns: int, work: Callable[[], object]) -> None:
    """Do it when the loop has gone round so often."""
    if turns:
        loop.call_soon(after, loop, turns - 1, work)
    else:
        work()


@pytest.mark.parametrize("turns", range(12))
def test_that_an_object_which_goes_while_its_bulk_is_prepared_takes_no_other_out_of_it(turns: int) -> None:
    simulation = Simulation()
    process = running(simulation, 5.0)
    uids = [simulation.apply("sales", f"name-{number}", f"{number}@company.com") for number in range(3)]
    reading = reach(simulation, "kube", "secrets/mail")
    (loop,) = (each for each in process.loops if each.keys)
    assert {each for call in loop.workspace.in_flight.values() for each in call.uids} == set(uids)
    after(process.loop, turns, lambda: process.operator.controller.gone(uids[0]))
    finish(simulation, reading)
    for _ in range(20):
        simulation.pass_time(0.05)
        simulation.drain()
    assert {each.address for each in simulation.remote.live()} >= {"1@company.com", "2@company.com"}
