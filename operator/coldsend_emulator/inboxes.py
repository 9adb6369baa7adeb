"""The inboxes of one workspace, with an index for each sort order."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Mailbox:
    """The SMTP or IMAP server of an external account, with a digest of the password."""

    host: str
    port: int
    username: str
    password_sha256: str
    encrypted: bool


@dataclass(slots=True, eq=False)
class Inbox:
    inbox_id: str
    workspace: str
    email_address: str
    display_name: str
    inbox_type: str
    overall_status: str
    daily_limit: int | None
    created_at: float  # Unix seconds
    created_on: float = 0.0  # on the emulator's own clock
    emails_sent_today: int = 0
    health_score: float | None = 100.0
    domain_id: str | None = None
    smtp: Mailbox | None = None
    imap: Mailbox | None = None
    status_reason: str | None = None
    leaving: bool = False  # its deletion was accepted
    removed_on: float | None = None

    @property
    def natural_key(self) -> str:
        """Equal for equal addresses."""
        return self.email_address.lower()


SortKey = Callable[[Inbox], Any]
SORT_KEYS: dict[str, SortKey] = {
    "email_address": lambda inbox: inbox.email_address,
    "inbox_type": lambda inbox: inbox.inbox_type,
    "created_at": lambda inbox: inbox.created_at,
    "health_score": lambda inbox: -1.0 if inbox.health_score is None else inbox.health_score,
}


@dataclass(slots=True)
class _Index:
    key: SortKey
    entries: list[tuple[Any, str]] = field(default_factory=list)

    def add(self, inbox: Inbox) -> None:
        insort(self.entries, (self.key(inbox), inbox.inbox_id))

    def remove(self, inbox: Inbox) -> None:
        del self.entries[bisect_left(self.entries, (self.key(inbox), inbox.inbox_id))]


class InboxTable:
    """Adding, removing and changing take a binary search; nothing is sorted."""

    def __init__(self) -> None:
        self._by_id: dict[str, Inbox] = {}
        self._by_address: dict[str, list[Inbox]] = {}
        self._by_domain: dict[str, set[str]] = {}
        self._indexes = {name: _Index(key) for name, key in SORT_KEYS.items()}
        self.departed: list[Inbox] = []  # removed, but perhaps still listed
        self.most = 0  # the largest number of inboxes so far

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Inbox]:
        return iter(self._by_id.values())

    def get(self, inbox_id: str) -> Inbox | None:
        return self._by_id.get(inbox_id)

    def with_address(self, address: str) -> list[Inbox]:
        return self._by_address.get(address.lower(), [])

    def by_address(self) -> Iterator[tuple[str, Inbox]]:
        """Each inbox with its address in lower case, in no particular order."""
        return ((address, inbox) for address, same in self._by_address.items() for inbox in same)

    def on_domain(self, domain_id: str) -> list[Inbox]:
        return [self._by_id[inbox_id] for inbox_id in self._by_domain.get(domain_id, ())]

    def count_on_domain(self, domain_id: str) -> int:
        return len(self._by_domain.get(domain_id, ()))

    def add(self, inbox: Inbox) -> None:
        self._by_id[inbox.inbox_id] = inbox
        self._by_address.setdefault(inbox.natural_key, []).append(inbox)
        if inbox.domain_id:
            self._by_domain.setdefault(inbox.domain_id, set()).add(inbox.inbox_id)
        for index in self._indexes.values():
            index.add(inbox)
        self.most = max(self.most, len(self))

    def remove(self, inbox: Inbox) -> None:
        del self._by_id[inbox.inbox_id]
        same_address = self._by_address[inbox.natural_key]
        same_address.remove(inbox)
        if not same_address:
            del self._by_address[inbox.natural_key]
        if inbox.domain_id:
            self._by_domain[inbox.domain_id].discard(inbox.inbox_id)
        for index in self._indexes.values():
            index.remove(inbox)

    def change(self, inbox: Inbox, values: dict[str, Any]) -> None:
        """Set fields of an inbox, except its id, address and domain."""
        for index in self._indexes.values():
            index.remove(inbox)
        for name, value in values.items():
            setattr(inbox, name, value)
        for index in self._indexes.values():
            index.add(inbox)

    def slice(self, sort_by: str, start: int, stop: int, *, descending: bool) -> list[Inbox]:
        entries = self._indexes[sort_by].entries
        if descending:
            entries = entries[max(len(entries) - stop, 0) : max(len(entries) - start, 0)][::-1]
        else:
            entries = entries[start:stop]
        return [self._by_id[inbox_id] for _, inbox_id in entries]

    def sorted(self, sort_by: str, *, descending: bool) -> list[Inbox]:
        return self.slice(sort_by, 0, len(self), descending=descending)
