"""The closed lists of condition types and reasons.

A new one is added here and in the docs.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """Condition types. True is good news for each of them."""

    READY = "Ready"
    SYNCED = "Synced"
    HEALTHY = "Healthy"
    CREDENTIALS_CURRENT = "CredentialsCurrent"


class KstatusType(StrEnum):
    """Condition types that are present only while True, for tools that wait by kstatus (Helm, Flux, kpt)."""

    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Reason(StrEnum):
    """Reasons of conditions and Events."""

    ACTIVE = "Active"
    PROVISIONING = "Provisioning"
    PENDING = "Pending"
    ADOPTED = "Adopted"
    PAUSED = "Paused"
    RECONCILIATION_PAUSED = "ReconciliationPaused"
    FROZEN = "Frozen"
    DISABLED = "Disabled"
    UNKNOWN_STATUS = "UnknownStatus"
    DELETING = "Deleting"
    IN_USE_BY_CAMPAIGN = "InUseByCampaign"
    DELETION_HELD = "DeletionHeld"
    HANDED_OVER = "HandedOver"
    IN_SYNC = "InSync"
    INVALID_SPEC = "InvalidSpec"
    ALREADY_EXISTS = "AlreadyExists"
    ADDRESS_CONFLICT = "AddressConflict"
    NOT_FOUND = "NotFound"
    DRIFTED = "Drifted"
    CHILD_CHANGED_BY_OTHERS = "ChildChangedByOthers"
    UPDATE_NOT_SUPPORTED = "UpdateNotSupported"
    RECREATING = "Recreating"
    INVENTORY_IMPLAUSIBLE = "InventoryImplausible"
    SECRET_UNCHANGED = "SecretUnchanged"  # noqa: S105 - a reason, no secret
    SECRET_CHANGED = "SecretChanged"  # noqa: S105 - a reason, no secret
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason, no secret
    SECRET_KEY_NOT_FOUND = "SecretKeyNotFound"  # noqa: S105 - a reason, no secret
    SECRET_INVALID = "SecretInvalid"  # noqa: S105 - a reason, no secret
    CREDENTIALS_UNKNOWN = "CredentialsUnknown"
    CONNECTION_FAILED = "ConnectionFailed"
    REJECTED = "Rejected"
    DOMAIN_NOT_FOUND = "DomainNotFound"
    DOMAIN_NOT_ACTIVE = "DomainNotActive"
    DOMAIN_FULL = "DomainFull"
    UNAUTHORIZED = "Unauthorized"
    MISSING_SCOPES = "MissingScopes"
    PLAN_LIMIT = "PlanLimit"
    RATE_LIMITED = "RateLimited"
    API_UNAVAILABLE = "ApiUnavailable"
    HEALTH_SCORE_GOOD = "HealthScoreGood"
    HEALTH_SCORE_LOW = "HealthScoreLow"
    HEALTH_SCORE_UNKNOWN = "HealthScoreUnknown"


ANNOTATION_IGNORED = "AnnotationIgnored"  # an Event only: the annotation is invalid or unknown
SET_ASIDE = "SetAside"  # an Event only: the cause is not a state of the inbox

LASTING = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.ALREADY_EXISTS,
        Reason.ADDRESS_CONFLICT,
        Reason.CONNECTION_FAILED,
        Reason.REJECTED,
        Reason.SECRET_NOT_FOUND,
        Reason.SECRET_KEY_NOT_FOUND,
        Reason.SECRET_INVALID,
        Reason.DOMAIN_NOT_FOUND,
        Reason.PLAN_LIMIT,
        Reason.MISSING_SCOPES,
    }
)
"""Reasons for which waiting alone does not help: such an account counts as failed in its batch."""

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
"""The same, with reasons of inboxes that exist: the condition `Stalled` is True."""
AT_WORK = frozenset({Reason.PROVISIONING, Reason.RECREATING, Reason.DELETING})
"""Reasons of Synced for which the operator is at work on an object that is Ready."""
