"""The figures of a batch by domain: senders judge, pause and replace inboxes by domain."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from coldsend_operator.core.model.membership import Membership

MAX_DOMAINS = 50
COUNTER = "emailsSentToday"


@dataclass(frozen=True, slots=True)
class Share:
    """What one inbox contributes to the figures of its domain."""

    domain: str
    ready: bool
    disabled: bool = False
    score: float | None = None
    sent: int = 0
    limit: int = 0


class DomainCounts:
    """Sums by domain; only changed domains are summed up again."""

    def __init__(self) -> None:
        self._shares: dict[str, Share] = {}
        self._members = Membership[str]()
        self._rows: dict[str, dict[str, Any]] = {}

    def get(self, key: str) -> Share | None:
        return self._shares.get(key)

    def put(self, key: str, share: Share | None) -> None:
        """Set what the inbox of this key contributes now; None for nothing."""
        for changed in (self._shares.pop(key, None), share):
            if changed is not None:
                self._rows.pop(changed.domain, None)
        if share is not None:
            self._shares[key] = share
        self._members.place(key, None if share is None else share.domain)

    def rows(self) -> list[dict[str, Any]]:
        """`status.domains`: the first domains by name."""
        found = []
        for name in sorted(self._members.counts())[:MAX_DOMAINS]:
            if name not in self._rows:
                self._rows[name] = _row(name, [self._shares[key] for key in self._members.members(name)])
            found.append(self._rows[name])
        return found


def _row(name: str, shares: Collection[Share]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "total": len(shares),
        "ready": sum(share.ready for share in shares),
        "disabled": sum(share.disabled for share in shares),
    }
    scores = [share.score for share in shares if share.score is not None]
    if scores:
        row["healthScore"] = {"min": min(scores), "mean": round(math.fsum(scores) / len(scores), 1)}
    return row | {COUNTER: sum(share.sent for share in shares), "dailyLimit": sum(share.limit for share in shares)}


def without_counters(rows: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The rows without the counters that change all day."""
    return [{key: value for key, value in row.items() if key != COUNTER} for row in rows or ()]
