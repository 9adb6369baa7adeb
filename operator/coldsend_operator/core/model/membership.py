"""Accounts grouped under keys, indexed both ways."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Several(Generic[K, V]):
    """Values by a key, told apart by their UID."""

    def __init__(self, uid_of: Callable[[V], str]) -> None:
        self._uid_of = uid_of
        self._found: dict[K, dict[str, V]] = {}

    def at(self, key: K) -> tuple[V, ...]:
        return tuple(self._found.get(key, {}).values())

    def size(self, key: K) -> int:
        return len(self._found.get(key, ()))

    def sizes(self) -> dict[K, int]:
        return {key: len(found) for key, found in self._found.items()}

    def put(self, key: K, value: V) -> None:
        """Add the value, or replace the one with its UID."""
        self._found.setdefault(key, {})[self._uid_of(value)] = value

    def drop(self, key: K, uid: str) -> None:
        found = self._found.get(key, {})
        found.pop(uid, None)
        if not found:
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

    def size(self, key: K) -> int:
        return self._members.size(key)

    def counts(self) -> dict[K, int]:
        return self._members.sizes()

    def place(self, uid: str, key: K | None) -> bool:
        """Move the UID to this key; None: remove it. Returns whether that is new."""
        old = self._key_of.get(uid)
        if old == key:
            return False
        if old is not None:
            self._members.drop(old, uid)
            del self._key_of[uid]
        if key is not None:
            self._key_of[uid] = key
            self._members.put(key, uid)
        return True
