"""The figures of a batch, updated child by child, so that one change does not cost a pass over 5,000 children."""

import heapq
import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from coldsend_operator.addresses import domain_of
from coldsend_operator.core.batch.decide import ChildDecision, as_asked
from coldsend_operator.core.batch.domains import DomainCounts, Share
from coldsend_operator.core.batch.model import Batch, Child, DesiredList, Entry, EntryRefusal, Shown
from coldsend_operator.core.model.reasons import AT_WORK, STALLING, KstatusType, Reason

T = TypeVar("T")

MAX_FAILURES = 20
NOTHING_SHOWN = Shown()


class InboxState(StrEnum):
    """The progress of an inbox."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    OPEN = "open"
    LEAVING = "leaving"  # it left the list, or its batch is in deletion


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one inbox contributes to the figures.

    `obstacle` is why it does not match the spec; empty when it does. `working`: waiting alone may change that.
    """

    state: InboxState
    ready: bool
    reason: str
    obstacle: str
    healthy: str
    working: bool


@dataclass(frozen=True, slots=True)
class FailedInbox:
    """One line of `status.failures`."""

    position: int
    name: str | None
    shown: str
    reason: str
    message: str


class Counts:
    """Sums over all inboxes of one batch."""

    def __init__(self) -> None:
        self._contributions: dict[str, Contribution] = {}
        self._counts: Counter[Contribution] = Counter()
        self._scores: dict[str, float] = {}
        self._failures: dict[str, FailedInbox] = {}
        self.domains = DomainCounts()

    def put(
        self,
        key: str,
        contribution: Contribution | None,
        score: float | None = None,
        failure: FailedInbox | None = None,
        share: Share | None = None,
    ) -> bool:
        """Set what one inbox contributes now (None: nothing). Returns whether anything changed."""
        before = (self._contributions.get(key), self._scores.get(key), self._failures.get(key), self.domains.get(key))
        if before == (contribution, score, failure, share):
            return False
        self.domains.put(key, share)
        if before[0] is not None:
            self._counts[before[0]] -= 1
            if not self._counts[before[0]]:
                del self._counts[before[0]]
        if contribution is not None:
            self._counts[contribution] += 1
        _keep(self._contributions, key, contribution)
        _keep(self._scores, key, score)
        _keep(self._failures, key, failure)
        return True

    @property
    def known(self) -> tuple[str, ...]:
        """The keys of all inboxes that contribute."""
        return tuple(self._contributions)

    def count(
        self,
        *states: InboxState,
        ready: bool | None = None,
        obstacle: str | None = None,
        healthy: str | None = None,
        working: bool | None = None,
    ) -> int:
        """The number of inboxes in one of these states; without states, of all inboxes of the list."""
        chosen = states or (InboxState.SUCCEEDED, InboxState.FAILED, InboxState.OPEN)
        return sum(
            count
            for contribution, count in self._counts.items()
            if contribution.state in chosen
            and (ready is None or contribution.ready is ready)
            and (obstacle is None or contribution.obstacle == obstacle)
            and (healthy is None or contribution.healthy == healthy)
            and (working is None or contribution.working is working)
        )

    def reasons(self, *states: InboxState) -> Counter[str]:
        """The number of inboxes in one of these states by reason."""
        sums: Counter[str] = Counter()
        for contribution, count in self._counts.items():
            if contribution.state in states:
                sums[contribution.reason] += count
        return sums

    def most_common(self, kind: str, *states: InboxState) -> tuple[str, int]:
        """The most frequent `reason` of inboxes that are not ready, or `obstacle`, and its count; ("", 0) for none."""
        sums: Counter[str] = Counter()
        for contribution, count in self._counts.items():
            word = contribution.obstacle if kind == "obstacle" else ("" if contribution.ready else contribution.reason)
            if contribution.state in states and word:
                sums[word] += count
        return min(sums.items(), key=lambda item: (-item[1], item[0]), default=("", 0))

    @property
    def working(self) -> bool:
        """Whether work on any inbox, including removed ones, is under way or queued."""
        return any(contribution.working for contribution in self._counts)

    @property
    def score(self) -> tuple[float, float] | None:
        """The lowest health score and the mean."""
        if not self._scores:
            return None
        return min(self._scores.values()), round(math.fsum(self._scores.values()) / len(self._scores), 1)

    @property
    def failures(self) -> list[FailedInbox]:
        """The first failures in the order of the list."""
        return heapq.nsmallest(MAX_FAILURES, self._failures.values(), key=lambda failure: failure.position)


