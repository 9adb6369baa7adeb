"""What is known of one object: what it asks for, what its status says, and what happened in this run."""

from dataclasses import dataclass

from coldsend_operator.core.model.desired import Desired
from coldsend_operator.core.model.hashes import comparable
from coldsend_operator.core.model.phases import Create, CreateJob, Deleting, Gone, Removal, UnknownCreate
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored import Basis, Stored

RETRY_FIRST, RETRY_LONGEST = 300.0, 6 * 3600.0  # seconds between the tries of what ColdSend refused


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
    confirmed: Stored  # what the API server is known to hold; what must be stored first is checked here
    workspace_digest: str = ""  # names its workspace
    key: str = ""  # digest of the API key that its own calls go with
    key_problem: tuple[Reason, str] | None = None
    moving: bool = False  # its key leads elsewhere now: here it may only read (rule 40)
    address: str | None = None  # lower case; None while the domain of a native inbox is unknown
    credentials: Credentials | None = None
    # Its status on the API server:
    raw_status: str = ""  # as text; see `transitions.status_kept`
    said: tuple[tuple[str, str, str], ...] = ()  # type, status and reason of each condition
    written_version: int = 0  # resourceVersion of our last write: older watch events are stale
    written_status: int = 0  # hash of what our last write of status left there, or of what somebody else made of it
    overwrites: tuple[int, float] = (0, 0.0)  # of our status by others: how many in a row, and when the last was seen
    status_kept_until: float = 0.0  # no status is written before, as somebody else would write it again
    counter_at: float = 0.0  # when emailsSentToday was last written
    # The way to an inbox, and its way out:
    create: Create | None = None  # the create that is not over
    repeated_mark: float | None = None  # time of the mark of a lost create that the next one repeats
    create_backoff: Backoff | None = None
    removal: Removal | None = None  # how far its inbox is on the way out
    missed: tuple[str, str] | None = None  # id and origin of its last inbox, if that was gone without our doing
    delete_job: str | None = None  # the job that deletes the inbox; it outlives `removal` when the object only observes
    delete_partial: bool = False  # the delete may have been skipped or lost: a read decides
    delete_backoff: Backoff | None = None
    mail_begun: str | None = None  # the requestID whose sending this run has begun
    # Its reads:
    probe_at: float | None = None  # a probe is wanted from then on
    probe_count: int = 0  # probes in a row that told nothing new
    searched_at: float = 0.0  # begin of the last search of its address
    conflict_seen_at: float = 0.0  # ColdSend said "exists": only a read begun after this counts
    wrote_at: float = 0.0  # end of our last write to its address
    state_hash: int = 0  # of what a read of the address must be newer than
    unchanged_since: float = 0.0  # when that last changed
    # Its calls and writes, and what they wait for:
    busy: int | None = None  # the call that carries it
    unknowns: int = 0  # writes in a row whose outcome was unknown
    unknown_alone: bool = False  # the last of them was for this account only
    misrouted: tuple[int, float] | None = None  # HTTP status by which another server answers its writes, and since when
    refused_writes: tuple[int, str] = (0, "")  # of our finalizers, by policies: how many in a row, and why
    postponed_until: float = 0.0  # no call leaves for it before
    postponements: int = 0  # in a row
    waiting_since: float | None = None  # since when what is decided for it passes by itself
    secret_missing_since: float | None = None  # since when it has been waiting for a Secret
    eta: float | None = None  # the estimate that status holds
    place: str = ""  # in line when that estimate was made, such as `240 of 1,300`
    # The values of annotations that are being answered:
    reconcile_asked: str | None = None  # of coldsend.pro/reconcile
    credentials_asked: str | None = None  # of coldsend.pro/credentials-current
    reconciled_at: float = 0.0  # when a new value of one of them was picked up
    reconciles: int = 0  # in quick succession

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
