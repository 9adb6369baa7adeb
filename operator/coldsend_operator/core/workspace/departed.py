"""Objects that left the selector of this process during a create (rule 39).

Only this process knows that it set their create mark itself; if they come back, they continue with that create.
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
    """By UID, the oldest first. Most are gone for good, and none is kept for long."""

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
        """The record of an object that comes back; a second call finds nothing."""
        self._prune(now)
        return self._departures.pop(uid, None)

    def absorb(self, other: "Departed") -> None:
        """Their objects come back to this workspace, if they do."""
        self._departures |= other._departures  # noqa: SLF001 - like this one
        self._departures = dict(sorted(self._departures.items(), key=lambda item: item[1].at))

    def _prune(self, now: float) -> None:
        while self._departures:
            oldest = next(iter(self._departures))
            if self._departures[oldest].at >= now - KEPT_SECONDS and len(self._departures) <= MOST_KEPT:
                return
            del self._departures[oldest]
