"""Conditions of both kinds: their state, and when it last changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from coldsend_operator.core.model.reasons import ConditionType, KstatusType
from coldsend_operator.core.model.stored_status import Status
from coldsend_operator.core.model.times import rfc3339

MESSAGE_LENGTH = 1024
SECRET_SECONDS = 30.0  # a Secret of the same manifest may be applied after the object that refers to it
PAUSED = "Reconciliation is paused by the annotation coldsend.pro/paused; remove it to continue."
NAMESPACE_PAUSED = (
    "Reconciliation is paused by the annotation coldsend.pro/paused of the namespace; remove it there to continue, or "
    "set coldsend.pro/paused: 'false' on this object."
)


@dataclass(frozen=True, slots=True)
class ConditionState:
    """The state of one condition. `reason` is a `Reason`, or a word that a status held before."""

    status: str
    reason: str
    message: str


def with_notes(saying: ConditionState, notes: tuple[str, ...]) -> ConditionState:
    """The state with these notes appended to its message."""
    return replace(saying, message=" ".join((saying.message, *notes))) if notes else saying


def conditions(
    says: Mapping[ConditionType | KstatusType, ConditionState], previous: Status, generation: int, now: float
) -> list[dict[str, Any]]:
    """The list for status; `lastTransitionTime` moves only when a condition's status does."""
    made, at = [], rfc3339(now)
    for kind, saying in says.items():
        before = condition(previous, kind)
        moved = before.get("status") != saying.status
        made.append(
            {
                "type": kind.value,
                "status": saying.status,
                "observedGeneration": generation,
                "lastTransitionTime": at if moved else before.get("lastTransitionTime", at),
                "reason": str(saying.reason),
                "message": saying.message[:MESSAGE_LENGTH],
            }
        )
    return made


def condition(status: Status, kind: ConditionType | KstatusType) -> dict[str, Any]:
    """The condition of this type; empty when it is not there."""
    found: dict[str, Any] = next((each for each in status.get("conditions", ()) if each["type"] == kind.value), {})
    return found


def new_notes(notes: tuple[str, ...], status: Status, previous: Status) -> list[str]:
    """The notes that are new in the condition Synced."""
    after, before = (condition(each, ConditionType.SYNCED).get("message", "") for each in (status, previous))
    return [note for note in notes if note in after and note not in before]


def reasons(status: Status) -> dict[str, tuple[str, str, str]]:
    """Condition type to (status, reason, message): what Events are made from."""
    return {each["type"]: (each["status"], each["reason"], each["message"]) for each in status.get("conditions", ())}


def progress(ready: ConditionState, synced: ConditionState, *, working: bool) -> dict[KstatusType, ConditionState]:
    """One of the two for an object that is not Ready; `Reconciling` for a Ready one whose inbox is being changed."""
    if ready.status == "True":
        return {KstatusType.RECONCILING: ConditionState("True", synced.reason, synced.message)} if working else {}
    kind = KstatusType.RECONCILING if working else KstatusType.STALLED
    return {kind: ConditionState("True", ready.reason, ready.message)}
