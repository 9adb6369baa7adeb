"""Objects that left the selector of this process while a create for them was under way (rule 39).

Only this process can know that it marked them itself; should they come back, they go on with that create.
"""

from dataclasses import dataclass

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.phases import CreateJob, Creating, UnknownCreate

KEPT_SECONDS = 3600.0
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Departure:
    """What carried the account when it left, at Unix seconds."""

    at: float
    create: Creating | CreateJob | UnknownCreate


class Departed:
    """By UID, the oldest first: most are really gone, and none is kept for long."""

    def __init__(self) -> None:
        self._departures: dict[str, Departure] = {}

    def __len__(self) -> int:
        return len(self._departures)

    def put(self, account: Account, now: float) -> None:
        if account.create is None:
            return
        self._departures.pop(account.uid, None)
        self._departures[account.uid] = Departure(now, account.create)
        self._prune(now)

    def pop(self, uid: str, now: float) -> Departure | None:
        """What is known of an object that comes back, once."""
        self._prune(now)
        return self._departures.pop(uid, None)

    def _prune(self, now: float) -> None:
        while self._departures:
            oldest = next(iter(self._departures))
            if self._departures[oldest].at >= now - KEPT_SECONDS and len(self._departures) <= MOST_KEPT:
                return
            del self._departures[oldest]
