"""Inboxes with their objects: one line each, from status or from ColdSend's list."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from coldsend_operator.core.model.answers import Row
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.tools.senders import KeyReference, Sender


class State(StrEnum):
    """Who manages the inbox."""

    MANAGED = "managed"  # an object created or adopted it
    OBSERVED = "observed"  # an object only observes it
    UNMANAGED = "unmanaged"  # no object shows it
    CONFLICT = "conflict"  # a second object claims the address, or shows the inbox
    NO_INBOX = "no-inbox"  # an object without an inbox


@dataclass(frozen=True, slots=True)
class InventoryLine:
    """One inbox, one object, or both. Unknown numbers are None."""

    state: State
    address: str
    inbox_type: str
    namespace: str = ""
    name: str = ""
    batch: str = ""
    inbox_id: str = ""
    status: str = ""
    ready: bool = False
    reason: str = ""
    health: float | None = None
    sent: int | None = None
    limit: int | None = None
    created: str = ""
    unhealthy_since: str = ""  # RFC 3339; empty unless the object is not Healthy
    labels: Mapping[str, str] = field(default_factory=dict)  # of the object

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()

    def to_json(self) -> dict[str, Any]:
        return {
            "state": self.state.value,
            "address": self.address,
            "domain": self.domain,
            "inboxType": self.inbox_type,
            "namespace": self.namespace,
            "name": self.name,
            "batch": self.batch,
            "inboxID": self.inbox_id,
            "status": self.status,
            "ready": self.ready,
            "reason": self.reason,
            "healthScore": self.health,
            "emailsSentToday": self.sent,
            "dailyLimit": self.limit,
            "createdAt": self.created,
            "unhealthySince": self.unhealthy_since,
        }


def lines(senders: Sequence[Sender], rows: Iterable[Row] | None, key: KeyReference | None) -> list[InventoryLine]:
    """All lines by domain and address. `rows`: the whole list of the workspace of `key`, None when it was not asked."""
    found = [*_of_senders(senders, None if rows is None else {row.inbox_id: row for row in rows}, key)]
    if rows is not None:
        shown = {sender.inbox_id for sender in senders}
        found += [_line(State.UNMANAGED, None, row) for row in rows if row.inbox_id not in shown]
    return sorted(found, key=lambda line: (line.domain, line.address.lower(), line.namespace, line.name))


def _of_senders(
    senders: Sequence[Sender], rows: Mapping[str, Row] | None, key: KeyReference | None
) -> Iterator[InventoryLine]:
    held = Counter(sender.inbox_id for sender in senders if sender.holds)
    asked = Counter((sender.key, sender.address) for sender in senders if sender.address and not sender.observes)
    for sender in senders:
        row = rows.get(sender.inbox_id or "") if rows is not None else None
        here = rows is not None and sender.key == key  # its workspace is the one that was listed
        if sender.inbox_id is None or (here and row is None):
            twice = asked[sender.key, sender.address] > 1 or sender.reason == Reason.ADDRESS_CONFLICT
            state = State.CONFLICT if twice and sender.inbox_id is None else State.NO_INBOX
        elif held[sender.inbox_id] > 1 and sender.holds:
            state = State.CONFLICT
        else:
            state = State.MANAGED if sender.holds else State.OBSERVED
        yield _line(state, sender, row)


def _line(state: State, sender: Sender | None, row: Row | None) -> InventoryLine:
    """Values come from ColdSend if it was queried, else from the object's status."""
    status = sender.status if sender is not None else {}
    told = row.overall_status if row is not None else status.get("overallStatus")
    return InventoryLine(
        state=state,
        address=row.email_address if row is not None else sender.address if sender is not None else "",
        inbox_type=(row.inbox_type if row is not None else sender and sender.inbox_type) or "",
        namespace=sender.namespace if sender is not None else "",
        name=sender.name if sender is not None else "",
        batch=sender.batch if sender is not None else "",
        inbox_id=(row.inbox_id if row is not None else sender and sender.inbox_id) or "",
        status=told or "",
        ready=sender.ready if sender is not None else told == "ACTIVE",
        reason=sender.reason if sender is not None else "",
        health=row.health_score if row is not None else status.get("healthScore"),
        sent=row.emails_sent_today if row is not None else status.get("emailsSentToday"),
        limit=row.daily_limit if row is not None else status.get("dailyLimit"),
        created=(row.created_at if row is not None else status.get("createdAt")) or "",
        unhealthy_since=sender.unhealthy_since if sender is not None else "",
        labels=sender.labels if sender is not None else {},
    )
