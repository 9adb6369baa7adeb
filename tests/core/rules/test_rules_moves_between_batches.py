"""Rule 30 for batches: inboxes that move between batches stay."""

from collections.abc import Callable
from typing import Any

import pytest

from coldsend_operator.kube.errors import Forbidden, Invalid, KubeError
from coldsend_operator.resources.children import child_name
from coldsend_operator.resources.names import (
    PAUSED_ANNOTATION,
)
from tests.core.conftest import instants
from tests.core.rules.watching import running
from tests.support.simulation import Simulation

POOL = [f"p{number}@pool.com" for number in range(6)]


def pool(simulation: Simulation, name: str, addresses: list[str], **template: Any) -> None:
    simulation.list_in_batch("sales", name, addresses, **template)


def batch_uid(simulation: Simulation, name: str) -> str:
    return next(uid for uid in simulation.batches if simulation.watch.batches[uid].name == name)


def ids(simulation: Simulation) -> set[str]:
    return {inbox.inbox_id for inbox in simulation.remote.live()}


def settled_pool(addresses: list[str], **changes: Any) -> Simulation:
    simulation = Simulation(per_minute=600, per_hour=6000, **changes)
    pool(simulation, "old", addresses)
    running(simulation, 60.0)
    assert len(ids(simulation)) == len(addresses)
    return simulation


def rename_batch(simulation: Simulation) -> None:
    pool(simulation, "new", POOL)
    simulation.delete_batch(batch_uid(simulation, "old"))


def rename_batch_by_deleting_it_first(simulation: Simulation) -> None:
    simulation.delete_batch(batch_uid(simulation, "old"))
    pool(simulation, "new", POOL)


def move_half_to_another_batch(simulation: Simulation) -> None:
    pool(simulation, "new", POOL[:3])
    pool(simulation, "old", POOL[3:])


def move_half_after_the_list_was_shortened(simulation: Simulation) -> None:
    pool(simulation, "old", POOL[3:])
    pool(simulation, "new", POOL[:3])


def take_out_of_the_batch(simulation: Simulation) -> None:
    for number, address in enumerate(POOL[:3]):
        simulation.apply("sales", f"single-{number}", address)
    pool(simulation, "old", POOL[3:])


MOVES = [
    rename_batch,
    rename_batch_by_deleting_it_first,
    move_half_to_another_batch,
    move_half_after_the_list_was_shortened,
    take_out_of_the_batch,
]


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("brake", ["50%", "2", "100%"])
def test_rule_30_inboxes_that_move_between_batches_stay_and_do_not_count_in_the_brake(
    move: Callable[[Simulation], None], brake: str
) -> None:
    simulation = settled_pool(POOL, brake=brake)
    before = ids(simulation)
    move(simulation)
    simulation.wait(20.0)
    assert ids(simulation) == before
    assert not simulation.wrong()
    assert not simulation.process or all(len(loop.workspace.brake.holds) == 0 for loop in simulation.process.loops)
    simulation.converge()
    assert ids(simulation) == before


@pytest.mark.parametrize("events", ["SenderAccount", "SenderAccountBatch"])
def test_rule_30_accounts_that_move_into_a_batch_keep_their_inboxes_whichever_kind_is_seen_first(events: str) -> None:
    simulation = Simulation()
    uids = [simulation.apply("sales", f"single-{number}", address) for number, address in enumerate(POOL[:4])]
    process = running(simulation, 30.0)
    before = ids(simulation)
    pool(simulation, "new", POOL[:4])
    for uid in uids:
        simulation.delete(uid or "")
    process.see()
    while process.events[events]:
        process.deliver(events)
    simulation.wait(20.0)
    assert ids(simulation) == before
    assert not simulation.wrong()
    simulation.converge()


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("downtime", [0.0, 5.0])
def test_rule_30_a_crash_while_a_batch_moves_leads_to_the_same_end(
    move: Callable[[Simulation], None], downtime: float
) -> None:
    for steps in instants(9):
        simulation = settled_pool(POOL)
        before = ids(simulation)
        move(simulation)
        taken = 0
        while taken < steps and simulation.moves():
            simulation.step(0)
            taken += 1
        simulation.crash()
        simulation.pass_time(downtime)
        simulation.start()
        simulation.wait(60.0)
        assert ids(simulation) == before, steps
        simulation.converge()
        if taken < steps:
            return


def test_rule_30_what_a_renamed_batch_no_longer_lists_is_deleted_and_nothing_else() -> None:
    simulation = settled_pool(POOL)
    before = ids(simulation)
    pool(simulation, "new", POOL[2:])
    simulation.drain()
    simulation.delete_batch(batch_uid(simulation, "old"))
    simulation.wait(60.0)
    assert {inbox.address for inbox in simulation.remote.live()} == set(POOL[2:])
    assert ids(simulation) < before


@pytest.mark.parametrize("pause", [True, False])
def test_rule_30_a_batch_that_makes_no_child_is_waited_for_only_while_it_may(pause: bool) -> None:
    simulation = settled_pool(POOL[:2])
    pool(simulation, "new", POOL[:2])
    new = batch_uid(simulation, "new")
    if pause:
        simulation.cluster.annotate(new, PAUSED_ANNOTATION, "true")
    else:
        simulation.delete_batch(new)
    simulation.delete_batch(batch_uid(simulation, "old"))
    simulation.wait(30.0)
    assert not ids(simulation)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (KubeError("no answer", status=500, reason="InternalError"), True),
        (Forbidden("exceeded quota: accounts", status=403, reason="Forbidden"), True),
        (Invalid("a policy of the cluster", status=422, reason="Invalid"), False),
    ],
    ids=["trouble", "quota", "invalid"],
)
def test_rule_30_a_child_that_cannot_be_made_for_a_while_is_waited_for_if_its_inbox_is_valid(
    error: KubeError, kept: bool
) -> None:
    simulation = settled_pool(POOL[:1])
    before = ids(simulation)
    simulation.cluster.refuses[child_name("new", POOL[0])] = error
    pool(simulation, "new", POOL[:1])
    simulation.wait(1.0)
    simulation.delete_batch(batch_uid(simulation, "old"))
    simulation.wait(60.0)
    assert (ids(simulation) == before) == kept
    for uid in simulation.uids if kept else ():
        assert "SenderAccountBatch has yet to create that object" in simulation.ready(uid)[2]
    simulation.cluster.refuses.clear()
    simulation.wait(400.0)
    assert (ids(simulation) == before) == kept
    simulation.converge()
