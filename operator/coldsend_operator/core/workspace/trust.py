"""Which key reference is at home in which workspace: trust belongs to a reference, not to its neighbours (rule 40)."""

from collections import Counter
from collections.abc import Iterable, Mapping

from coldsend_operator.core.model.account import KeyRef


class Trust:
    """Judges whether the key that a reference now holds still leads to the workspace of its inboxes.

    Homes are digests of keys with which a reference was trusted before. They are stored, so that a key that was
    swapped while nobody ran can be told from an object that came from another reference.
    """

    def __init__(self) -> None:
        self._changed = False  # what is stored is out of date
        self._homes: dict[KeyRef, frozenset[str]] = {}
        self._bound: dict[str, tuple[KeyRef, str]] = {}  # by UID: reference, and digest in status.lastApplied
        self._counts: dict[KeyRef, Counter[str]] = {}

    # -- what the accounts say

    def place(self, uid: str, ref: KeyRef, digest: str | None) -> None:
        """An account of the reference holds an inbox that was last seen with this digest; None: it holds none."""
        new = None if digest is None else (ref, digest)
        old = self._bound.get(uid)
        if new == old:
            return
        if old is not None:
            del self._bound[uid]
            counts = self._counts[old[0]]
            counts[old[1]] -= 1
            self._counts[old[0]] = +counts
            if not self._counts[old[0]]:
                del self._counts[old[0]]
        if new is not None:
            self._bound[uid] = new
            self._counts.setdefault(ref, Counter())[new[1]] += 1

    def bound(self) -> frozenset[str]:
        """Digests with which inboxes were last seen that some account holds."""
        return frozenset(digest for counts in self._counts.values() for digest in counts)

    # -- judging

    def trusts(self, ref: KeyRef, digests: frozenset[str]) -> bool:
        """Whether objects of the reference may create in the workspace with these digests.

        A first key is trusted. Another one is trusted once it shows an inbox that is known with the reference; what
        came from other references counts neither for nor against it.
        """
        home, counts = self._homes.get(ref), self._counts.get(ref, Counter())
        if home is None:  # an older version has stored none: every inbox of its objects counts
            return not counts or any(digest in digests for digest in counts)
        return bool(home & digests) or not any(digest in counts for digest in home)

    def begin(self, ref: KeyRef, digest: str, uid: str) -> None:
        """The account comes from another reference. Where nobody used this one yet its first key is trusted.

        What the account brings along makes no doubt of it for others.
        """
        bound = self._bound.get(uid)
        others = self._counts.get(ref, Counter()).total() - (bound is not None and bound[0] == ref)
        if ref not in self._homes and not others:
            self._set(ref, frozenset({digest}))

    def settle(self, ref: KeyRef, digests: frozenset[str]) -> None:
        """The reference leads to this workspace now: where it is trusted it is at home."""
        home = self._homes.get(ref, frozenset())
        if digests <= home or not self.trusts(ref, digests):
            return
        self._set(ref, home | digests if home & digests else digests)

    def prove(self, ref: KeyRef, former: str, digest: str) -> None:
        """An inbox that was last seen with the digest `former` is seen with this one: both lead to one workspace."""
        home = self._homes.get(ref)
        if home is None or former in home:
            self._set(ref, (home or frozenset({former})) | {digest})

    def former(self, ref: KeyRef) -> frozenset[str]:
        """Digests whose workspace is most likely that of the reference still."""
        return self._homes.get(ref, frozenset(self._counts.get(ref, ())))

    def _set(self, ref: KeyRef, home: frozenset[str]) -> None:
        if self._homes.get(ref) != home:
            self._homes[ref] = home
            self._changed = True

    # -- surviving a restart

    def to_be_stored(self) -> bool:
        """Whether what is stored is out of date. One reference alone, with inboxes of its own only, needs no record."""
        known = frozenset[str]().union(*self._homes.values())
        return self._changed and (len(self._homes) > 1 or not self.bound() <= known)

    def load(self, stored: Mapping[str, Iterable[str]]) -> None:
        """Take over what an earlier run stored."""
        self._homes = {KeyRef.parse(name): frozenset(map(str, digests)) for name, digests in stored.items()}

    def to_json(self) -> dict[str, list[str]]:
        self._changed = False
        return {str(ref): sorted(home) for ref, home in self._homes.items()}

    def forget(self, refs: frozenset[KeyRef], digests: frozenset[str]) -> None:
        """Only these references and digests are in use. That of the operator's own key always is."""
        for ref, home in list(self._homes.items()):
            if ref not in refs and ref.secret is not None:
                del self._homes[ref]
                self._changed = True
            else:
                self._set(ref, home & digests or home)
