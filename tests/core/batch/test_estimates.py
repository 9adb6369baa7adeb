"""`status.estimatedCompletionTime` is about inboxes that wait for their turn alone."""

from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from tests.core.rules.watching import running
from tests.support.simulation import Simulation


def test_that_a_child_whose_deletion_is_on_hold_is_not_estimated_and_its_batch_not_written_again() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["ann@company.com", "bob@company.com"], deletionProtection=True)
    running(simulation, 60.0)
    simulation.delete(simulation.cluster.of_kind(ACCOUNT_KIND)[0]["metadata"]["uid"])
    simulation.wait(300.0)
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    assert "DeletionHeld" in {each["reason"] for each in batch["status"]["conditions"]}
    assert "estimatedCompletionTime" not in batch["status"]
    simulation.wait(600.0)
    (later,) = simulation.cluster.of_kind(BATCH_KIND)
    assert later["metadata"]["resourceVersion"] == batch["metadata"]["resourceVersion"]
