"""Who may take how much of the budget: test mails, calls that only look, and each namespace (rules 28 and 42)."""

from coldsend_operator.core.model.calls import Lane
from coldsend_operator.core.workspace.windows import HOUR, MINUTE, Window, stored

MAIL_SHARE = 10  # test mails take at most one request in so many (rule 28)
NAMESPACE_PART = 9  # times what is left of the hour: as much may one namespace have taken of it
NAMESPACE_GRAIN = 300.0


class MailBudget:
    """Test mails sent in the present minute and hour; `flying` are those whose answer is awaited."""

    def __init__(self) -> None:
        self._minute = Window(MINUTE, 0.5)
        self._hour = Window(HOUR, 60.0)
        self.in_flight = 0

    def add(self, when: float, count: int = 1) -> None:
        self._minute.add(when, count)
        self._hour.add(when, count)

    def free_at(self, now: float, minute_limit: int, hour_limit: int) -> float:
        """When the next mail may leave, where all requests together have these limits."""
        minute = self._minute.free_at(now, max(1, minute_limit // MAIL_SHARE) - self.in_flight)
        return max(minute, self._hour.free_at(now, max(1, hour_limit // MAIL_SHARE) - self.in_flight))

    def to_json(self, now: float) -> list[list[float]]:
        """Mails whose answer is awaited count as sent now: they may have left when the process ends."""
        flying = [[stored(now), float(self.in_flight)]] if self.in_flight else []
        return self._hour.to_json(now) + flying

    def load(self, entries: list[list[float]], now: float, ahead: float = 0.0) -> None:
        for when, count in entries:
            if when + ahead + HOUR > now:
                self.add(min(when + ahead, now), int(count))

    def absorb(self, other: "MailBudget", now: float) -> None:
        self.load(other._hour.to_json(now), now)  # noqa: SLF001 - a budget like this one
        self.in_flight += other.in_flight


class HourShares:
    """The calls of the present hour that only look, and those of each namespace; `flying` are looks under way.

    What is stored does not tell them apart: after a restart they begin again, within the hour that is stored.
    """

    def __init__(self) -> None:
        self._probes = Window(HOUR, 60.0)
        self._namespaces: dict[str, Window] = {}
        self.flying = 0

    def end_probe(self, now: float) -> None:
        self.flying -= 1
        self._probes.add(now)

    def probes_left(self, now: float, hour_limit: int, share: float) -> int:
        """How many calls that only look may leave, where they may take this share of the hour."""
        return self._limit(hour_limit, share) - self._probes.used(now) - self.flying

    def probes_free_at(self, now: float, hour_limit: int, share: float) -> float:
        return self._probes.free_at(now, self._limit(hour_limit, share) - self.flying)

    @staticmethod
    def _limit(hour_limit: int, share: float) -> int:
        return max(1, int(hour_limit * share))

    def charge(self, namespace: str, now: float) -> None:
        """A call that leaves now is for objects of this namespace."""
        self._namespaces = {name: each for name, each in self._namespaces.items() if each.used(now)}
        self._namespaces.setdefault(namespace, Window(HOUR, NAMESPACE_GRAIN)).add(now)

    def exhausted_by(self, now: float, hour_limit: int, left: int, *, probes: bool) -> frozenset[str]:
        """Namespaces that have no turn, where `left` calls of the hour are left.

        Of what is there for one namespace a tenth stays for others, and of that a tenth for the next: so none makes
        the first call of another wait while requests are left.
        """
        if probes:
            left = min(left, self.probes_left(now, hour_limit, Lane.PROBE.hour_share))
        most = NAMESPACE_PART * max(0, left)
        if most >= hour_limit:
            return frozenset()
        return frozenset(name for name, window in self._namespaces.items() if window.used(now) > most)

    def absorb(self, other: "HourShares", now: float) -> None:
        self._probes.add(now, other._probes.used(now))  # noqa: SLF001 - shares like these
        self.flying += other.flying
        for name, window in other._namespaces.items():  # noqa: SLF001 - likewise
            self._namespaces.setdefault(name, Window(HOUR, NAMESPACE_GRAIN)).add(now, window.used(now))
