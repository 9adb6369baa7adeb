"""A SenderAccountBatch, the inboxes of its list and its children, as decisions need them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from coldsend_operator.core.model.desired import SecretRef
from coldsend_operator.core.model.policy import DEFAULT_UNAVAILABLE, Unavailable
from coldsend_operator.core.model.reasons import LASTING, KstatusType, Reason

LISTED_TWICE = "The address is listed twice; the first entry counts. Remove this one."


@dataclass(frozen=True, slots=True)
class EntryRefusal:
    """Why an inbox of the list cannot be processed."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One inbox of the list.

    `identity` is what never changes (type and address), `digest` a fingerprint of the spec that its child
    should have, `own` its JSON in the list, from which that spec is built. `name` is the name of its child; None if
    it has none.
    """

    position: int
    name: str | None
    shown: str  # address or prefix as the list spells it
    identity: str = ""
    digest: bytes = b""
    own: str = ""
    refusal: EntryRefusal | None = None


@dataclass(frozen=True, slots=True)
class DesiredList:
    """The desired state of one generation of a batch. With `problems`, none of it is processed."""

    generation: int
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()
    unavailable: Unavailable = DEFAULT_UNAVAILABLE
    by_name: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return len(self.entries)


def desired_list(
    generation: int,
    entries: Iterable[Entry],
    problems: tuple[str, ...] = (),
    unavailable: Unavailable = DEFAULT_UNAVAILABLE,
) -> DesiredList:
    """The first inbox of an address gets the child; repeated ones get none."""
    kept: list[Entry] = []
    by_name: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in by_name:
            kept.append(replace(entry, name=None, own="", refusal=EntryRefusal(Reason.ADDRESS_CONFLICT, LISTED_TWICE)))
            continue
        kept.append(entry)
        if entry.name is not None:
            by_name[entry.name] = entry
    return DesiredList(generation, tuple(kept), problems, unavailable, by_name)


@dataclass(frozen=True, slots=True)
class Shown:
    """The conditions of a child; many children share one instance."""

    ready: str = "Unknown"
    ready_reason: str = Reason.PROVISIONING
    synced: str = "Unknown"
    synced_reason: str = Reason.PROVISIONING
    healthy: str = "Unknown"
    progress: str = ""  # Reconciling or Stalled; empty for neither

    @property
    def failed(self) -> bool:
        """Whether waiting alone does not make it Ready. NotFound lasts only if the child is to observe the inbox."""
        waits_for_a_person = self.ready_reason == Reason.NOT_FOUND and self.progress == KstatusType.STALLED
        return self.ready == "False" and (self.ready_reason in LASTING or waits_for_a_person)


@dataclass(frozen=True, slots=True)
class Child:
    """A SenderAccount that belongs to a batch, or could by its name."""

    uid: str
    name: str
    version: int  # resourceVersion
    generation: int
    identity: str
    digest: bytes
    labels: tuple[tuple[str, str], ...] = ()  # those that our field manager put there
    owner: str | None = None  # UID of the Batch in its ownerReferences, and the name of that Batch
    owner_name: str | None = None
    owner_at: int = 0  # where among the ownerReferences it stands
    foreign: bool = False  # it has a controller that is not a Batch
    deleting: bool = False
    orphan: bool | None = False  # None: its spec sets none
    orphan_by_hand: bool = False  # another field manager set Orphan
    has_inbox: bool = False
    score: float | None = None
    domain: str = ""  # of its address; empty while unknown
    disabled: bool = False  # in ColdSend
    sent: int = 0  # today
    limit: int = 0  # per day
    shown: Shown = Shown()
    message: str = ""  # of Ready, if waiting alone does not help
    settled: bool = True  # whether its status refers to its current spec


@dataclass(slots=True)
class Batch:
    """A batch as last seen on the API server, and what is known of its inboxes. `labels` are those of its children.

    `children` are its children by name, with the UID in their ownerReference: its own, or that of an earlier batch.
    """

    uid: str
    namespace: str
    name: str
    generation: int = 1
    version: int = 0
    deleting: bool = False
    finalized: bool = False
    released: bool = False  # deleted with `--cascade=orphan`: the children stay, without ownerReference
    waits: bool = False  # nothing is decided before its namespace was read
    unread: str | None = None  # why its namespace cannot be read
    paused: bool = False  # in effect: the next one, else that of the namespace
    paused_said: bool | None = None  # set on the batch itself; None: not set
    orphan: bool | None = None  # of the live template; None: not set; force-orphan counts as Orphan
    recreate: bool = False  # of the live template
    adopt: bool | None = None  # likewise; None: not set
    key: SecretRef | None = None  # likewise
    effective: dict[str, Any] = field(default_factory=dict)  # `status.effective`
    orphan_by_default: bool = False  # the defaults in effect
    protected: bool = False  # deletionProtection of the batch or its live template
    approve_deletion: bool = False
    approve_recreation: bool = False
    notes: tuple[str, ...] = ()  # about invalid or unknown annotations
    namespace_notes: tuple[str, ...] = ()  # likewise, of its namespace
    labels: tuple[tuple[str, str], ...] = ()
    labels_problem: str | None = None
    status: dict[str, Any] = field(default_factory=dict)
    desired: DesiredList | None = None
    children: dict[str, str] = field(default_factory=dict)
    contested: dict[str, str] = field(default_factory=dict)  # by child: the field that others change, and who
    refusals: dict[str, EntryRefusal] = field(default_factory=dict)  # by child: why the API server refused it
    kept: dict[str, str] = field(default_factory=dict)  # by child: why the API server refuses to delete it

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the batch is not processed, as far as it has been read."""
        of_list = self.desired.problems if self.desired is not None else ()
        return of_list if self.labels_problem is None else (*of_list, self.labels_problem)

    @property
    def all_notes(self) -> tuple[str, ...]:
        return (*self.notes, *self.namespace_notes)

    @property
    def in_effect(self) -> bool:
        """Whether children are made, changed and deleted as the list says."""
        return self.desired is not None and not self.problems and not self.paused

    @property
    def emptied(self) -> bool:
        """Whether the list asks for no inbox."""
        return not self.deleting and self.desired is not None and not self.desired.total

    def entry(self, name: str) -> Entry | None:
        return self.desired.by_name.get(name) if self.desired is not None else None

    @property
    def orphans(self) -> bool:
        """Whether the inboxes stay in ColdSend when their children are deleted."""
        return self.orphan_by_default if self.orphan is None else self.orphan

    def owns(self, child: Child) -> bool:
        return child.owner == self.uid

    def inherits(self, child: Child) -> bool:
        """Whether it was a child of an earlier batch of this name: two batches cannot have one name at a time."""
        return child.owner_name == self.name and child.owner != self.uid
