"""Annotations under coldsend.pro/: true in any case, and what means nothing is told (resources.annotations)."""

import pytest

from coldsend_operator.resources.names import PAUSED_ANNOTATION
from tests.core.rules.test_rules_values import conditions
from tests.core.rules.watching import running
from tests.support.desk import Desk, row
from tests.support.simulation import Simulation


@pytest.mark.parametrize("value", ["true", "True", "TRUE", " true "])
def test_true_in_any_case_pauses_an_object(value: str) -> None:
    desk = Desk()
    account = desk.account(annotations={PAUSED_ANNOTATION: value})
    assert account.desired.paused
    assert desk.says(account)["Synced"][1] == "ReconciliationPaused"


MEANINGLESS = [
    ({PAUSED_ANNOTATION: "yes"}, 'coldsend.pro/paused has the value "yes", which means nothing; set it to "true".'),
    ({"coldsend.pro/approve-deletions": "true"}, "is not known; coldsend.pro/approve-deletion is meant?"),
    ({"coldsend.pro/colour": "blue"}, "The annotation coldsend.pro/colour is not known."),
    ({"coldsend.pro/deletion-policy": "Orphan"}, "has a meaning on a Namespace only"),
    ({PAUSED_ANNOTATION: "y" * 9_000 + "\u202e"}, "y" * 39 + "…"),
]


@pytest.mark.parametrize(("annotations", "told"), MEANINGLESS)
def test_an_annotation_that_means_nothing_is_told(annotations: dict[str, str], told: str) -> None:
    desk = Desk()
    account = desk.holder(annotations=annotations)
    desk.sweep(row())
    state, reason, message = desk.says(account)["Synced"]
    assert (state, reason) == ("True", "InSync")
    assert told in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "annotations", [{PAUSED_ANNOTATION: "False"}, {"example.com/paused": "yes"}, {"coldsend.pro/hand-over-to": "b/c"}]
)
def test_nothing_is_told_of_what_is_right_or_not_ours(annotations: dict[str, str]) -> None:
    desk = Desk()
    account = desk.holder(annotations=annotations)
    desk.sweep(row())
    assert "annotation" not in desk.says(account)["Synced"][2]


def test_a_batch_tells_of_its_annotations_too() -> None:
    simulation = Simulation()
    simulation.list_in_batch("sales", "pool", ["bob@company.com"])
    (batch,) = simulation.batches
    simulation.cluster.annotate(batch, PAUSED_ANNOTATION, "yes")
    running(simulation)
    simulation.wait(30.0)
    assert 'has the value "yes"' in conditions(simulation, batch)["Synced"][1]
