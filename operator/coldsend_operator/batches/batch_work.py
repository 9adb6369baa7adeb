"""The work on one batch: its state in the core, and the children that wait for a decision or a write."""

from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.batch.counts import Counts
from coldsend_operator.core.batch.decide import ChildAction
from coldsend_operator.core.batch.jobs import JobRow
from coldsend_operator.core.batch.model import Batch
from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.core.work_queue import WorkQueue
from coldsend_operator.resources.batch import SenderAccountBatchSpec

FREE_TRIES = 1  # writes to one child without a pause before the next: others may be undoing them
MAX_PAUSE = 600.0
FORGOTTEN_AFTER = 3 * MAX_PAUSE
FIRST_FULL, MAX_FULL = 2.0, 30.0  # pauses after the namespace refused a new child
DECIDE, RENEW, WRITE = range(3)  # priorities of children


@dataclass(frozen=True, slots=True)
class Tries:
    """Writes to one child without lasting effect: their number, the end of the last, and when the next may begin."""

    count: int = 0
    at: float = 0.0
    until: float = 0.0


@dataclass(slots=True)
class Quota:
    """Children that the namespace's quota does not allow, or its end: one at a time is tried, to see if it does now."""

    full_until: float = 0.0
    retry_at: float | None = None  # when the next child is tried; None while one is
    _pause: float = 0.0
    _parked: dict[str, None] = field(default_factory=dict)

    def park(self, name: str) -> None:
        """The child waits until the quota allows another one."""
        self._parked[name] = None

    def leave(self, name: str) -> None:
        """The child no longer waits."""
        self._parked.pop(name, None)

    def see_full(self, now: float) -> None:
        """The quota refused a new child: begin a pause, longer than the last one, unless one is running."""
        if now >= self.full_until:
            self._pause = min(max(2 * self._pause, FIRST_FULL), MAX_FULL)
            self.full_until = self.retry_at = now + self._pause

    def next_trial(self, now: float) -> str | None:
        """The child to try now; None if it is too early or no child waits."""
        if self.retry_at is None or now < self.retry_at:
            return None
        self.retry_at = None
        name = next(iter(self._parked), None)
        if name is None:
            self.release()
        return name

    def release(self) -> list[str]:
        """End the pause. Returns the names of the children that waited."""
        names = list(self._parked)
        self._parked.clear()
        self.full_until, self._pause, self.retry_at = 0.0, 0.0, None
        return names


@dataclass(slots=True)
class BatchWork:
    """One batch. `unread` is a spec whose list has not been read yet."""

    batch: Batch
    counts: Counts = field(default_factory=Counts)
    spec: SenderAccountBatchSpec | None = None
    unread: Any = None
    read_generation: int = 0  # the newest one whose list was read, or is being read, or waits for it
    reading: bool = False
    announced: tuple[object, ...] = ()  # the state for which the inboxes to delete were last counted
    writing_finalizer: bool = False
    children: WorkQueue[str] = field(default_factory=WorkQueue)  # by name
    actions: dict[str, ChildAction] = field(default_factory=dict)  # of the children that wait for a write
    quota: Quota = field(default_factory=Quota)
    jobs: list[JobRow] = field(default_factory=list)
    estimate: str | None = None
    reported_at: float = float("-inf")
    counts_reported: str | None = None  # the last Event's message about failures or held deletions; empty: it is due
    counts_reported_at: float = float("-inf")
    empty_reported: int = 0  # generation whose empty list is reported by status and an Event
    _tries: dict[str, Tries] = field(default_factory=dict)

    def decide_again(self, name: str) -> None:
        """Decide about this child again, after a running write to it."""
        self.children.add(name, DECIDE)

    def next_undecided(self, now: float) -> str | None:
        """The next child to decide about; None if there is none."""
        trial = self.quota.next_trial(now)
        if trial is not None:
            self.decide_again(trial)
        self.children.wake(now)
        name = self.children.take(DECIDE)
        if name is not None:
            self.children.done(name)
            self.actions.pop(name, None)
            self.quota.leave(name)
        return name

    def decided(self, name: str, action: ChildAction, now: float, *, new: bool) -> None:
        """Queue the action for the child. `new`: the child does not exist yet."""
        until = self.held_until(name, now)
        if until is not None:
            self.children.add_at(name, until)  # decided again then
        elif action is ChildAction.APPLY and new and now < self.quota.full_until:
            self.quota.park(name)
        elif action is not ChildAction.NONE:
            self.actions[name] = action
            self.children.add(name, RENEW if action is ChildAction.RENEW else WRITE)

    def next_write(self) -> tuple[str, ChildAction] | None:
        """Take the next write; it is in progress until its end is recorded. Renewed owners come first (rule 25)."""
        if not self.counted:
            return None
        renewing = any(self.actions[name] is ChildAction.RENEW for name in self.children.in_progress)
        name = self.children.take(RENEW if renewing else None)
        return None if name is None else (name, self.actions[name])

    def write_later(self, name: str) -> None:
        """Put back a write that `next_write` returned."""
        self.children.done(name)
        self.children.add(name, WRITE)

    @property
    def counted(self) -> bool:
        """Whether the counts cover every inbox."""
        return not self.children.ready(DECIDE)

    @property
    def idle(self) -> bool:
        """Whether no read, decision or write of the batch runs or waits."""
        return not (self.children.in_progress or self.children.ready() or self.writing_finalizer or self.reading)

    @property
    def next_at(self) -> float | None:
        """When the next pause of a child ends."""
        return min((at for at in (self.children.next_at, self.quota.retry_at) if at is not None), default=None)

    def hold(self, name: str, now: float, *, failed: bool) -> None:
        """Record the end of a write to this child, which may delay the next one."""
        before = self._tries.get(name, Tries(at=now))
        count = 1 if now - before.at > FORGOTTEN_AFTER else before.count + 1
        power = count - 1 if failed else count - 1 - FREE_TRIES
        self._tries[name] = Tries(count, now, now + doubled(1.0, power, MAX_PAUSE) if power >= 0 else before.until)

    def held_until(self, name: str, now: float) -> float | None:
        """When the next write to this child may begin; None if now."""
        until = self._tries.get(name, Tries()).until
        return until if until > now else None

    def undone(self, name: str) -> bool:
        """Whether recent writes to this child had no lasting effect: others may be changing it."""
        return self._tries.get(name, Tries()).count > FREE_TRIES

    def start_again(self) -> None:
        """The batch has another generation: forget earlier failures, which it may have corrected."""
        self._tries.clear()
        self.quota.release()
