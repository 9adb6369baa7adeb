"""What one object asks for, as the API server last showed it."""

from dataclasses import dataclass

from coldsend_operator.core.model.create_marks import is_mark


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
