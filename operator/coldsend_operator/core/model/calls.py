"""The calls that a plan may contain, and the lanes that share the budget."""

from dataclasses import dataclass
from enum import StrEnum

BULK = 100  # accounts that a bulk call or a list page carries (contract 2.1, 2.5, 2.7, 2.9)


class Scope(StrEnum):
    """What a key may be refused for (contract 1.1); test mails and domains have no documented scope."""

    ALL = "all"
    CREATE = "create"
    READ = "read"
    DELETE = "delete"
    MAIL = "mail"
    DOMAINS = "domains"


class Operation(StrEnum):
    """The calls of the API, by the names that logs and metrics show."""

    LIST_ACCOUNTS = "list_accounts"
    SEARCH_ACCOUNTS = "search_accounts"
    GET_ACCOUNT = "get_account"
    CREATE_SMTP = "create_smtp"
    CREATE_SMTP_BULK = "create_smtp_bulk"
    CREATE_NATIVE = "create_native"
    CREATE_NATIVE_BULK = "create_native_bulk"
    DELETE_ACCOUNT = "delete_account"
    DELETE_ACCOUNTS = "delete_accounts"
    POLL_CREATE_JOB = "poll_create_job"
    POLL_DELETE_JOB = "poll_delete_job"
    SEND_TEST_EMAIL = "send_test_email"
    LIST_DOMAINS = "list_domains"

    @property
    def scope(self) -> Scope:
        return _SCOPES.get(self, Scope.READ)

    @property
    def names_item(self) -> bool:
        """Whether the path names an inbox or a job: only then can a 404 be about it (rule 32)."""
        return self in _NAMING

    @property
    def creates(self) -> bool:
        return self.scope is Scope.CREATE

    @property
    def deletes(self) -> bool:
        return self.scope is Scope.DELETE


_SCOPES = {
    Operation.CREATE_SMTP: Scope.CREATE,
    Operation.CREATE_SMTP_BULK: Scope.CREATE,
    Operation.CREATE_NATIVE: Scope.CREATE,
    Operation.CREATE_NATIVE_BULK: Scope.CREATE,
    Operation.DELETE_ACCOUNT: Scope.DELETE,
    Operation.DELETE_ACCOUNTS: Scope.DELETE,
    Operation.SEND_TEST_EMAIL: Scope.MAIL,
    Operation.LIST_DOMAINS: Scope.DOMAINS,
}

_NAMING = frozenset(
    {
        Operation.GET_ACCOUNT,
        Operation.DELETE_ACCOUNT,
        Operation.POLL_CREATE_JOB,
        Operation.POLL_DELETE_JOB,
        Operation.SEND_TEST_EMAIL,
    }
)


class Lane(StrEnum):
    """Calls of one priority that wait for the budget.

    `may_wait` is for how many seconds other calls may overtake a call of the lane (negative: how many seconds of
    waiting it is ahead of others); `reserved` is the share of the minute window that it leaves to more urgent lanes.
    """

    EDIT = "edit"
    DELETE = "delete"
    CREATE = "create"
    POLL = "poll"
    PROBE = "probe"
    MAIL = "mail"
    SWEEP = "sweep"

    @property
    def may_wait(self) -> float:
        return _MAY_WAIT[self]

    @property
    def hour_share(self) -> float:
        """The share of the hour that this lane and those above may take (rule 42: probes have a share)."""
        return _HOUR_SHARES.get(self, 1.0)

    @property
    def probes(self) -> bool:
        """Whether its calls only read, so that they must leave requests for those that write."""
        return self in _HOUR_SHARES

    @property
    def reserved(self) -> float:
        return 0.0 if self in {Lane.EDIT, Lane.DELETE} else _FOR_PEOPLE


_MAY_WAIT = {
    Lane.EDIT: -30.0,
    Lane.DELETE: -20.0,
    Lane.CREATE: 2.0,
    Lane.POLL: 3.0,
    Lane.PROBE: 4.0,
    Lane.MAIL: 8.0,
    Lane.SWEEP: 10.0,
}
_HOUR_SHARES = {Lane.POLL: 0.8, Lane.PROBE: 0.75, Lane.SWEEP: 0.65}
_FOR_PEOPLE = 0.025  # of the minute, kept for edits and deletions; the same for all other lanes, so that none starves


@dataclass(frozen=True, slots=True)
class Call:
    """One request to ColdSend. `uids` are its accounts, in the order of its items."""

    operation: Operation
    lane: Lane
    key: str  # digest of the API key
    uids: tuple[str, ...] = ()
    inbox_ids: tuple[str, ...] = ()
    domain_id: str | None = None
    address: str | None = None
    job: str | None = None
    page: int = 1
    newest: bool = False  # a list by created_at, newest first: shows new inboxes, proves no absence
    # Known once it is launched:
    id: int = 0
    namespaces: frozenset[str] = frozenset()  # those of its accounts
    begun: float = 0.0

    @property
    def writes(self) -> bool:
        return self.operation.scope in {Scope.CREATE, Scope.DELETE, Scope.MAIL}

    @property
    def group(self) -> str:
        """Creates of one kind take turns with those of others: SMTP accounts, and the natives of each domain."""
        return "smtp" if self.operation in {Operation.CREATE_SMTP, Operation.CREATE_SMTP_BULK} else self.domain_id or ""

    @property
    def sweeps(self) -> bool:
        """Whether it is a page of a full list."""
        return self.operation is Operation.LIST_ACCOUNTS and not self.newest

    @property
    def hour_share(self) -> float:
        """The share of probes that pages of full lists leave to single probes."""
        return min(self.lane.hour_share, Lane.SWEEP.hour_share) if self.sweeps else self.lane.hour_share
