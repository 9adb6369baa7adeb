"""A ResourceQuota bounds what a batch may make, and the batch says so."""

from coldsend_operator.kube.client import Forbidden
from coldsend_operator.resources.names import BATCH_KIND
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
    process = running(simulation)
    simulation.wait(120.0)
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    (failure,) = batch["status"]["failures"]
    assert (failure["name"], failure["reason"]) == (bob, "Rejected")
    assert "exceeded quota" in failure["message"]
    assert len(simulation.remote.at("ann@company.com")) == 1
    simulation.cluster.refuses.clear()
    simulation.wait(600.0)
    assert len(simulation.remote.at("bob@company.com")) == 1
    assert process.operator.alive
