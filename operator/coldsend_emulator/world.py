"""The whole state of the emulator, in memory and changed by one thread."""

import math
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from coldsend_emulator.clock import Clock, Schedule
from coldsend_emulator.faults import Faults
from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.jobs import JobBoard
from coldsend_emulator.keys import KeyRing, digest
from coldsend_emulator.limits import RateLimiter
from coldsend_emulator.request_log import RequestLog
from coldsend_emulator.switches import Switches
from coldsend_emulator.workspaces import Domain, HistoryEntry, Workspace


@dataclass(slots=True)
class BadConnections:
    """The connections for which the check fails."""

    hosts: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    password_digests: set[str] = field(default_factory=set)

    def clear(self) -> None:
        self.hosts.clear()
        self.addresses.clear()
        self.password_digests.clear()

    def add_password(self, password: str) -> None:
        self.password_digests.add(digest(password))


class World:
    """`clock_of` creates the clock; tests may use their own."""

    def __init__(self, clock_of: Callable[[Switches], Clock] = Clock) -> None:
        self.switches = Switches()  # of all workspaces
        self._own_switches: dict[str, Switches] = {}
        self.clock = clock_of(self.switches)
        self.keys = KeyRing()
        self.limiter = RateLimiter(self.switches_of, self.clock)
        self.start_afresh()

    def start_afresh(self) -> None:
        """Remove everything except keys, limits and switches."""
        self.schedule = Schedule()
        self.jobs = JobBoard(self.switches_of, self.clock, self.schedule)
        self.faults = Faults()
        self.log = RequestLog()
        self.workspaces: dict[str, Workspace] = {}
        self.history: list[HistoryEntry] = []
        self.doubled: set[tuple[str, str]] = set()  # workspaces and addresses that had two inboxes at once
        self.bad = BadConnections()
        self.limiter.forget()

    def settle(self) -> None:
        """Do the work that is due; called before each request."""
        self.schedule.run(self.clock.now())

    def switches_of(self, workspace: str | None) -> Switches:
        """The switches of a workspace; for None, a request with an unknown key, those of all."""
        return self._own_switches.get(workspace or "", self.switches)

    def own_switches(self, workspace: str) -> Switches:
        """Switches that are set for one workspace alone."""
        return self._own_switches.setdefault(workspace, Switches(self.switches))

    def reset_switches(self, workspace: str | None = None) -> None:
        """Reset all switches to their defaults, or those of one workspace to those of all."""
        if workspace is None:
            self.switches.reset()
            self._own_switches.clear()
        else:
            self._own_switches.pop(workspace, None)

    def workspace(self, name: str) -> Workspace:
        return self.workspaces.setdefault(name, Workspace(name))

    def inboxes_with(self, address: str) -> Iterator[Inbox]:
        for workspace in self.workspaces.values():
            yield from workspace.inboxes.with_address(address)

    def find_inbox(self, inbox_id: str) -> Inbox | None:
        found = (workspace.inboxes.get(inbox_id) for workspace in self.workspaces.values())
        return next((inbox for inbox in found if inbox), None)

    def insert(self, inbox: Inbox, by: str, moment: float) -> None:
        table = self.workspace(inbox.workspace).inboxes
        if table.with_address(inbox.email_address):
            self.doubled.add((inbox.workspace, inbox.natural_key))
        table.add(inbox)
        self._remember("created", inbox, by, moment)

    def remove(self, inbox: Inbox, by: str, moment: float) -> None:
        """Remove an inbox, unless it is already removed."""
        workspace = self.workspace(inbox.workspace)
        if workspace.inboxes.get(inbox.inbox_id) is not inbox:
            return
        workspace.inboxes.remove(inbox)
        inbox.removed_on = moment
        workspace.inboxes.departed.append(inbox)
        workspace.freed_on[inbox.natural_key] = moment
        for campaign in workspace.campaigns.values():
            campaign.inbox_ids.discard(inbox.inbox_id)
        self._remember("deleted", inbox, by, moment)

    def add_domain(self, workspace: str, name: str, status: str, max_inboxes: int) -> Domain:
        ready = status == "ACTIVE"
        domain = Domain(
            domain_id=str(uuid.uuid4()),
            domain_name=name.lower(),
            status=status,
            max_inboxes=max_inboxes,
            created_at=self.clock.wall(),
            mailcow_added=ready,
            cloudflare_verified=ready,
        )
        self.workspace(workspace).domains[domain.domain_id] = domain
        return domain

    def _remember(self, event: str, inbox: Inbox, by: str, moment: float) -> None:
        at = self.clock.wall_at(moment)
        self.history.append(HistoryEntry(at, inbox.workspace, event, by, inbox.inbox_id, inbox.email_address))


def whole(amount: float) -> int | None:
    """The amount of a switch as an integer; None if unlimited."""
    return None if math.isinf(amount) else int(amount)
