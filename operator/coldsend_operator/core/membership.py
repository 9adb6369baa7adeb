"""Which accounts belong together under a key: both ways, in step."""

from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

K = TypeVar("K")


class Membership(Generic[K]):
    """Each UID under at most one key."""

    def __init__(self) -> None:
        self._key_of: dict[str, K] = {}
        self._members: dict[K, set[str]] = {}

    def __len__(self) -> int:
        return len(self._key_of)

    def key_of(self, uid: str) -> K | None:
        return self._key_of.get(uid)

    def members(self, key: K) -> AbstractSet[str]:
        return self._members.get(key, frozenset())

    def counts(self) -> dict[K, int]:
        return {key: len(members) for key, members in self._members.items()}

    def place(self, uid: str, key: K | None) -> None:
        """Put the UID under the key, and under no other; None: under none."""
        old = self._key_of.get(uid)
        if old == key:
            return
        if old is not None:
            self._members[old].discard(uid)
            if not self._members[old]:
                del self._members[old]
            del self._key_of[uid]
        if key is not None:
            self._key_of[uid] = key
            self._members.setdefault(key, set()).add(uid)