def _keep(store: dict[str, T], key: str, value: T | None) -> None:
    if value is None:
        store.pop(key, None)
    else:
        store[key] = value


def count_child(counts: Counts, batch: Batch, name: str, child: Child | None, decision: ChildDecision) -> bool:
    """Update the figures with this child. Returns whether they changed."""
    entry = None if batch.deleting else batch.entry(name)
    if entry is None:
        return counts.put(name, _leaving_child(batch, child))
    refusal = decision.refusal
    if refusal is not None:
        mine = child if child is not None and batch.owns(child) else None
        shown, score = (mine.shown, mine.score) if mine is not None else (NOTHING_SHOWN, None)
        contribution = _refused(refusal, shown)
        failure = _failure(entry, refusal.reason, refusal.message)
        return counts.put(name, contribution, score, failure, _share(entry, contribution, mine))
    if child is None:
        contribution = _contribution(InboxState.OPEN, NOTHING_SHOWN, Reason.PROVISIONING)
        return counts.put(name, contribution, share=_share(entry, contribution, None))
    state, shown = _state(child), child.shown
    obstacle = _obstacle(child, settled=batch.paused or (as_asked(batch, entry, child) and child.settled))
    if name in batch.contested:
        obstacle = Reason.CHILD_CHANGED_BY_OTHERS
    failed = _failure(entry, shown.ready_reason, child.message) if state is InboxState.FAILED else None
    contribution = _contribution(state, shown, obstacle)
    return counts.put(name, contribution, child.score, failed, _share(entry, contribution, child))


def count_list(counts: Counts, desired: DesiredList) -> None:
    """Count the inboxes that never have a child of their own: listed twice, or not readable."""
    for key in counts.known:
        if key.startswith("#"):
            counts.put(key, None)
    for entry in desired.entries:
        if entry.name is None and entry.refusal is not None:
            contribution = _refused(entry.refusal, NOTHING_SHOWN)
            failure = _failure(entry, entry.refusal.reason, entry.refusal.message)
            counts.put(key_of(entry), contribution, None, failure, _share(entry, contribution, None))


def key_of(entry: Entry) -> str:
    """A key that cannot be the name of a child."""
    return f"#{entry.position}"


def _leaving_child(batch: Batch, child: Child | None) -> Contribution | None:
    if child is None or not batch.owns(child):
        return None
    obstacle = child.shown.synced_reason if child.deleting and child.shown.synced == "False" else Reason.DELETING
    if child.name in batch.kept and not child.deleting:
        obstacle = Reason.REJECTED
    return _contribution(InboxState.LEAVING, child.shown, obstacle)


def _state(child: Child) -> InboxState:
    if child.deleting:
        return InboxState.OPEN
    if child.has_inbox:
        return InboxState.SUCCEEDED
    return InboxState.FAILED if child.shown.failed else InboxState.OPEN


def _obstacle(child: Child, *, settled: bool) -> str:
    if child.deleting:
        return Reason.DELETING
    if not settled:
        return Reason.PROVISIONING
    return "" if child.shown.synced == "True" else child.shown.synced_reason


def _contribution(state: InboxState, shown: Shown, obstacle: str) -> Contribution:
    return Contribution(
        state, shown.ready == "True", shown.ready_reason, obstacle, shown.healthy, _working(shown, obstacle)
    )


def _working(shown: Shown, obstacle: str) -> bool:
    """Whether waiting alone may change the state of the inbox. Children of earlier versions do not tell."""
    if shown.progress == KstatusType.STALLED:
        return obstacle == Reason.PROVISIONING  # its spec is about to change
    if shown.progress == KstatusType.RECONCILING or obstacle in AT_WORK:
        return True
    return shown.ready != "True" and shown.ready_reason not in STALLING


def _refused(refusal: EntryRefusal, shown: Shown) -> Contribution:
    return Contribution(
        InboxState.FAILED, shown.ready == "True", refusal.reason, refusal.reason, shown.healthy, working=False
    )


def _share(entry: Entry, contribution: Contribution, child: Child | None) -> Share | None:
    """None while the domain is unknown: a native inbox may name it by id."""
    domain = (child.domain if child is not None else "") or domain_of(entry.shown)
    if not domain:
        return None
    if child is None:
        return Share(domain, contribution.ready)
    return Share(domain, contribution.ready, child.disabled, child.score, child.sent, child.limit)


def _failure(entry: Entry, reason: str, message: str) -> FailedInbox:
    return FailedInbox(entry.position, entry.name, entry.shown, reason, message)
