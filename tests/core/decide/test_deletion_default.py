"""COLDSEND_DELETION_DEFAULT: what becomes of the inbox of an object that says nothing of it."""

import pytest

from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import Policy
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, row
from tests.support.simulation import Simulation

POOL = ["c@company.com", "d@company.com"]


@pytest.mark.parametrize(
    ("said", "move"),
    [({}, Action.REMOVE_FINALIZER), ({"deletionPolicy": "Delete"}, Action.DELETE)],
    ids=["nothing", "Delete"],
)
def test_an_object_that_says_nothing_follows_the_default(said: dict[str, str], move: Action) -> None:
    core = CoreWorld(policy=Policy(orphan_by_default=True))
    account = core.holder(deleting=True, **said)
    core.sweep(row())
    assert core.step(account).action is move


@pytest.mark.parametrize(
    ("template", "left"), [({}, set(POOL)), ({"deletionPolicy": "Delete"}, set())], ids=["nothing", "Delete"]
)
@pytest.mark.parametrize("way", ["batch", "list"])
def test_inboxes_of_a_batch_follow_its_template_and_else_the_default(
    template: dict[str, str], left: set[str], way: str
) -> None:
    simulation = Simulation(changes={"deletion_default": "Orphan"})
    running(simulation)
    simulation.list_in_batch("sales", "pool", POOL, **template)
    simulation.wait(60.0)
    (batch,) = simulation.batches
    if way == "batch":
        simulation.cluster.delete(batch)
    else:
        simulation.cluster.change_spec(batch, inboxes=[])
    simulation.wait(300.0)
    simulation.collect_garbage()
    simulation.wait(300.0)
    assert {inbox.address for inbox in simulation.remote.live()} == left


def test_a_template_that_says_delete_writes_it_to_children_that_said_nothing() -> None:
    simulation = Simulation(changes={"deletion_default": "Orphan"})
    running(simulation)
    simulation.list_in_batch("sales", "pool", POOL)
    simulation.wait(60.0)
    simulation.list_in_batch("sales", "pool", POOL, deletionPolicy="Delete")
    simulation.wait(60.0)
    (batch,) = simulation.batches
    children = simulation.cluster.of_kind("SenderAccount")
    assert {raw["spec"].get("deletionPolicy") for raw in children} == {"Delete"}
    simulation.cluster.delete(batch)
    simulation.wait(600.0)
    assert not simulation.remote.live()
