"""What the process keeps of one batch: its state in the core, and the children that wait for a decision or a write."""

from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.batch.counts import Counts
from coldsend_operator.core.batch.decide import ChildAction
from coldsend_operator.core.batch.jobs import JobRow
from coldsend_operator.core.batch.model import Batch
from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.core.work_queue import WorkQueue
from coldsend_operator.resources.batch import SenderAccountBatchSpec

FREE_TRIES = 1  # writes to one child before their pace is slowed down: somebody may be undoing them
LONGEST_PAUSE = 600.0
FORGOTTEN_AFTER = 3 * LONGEST_PAUSE
FIRST_FULL, LONGEST_FULL = 2.0, 30.0  # pauses after a refusal for the quota of the namespace
DECIDE, RENEW, WRITE = range(3)  # priorities of children


@dataclass(frozen=True, slots=True)
class Tries:
    """Writes to one child that came to nothing: how many, when the last one ended, until when the next one waits."""

    count: int = 0
    at: float = 0.0
    until: float = 0.0


@dataclass(slots=True)
class Quota:
    """Children that the quota of the namespace keeps from being made: one at a time finds out whether there is room."""

    full_until: float = 0.0
    retry_at: float | None = None  # when the next one tries; None while one does
    _pause: float = 0.0
    _parked: dict[str, None] = field(default_factory=dict)

    def park(self, name: str) -> None:
        """The child waits until there is room for another one."""
        self._parked[name] = None

    def leave(self, name: str) -> None:
        """The child waits no more."""
        self._parked.pop(name, None)

    def see_full(self, now: float) -> None:
        """A new child was refused for the quota: a pause begins, of growing length, unless one has begun."""
        if now >= self.full_until:
            self._pause = min(max(2 * self._pause, FIRST_FULL), LONGEST_FULL)
            self.full_until = self.retry_at = now + self._pause

    def next_trial(self, now: float) -> str | None:
        """The child that tries now; None when it is too early, or none waits."""
        if self.retry_at is None or now < self.retry_at:
            return None
        self.retry_at = None
        name = next(iter(self._parked), None)
        if name is None:
            self.release()
        return name

    def release(self) -> list[str]:
        """A child was made: the names of all that waited for it."""
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
    read_generation: int = 0  # the newest one that was, or is, or will be read
    reading: bool = False
    announced: tuple[object, ...] = ()  # what the number of inboxes that are to be deleted was counted for
    writing_finalizer: bool = False
    children: WorkQueue[str] = field(default_factory=WorkQueue)  # by name: those to decide, to renew, to write to
    actions: dict[str, ChildAction] = field(default_factory=dict)  # what was decided for those that wait for a write
    quota: Quota = field(default_factory=Quota)
    jobs: list[JobRow] = field(default_factory=list)
    estimate: str | None = None
    reported_at: float = float("-inf")
    counts_said: str | None = None  # the message about failures or deletions on hold that an Event told last
    counts_said_at: float = float("-inf")
    empty_told: int = 0  # generation of an empty list that status and an Event have told of
    _tries: dict[str, Tries] = field(default_factory=dict)

    def decide_again(self, name: str) -> None:
        """Something happened to this child: decide again, after a write to it that is under way."""
        self.children.add(name, DECIDE)

    def next_undecided(self, now: float) -> str | None:
        """The next name to decide for; None when all are decided."""
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
        """What the child needs, in its turn; `new`: it is to be made."""
        until = self.held_until(name, now)
        if until is not None:
            self.children.add_at(name, until)  # decided again then
        elif action is ChildAction.APPLY and new and now < self.quota.full_until:
            self.quota.park(name)
        elif action is not ChildAction.NONE:
            self.actions[name] = action
            self.children.add(name, RENEW if action is ChildAction.RENEW else WRITE)

    def next_write(self) -> tuple[str, ChildAction] | None:
        """The next write, which is under way from now on. Owners are renewed before another one begins (rule 25)."""
        if not self.counted:
            return None
        renewing = any(self.actions[name] is ChildAction.RENEW for name in self.children.in_progress)
        name = self.children.take(RENEW if renewing else None)
        return None if name is None else (name, self.actions[name])

    def write_later(self, name: str) -> None:
        """The write that `next_write` gave has to wait."""
        self.children.done(name)
        self.children.add(name, WRITE)

    @property
    def counted(self) -> bool:
        """Whether the figures speak of every inbox."""
        return not self.children.ready(DECIDE)

    @property
    def idle(self) -> bool:
        """Whether nothing of the batch is under way or waits for its turn."""
        return not (self.children.in_progress or self.children.ready() or self.writing_finalizer or self.reading)

    @property
    def next_at(self) -> float | None:
        """When a pause of one of its children is over."""
        return min((at for at in (self.children.next_at, self.quota.retry_at) if at is not None), default=None)

    def hold(self, name: str, now: float, *, failed: bool) -> None:
        """A write to this child has ended: perhaps the next one waits."""
        before = self._tries.get(name, Tries(at=now))
        count = 1 if now - before.at > FORGOTTEN_AFTER else before.count + 1
        power = count - 1 if failed else count - 1 - FREE_TRIES
        self._tries[name] = Tries(count, now, now + doubled(1.0, power, LONGEST_PAUSE) if power >= 0 else before.until)

    def held_until(self, name: str, now: float) -> float | None:
        """Until when the child waits after a write that came to nothing; None when it need not."""
        until = self._tries.get(name, Tries()).until
        return until if until > now else None

    def undone(self, name: str) -> bool:
        """Whether writes to this child came to nothing lately: others change it."""
        return self._tries.get(name, Tries()).count > FREE_TRIES

    def start_again(self) -> None:
        """Another generation: what failed before may go well now."""
        self._tries.clear()
        self.quota.release()
