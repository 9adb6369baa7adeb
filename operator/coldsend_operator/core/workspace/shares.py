"""The shares of the budget: of test mails, of probes, and of each namespace (rules 28 and 42)."""

from collections.abc import Callable, Iterable, Sequence

from coldsend_operator.core.workspace.windows import HOUR, MINUTE, Window, stored

MAIL_SHARE = 10  # at most one request in ten is a test mail (rule 28)
NAMESPACE_PART = 9  # a namespace may use nine times what is left of the hour
NAMESPACE_GRAIN = 300.0


class MailBudget:
    """Test mails sent in the current minute and hour; `in_flight` are those without a response yet."""

    def __init__(self) -> None:
        self._minute = Window(MINUTE, 0.5)
        self._hour = Window(HOUR, 60.0)
        self.in_flight = 0

    def add(self, when: float) -> None:
        self._minute.add(when)
        self._hour.add(when)

    def free_at(self, now: float, minute_limit: int, hour_limit: int) -> float:
        """When the next mail may leave, given the limits of all requests."""
        minute = self._minute.free_at(now, max(1, minute_limit // MAIL_SHARE) - self.in_flight)
        return max(minute, self._hour.free_at(now, max(1, hour_limit // MAIL_SHARE) - self.in_flight))

    def to_json(self, now: float) -> list[list[float]]:
        """Mails without a response count as sent now: they may have left when the process ends."""
        unanswered = [[stored(now), float(self.in_flight)]] if self.in_flight else []
        return self._hour.to_json(now) + unanswered

    def load(self, entries: Sequence[Sequence[float]], now: float, ahead: float = 0.0) -> None:
        for window in (self._minute, self._hour):
            window.load(entries, now, ahead)

    def absorb(self, other: "MailBudget", now: float) -> None:
        self.load(other._hour.to_json(now), now)  # noqa: SLF001 - a budget like this one
        self.in_flight += other.in_flight


class HourShares:
    """Probes, and calls of each namespace, in the current hour; `in_flight` are probes under way.

    The stored budget does not distinguish them: after a restart the shares start again, within the stored hour.
    """

    def __init__(self) -> None:
        self._probes = Window(HOUR, 60.0)
        self._namespaces: dict[str, Window] = {}
        self.in_flight = 0

    def end_probe(self, now: float) -> None:
        self.in_flight -= 1
        self._probes.add(now)

    def probes_left_at(self, when: float, hour_limit: int, share: float) -> int:
        """The number of probes that may leave, given their share of the hour, if none leaves until then."""
        return self._limit(hour_limit, share) - self._probes.used_at(when) - self.in_flight

    def probes_free_at(self, now: float, hour_limit: int, share: float) -> float:
        return self._probes.free_at(now, self._limit(hour_limit, share) - self.in_flight)

    @staticmethod
    def _limit(hour_limit: int, share: float) -> int:
        return max(1, int(hour_limit * share))

    def charge(self, namespace: str, now: float) -> None:
        """A call for objects of this namespace leaves now."""
        self._namespaces = {name: each for name, each in self._namespaces.items() if each.used(now)}
        self._namespaces.setdefault(namespace, Window(HOUR, NAMESPACE_GRAIN)).add(now)

    def exhausted_by(self, now: float, hour_limit: int, left: int) -> frozenset[str]:
        """Namespaces that must wait when `left` calls of the hour are left.

        A namespace leaves a tenth of the calls to others, the next one a tenth of that, and so on: none delays the
        first call of another while requests are left.
        """
        most = NAMESPACE_PART * left
        if most >= hour_limit:
            return frozenset()
        return frozenset(name for name, window in self._namespaces.items() if window.used(now) > most)

    def free_at(self, namespace: str, now: float, left_at: Callable[[float], int], ends: Iterable[float]) -> float:
        """When the namespace may call again, given how many calls are left then; `ends` are times at which more are."""
        window = self._namespaces[namespace]
        times = sorted(at for at in (*window.ends, *ends) if at > now)
        return next((at for at in times if window.used_at(at) <= NAMESPACE_PART * left_at(at)), now + HOUR)

    def absorb(self, other: "HourShares", now: float) -> None:
        self._probes.add(now, other._probes.used(now))  # noqa: SLF001 - shares like these
        self.in_flight += other.in_flight
        for name, window in other._namespaces.items():  # noqa: SLF001 - likewise
            self._namespaces.setdefault(name, Window(HOUR, NAMESPACE_GRAIN)).add(now, window.used(now))
