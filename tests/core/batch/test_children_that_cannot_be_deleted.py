"""A policy of the cluster may refuse to delete a child: the batch says so and tries again."""

from coldsend_operator.kube.errors import Invalid
from coldsend_operator.resources.names import BATCH_KIND
from tests.core.rules.watching import running
from tests.support.cluster import Raw
from tests.support.simulation import Simulation

REFUSAL = Invalid("ValidatingAdmissionPolicy 'keep' denied request: ask the platform team", status=422)
ANN, BOB = "ann@company.com", "bob@company.com"


def with_kept_bob() -> tuple[Simulation, str]:
    """A batch of two, and a policy that keeps the second."""
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", [ANN, BOB])
    running(simulation, 60.0)
    bob = next(
        raw["metadata"]["name"] for raw in simulation.cluster.objects.values() if "bob" in raw["metadata"]["name"]
    )
    simulation.cluster.refuses[bob] = REFUSAL
    return simulation, bob


def conditions(simulation: Simulation) -> dict[str, Raw]:
    (batch,) = simulation.cluster.of_kind(BATCH_KIND)
    return {each["type"]: each for each in batch["status"]["conditions"]}


def test_that_a_batch_tells_why_an_inbox_that_left_its_list_is_still_there() -> None:
    simulation, _ = with_kept_bob()
    simulation.list_in_batch("sales", "pool", [ANN])
    simulation.wait(60.0)
    synced = conditions(simulation)["Synced"]
    assert (synced["status"], synced["reason"]) == ("False", "Rejected")
    assert "ask the platform team" in synced["message"]
    assert len(simulation.remote.at(BOB)) == 1
    simulation.cluster.refuses.clear()
    simulation.wait(700.0)
    assert conditions(simulation)["Synced"]["status"] == "True"
    assert simulation.remote.at(BOB) == []


def test_that_a_batch_in_deletion_tells_which_policy_keeps_it() -> None:
    simulation, _ = with_kept_bob()
    simulation.delete_batch(simulation.batches[0])
    simulation.wait(60.0)
    ready = conditions(simulation)["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "Rejected")
    simulation.cluster.refuses.clear()
    simulation.wait(700.0)
    assert simulation.cluster.of_kind(BATCH_KIND) == []
