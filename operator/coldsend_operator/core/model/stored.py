"""What the status of one object says of its past, and must survive a restart."""

from dataclasses import dataclass

HELD_ORIGINS = frozenset({"Created", "Adopted"})
NOT_HELD_ORIGINS = frozenset({None, "Observed"})


@dataclass(frozen=True, slots=True)
class Applied:
    """`status.lastApplied`: what ColdSend was last sent."""

    spec_hash: str | None = None
    credentials_hash: str | None = None
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """`status.testEmail`."""

    request_id: str
    recipient: str
    started_at: str | None = None
    sent_at: str | None = None
    message_id: str | None = None
    error: str | None = None
    earlier: tuple[str, ...] = ()  # request ids before this one, newest first

    @property
    def settled(self) -> bool:
        return self.sent_at is not None or self.error is not None


@dataclass(frozen=True, slots=True)
class JobRef:
    """`status.job`: the bulk job that carries the account."""

    id: str
    operation: str  # Create | Delete
    state: str = "Running"


@dataclass(frozen=True, slots=True)
class Former:
    """`status.handedOverFrom`: the object from which the inbox was taken over."""

    namespace: str
    name: str


Basis = tuple[int, str | None, str | None]
"""What a retry depends on beside time: generation, digest of the credentials, reconcile annotation."""


@dataclass(frozen=True, slots=True)
class StoredRefusal:
    """`status.nextAttempt`, `status.attempts` and `status.lastRefusal`: a create that ColdSend refused (rule 33)."""

    reason: str
    message: str
    next_attempt: str  # RFC 3339
    attempts: int
    basis: Basis
    workspace: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What status says of the account, and must survive a restart."""

    inbox_id: str | None = None
    origin: str | None = None
    applied: Applied | None = None
    mail: Mail | None = None
    job: JobRef | None = None
    reconcile: str | None = None
    refusal: StoredRefusal | None = None
    handed_over_from: Former | None = None
    credentials_current: str | None = None  # the annotation value that was served last

    @property
    def sent_credentials(self) -> str | None:
        """The digest of the credentials that ColdSend was last sent."""
        return self.applied.credentials_hash if self.applied is not None else None

    @property
    def held(self) -> bool:
        """Whether the object holds an inbox: only such inboxes are deleted, recreated or sent mail from.

        An origin that is not known here, of a newer version, holds it as well: to let it go would orphan it.
        """
        return self.inbox_id is not None and self.origin not in NOT_HELD_ORIGINS

    @property
    def origin_unknown(self) -> bool:
        """Whether how the inbox came here is said in a word of another version: then nothing is done with it."""
        return self.held and self.origin not in HELD_ORIGINS
