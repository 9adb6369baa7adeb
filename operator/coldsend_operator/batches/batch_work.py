"""What the process keeps of one batch: its state in the core, and the names of children that wait for a decision."""

from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.batch.counts import Counts
from coldsend_operator.core.batch.jobs import JobRow
from coldsend_operator.core.batch.model import Batch
from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.resources.batch import SenderAccountBatchSpec

FREE_TRIES = 1  # writes to one child before their pace is slowed down: somebody may be undoing them
LONGEST_PAUSE = 600.0
FORGOTTEN_AFTER = 3 * LONGEST_PAUSE
FIRST_FULL, LONGEST_FULL = 2.0, 30.0  # pauses after a refusal for the quota of the namespace


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
    busy: set[str] = field(default_factory=set)
    renewing: int = 0
    jobs: list[JobRow] = field(default_factory=list)
    estimate: str | None = None
    changed: bool = True  # status may have to be written
    writing: bool = False
    reported_at: float = float("-inf")
    counters_at: float | None = None  # when counters of mails are written, if nothing else is before
    counts_said: str | None = None  # the message about failures or deletions on hold that an Event told last
    counts_said_at: float = float("-inf")
    _undecided: dict[str, None] = field(default_factory=dict)
    _urgent: dict[str, None] = field(default_factory=dict)
    _waiting: dict[str, None] = field(default_factory=dict)
    _again: set[str] = field(default_factory=set)
    _tries: dict[str, tuple[int, float]] = field(default_factory=dict)
    _held_until: dict[str, float] = field(default_factory=dict)
    empty_told: int = 0  # generation of an empty list that status and an Event have told of
    full_until: float = 0.0  # the quota of the namespace is used up: one child is tried then
    _full_pause: float = 0.0
    _parked: dict[str, None] = field(default_factory=dict)  # children that the quota keeps from being made

    def decide_again(self, name: str) -> None:
        """Something happened to this child: decide again, after a write to it that is under way."""
        if name in self.busy:
            self._again.add(name)
        else:
            self._undecided[name] = None

    def next_undecided(self) -> str | None:
        """The next name to decide for; None when all are decided."""
        return _pop(self._undecided)

    def write_later(self, name: str, *, urgent: bool) -> None:
        """A write to this child is due."""
        (self._urgent if urgent else self._waiting)[name] = None

    def next_write(self) -> str | None:
        """The next name to write to. The urgent ones are done before the first other one begins (rule 25)."""
        if self._urgent:
            return _pop(self._urgent)
        return None if self.renewing or self._undecided else _pop(self._waiting)

    @property
    def counted(self) -> bool:
        """Whether the figures speak of every inbox."""
        return not self._undecided

    @property
    def idle(self) -> bool:
        """Whether nothing of the batch is under way or waits."""
        return not (
            self.busy or self._undecided or self._urgent or self._waiting or self.writing_finalizer or self.reading
        )

    def done(self, name: str) -> bool:
        """A write has ended; whether something happened to the child meanwhile."""
        self.busy.discard(name)
        again = name in self._again
        self._again.discard(name)
        return again

    def hold(self, name: str, now: float, *, failed: bool) -> float | None:
        """A write to this child has ended: until when the next one waits, None when it need not."""
        count, at = self._tries.get(name, (0, now))
        count = 1 if now - at > FORGOTTEN_AFTER else count + 1
        self._tries[name] = (count, now)
        power = count - 1 if failed else count - 1 - FREE_TRIES
        if power < 0:
            return None
        self._held_until[name] = now + doubled(1.0, power, LONGEST_PAUSE)
        return self._held_until[name]

    def held(self, name: str, now: float) -> bool:
        """Whether the child waits after a write that came to nothing."""
        until = self._held_until.get(name)
        if until is not None and until <= now:
            del self._held_until[name]
        return until is not None and until > now

    def undone(self, name: str) -> bool:
        """Whether writes to this child came to nothing lately: others change it."""
        return self._tries.get(name, (0, 0.0))[0] > FREE_TRIES

    # -- the quota of the namespace

    def park(self, name: str) -> None:
        """The child waits until there is room in the namespace for another one."""
        self._parked[name] = None

    def see_full(self, now: float) -> bool:
        """A new child was refused for the quota; whether the pause begins, with growing length, now."""
        if now < self.full_until:
            return False
        self._full_pause = min(max(2 * self._full_pause, FIRST_FULL), LONGEST_FULL)
        self.full_until = now + self._full_pause
        return True

    def next_parked(self) -> str | None:
        return _pop(self._parked)

    def see_room(self) -> list[str]:
        """A child was made: the names of all that waited for it."""
        names = list(self._parked)
        self._parked.clear()
        self.full_until = self._full_pause = 0.0
        return names

    def start_again(self) -> None:
        """Another generation: what failed before may go well now."""
        self._tries.clear()
        self._held_until.clear()
        self.see_room()


def _pop(names: dict[str, None]) -> str | None:
    name = next(iter(names), None)
    if name is not None:
        del names[name]
    return name
