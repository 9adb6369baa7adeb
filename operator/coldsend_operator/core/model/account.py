"""What is known of one object: what it asks for, what its status says, and what happened in this run."""

from dataclasses import dataclass

from coldsend_operator.core.model.create_marks import is_mark
from coldsend_operator.core.model.hashes import comparable
from coldsend_operator.core.model.phases import Create, CreateJob, Deleting, Gone, Removal, UnknownCreate
from coldsend_operator.core.model.reasons import Reason

HELD_ORIGINS = frozenset({"Created", "Adopted"})
RETRY_FIRST, RETRY_LONGEST = 300.0, 6 * 3600.0  # seconds between the tries of what ColdSend refused
NOT_HELD_ORIGINS = frozenset({None, "Observed"})


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A key of a Secret in the object's namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class KeyRef:
    """Where an API key comes from: a Secret of a namespace, or the operator's settings (`namespace` empty)."""

    namespace: str = ""
    secret: SecretRef | None = None

    @property
    def label(self) -> str:
        """How metrics name the workspace."""
        return "default" if self.secret is None else f"{self.namespace}/{self.secret.name}"

    def __str__(self) -> str:
        return self.label if self.secret is None else f"{self.label}/{self.secret.key}"

    @classmethod
    def parse(cls, text: str) -> "KeyRef":
        """The reference whose `str` this is."""
        namespace, *names = text.split("/")
        return cls(namespace, SecretRef(*names)) if names else cls()


OWN_KEY = KeyRef()


@dataclass(frozen=True, slots=True)
class Server:
    """One side of an SMTP account, defaults applied."""

    host: str
    port: int
    username: str
    password: SecretRef
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Native:
    """Where a native inbox lives: one of the two names of the domain, and the local part."""

    domain_id: str | None
    domain_name: str | None
    prefix: str

    @property
    def domain(self) -> str:
        """Whichever of the two names its domain, in the form in which they are compared."""
        return (self.domain_name or self.domain_id or "").lower()


@dataclass(frozen=True, slots=True)
class Spec:
    """What an account asks for, defaults applied. `address` is lower-cased; None for native inboxes."""

    inbox_type: str
    address: str | None
    email_address: str | None
    display_name: str | None
    daily_limit: int | None
    smtp: Server | None
    imap: Server | None
    native: Native | None
    key: SecretRef | None
    adopt: bool | None  # None: COLDSEND_ADOPTION_DEFAULT decides
    orphan: bool | None  # None: COLDSEND_DELETION_DEFAULT decides
    recreate: bool
    observe: bool
    protected: bool
    mail_request: str | None
    mail_recipient: str | None
    hash: str  # of what is sent to ColdSend, as `visible.hidden` (see core.model.hashes)

    @property
    def identity(self) -> str:
        """Type and address, or prefix and domain: what cannot change, in the form in which it is compared."""
        address = f"{self.native.prefix}@{self.native.domain}" if self.native is not None else self.email_address
        return f"{self.inbox_type} {address}".lower()


@dataclass(frozen=True, slots=True)
class Desired:
    """One SenderAccount as the API server last showed it.

    `finalizers` are ours only: the plain one, and what has the form of a create mark. Anybody may have put them there.
    """

    uid: str
    namespace: str
    name: str
    generation: int
    resource_version: int
    created: str
    deleting: float | None  # deletionTimestamp, Unix seconds
    finalizers: tuple[str, ...]
    spec: Spec
    problems: tuple[str, ...]
    paused: bool | None = None  # what the object says itself; None: its namespace decides
    reconcile: str | None = None
    credentials_current: str | None = None
    approve_deletion: bool = False
    approve_recreation: bool = False
    force_orphan: bool = False
    hand_over_to: str | None = None  # as the annotation says it: <namespace>/<name>
    notes: tuple[str, ...] = ()  # about annotations that mean nothing
    batch: str | None = None  # UID of the owning batch
    default_key: SecretRef | None = None  # that its namespace gives to objects without apiKeySecretRef

    @property
    def key_ref(self) -> KeyRef:
        """A key that comes from the namespace is a reference of that namespace (rule 40)."""
        secret = self.spec.key or self.default_key
        return OWN_KEY if secret is None else KeyRef(self.namespace, secret)

    @property
    def uses_operator_key(self) -> bool:
        return self.spec.key is None and self.default_key is None

    @property
    def finalized(self) -> bool:
        """Whether our plain finalizer stands there."""
        return not all(map(is_mark, self.finalizers))

    @property
    def age(self) -> tuple[str, str]:
        """Orders claims: the older object first."""
        return (self.created, self.uid)


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
    def held(self) -> bool:
        """Whether the object holds an inbox: only such inboxes are deleted, recreated or sent mail from.

        An origin that is not known here, of a newer version, holds it as well: to let it go would orphan it.
        """
        return self.inbox_id is not None and self.origin not in NOT_HELD_ORIGINS

    @property
    def origin_unknown(self) -> bool:
        """Whether how the inbox came here is said in a word of another version: then nothing is done with it."""
        return self.held and self.origin not in HELD_ORIGINS


