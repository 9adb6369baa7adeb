"""The conditions `Reconciling` and `Stalled` for tools that wait by kstatus (Helm, Flux, kpt).

Each is present only while it is True.
"""

from coldsend_operator.core.model.conditions import ConditionState
from coldsend_operator.core.model.reasons import LASTING, KstatusType, Reason

SECRET_SECONDS = 30.0  # a Secret of the same manifest may be applied after the object that refers to it
STALLING = LASTING | {
    Reason.PAUSED,
    Reason.RECONCILIATION_PAUSED,
    Reason.FROZEN,
    Reason.DISABLED,
    Reason.UNKNOWN_STATUS,
    Reason.IN_USE_BY_CAMPAIGN,
    Reason.DELETION_HELD,
    Reason.DRIFTED,
    Reason.CHILD_CHANGED_BY_OTHERS,
    Reason.UPDATE_NOT_SUPPORTED,
    Reason.INVENTORY_IMPLAUSIBLE,
    Reason.SECRET_CHANGED,
    Reason.DOMAIN_FULL,
    Reason.UNAUTHORIZED,
    Reason.HEALTH_SCORE_LOW,
}
"""Reasons for which waiting alone does not help: those of `LASTING`, and some of inboxes that exist."""
AT_WORK = frozenset({Reason.PROVISIONING, Reason.RECREATING, Reason.DELETING})
"""Reasons of Synced for which the operator is at work on an object that is Ready."""


def progress(ready: ConditionState, synced: ConditionState, *, working: bool) -> dict[KstatusType, ConditionState]:
    """One of the two for an object that is not Ready; `Reconciling` for a Ready one whose inbox is being changed."""
    if ready.status == "True":
        return {KstatusType.RECONCILING: ConditionState("True", synced.reason, synced.message)} if working else {}
    kind = KstatusType.RECONCILING if working else KstatusType.STALLED
    return {kind: ConditionState("True", ready.reason, ready.message)}
