"""What kstatus, by which Helm, Flux and kpt wait, makes of our objects: the library itself is asked."""

from typing import Any

from coldsend_operator.core.model.conditions import ConditionState, conditions, progress
from coldsend_operator.core.model.reasons import STALLING, ConditionType, Reason
from coldsend_operator.resources.crd import UNSEEN
from coldsend_operator.resources.names import API_VERSION
from tests.argocd.cases import scenarios
from tests.kstatus.conftest import Ask

Raw = dict[str, Any]
GOOD = {Reason.ACTIVE, Reason.ADOPTED}
NOW = 1_700_000_000.0
READY_THOUGH_DEGRADED = {
    *("SenderAccount/degraded_secret_changed", "SenderAccount/degraded_secret_lost_later"),
    *("SenderAccount/degraded_update_not_supported", "SenderAccount/degraded_health_low"),
    *("SenderAccountBatch/degraded_secret_changed", "SenderAccountBatch/degraded_health_low"),
}
"""Waiting asks whether the inbox can send: what else is wrong with these stands in other conditions."""
CAN_SEND = {
    "SenderAccount/progressing_api_unavailable",
    "SenderAccount/suspended_object",
    "SenderAccountBatch/suspended_object",
}


STILL_AT_WORK = {"SenderAccount/healthy_takes_over", "SenderAccountBatch/degraded_inboxes_held"}
"""The new object of a rename, and a batch of which an inbox is still to be made."""


def account(status: Raw | None, generation: int = 1) -> Raw:
    metadata = {"name": "outreach", "namespace": "sales", "generation": generation}
    found: Raw = {"apiVersion": API_VERSION, "kind": "SenderAccount", "metadata": metadata, "spec": {}}
    return found if status is None else found | {"status": status}


def saying(reason: Reason) -> Raw:
    """Status of an account whose Ready has this reason."""
    ready = ConditionState("True" if reason in GOOD else "False", reason, f"About {reason.value}.")
    says = {ConditionType.READY: ready} | progress(ready, ready, working=reason not in STALLING | GOOD)
    return {"observedGeneration": 1, "conditions": conditions(says, {}, 1, NOW)}


def test_that_each_reason_is_waited_for_or_fails_with_its_message(ask: Ask) -> None:
    found = dict(zip(Reason, ask([account(saying(reason)) for reason in Reason]), strict=True))
    for reason, (status, message) in found.items():
        expected = "Current" if reason in GOOD else "Failed" if reason in STALLING else "InProgress"
        assert status == expected, reason
        assert reason in GOOD or message == f"About {reason.value}."


def test_that_an_object_that_the_operator_has_not_seen_is_in_progress(ask: Ask) -> None:
    unseen, old, without = ask([account(UNSEEN), account(saying(Reason.ACTIVE), generation=2), account(None)])
    assert (unseen[0], old[0]) == ("InProgress", "InProgress")
    assert without[0] == "Current"  # why the schema has a default


def test_what_it_makes_of_the_objects_as_the_operator_leaves_them(ask: Ask) -> None:
    played = list(scenarios())
    for scenario, (status, message) in zip(played, ask([scenario.manifest for scenario in played]), strict=True):
        name = f"{scenario.kind}/{scenario.name}"
        assert status == _expected(name, scenario.manifest, scenario.health), (name, message)


def _expected(name: str, manifest: Raw, health: str) -> str:
    if "deletionTimestamp" in manifest["metadata"]:
        return "Terminating"
    if name in READY_THOUGH_DEGRADED | CAN_SEND:
        return "Current"
    if name in STILL_AT_WORK:
        return "InProgress"
    return {"Healthy": "Current", "Progressing": "InProgress", "Suspended": "Failed", "Degraded": "Failed"}[health]
