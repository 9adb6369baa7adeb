"""What a namespace allows bounds what a batch may make, and the batch says so."""

from coldsend_operator.batches.controller import MAX_WRITES
from coldsend_operator.kube.errors import Forbidden
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from tests.core.rules.watching import running
from tests.support.simulation import Simulation

EXCEEDED = Forbidden("exceeded quota: coldsend, requested: count/senderaccounts.coldsend.pro=1", status=403)


def test_that_an_inbox_beyond_the_quota_is_told_and_keeps_no_other_waiting() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["ann@company.com", "bob@company.com"])
    running(simulation)
    simulation.drain()
    simulation.wait(30.0)
    bob = next(
        raw["metadata"]["name"] for raw in simulation.cluster.objects.values() if "bob" in raw["metadata"]["name"]
    )
    simulation = Simulation()
    simulation.cluster.refuses[bob] = EXCEEDED
    simulation.list_in_batch("sales", "pool", ["ann@company.com", "bob@company.com"])
    process = running(simulation, 120.0)
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    (failure,) = batch["status"]["failures"]
    assert (failure["name"], failure["reason"]) == (bob, "Rejected")
    assert "exceeded quota" in failure["message"]
    assert len(simulation.remote.at("ann@company.com")) == 1
    simulation.cluster.refuses.clear()
    simulation.wait(600.0)
    assert len(simulation.remote.at("bob@company.com")) == 1
    assert process.operator.alive


def test_that_what_waits_for_the_quota_is_made_within_a_minute_of_its_raise_and_asks_for_one_child_at_a_time() -> None:
    simulation = Simulation()
    addresses = [f"inbox-{number}@company.com" for number in range(40)]
    simulation.cluster.quota = 10
    simulation.list_in_batch("sales", "pool", addresses)
    running(simulation, 1800.0)
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    assert "exceeded quota" in batch["status"]["failures"][0]["message"]
    refused = simulation.cluster.refused_children
    simulation.wait(600.0)
    assert simulation.cluster.refused_children - refused <= 600 / 30 + 1
    simulation.cluster.quota = None
    simulation.wait(60.0)
    assert len(simulation.cluster.of_kind(ACCOUNT_KIND)) == 40
    simulation.wait(120.0)
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    assert batch["status"]["ready"] == 40
    assert "failures" not in batch["status"]


def test_that_a_child_that_leaves_the_list_while_it_waits_for_the_quota_keeps_no_other_waiting() -> None:
    simulation = Simulation()
    addresses = [f"inbox-{number}@company.com" for number in range(12)]
    simulation.cluster.quota = 4
    simulation.list_in_batch("sales", "pool", addresses)
    running(simulation, 120.0)
    simulation.list_in_batch("sales", "pool", addresses[:6])
    simulation.wait(120.0)
    simulation.cluster.quota = None
    simulation.wait(60.0)
    assert len(simulation.cluster.of_kind(ACCOUNT_KIND)) == 6


def test_that_a_batch_in_a_terminating_namespace_asks_for_one_child_at_a_time() -> None:
    simulation = Simulation()
    addresses = [f"inbox-{number}@company.com" for number in range(100)]
    simulation.cluster.terminate("sales")
    simulation.list_in_batch("sales", "pool", addresses)
    running(simulation, 600.0)
    assert simulation.cluster.refused_children <= MAX_WRITES + 600 / 30 + 5
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    assert "it is being terminated" in batch["status"]["failures"][0]["message"]
