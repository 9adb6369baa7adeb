"""The deletions that the brake holds, and what is said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WINDOW = 600.0
TOLD_AFTER = 5.0  # seconds without a newly held deletion before the message is updated


@dataclass(slots=True)
class Hold:
    """One decision to hold. `limit` is None if the number was not the cause; a count of 0 means unknown."""

    count: int
    base: int
    limit: float | None
    told: int = 0  # the count that the message shows
    moved_at: float = 0.0

    @property
    def message(self) -> str:
        if self.limit is None:
            return (
                "Deletion is on hold: a CustomResourceDefinition of this operator is being deleted, and every object "
                "with it."
            )
        if not self.told:
            return "Deletion is on hold: too many inboxes were to be deleted within 10 minutes."
        base = max(self.base, self.told)
        return (
            f"Deletion is on hold: {self.told} of {base} {'inbox' if base == 1 else 'inboxes'} "
            f"{'was' if self.told == 1 else 'were'} to be deleted within 10 minutes (limit {self.limit:g})."
        )


class Holds:
    """By UID. What was held before stays held over a restart, when objects arrive one by one."""

    def __init__(self) -> None:
        self._by_uid: dict[str, Hold] = {}
        self._before: dict[str, float] = {}  # by namespace: what was asked before then is held at once
        self._last: dict[str, Hold] = {}  # by namespace
        self._namespaces: set[str] = set()  # of the held ones at the last decision
        self._current: Hold | None = None  # later deletions join it for a short time

    def __contains__(self, uid: object) -> bool:
        return uid in self._by_uid

    def __len__(self) -> int:
        return len(self._by_uid)

    def of(self, uid: str) -> Hold | None:
        return self._by_uid.get(uid)

    def put(self, uid: str, hold: Hold) -> None:
        self._by_uid[uid] = hold

    def release(self, uid: str) -> None:
        self._by_uid.pop(uid, None)

    def hold_as_before(self, uid: str, namespace: str, asked_at: float) -> bool:
        """Hold the deletion if those of its namespace that were asked for by then are held already."""
        held = asked_at <= self._before.get(namespace, 0.0)
        if held:
            self._by_uid[uid] = self._last.setdefault(namespace, Hold(0, 0, 0.0))
        return held

    def decided(self, count: int, base: int, limit: float | None, now: float) -> Hold:
        """The current decision to hold, or a new one if that is old."""
        hold = self._current
        grows = hold is not None and hold.moved_at + WINDOW > now and (hold.limit is None) == (limit is None)
        if hold is None or not grows or not any(each is hold for each in self._by_uid.values()):
            self._current = hold = Hold(count, base, limit, told=count)
        hold.count, hold.moved_at = max(hold.count, count), now
        return hold

    def remember(self, newly: set[str], namespaces: Mapping[str, str], now: float) -> bool:
        """Note what a restart must know of the newly held ones. `namespaces` by UID; returns whether that is new."""
        changed = bool(newly)
        for uid in newly:
            self._before[namespaces[uid]], self._last[namespaces[uid]] = now, self._by_uid[uid]
        holding = {namespaces[uid] for uid in self._by_uid}
        for namespace in self._namespaces - holding:
            self._last.pop(namespace, None)
            changed = self._before.pop(namespace, None) is not None or changed
        self._namespaces = holding
        return changed

    # -- what is told

    def message(self, uid: str) -> str:
        """Why the deletion is on hold."""
        return self._by_uid.get(uid, Hold(0, 0, None)).message

    def tell(self, now: float) -> set[str]:
        """Update the count in the message once no more deletions arrive, as each change costs a write per object.

        Returns the UIDs whose message changed.
        """
        hold = self._current
        if hold is None or self.tell_at is None or now < self.tell_at:
            return set()
        hold.told = hold.count
        return {uid for uid, each in self._by_uid.items() if each is hold}

    @property
    def tell_at(self) -> float | None:
        """When the message will be updated; None if it is up to date."""
        hold = self._current
        return None if hold is None or hold.told == hold.count else hold.moved_at + TOLD_AFTER

    # -- surviving a restart

    def to_json(self) -> dict[str, Any]:
        return {
            "heldBefore": {namespace: round(at, 1) for namespace, at in self._before.items()},
            "held": {namespace: [hold.count, hold.base, hold.limit] for namespace, hold in self._last.items()},
        }

    def load(self, state: dict[str, Any], now: float) -> None:
        for namespace, at in state.get("heldBefore", {}).items():
            self._before[str(namespace)] = min(float(at), now)
        for namespace, (count, base, limit) in state.get("held", {}).items():
            hold = Hold(int(count), int(base), None if limit is None else float(limit), told=int(count))
            self._last[str(namespace)] = hold

    def absorb(self, other: "Holds") -> None:
        """Two keys lead to one workspace: what is held with either is held."""
        # other Holds
        self._by_uid |= other._by_uid  # noqa: SLF001
        self._before = other._before | self._before  # noqa: SLF001
        self._last = other._last | self._last  # noqa: SLF001
