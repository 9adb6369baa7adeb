"""The figures of a batch, kept up to date child by child: one that changes costs no pass over 5,000."""

import heapq
import math
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from coldsend_operator.addresses import domain_of
from coldsend_operator.core.batch import Batch, Child, Entry, Refusal, Shown
from coldsend_operator.core.batch_domains import DomainTally, Share
from coldsend_operator.core.batch_plan import Decision, as_asked
from coldsend_operator.core.kstatus import AT_WORK, STALLING
from coldsend_operator.core.reasons import LASTING, Progress, Reason

T = TypeVar("T")

MOST_FAILURES = 20
NOTHING_SHOWN = Shown()


class Fate(StrEnum):
    """How far an inbox has come."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    OPEN = "open"
    LEAVING = "leaving"  # it left the list, or its batch is in deletion


@dataclass(frozen=True, slots=True)
class Standing:
    """What one inbox contributes to the figures.

    `obstacle` is why it is not as spec asks; empty when it is. `working` says that waiting alone may change it.
    """

    fate: Fate
    ready: bool
    reason: str
    obstacle: str
    healthy: str
    working: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """One line of `status.failures`."""

    position: int
    name: str | None
    shown: str
    reason: str
    message: str


class Tally:
    """Sums over all inboxes of one batch."""

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}
        self._counts: Counter[Standing] = Counter()
        self._scores: dict[str, float] = {}
        self._failures: dict[str, Failure] = {}
        self.domains = DomainTally()

    def put(
        self,
        key: str,
        standing: Standing | None,
        score: float | None = None,
        failure: Failure | None = None,
        share: Share | None = None,
    ) -> bool:
        """Take in what one inbox contributes now, None for nothing; whether anything changed."""
        before = (self._standings.get(key), self._scores.get(key), self._failures.get(key), self.domains.get(key))
        if before == (standing, score, failure, share):
            return False
        self.domains.put(key, share)
        if before[0] is not None:
            self._counts[before[0]] -= 1
            if not self._counts[before[0]]:
                del self._counts[before[0]]
        if standing is not None:
            self._counts[standing] += 1
        _keep(self._standings, key, standing)
        _keep(self._scores, key, score)
        _keep(self._failures, key, failure)
        return True

    @property
    def known(self) -> tuple[str, ...]:
        """The keys of all that contribute."""
        return tuple(self._standings)

    def count(self, *fates: Fate, ready: bool | None = None, obstacle: str | None = None) -> int:
        """Inboxes with one of these fates (none given: wherever they stand in the list)."""
        chosen = fates or (Fate.SUCCEEDED, Fate.FAILED, Fate.OPEN)
        return sum(
            count
            for standing, count in self._counts.items()
            if standing.fate in chosen
            and (ready is None or standing.ready is ready)
            and (obstacle is None or standing.obstacle == obstacle)
        )

    def reasons(self, *fates: Fate) -> Counter[str]:
        """How many inboxes with one of these fates have which reason."""
        sums: Counter[str] = Counter()
        for standing, count in self._counts.items():
            if standing.fate in fates:
                sums[standing.reason] += count
        return sums

    def most_common(self, kind: str, *fates: Fate) -> tuple[str, int]:
        """The most frequent `reason` of those not ready, or `obstacle`, and how many have it; ("", 0) for none."""
        sums: Counter[str] = Counter()
        for standing, count in self._counts.items():
            word = standing.obstacle if kind == "obstacle" else ("" if standing.ready else standing.reason)
            if standing.fate in fates and word:
                sums[word] += count
        return min(sums.items(), key=lambda item: (-item[1], item[0]), default=("", 0))

    @property
    def obstructed(self) -> int:
        """Inboxes of the list that are not as spec asks."""
        return sum(count for standing, count in self._listed() if standing.obstacle)

    def healthy(self, status: str) -> int:
        return sum(count for standing, count in self._listed() if standing.healthy == status)

    @property
    def working(self) -> bool:
        """Whether work on any inbox, also on one that leaves, is under way or waits for its turn."""
        return any(standing.working for standing in self._counts)

    def _listed(self) -> list[tuple[Standing, int]]:
        return [(standing, count) for standing, count in self._counts.items() if standing.fate is not Fate.LEAVING]

    @property
    def score(self) -> tuple[float, float] | None:
        """The lowest health score and the mean."""
        if not self._scores:
            return None
        return min(self._scores.values()), round(math.fsum(self._scores.values()) / len(self._scores), 1)

    @property
    def failures(self) -> list[Failure]:
        """The first ones in the order of the list."""
        return heapq.nsmallest(MOST_FAILURES, self._failures.values(), key=lambda failure: failure.position)


def _keep(store: dict[str, T], key: str, value: T | None) -> None:
    if value is None:
        store.pop(key, None)
    else:
        store[key] = value


def reckon(tally: Tally, batch: Batch, name: str, child: Child | None, decision: Decision) -> bool:
    """Count the inbox of this child anew; whether the figures changed."""
    entry = None if batch.deleting else batch.entry(name)
    if entry is None:
        return tally.put(name, _leaver(batch, child))
    refusal = decision.refusal
    if refusal is not None:
        mine = child if child is not None and batch.owns(child) else None
        standing = _refused(refusal, mine.shown if mine is not None else NOTHING_SHOWN)
        failure = Failure(entry.position, entry.name, entry.shown, refusal.reason, refusal.message)
        return tally.put(name, standing, _score(mine), failure, _share(entry, standing, mine))
    if child is None:
        standing = _standing(Fate.OPEN, NOTHING_SHOWN, Reason.PROVISIONING)
        return tally.put(name, standing, share=_share(entry, standing, None))
    fate, shown = _fate(child), _shown(child)
    obstacle = _obstacle(child, shown, settled=batch.paused or as_asked(batch, entry, child))
    if name in batch.contested:
        obstacle = Reason.CHILD_CHANGED_BY_OTHERS
    failed = _failure(entry, child) if fate is Fate.FAILED else None
    standing = _standing(fate, shown, obstacle)
    return tally.put(name, standing, _score(child), failed, _share(entry, standing, child))


def reckon_entry(tally: Tally, entry: Entry) -> bool:
    """Count an inbox that never has a child of its own: listed twice, or not readable."""
    refusal = entry.refusal
    if refusal is None:
        return False
    standing = _refused(refusal, NOTHING_SHOWN)
    failure = Failure(entry.position, None, entry.shown, refusal.reason, refusal.message)
    return tally.put(key_of(entry), standing, None, failure, _share(entry, standing, None))


def key_of(entry: Entry) -> str:
    """A key that is no name of a child."""
    return f"#{entry.position}"


def _leaver(batch: Batch, child: Child | None) -> Standing | None:
    if child is None or not batch.owns(child):
        return None
    obstacle = child.shown.synced_reason if child.deleting and child.shown.synced == "False" else Reason.DELETING
    return _standing(Fate.LEAVING, child.shown, obstacle)


def _fate(child: Child) -> Fate:
    if child.deleting:
        return Fate.OPEN
    if child.has_inbox:
        return Fate.SUCCEEDED
    lasting = child.shown.ready == "False" and child.shown.ready_reason in LASTING
    return Fate.FAILED if lasting and not _waits_for_hand_over(child) else Fate.OPEN


def _waits_for_hand_over(child: Child) -> bool:
    """Whether the child is the new object of a rename: its address conflict ends when the old object is deleted."""
    shown = child.shown
    return shown.ready_reason == Reason.ADDRESS_CONFLICT and shown.progress == Progress.RECONCILING


def _shown(child: Child) -> Shown:
    """The conditions of the child as they count in the batch: a hand-over is work in progress."""
    if not _waits_for_hand_over(child):
        return child.shown
    return replace(child.shown, ready_reason=Reason.PROVISIONING, synced_reason=Reason.PROVISIONING)


def _obstacle(child: Child, shown: Shown, *, settled: bool) -> str:
    if child.deleting:
        return Reason.DELETING
    if not settled:
        return Reason.PROVISIONING
    return "" if shown.synced == "True" else shown.synced_reason


def _standing(fate: Fate, shown: Shown, obstacle: str) -> Standing:
    return Standing(fate, shown.ready == "True", shown.ready_reason, obstacle, shown.healthy, _working(shown, obstacle))


def _working(shown: Shown, obstacle: str) -> bool:
    """Whether waiting alone may change how the inbox stands. Children of earlier versions do not say so themselves."""
    if shown.progress == Progress.STALLED:
        return obstacle == Reason.PROVISIONING  # its spec is about to change
    if shown.progress == Progress.RECONCILING or obstacle in AT_WORK:
        return True
    return shown.ready != "True" and shown.ready_reason not in STALLING


def _refused(refusal: Refusal, shown: Shown) -> Standing:
    return Standing(Fate.FAILED, shown.ready == "True", refusal.reason, refusal.reason, shown.healthy, working=False)


def _share(entry: Entry, standing: Standing, child: Child | None) -> Share | None:
    """None while the domain is not known: that of a native inbox may be given by its id."""
    domain = (child.domain if child is not None else "") or domain_of(entry.shown)
    if not domain:
        return None
    if child is None:
        return Share(domain, standing.ready)
    return Share(domain, standing.ready, child.disabled, child.score, child.sent, child.limit)


def _score(child: Child | None) -> float | None:
    return child.score if child is not None else None


def _failure(entry: Entry, child: Child) -> Failure:
    return Failure(entry.position, entry.name, entry.shown, child.shown.ready_reason, child.message)
