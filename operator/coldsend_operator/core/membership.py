"""Which accounts belong together under a key: both ways, in step."""

from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

K = TypeVar("K")


class Membership(Generic[K]):
    """Each UID under at most one key."""

    def __init__(self) -> None:
        self._key_of: dict[str, K] = {}
        self._members: dict[K, str | set[str]] = {}  # most keys have one member: a set takes 216 bytes

    def __len__(self) -> int:
        return len(self._key_of)

    def key_of(self, uid: str) -> K | None:
        return self._key_of.get(uid)

    def members(self, key: K) -> AbstractSet[str]:
        return _as_set(self._members.get(key))

    def counts(self) -> dict[K, int]:
        return {key: len(_as_set(members)) for key, members in self._members.items()}

    def place(self, uid: str, key: K | None) -> None:
        """Put the UID under the key, and under no other; None: under none."""
        old = self._key_of.get(uid)
        if old == key:
            return
        if old is not None:
            self._remove(uid, old)
            del self._key_of[uid]
        if key is not None:
            self._key_of[uid] = key
            self._add(uid, key)

    def _add(self, uid: str, key: K) -> None:
        members = self._members.setdefault(key, uid)
        if isinstance(members, set):
            members.add(uid)
        elif members != uid:
            self._members[key] = {members, uid}

    def _remove(self, uid: str, key: K) -> None:
        members = self._members[key]
        if isinstance(members, set) and len(members) > 1:
            members.discard(uid)
        else:
            del self._members[key]


def _as_set(members: str | set[str] | None) -> AbstractSet[str]:
    if members is None:
        return frozenset()
    return members if isinstance(members, set) else frozenset((members,))
