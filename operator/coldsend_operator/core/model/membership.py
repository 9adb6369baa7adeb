"""Which accounts belong together under a key: both ways, in step."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Several(Generic[K, V]):
    """Values by a key, told apart by their UID. Most keys have one value: a dict for it would take 184 bytes.

    A value must not be a dict.
    """

    def __init__(self, uid_of: Callable[[V], str]) -> None:
        self._uid_of = uid_of
        self._found: dict[K, V | dict[str, V]] = {}

    def at(self, key: K) -> tuple[V, ...]:
        found = self._found.get(key, {})
        return tuple(found.values()) if isinstance(found, dict) else (found,)

    def sizes(self) -> dict[K, int]:
        return {key: len(found) if isinstance(found, dict) else 1 for key, found in self._found.items()}

    def put(self, key: K, value: V) -> None:
        """Put the value there, in the place of one with its UID."""
        found = self._found.setdefault(key, value)
        uid = self._uid_of(value)
        if isinstance(found, dict):
            found[uid] = value
        elif self._uid_of(found) == uid:
            self._found[key] = value
        else:
            self._found[key] = {self._uid_of(found): found, uid: value}

    def drop(self, key: K, uid: str) -> None:
        found = self._found.get(key, {})
        if isinstance(found, dict):
            found.pop(uid, None)
        if not found or (not isinstance(found, dict) and self._uid_of(found) == uid):
            self._found.pop(key, None)


class Membership(Generic[K]):
    """Each UID under at most one key."""

    def __init__(self) -> None:
        self._key_of: dict[str, K] = {}
        self._members = Several[K, str](str)

    def __len__(self) -> int:
        return len(self._key_of)

    def key_of(self, uid: str) -> K | None:
        return self._key_of.get(uid)

    def members(self, key: K) -> frozenset[str]:
        return frozenset(self._members.at(key))

    def counts(self) -> dict[K, int]:
        return self._members.sizes()

    def place(self, uid: str, key: K | None) -> None:
        """Put the UID under the key, and under no other; None: under none."""
        old = self._key_of.get(uid)
        if old == key:
            return
        if old is not None:
            self._members.drop(old, uid)
            del self._key_of[uid]
        if key is not None:
            self._key_of[uid] = key
            self._members.put(key, uid)
