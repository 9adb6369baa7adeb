"""The phases of a create that is not over, and of an inbox on its way out: of each exactly one holds.

None stands for no create, and for an inbox that is not on its way out.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """What a create was sent, as `status.lastApplied` keeps it, and the display name in it."""

    spec_hash: str
    credentials_hash: str | None
    display_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Create:
    """What stays the same while a create goes from one state to the next."""

    mark: float | None = None  # time of its create mark, also when that was wiped; None until it stands
    sent: Sent | None = None  # None until it is prepared, and when another run sent it


@dataclass(frozen=True, slots=True)
class Creating(_Create):
    """A call for it is being prepared or has left."""

    call: int


@dataclass(frozen=True, slots=True)
class CreateJob(_Create):
    """ColdSend works it off in a bulk job."""

    job: str


@dataclass(frozen=True, slots=True)
class UnknownCreate(_Create):
    """Its outcome is unknown. Nothing is repeated before `last_evidence` + COLDSEND_LOST_CALL_SECONDS."""

    call: str  # members of one bulk share it: a member that appears is a sign of the call
    at: float
    left_at: float | None = None  # when the call left, or this run began to follow its job; None: not known
    hint: str | None = None  # what a result row said of a failure
    answered: bool = False  # ColdSend did answer, only not with the inbox: a read shows it
    existed: bool = False  # a row said "exists" to a first create: what is found is not ours (rule 6)
    earliest: float = 0.0  # a single create is not repeated before its own timeout would have passed
    arrived: bool = False  # the object came so: perhaps no create of ours ever left, so nothing is matched (rule 39)
    elsewhere: bool = False  # it came from an earlier run or another workspace, into one that was not trusted for it

    @property
    def matches(self) -> bool:
        """Whether an inbox that appears may be ours."""
        return not (self.existed or self.arrived)


Create = Creating | CreateJob | UnknownCreate


@dataclass(frozen=True, slots=True)
class Deleting:
    """ColdSend accepted our delete of the inbox; a read tells whether it is done."""

    at: float
    answered: bool = True  # False: the answer was lost, so ColdSend may never have seen it


@dataclass(frozen=True, slots=True)
class Gone:
    """A GET of the inbox answered 404."""

    at: float
    listed: bool  # no list has missed it yet
    delete: Deleting | None = None  # of ours, before the 404


Removal = Deleting | Gone
