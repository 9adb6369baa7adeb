"""examples/protected.yaml does what it says: its inboxes stay until the field is false."""

from pathlib import Path
from typing import Any

import yaml

from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from tests.core.rules.watching import running
from tests.support.simulation import Simulation
from tests.support.stories import Listing, ready_of

EXAMPLE = Path(__file__).parents[3] / "examples/protected.yaml"


def applied(simulation: Simulation) -> list[str]:
    """The UIDs of the account and of the batch."""
    uids = []
    for document in yaml.safe_load_all(EXAMPLE.read_text()):
        metadata: dict[str, Any] = document["metadata"]
        if document["kind"] == "Secret":
            simulation.cluster.write_secret(metadata["namespace"], metadata["name"], document["stringData"])
            continue
        made = simulation.cluster.create(metadata["namespace"], metadata["name"], document["spec"], document["kind"])
        uids.append(made["metadata"]["uid"])
        simulation.watch.batches[uids[-1]] = Listing(metadata["namespace"], metadata["name"])
    return uids


def test_the_inboxes_of_the_example_stay_until_the_field_is_false() -> None:
    simulation = Simulation()
    running(simulation)
    account, batch = applied(simulation)
    simulation.wait(60.0)
    assert len(simulation.remote.live()) == 3
    simulation.delete(account)
    simulation.delete_batch(batch)
    simulation.wait(900.0)
    assert len(simulation.remote.live()) == 3
    assert {ready_of(raw)[1] for raw in simulation.cluster.of_kind(ACCOUNT_KIND)} == {"DeletionHeld"}
    for uid in (account, batch):
        simulation.cluster.change_spec(uid, deletionProtection=False)
    simulation.wait(120.0)
    simulation.collect_garbage()
    simulation.wait(120.0)
    assert not simulation.remote.live()
    assert not simulation.cluster.of_kind(ACCOUNT_KIND) + simulation.cluster.of_kind(BATCH_KIND)
