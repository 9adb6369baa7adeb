"""The settings that decisions depend on, and the settings of namespaces."""

from collections.abc import Container
from dataclasses import dataclass, field

from coldsend_operator.core.model.calls import BULK
from coldsend_operator.core.model.create_marks import CreateMarks
from coldsend_operator.core.model.desired import Desired, SecretRef
from coldsend_operator.core.model.membership import Membership


@dataclass(frozen=True, slots=True)
class Limits:
    """The rate limits of a key, and the share that the operator leaves to people and other clients."""

    per_minute: int = 100
    per_hour: int = 1000
    reserve: float = 0.2

    def minute(self, granted: int | None = None) -> int:
        return self._share(self.per_minute, granted)

    def hour(self, granted: int | None = None) -> int:
        return self._share(self.per_hour, granted)

    def _share(self, setting: int, granted: int | None) -> int:
        limit = setting if granted is None else min(setting, granted)
        return max(1, int(limit * (1 - self.reserve) + 1e-9))


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number, or a percentage of the inboxes managed (at least 10). `percent=100` never holds."""

    number: int | None = None
    percent: float = 50.0

    def allowed(self, managed: int) -> float:
        if self.number is not None:
            return self.number
        return float("inf") if self.percent >= 100 else max(10.0, managed * self.percent / 100)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """`spec.maxUnavailable` of a Batch: a number, or a percentage rounded down; never less than one."""

    number: int | None = None
    percent: float = 10.0

    def allowed(self, members: int) -> int:
        wanted = self.number if self.number is not None else int(members * self.percent / 100)
        return max(1, wanted)


DEFAULT_UNAVAILABLE = Unavailable()


@dataclass(frozen=True, slots=True)
class NamespaceSettings:
    """The annotations of a namespace: approvals and defaults for its objects; and whether it is Terminating.

    `orphan` and `key` are None if not set.
    """

    approve_deletion: bool = False
    approve_recreation: bool = False
    terminating: bool = False
    paused: bool = False
    orphan: bool | None = None
    key: SecretRef | None = None
    notes: tuple[str, ...] = ()  # about invalid or unknown annotations

    @property
    def approves(self) -> bool:
        return self.approve_deletion or self.approve_recreation


UNSET = NamespaceSettings()


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What a live Batch sets for its children."""

    approve_deletion: bool = False
    approve_recreation: bool = False
    orphan: bool = False
    protected: bool | None = None  # None: what the child says counts
    unavailable: Unavailable = DEFAULT_UNAVAILABLE
    listed: Container[str] | None = field(default=None, compare=False)  # names of its children; None: all of them


NO_BATCH = BatchSettings()
USUAL_KEY = "apiKey"  # of a Secret with an API key: `status.effective` leaves it out


class AwaitedChildren:
    """Children that live Batches list but that do not exist yet; objects in deletion hand inboxes to them (rule 30).

    By namespace, and by identity: the type and the address or prefix of an inbox, as `Spec.identity` has it.
    """

    def __init__(self) -> None:
        self._children = Membership[tuple[str, str]]()  # <namespace>/<name>

    def put(self, namespace: str, name: str, identity: str | None) -> bool:
        """Set the identity of an awaited child; None: it exists, or no batch lists it. Returns whether that is new."""
        return self._children.place(f"{namespace}/{name}", None if identity is None else (namespace, identity))

    def child(self, namespace: str, identity: str) -> str | None:
        """The name of the awaited child for such an inbox."""
        first = min(self._children.members((namespace, identity)), default=None)
        return None if first is None else first.partition("/")[2]


