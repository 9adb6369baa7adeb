"""Annotations under coldsend.pro/: true in any case, and what means nothing is told (resources.annotations)."""

import pytest

from coldsend_operator.resources.names import (
    APPROVE_DELETION_ANNOTATION,
    DELETION_POLICY_ANNOTATION,
    FORCE_ORPHAN_ANNOTATION,
    HAND_OVER_ANNOTATION,
    PAUSED_ANNOTATION,
)
from tests.core.rules.watching import running
from tests.support.core_world import ANN, CoreWorld, held
from tests.support.simulation import Simulation


@pytest.mark.parametrize("value", ["true", "True", "TRUE", " true "])
def test_true_in_any_case_pauses_an_object(value: str) -> None:
    core = CoreWorld()
    account = core.account(annotations={PAUSED_ANNOTATION: value})
    assert account.desired.paused
    assert core.says(account)["Synced"][1] == "ReconciliationPaused"


MEANINGLESS = [
    (
        {PAUSED_ANNOTATION: "yes"},
        'coldsend.pro/paused has the value "yes" and is ignored; it must be "true" or "false".',
    ),
    ({"coldsend.pro/approve-deletions": "true"}, "is not known; did you mean coldsend.pro/approve-deletion?"),
    ({"coldsend.pro/colour": "blue"}, "The annotation coldsend.pro/colour is not known."),
    ({"coldsend.pro/deletion-policy": "Orphan"}, "works on a Namespace only"),
    ({PAUSED_ANNOTATION: "\u200btrue"}, 'the value "true" with U+200B (ZERO WIDTH SPACE) at position 1 and is ignored'),
    (
        {HAND_OVER_ANNOTATION: "b/c\ufeff"},
        'the value "b/c" with U+FEFF (BYTE ORDER MARK) at position 4; it must be <namespace>/<name>.',
    ),
    ({PAUSED_ANNOTATION: "y" * 9_000 + "\u202e"}, "y" * 39 + "…"),
]


@pytest.mark.parametrize(("annotations", "told"), MEANINGLESS)
def test_an_annotation_that_means_nothing_is_told(annotations: dict[str, str], told: str) -> None:
    core, account = held(annotations=annotations)
    state, reason, message = core.says(account)["Synced"]
    assert (state, reason) == ("True", "InSync")
    assert told in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "annotations", [{PAUSED_ANNOTATION: "False"}, {"example.com/paused": "yes"}, {"coldsend.pro/hand-over-to": "b/c"}]
)
def test_nothing_is_told_of_what_is_right_or_not_ours(annotations: dict[str, str]) -> None:
    core, account = held(annotations=annotations)
    assert "annotation" not in core.says(account)["Synced"][2]


def test_a_batch_tells_of_its_annotations_too() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["bob@company.com"])
    (batch,) = simulation.batches
    simulation.cluster.annotate(batch, PAUSED_ANNOTATION, "yes")
    running(simulation, 30.0)
    assert 'has the value "yes"' in simulation.says(batch)["Synced"][2]


@pytest.mark.parametrize("name", ["hand-over-to", "reconcile", "credentials-current"])
def test_a_batch_tells_of_an_annotation_that_only_accounts_have(name: str) -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["bob@company.com"])
    (batch,) = simulation.batches
    simulation.cluster.annotate(batch, f"coldsend.pro/{name}", "support/pool")
    running(simulation, 30.0)
    note = f"The annotation coldsend.pro/{name} has no effect on a SenderAccountBatch; set it on its SenderAccounts."
    assert note in simulation.says(batch)["Synced"][2]
    assert ignored(simulation) == [note]


def ignored(simulation: Simulation) -> list[str]:
    return [event["note"] for event in simulation.cluster.events if event["reason"] == "AnnotationIgnored"]


def test_an_event_tells_once_of_an_annotation_that_means_nothing() -> None:
    simulation = Simulation()
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(30.0)
    simulation.annotate(uid, PAUSED_ANNOTATION, "yes")
    simulation.wait(30.0)
    simulation.edit(uid, displayName="Joe")
    simulation.wait(400.0)
    assert ignored(simulation) == [
        'The annotation coldsend.pro/paused has the value "yes" and is ignored; it must be "true" or "false".'
    ]


OF_NAMESPACES = [
    ({DELETION_POLICY_ANNOTATION: "keep"}, 'has the value "keep", which counts as Orphan; it must be Delete or'),
    ({DELETION_POLICY_ANNOTATION: "delete"}, 'has the value "delete", which counts as Orphan'),
    ({PAUSED_ANNOTATION: "on"}, 'has the value "on" and is ignored'),
    ({"coldsend.pro/deletion-polcy": "Delete"}, "is not known; did you mean coldsend.pro/deletion-policy?"),
    ({FORCE_ORPHAN_ANNOTATION: "true"}, "has no effect; set it on the object."),
]


@pytest.mark.parametrize(("annotations", "told"), OF_NAMESPACES)
def test_an_annotation_of_a_namespace_that_means_nothing_is_told_on_its_objects(
    annotations: dict[str, str], told: str
) -> None:
    simulation = Simulation()
    simulation.cluster.namespaces["sales"] = {"metadata": {"annotations": annotations}, "status": {}}
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    elsewhere = simulation.apply("support", "bob", "bob@company.com")
    simulation.list_in_batch("sales", "pool", ["cat@company.com"])
    simulation.wait(60.0)
    (batch,) = simulation.batches
    for each in (uid, batch):
        message = simulation.says(each)["Synced"][2]
        assert "of namespace sales" in message
        assert told in message
    assert simulation.says(elsewhere)["Synced"][2] == "ColdSend matches the spec."
    assert len(ignored(simulation)) == 3  # the account, the batch and its child
    simulation.cluster.namespaces["sales"] = {"metadata": {}, "status": {}}
    simulation.wait(60.0)
    assert simulation.says(uid)["Synced"][2] == "ColdSend matches the spec."


def test_right_annotations_of_a_namespace_are_not_told() -> None:
    simulation = Simulation()
    annotations = {DELETION_POLICY_ANNOTATION: "Orphan", APPROVE_DELETION_ANNOTATION: "true", "team": "blue"}
    simulation.cluster.namespaces["sales"] = {"metadata": {"annotations": annotations}, "status": {}}
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(60.0)
    assert simulation.says(uid)["Synced"][2] == "ColdSend matches the spec."