@dataclass(frozen=True, slots=True)
class Backoff:
    """A refusal of ColdSend, or a lack that keeps a call from leaving.

    It is tried again at `retry_at`, or at once when `basis` (generation, credentials, reconcile annotation) changes;
    but never before `earliest`, which grows when the basis changes again and again.
    """

    reason: Reason
    message: str
    at: float
    retry_at: float
    basis: Basis
    tries: int = 1
    rushes: int = 0  # tries in quick succession, whatever the basis
    earliest: float = 0.0

    def waits(self, basis: Basis, now: float) -> float | None:
        """Until when nothing is tried; None when it may be tried now."""
        until = max(self.earliest, self.retry_at if self.stands_on(basis) else 0.0)
        return until if now < until else None

    def stands_on(self, basis: Basis) -> bool:
        """Whether nothing has changed that it depends on. What digests cannot tell counts as unchanged."""
        (generation, digest, asked), (before, sent, asked_before) = basis, self.basis
        if (generation, asked) != (before, asked_before):
            return False
        return digest == sent or (digest is not None and sent is not None and not comparable(digest, sent))


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is known of the Secrets that an account references: an HMAC of the values, or what is wrong.

    `forms` say of the values for SMTP and IMAP whether they have line ends or spaces.
    """

    digest: str | None
    reason: Reason | None = None
    message: str = ""
    forms: tuple[str, ...] = ()


@dataclass(slots=True)
class Account:
    """One SenderAccount in this run. Only `core.model.transitions` assigns its fields."""

    desired: Desired
    stored: Stored
    confirmed: Stored  # what the API server is known to hold; steps that must be stored first look here
    raw_status: str = ""  # what the API server holds, as text; see `transitions.status_kept`
    ready_reason: str = ""  # that status shows; empty for none
    said: tuple[tuple[str, str, str], ...] = ()  # type, status and reason of each condition that status shows
    written_version: int = 0  # resourceVersion of our last write: older watch events are stale
    workspace_digest: str = ""  # names its workspace
    key: str = ""  # digest of the API key that its own calls go with
    address: str | None = None  # lower case; None while the domain of a native inbox is unknown
    busy: int | None = None  # the call that carries it
    create: Create | None = None  # the create that is not over
    repeated_mark: float | None = None  # time of the mark of a lost create that the next one repeats
    create_backoff: Backoff | None = None
    credentials: Credentials | None = None
    key_problem: tuple[Reason, str] | None = None
    moving: bool = False  # its key leads elsewhere now: here it may only look (rule 40)
    state_hash: int = 0  # hash of what a look at the address must be newer than
    unchanged_since: float = 0.0
    searched_at: float = 0.0  # begin of the last search of its address
    conflict_seen_at: float = 0.0  # ColdSend said "exists": only a look begun after this counts
    wrote_at: float = 0.0  # end of our last write to its address
    removal: Removal | None = None  # how far its inbox is on the way out
    delete_job: str | None = None  # the job that deletes the inbox; it outlives `removal` when the object only observes
    delete_partial: bool = False  # the delete may have been skipped or lost: a look decides
    delete_backoff: Backoff | None = None
    probe_at: float | None = None  # a quick look is wanted from then on
    probe_count: int = 0
    counter_at: float = 0.0  # when emailsSentToday was last written
    waiting_since: float | None = None
    secret_missing_since: float | None = None  # since when the step has been waiting for a Secret
    eta: float | None = None  # the estimate that status holds
    place: str = ""  # in line when that estimate was made, such as `240 of 1,300`
    reconcile_asked: str | None = None  # the coldsend.pro/reconcile value that is being answered
    postponed_until: float = 0.0  # no call leaves for it before
    postponements: int = 0  # in a row
    unknowns: int = 0  # writes in a row whose outcome was unknown
    credentials_asked: str | None = None  # likewise of coldsend.pro/credentials-current
    reconciled_at: float = 0.0  # when a new value of one of these annotations was picked up
    reconciles: int = 0  # in quick succession
    mail_begun: str | None = None  # the requestID whose sending this run has begun

    @property
    def uid(self) -> str:
        return self.desired.uid

    @property
    def unknown_create(self) -> UnknownCreate | None:
        """The create whose outcome is unknown."""
        return self.create if isinstance(self.create, UnknownCreate) else None

    @property
    def job(self) -> str | None:
        """The bulk job that carries it."""
        return self.create.job if isinstance(self.create, CreateJob) else self.delete_job

    @property
    def marked_at(self) -> float | None:
        """Time of the mark of the create that is not over."""
        return None if self.create is None else self.create.mark

    @property
    def delete(self) -> Deleting | None:
        """Our delete of the inbox, if ColdSend accepted one."""
        return self.removal.delete if isinstance(self.removal, Gone) else self.removal

    @property
    def deleted_at(self) -> float | None:
        """When ColdSend accepted our delete."""
        return None if self.delete is None else self.delete.at

    @property
    def not_found_at(self) -> float | None:
        """When a GET of the inbox answered 404."""
        return self.removal.at if isinstance(self.removal, Gone) else None

    @property
    def is_holder(self) -> bool:
        """Whether it holds an inbox: without our finalizer an object in deletion has been let go, and holds none."""
        return self.stored.held and (self.desired.deleting is None or self.desired.finalized)

    @property
    def create_pending(self) -> bool:
        """Whether the outcome of a create for it is not known: only then a create mark means something."""
        return not self.stored.held and (self.create is not None or self.delete_job is not None)

    @property
    def committed(self) -> bool:
        """Whether a create of ours may be under way for it: no other object may take its turn at the address."""
        if isinstance(self.create, UnknownCreate) and self.create.arrived:
            return self.delete_job is not None
        return self.create is not None or self.delete_job is not None

    @property
    def awaits_secret(self) -> bool:
        """Whether only the Secret, which this run has not read yet, tells if a refusal of an earlier run stands."""
        backoff = self.create_backoff
        if backoff is None or self.credentials is not None or backoff.basis[1] is None:
            return False
        return backoff.stands_on((self.desired.generation, backoff.basis[1], self.basis[2]))

    @property
    def basis(self) -> Basis:
        digest = self.credentials.digest if self.credentials else None
        asked = self.desired.reconcile if self.reconcile_asked is None else self.reconcile_asked
        return (self.desired.generation, digest, asked)
