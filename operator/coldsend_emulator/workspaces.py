"""The data of one customer: inboxes, domains, campaigns, and their history."""

from dataclasses import dataclass, field

from coldsend_emulator.inboxes import InboxTable

CAMPAIGN_STATES = ("DRAFT", "ACTIVE", "PAUSED", "COMPLETED", "FAILED")


@dataclass(slots=True, eq=False)
class Domain:
    domain_id: str
    domain_name: str
    status: str
    max_inboxes: int
    created_at: float
    mailcow_added: bool = False
    cloudflare_verified: bool = False


@dataclass(slots=True)
class Campaign:
    campaign_id: str
    name: str
    state: str
    inbox_ids: set[str]


@dataclass(slots=True)
class Mail:
    sender: str
    recipient: str
    sent_at: float
    message_id: str | None
    inbox_id: str


@dataclass(slots=True)
class HistoryEntry:
    at: float
    workspace: str
    event: str  # created, deleted
    by: str  # the operation, or "control"
    inbox_id: str
    email_address: str


@dataclass(slots=True)
class RememberedAnswer:
    at: float
    inbox_id: str


@dataclass
class Workspace:
    name: str
    inboxes: InboxTable = field(default_factory=InboxTable)
    domains: dict[str, Domain] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    freed_on: dict[str, float] = field(default_factory=dict)  # by address: when its inbox was removed
    remembered: dict[str, RememberedAnswer] = field(default_factory=dict)  # by digest of the body of a create

    def domain_named(self, name: str) -> Domain | None:
        return next((domain for domain in self.domains.values() if domain.domain_name == name.lower()), None)

    def holding(self, inbox_id: str, states: tuple[str, ...]) -> Campaign | None:
        """The campaign in one of these states that uses the inbox."""
        return next((c for c in self.campaigns.values() if inbox_id in c.inbox_ids and c.state in states), None)
