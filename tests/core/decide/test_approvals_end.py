"""An annotation on a namespace approves as long as it stands, in all workspaces of the namespace."""

from typing import Any

from coldsend_operator.resources.names import APPROVE_DELETION_ANNOTATION, APPROVE_RECREATION_ANNOTATION
from tests.core.rules.watching import running
from tests.support.simulation import Simulation

OTHER_KEY = "cs_live_other"


def annotate_namespace(simulation: Simulation, *names: str) -> None:
    metadata = {"annotations": dict.fromkeys(names, "true")}
    simulation.cluster.namespaces["sales"] = {"metadata": metadata, "status": {}}


def made(simulation: Simulation, prefix: str, count: int, **fields: Any) -> list[str]:
    uids = [simulation.apply("sales", f"{prefix}-{n}", f"{prefix}{n}@company.com", **fields) for n in range(count)]
    simulation.wait(10.0)
    return list(uids)


def delete_all(simulation: Simulation, uids: list[str]) -> None:
    for uid in uids:
        simulation.delete(uid)
    simulation.wait(20.0)


def reasons(simulation: Simulation) -> set[str]:
    conditions = [each for raw in simulation.cluster.objects.values() for each in raw["status"]["conditions"]]
    return {condition["reason"] for condition in conditions if condition["type"] == "Ready"}


def test_that_an_approval_ends_with_the_annotation() -> None:
    simulation = Simulation(brake="2")
    running(simulation)
    delete_all(simulation, made(simulation, "a", 4))
    assert reasons(simulation) == {"DeletionHeld"}
    annotate_namespace(simulation, APPROVE_DELETION_ANNOTATION)
    simulation.wait(200.0)
    assert not reasons(simulation)
    annotate_namespace(simulation)
    simulation.wait(700.0)
    delete_all(simulation, made(simulation, "b", 4))
    assert reasons(simulation) == {"DeletionHeld"}


def test_that_an_approval_of_a_namespace_reaches_each_workspace_of_it() -> None:
    simulation = Simulation()
    other = simulation.add_workspace(OTHER_KEY, "sales", _made=100)
    running(simulation)
    made(simulation, "a", 12)
    made(simulation, "b", 12, apiKeySecretRef={"name": "key"})
    for remote in (simulation.remote, other):
        for inbox in remote.live():
            remote.delete_by_hand(inbox.inbox_id)
    simulation.wait(900.0)
    assert [len(remote.live()) for remote in (simulation.remote, other)] == [0, 0]
    annotate_namespace(simulation, APPROVE_RECREATION_ANNOTATION)
    simulation.wait(300.0)
    assert [len(remote.live()) for remote in (simulation.remote, other)] == [12, 12]
