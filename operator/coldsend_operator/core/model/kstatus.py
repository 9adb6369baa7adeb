"""The conditions `Reconciling` and `Stalled`, by which tools that wait (kstatus: Helm, Flux, kpt) know what to do.

Each is present only while it is True.
"""

from coldsend_operator.core.model.conditions import Saying
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
"""Reasons that waiting alone does not cure. Beside those of `LASTING`, some of inboxes that exist."""
AT_WORK = frozenset({Reason.PROVISIONING, Reason.RECREATING, Reason.DELETING})
"""Reasons of Synced that are work of the operator on an object that is Ready."""


def progress(ready: Saying, synced: Saying, *, working: bool) -> dict[KstatusType, Saying]:
    """Of an object that is not Ready one of the two; of one that is Ready `Reconciling` while its inbox is changed."""
    if ready.status == "True":
        return {KstatusType.RECONCILING: Saying("True", synced.reason, synced.message)} if working else {}
    kind = KstatusType.RECONCILING if working else KstatusType.STALLED
    return {kind: Saying("True", ready.reason, ready.message)}
