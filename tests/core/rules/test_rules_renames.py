"""Rule 30 in the whole operator: a rename keeps the inbox, in any order of events and over a crash at any step."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from coldsend_operator.core.decide.hand_over import KEY_WAIT
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from coldsend_operator.kube.errors import KubeError
from tests.core.rules.watching import finish, reach, running
from tests.support.core_world import ANN
from tests.support.process import API_KEY
from tests.support.simulation import Simulation

NATIVE = "n@mail.example.com"


def held_by(simulation: Simulation, uid: str) -> str | None:
    found: str | None = simulation.status(uid).get("inboxID")
    return found


def ready(simulation: Simulation, address: str = ANN, **fields: Any) -> str:
    uid = simulation.apply("sales", "old", address, **fields)
    running(simulation, 5.0)
    assert simulation.ready(uid)[0] == "True"
    return uid


def apply_then_delete(simulation: Simulation, old: str, address: str) -> str:
    new = simulation.apply("sales", "new", address)
    simulation.delete(old)
    return new


def delete_then_apply(simulation: Simulation, old: str, address: str) -> str:
    simulation.delete(old)
    return simulation.apply("sales", "new", address)


def test_rule_30_a_claimant_that_comes_while_the_delete_is_prepared_takes_it_out_of_the_call() -> None:
    simulation = Simulation()
    old = ready(simulation)
    process = running(simulation)
    inbox = held_by(simulation, old)
    simulation.delete(old)
    simulation.drain()
    simulation.pass_time(SETTLE_SECONDS)
    booking = reach(simulation, "kube", "coldsend-operator-state")
    new = simulation.apply("sales", "new", ANN)
    process.see()
    process.deliver()
    finish(simulation, booking)
    simulation.wait(5.0)
    assert [each.inbox_id for each in simulation.remote.live()] == [inbox]
    assert held_by(simulation, new) == inbox


@pytest.mark.parametrize("order", [apply_then_delete, delete_then_apply])
@pytest.mark.parametrize("address", [ANN, NATIVE], ids=["smtp", "native"])
def test_rule_30_a_rename_keeps_the_inbox_in_both_orders_of_events_without_a_call(
    order: Callable[[Simulation, str, str], str], address: str
) -> None:
    simulation = Simulation()
    old = ready(simulation, address)
    inbox, requests = held_by(simulation, old), simulation.remote.requests
    new = order(simulation, old, address)
    simulation.wait(10.0)
    assert simulation.cluster.find(old) is None
    assert held_by(simulation, new) == inbox
    assert simulation.remote.requests == requests
    assert simulation.ready(new)[0] == "True"
    assert "takesOverFrom" not in simulation.status(new)
    assert simulation.status(new)["handedOverFrom"] == {"namespace": "sales", "name": "old"}
    events = {(event["regarding"]["name"], event["reason"]) for event in simulation.cluster.events}
    assert {("old", "HandedOver"), ("new", "HandedOver")} <= events
    simulation.converge()


def test_rule_30_after_a_hand_over_the_secret_counts_as_what_coldsend_was_sent() -> None:
    simulation = Simulation()
    old = ready(simulation)
    new = apply_then_delete(simulation, old, ANN)
    simulation.wait(60.0)
    assert simulation.says(new)["CredentialsCurrent"][1] == "SecretUnchanged"
    simulation.rotate("sales", "two")
    simulation.wait(700.0)
    assert simulation.says(new)["CredentialsCurrent"][1] == "SecretChanged"


@pytest.mark.parametrize("order", [apply_then_delete, delete_then_apply])
def test_rule_30_a_crash_at_any_step_leads_to_the_same_end(order: Callable[[Simulation, str, str], str]) -> None:
    for steps in count():
        simulation = Simulation()
        old = ready(simulation)
        inbox = held_by(simulation, old)
        new = order(simulation, old, ANN)
        taken = 0
        while taken < steps and simulation.moves():
            simulation.step(0)
            taken += 1
        simulation.crash()
        simulation.start()
        simulation.wait(150.0)
        assert held_by(simulation, new) == inbox, steps
        assert [each.inbox_id for each in simulation.remote.live()] == [inbox]
        simulation.converge()
        if taken < steps:
            return


@pytest.mark.parametrize("cut", range(0, 30, 3))
def test_rule_30_a_claimant_that_is_deleted_meanwhile_takes_the_inbox_with_it(cut: int) -> None:
    simulation = Simulation()
    old = ready(simulation)
    new = apply_then_delete(simulation, old, ANN)
    for _ in range(cut):
        simulation.step(0)
    simulation.delete(new)
    simulation.wait(60.0)
    assert not simulation.remote.live()
    simulation.converge()


@pytest.mark.parametrize("cut", range(0, 40, 5))
def test_rule_30_an_inbox_goes_through_a_chain_of_objects_into_a_batch_whenever_the_process_is_killed(cut: int) -> None:
    simulation = Simulation()
    old = ready(simulation)
    inbox = held_by(simulation, old)
    middle = simulation.apply("sales", "middle", ANN)
    simulation.wait(5.0)
    simulation.list_in_batch("sales", "pool", [ANN])
    simulation.delete(old)
    for _ in range(cut):
        simulation.step(0)
    simulation.delete(middle)
    for _ in range(cut // 3):
        simulation.step(0)
    simulation.crash()
    running(simulation, 400.0)
    (last,) = simulation.uids
    assert held_by(simulation, last) == inbox
    assert [each.inbox_id for each in simulation.remote.live()] == [inbox]
    simulation.converge()


def test_rule_30_a_claimant_whose_key_is_not_read_yet_is_waited_for() -> None:
    """A release of another name renames the Secret of the API key too, and the API server answers slowly."""
    simulation = Simulation()
    for name in ("key-of-old", "key-of-new"):
        simulation.cluster.write_secret("sales", name, {"apiKey": API_KEY})
    old = ready(simulation, apiKeySecretRef={"name": "key-of-old"})
    inbox = held_by(simulation, old)
    simulation.cluster.refuses["secrets/key-of-new"] = KubeError("no answer", status=500, reason="InternalError")
    new = simulation.apply("sales", "new", ANN, apiKeySecretRef={"name": "key-of-new"})
    simulation.delete(old)
    simulation.wait(3.5)
    simulation.cluster.refuses.clear()
    simulation.wait(30.0)
    assert held_by(simulation, new) == inbox
    assert [each.inbox_id for each in simulation.remote.live()] == [inbox]


def test_rule_30_a_claimant_whose_key_cannot_be_had_is_not_waited_for_for_ever() -> None:
    simulation = Simulation()
    simulation.cluster.write_secret("sales", "key-of-old", {"apiKey": API_KEY})
    old = ready(simulation, apiKeySecretRef={"name": "key-of-old"})
    simulation.cluster.refuses["secrets/key-of-new"] = KubeError("no answer", status=500, reason="InternalError")
    simulation.apply("sales", "new", ANN, apiKeySecretRef={"name": "key-of-new"})
    simulation.delete(old)
    simulation.wait(60.0)
    assert simulation.remote.live()
    simulation.wait(KEY_WAIT)
    assert simulation.cluster.find(old) is None
    assert not simulation.remote.live()
