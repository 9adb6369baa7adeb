"""What is kept of creates that are not over: signs of those whose outcome is unknown, and objects that left."""

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.phases import Create

KEPT_SECONDS = 3600.0
MAX_KEPT = 10_000


class LostCreates:
    """The last sign of each create of unknown outcome, which says how long it is waited for (rule 7).

    Only what appears is a sign, not what arrives.
    """

    def __init__(self) -> None:
        self._evidence: dict[str, float] = {}  # by call: when one of its members last appeared

    def __len__(self) -> int:
        return len(self._evidence)

    def last_evidence(self, account: Account) -> float:
        """The last sign of the create that carries the account; 0 when there is none."""
        unknown = account.unknown_create
        return 0.0 if unknown is None else max(self._evidence.get(unknown.call, 0.0), unknown.at)

    def wait_until(self, account: Account, lost_seconds: float) -> float:
        """When the wait for it is over: by then it has appeared, or never will."""
        unknown = account.unknown_create
        return 0.0 if unknown is None else max(self.last_evidence(account) + lost_seconds, unknown.earliest)

    def appeared(self, call: str, now: float, lost_seconds: float) -> None:
        """A member of the call has appeared."""
        self._evidence.pop(call, None)
        self._evidence[call] = now
        kept = max(KEPT_SECONDS, lost_seconds)
        while (oldest := next(iter(self._evidence))) != call and self._evidence[oldest] < now - kept:
            del self._evidence[oldest]

    def learn(self, call: str, at: float) -> None:
        """A part of the workspace has seen a member of the call at that time."""
        self._evidence[call] = max(self._evidence.get(call, 0.0), at)


class Departed:
    """Objects that left the selector of this process during a create (rule 39: only its own mark counts), by UID.

    Only this process knows that it set their create mark itself; if they come back, they continue with that create.
    The oldest come first. Most are gone for good, and none is kept for long.
    """

    def __init__(self) -> None:
        self._departures: dict[str, tuple[float, Create]] = {}  # when it left, and during which create

    def __len__(self) -> int:
        return len(self._departures)

    def put(self, account: Account, now: float) -> None:
        if account.create is None:
            return
        self._departures.pop(account.uid, None)
        self._departures[account.uid] = (now, account.create)
        self._prune(now)

    def pop(self, uid: str, now: float) -> Create | None:
        """The create of an object that comes back; a second call finds nothing."""
        self._prune(now)
        departure = self._departures.pop(uid, None)
        return None if departure is None else departure[1]

    def absorb(self, other: "Departed") -> None:
        """Their objects come back to this workspace, if they do."""
        self._departures |= other._departures  # noqa: SLF001 - like this one
        self._departures = dict(sorted(self._departures.items(), key=lambda item: item[1][0]))

    def _prune(self, now: float) -> None:
        while self._departures:
            oldest = next(iter(self._departures))
            if self._departures[oldest][0] >= now - KEPT_SECONDS and len(self._departures) <= MAX_KEPT:
                return
            del self._departures[oldest]
