"""Inboxes that are deleted in portions, and the required decisions of the brake (rules 23 and 45)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from coldsend_operator.core.workspace.brake import SMALL
from coldsend_operator.core.workspace.holds import WINDOW
from tests.support.process import Process
from tests.support.simulation import SECRET, Simulation

FLEET = ("sales", "support", "events")
EACH = 6


@dataclass(frozen=True)
class Departure:
    at: float
    namespace: str
    inbox_id: str
    own: int  # inboxes of the namespace just before


@dataclass
class Portions(Simulation):
    """Six inboxes in each of three namespaces."""

    departures: list[Departure] = field(default_factory=list)

    def launch(self) -> None:
        for namespace in FLEET:
            self.cluster.write_secret(namespace, SECRET, {"password": "one"})
            for number in range(EACH):
                self.apply(namespace, f"{namespace}-{number}", f"{namespace}{number}@company.com")
        self.start()
        self.wait(120.0)
        assert len(self.remote.live()) == EACH * len(FLEET)

    def delete_some(self, namespace: str, count: int) -> None:
        chosen = [
            uid for uid in self.uids if self.stories[uid].namespace == namespace and not self.stories[uid].deleted
        ]
        for uid in chosen[:count]:
            self.delete(uid)

    def _deletion_left(self, process: Process, inbox_ids: Sequence[str]) -> None:
        super()._deletion_left(process, inbox_ids)
        now = self.clock()
        namespaces = {
            account.stored.inbox_id: account.desired.namespace
            for account in process.operator.controller.accounts.values()
        }
        recent = {each.inbox_id for each in self.departures if each.at > now - WINDOW}
        for inbox_id in inbox_ids:
            namespace = namespaces[inbox_id]
            if inbox_id not in recent:  # a retry is not another deletion
                self.departures.append(Departure(now, namespace, inbox_id, self._own(namespace)))
        self._judge(now)

    def _own(self, namespace: str) -> int:
        addresses = {story.address for story in self.stories.values() if story.namespace == namespace}
        return sum(inbox.address in addresses for inbox in self.remote.live())

    def _judge(self, now: float) -> None:
        """Over the threshold only small and minor deletions are sent; those sent before stay within it."""
        window = [each for each in self.departures if each.at > now - WINDOW]
        allowed = self._allowed()
        counts = Counter(each.namespace for each in window)
        major = 0
        for namespace, count in counts.items():
            own = next(each.own for each in window if each.namespace == namespace)
            if count > min(SMALL, allowed) or count >= own / 2:
                major += count
        if major > allowed:
            self.watch.violations.append(f"{dict(counts)} left within ten minutes, {allowed} are allowed")

    def _allowed(self) -> float:
        brake = self.settings.delete_brake
        return brake.number if brake.number is not None else max(10.0, EACH * len(FLEET) / 2)
