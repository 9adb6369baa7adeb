"""How long a create whose outcome is unknown is waited for (rule 7)."""

from coldsend_operator.core.model.account import Account

KEPT_SECONDS = 3600.0


class LostCreates:
    """The last sign of each create of unknown outcome: only what appears is one, not what arrives."""

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