@dataclass(slots=True)
class Policy:
    """Durations are in seconds. `namespaces` holds the last known settings of each namespace that has objects."""

    limits: Limits = field(default_factory=Limits)
    brake: Threshold = field(default_factory=Threshold)
    sweep_seconds: float = 300.0
    poll_seconds: float = 2.0
    lost_seconds: float = 120.0
    check_timeout: float = 120.0  # client timeout of a single create
    bulk: int = BULK  # accounts that one bulk create carries at most
    counter_seconds: float = 900.0
    health_low: float = 70.0
    health_good: float = 75.0
    adopt_by_default: bool = False
    orphan_by_default: bool = False
    freeze: bool = False  # read ColdSend, but write nothing to it
    operator_key_namespaces: frozenset[str] = frozenset()
    adopt_namespaces: frozenset[str] = frozenset()
    namespaces: dict[str, NamespaceSettings] = field(default_factory=dict)
    unread_namespaces: dict[str, str] = field(default_factory=dict)  # a sentence why each was never read, by its name
    batches: dict[str, BatchSettings] = field(default_factory=dict)  # by UID
    leaving: dict[str, int] = field(default_factory=dict)  # by UID of the Batch: inboxes that are to be deleted with it
    lost_fields: frozenset[str] = frozenset()  # names in status of SenderAccounts: an older CRD drops them (rule 35)
    hold_deletions: bool = False  # a CRD is being deleted: hold every deletion, whatever the number (rule 31)
    awaited: AwaitedChildren = field(default_factory=AwaitedChildren)
    create_marks: CreateMarks = field(default_factory=CreateMarks, repr=False)  # with a key once that is loaded

    def orphans(self, desired: Desired) -> bool:
        """Whether the inbox stays in ColdSend when the object is deleted: by its policy or its Batch's live template.

        A policy on the object takes precedence over every default (rule 24 for the template).
        """
        said = desired.spec.orphan
        orphan = self.orphaned_by_default(desired.namespace) if said is None else said
        return orphan or self.batch(desired.batch).orphan

    def batch(self, uid: str | None) -> BatchSettings:
        """The settings of the Batch with this UID; the usual ones if there is none."""
        return self.batches.get(uid or "", NO_BATCH)

    def of_namespace(self, name: str) -> NamespaceSettings:
        """The settings of the namespace; none before it was read."""
        return self.namespaces.get(name, UNSET)

    def orphaned_by_default(self, namespace: str) -> bool:
        """Whether the inboxes of objects without a policy stay in ColdSend when these are deleted."""
        said = self.of_namespace(namespace).orphan
        return self.orphan_by_default if said is None else said

    def notes(self, desired: Desired) -> tuple[str, ...]:
        """Sentences about invalid or unknown annotations of the object and of its namespace."""
        return (*desired.notes, *self.of_namespace(desired.namespace).notes)

    def paused(self, desired: Desired) -> bool:
        return self.paused_in(desired.namespace, said=desired.paused)

    def paused_in(self, namespace: str, *, said: bool | None) -> bool:
        """Whether an object or a Batch is paused; `said` is its own annotation (None: not set)."""
        return self.of_namespace(namespace).paused if said is None else said

    def terminating(self, namespace: str) -> bool:
        return self.of_namespace(namespace).terminating

    def adopts(self, *, said: bool | None) -> bool:
        """Whether an inbox that exists is adopted; `said` is the adoptionPolicy of the object (None: not set)."""
        return self.adopt_by_default if said is None else said

    def may_adopt(self, desired: Desired) -> bool:
        """Rule 14: with the operator's own key only the listed namespaces may adopt or observe."""
        allowed = self.adopt_namespaces
        return not desired.uses_operator_key or not allowed or desired.namespace in allowed

    def may_use_key(self, desired: Desired) -> bool:
        """Rule 14: which namespaces may use the operator's own key."""
        allowed = self.operator_key_namespaces
        return not desired.uses_operator_key or not allowed or desired.namespace in allowed

    def effective(self, *, orphan: bool, recreate: bool, adopt: bool | None, key: SecretRef | None) -> dict[str, str]:
        """`status.effective`: the values in effect. `adopt` is None if not set, `key` for the operator's own key."""
        found = {
            "deletionPolicy": "Orphan" if orphan else "Delete",
            "updatePolicy": "Recreate" if recreate else "Never",
            "adoptionPolicy": "Adopt" if self.adopts(said=adopt) else "Refuse",
        }
        if key is not None:
            found["apiKeySecret"] = key.name if key.key == USUAL_KEY else f"{key.name}/{key.key}"
        return found

    def recreation_approved(self, desired: Desired) -> bool:
        """Whether a person approves that the inbox is created again."""
        return any(each.approve_recreation for each in self.approvals(desired).values())

    def deletion_approved(self, desired: Desired) -> bool:
        """Whether a person approves that the inbox is deleted."""
        return any(each.approve_deletion for each in self.approvals(desired).values())

    def protected(self, desired: Desired) -> bool:
        """Whether deletionProtection keeps the inbox: what the live Batch says counts, or else the object itself.

        An approval counts on the object that bears the field, not on the namespace.
        """
        batch = self.batch(desired.batch)
        protected = desired.spec.protected if batch.protected is None else batch.protected
        return protected and not (desired.approve_deletion or batch.approve_deletion)

    def approvals(self, desired: Desired) -> dict[str, Desired | BatchSettings | NamespaceSettings]:
        """By kind, what may approve: the object, its Batch and its namespace."""
        return {
            "SenderAccount": desired,
            "SenderAccountBatch": self.batch(desired.batch),
            "Namespace": self.of_namespace(desired.namespace),
        }
