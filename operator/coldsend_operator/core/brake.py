"""The mass-deletion brake: a wiped Git folder does not wipe a workspace silently (settled.md; safety.md, 23)."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from coldsend_operator.core.policy import Threshold

WINDOW = 600.0
SMALL = 10
CLOCKS = 5.0  # seconds by which the API server's clock may seem to wander
TOLD_AFTER = 5.0  # seconds without a further deletion after which the message shows the count anew


@dataclass(slots=True)
class _Left:
    at: float
    namespace: str
    count: int


class Brake:
    """Counts the inboxes whose deletion was asked for; holds all that have not left when they are too many."""

    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        self._left: deque[_Left] = deque()  # deletions booked within the window
        self._waiting: dict[str, tuple[str, float, bool]] = {}  # uid: namespace, when asked, approved
        self._held: set[str] = set()
        self._held_at_once: set[str] = set()  # by `ask`, since the last decision
        self._held_before: dict[str, float] = {}  # by namespace: what was asked before then stays held over a restart
        self._counted: dict[
            str, tuple[float, float]
        ] = {}  # who asked when and left when: a second try is no second one
        self._base = 0  # inboxes managed when the window began
        self._base_at = 0.0
        self._holding: set[str] = set()  # namespaces of the held ones when last decided
        self._told = 0  # the count that the message shows
        self._moved_at = 0.0  # when the held ones last changed
        self._dirty = False  # something was asked or withdrawn since the last decision
        self.changed = False  # what must be stored has changed

    def ask(self, uid: str, namespace: str, asked_at: float, *, approved: bool) -> None:
        """An inbox waits for its deletion. `asked_at`: deletionTimestamp, or when a replacement became due."""
        if uid in self._waiting and self._waiting[uid][2] == approved:
            return
        self._waiting[uid] = (namespace, asked_at, approved)
        self._dirty = True
        if asked_at <= self._held_before.get(namespace, 0.0) and not approved:
            self._held.add(uid)
            self._held_at_once.add(uid)
        elif approved:
            self._held.discard(uid)

    def withdraw(self, uid: str) -> None:
        """The object is gone, or no longer asks."""
        if self._waiting.pop(uid, None) is not None:
            self._dirty = True
            self._held.discard(uid)

    def leave(self, uids: tuple[str, ...], now: float) -> None:
        """These deletions are about to be called: they count from now on, called or not."""
        leaving = {uid: self._waiting[uid] for uid in uids if uid in self._waiting}
        counts = Counter(namespace for uid, (namespace, _, _) in leaving.items() if not self._is_counted(uid))
        for namespace, count in counts.items():
            self._left.append(_Left(now, namespace, count))
        for uid, (_, asked_at, _) in leaving.items():
            self._counted[uid] = (asked_at, now)
            self.withdraw(uid)
        self.changed = True

    def _is_counted(self, uid: str) -> bool:
        """Whether this deletion, and no earlier one of the same object, has been called in this window already."""
        return uid in self._counted and abs(self._counted[uid][0] - self._waiting[uid][1]) < CLOCKS

    def settle(self, managed: int, now: float) -> set[str]:
        """Decide anew; the UIDs whose being held, or whose message, has changed.

        `managed` counts the inboxes that objects hold.
        """
        self._forget(now)
        if not self._left and not self._waiting:
            self._base_at = 0.0
            return set()
        if self._base_at == 0.0 or (not self._left and now - self._base_at > WINDOW and not self._held):
            self._base, self._base_at = managed, now
        if not self._dirty:
            return self._tell(now)
        self._dirty = False
        before = set(self._held)
        self._hold()
        self._remember(self._held - before, now)
        moved = (before ^ self._held) | (self._held_at_once & self._held)
        self._held_at_once.clear()
        if moved:
            self._moved_at = now
        return moved | self._tell(now)

    def _tell(self, now: float) -> set[str]:
        """Bring the count of the message up to date once no further deletion comes: each change is a write for each."""
        if self._told == len(self._held) or (self._told and now < self._moved_at + TOLD_AFTER):
            return set()
        self._told = len(self._held)
        return set(self._held)

    @property
    def tell_at(self) -> float | None:
        """When the message will be brought up to date; None when it is."""
        return None if self._told == len(self._held) else self._moved_at + TOLD_AFTER

    def _remember(self, newly: set[str], now: float) -> None:
        """A restart sees the waiting ones come one by one; those that were held must be held from the first on."""
        for namespace in {self._waiting[uid][0] for uid in newly}:
            self._held_before[namespace] = now
            self.changed = True
        holding = {self._waiting[uid][0] for uid in self._held}
        for namespace in self._holding - holding:
            self.changed = self._held_before.pop(namespace, None) is not None or self.changed
        self._holding = holding

    def _hold(self) -> None:
        allowed = self.threshold.allowed(self._base)
        new = {uid: each for uid, each in self._waiting.items() if not self._is_counted(uid)}
        asking = Counter(namespace for namespace, _, _ in new.values())
        for left in self._left:
            asking[left.namespace] += left.count
        if sum(asking.values()) <= allowed:
            return
        small = min(SMALL, allowed)
        for uid, (namespace, _, approved) in new.items():
            if not approved and asking[namespace] > small:
                self._held.add(uid)

    def holds(self, uid: str) -> bool:
        return uid in self._held

    @property
    def held(self) -> int:
        return len(self._held)

    @property
    def message(self) -> str:
        return (
            f"{self._told or len(self._held)} deletions are held: more than {self._allowed_text()} were asked for "
            "within 10 minutes. "
            "Approve with the annotation coldsend.pro/approve-deletion: 'true' on the object or its namespace."
        )

    def _allowed_text(self) -> str:
        return f"{self.threshold.allowed(self._base):g} of {self._base} inboxes"

    def _forget(self, now: float) -> None:
        while self._left and self._left[0].at + WINDOW <= now:
            self._left.popleft()
        self._counted = {uid: each for uid, each in self._counted.items() if each[1] + WINDOW > now}

    # -- surviving a restart

    def to_json(self) -> dict[str, Any]:
        self.changed = False
        return {
            "left": [[round(left.at, 1), left.namespace, left.count] for left in self._left],
            "heldBefore": {namespace: round(at, 1) for namespace, at in self._held_before.items()},
            "base": self._base,
            "baseAt": round(self._base_at, 1),
        }

    def load(self, state: dict[str, Any], now: float) -> None:
        self._dirty = True
        for at, namespace, count in state.get("left", ()):
            self._left.append(_Left(min(float(at), now), str(namespace), int(count)))
        for namespace, at in state.get("heldBefore", {}).items():
            self._held_before[str(namespace)] = min(float(at), now)
        self._base = max(self._base, int(state.get("base", 0)))
        self._base_at = min(float(state.get("baseAt", 0.0)), now)
        self._forget(now)

    def absorb(self, other: "Brake", now: float) -> None:
        """Two keys turned out to be one workspace: one brake, counts carried over (safety.md, 13)."""
        self._dirty = self.changed = True
        # another Brake's inside is no secret to a Brake
        self._left = deque(sorted([*self._left, *other._left], key=lambda left: left.at))  # noqa: SLF001
        self._waiting |= other._waiting  # noqa: SLF001
        self._held |= other._held  # noqa: SLF001
        self._counted |= other._counted  # noqa: SLF001
        self._held_before = other._held_before | self._held_before  # noqa: SLF001
        self._base += other._base  # noqa: SLF001
        self._base_at = min(filter(None, (self._base_at, other._base_at)), default=now)  # noqa: SLF001
