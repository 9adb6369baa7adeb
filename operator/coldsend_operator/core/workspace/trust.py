"""In which workspace each key reference is trusted: that is its own, not its neighbours' (rule 40)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.desired import KeyRef

if TYPE_CHECKING:
    from coldsend_operator.core.workspace.workspace import Workspace


class Trust:
    """Judges whether the key that a reference now holds still leads to the workspace of its inboxes.

    The workspace of a reference is known by the digests of the keys with which the reference was trusted before. They
    are stored before the first create with the reference leaves, so that a key that was swapped while nobody ran can
    be told from an object that came from elsewhere.
    """

    def __init__(self) -> None:
        self._recorded = False  # each reference with which anything was created is known
        self._workspaces: dict[KeyRef, frozenset[str]] = {}
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
        came from other references counts neither for nor against it. Without any record, of an older version or lost,
        every inbox of the objects of the reference counts.
        """
        known, counts = self._workspaces.get(ref), self._counts.get(ref, Counter())
        if known is None:
            return self._recorded or not counts or any(digest in digests for digest in counts)
        return bool(known & digests) or not any(digest in counts for digest in known)

    def begin(self, ref: KeyRef, digest: str, uid: str) -> None:
        """The account comes from another reference. Where nobody used this one yet its first key is trusted.

        What the account brings along makes no doubt of it for others.
        """
        bound = self._bound.get(uid)
        others = self._counts.get(ref, Counter()).total() - (bound is not None and bound[0] == ref)
        if ref not in self._workspaces and not others:
            self._workspaces[ref] = frozenset({digest})

    def settle(self, ref: KeyRef, digests: frozenset[str]) -> None:
        """The reference leads to this workspace now: if it is trusted there, this is its workspace."""
        known = self._workspaces.get(ref, frozenset())
        if digests <= known or not self.trusts(ref, digests):
            return
        self._workspaces[ref] = known | digests if known & digests else digests

    def prove(self, ref: KeyRef, former: str, digest: str) -> None:
        """An inbox that was last seen with the digest `former` is seen with this one: both lead to one workspace."""
        known = self._workspaces.get(ref)
        if known is None or former in known:
            self._workspaces[ref] = (known or frozenset({former})) | {digest}

    def settle_unrecorded(self) -> None:
        """All objects and keys are known. A reference without a record leads to where its inboxes are, if to any.

        From here on each reference is recorded before anything is created with it.
        """
        if not self._recorded:
            for ref, counts in self._counts.items():
                self._workspaces.setdefault(ref, frozenset(counts))
            self._recorded = True

    def former(self, ref: KeyRef) -> frozenset[str]:
        """Digests whose workspace is most likely that of the reference still."""
        return self._workspaces.get(ref, frozenset(self._counts.get(ref, ())))

    # -- surviving a restart

    def load(self, stored: Mapping[str, Iterable[str]]) -> None:
        """Take over what an earlier run stored."""
        self._workspaces = {KeyRef.parse(name): frozenset(map(str, digests)) for name, digests in stored.items()}
        self._recorded = True

    def to_json(self) -> dict[str, list[str]]:
        return {str(ref): sorted(digests) for ref, digests in self._workspaces.items()}

    def forget(self, refs: frozenset[KeyRef], digests: frozenset[str]) -> None:
        """Only these references and digests are in use. That of the operator's own key always is."""
        for ref, known in list(self._workspaces.items()):
            if ref not in refs and ref.secret is not None:
                del self._workspaces[ref]
            else:
                self._workspaces[ref] = known & digests or known


def unproven(workspace: "Workspace", account: Account) -> bool:
    """Whether its key so far shows none of the inboxes that are known with its reference (rules 15 and 40)."""
    return not workspace.trust.trusts(account.desired.key_ref, workspace.digests)


def created_elsewhere(workspace: "Workspace", account: Account) -> bool:
    """Whether its lost create cannot have been sent to this workspace: an inbox there is a stranger's (rule 15)."""
    unknown = account.unknown_create
    return unknown is not None and unknown.elsewhere and unproven(workspace, account)


def is_implausible(workspace: "Workspace") -> bool:
    """Whether nothing is created for some reference or for all; a deletion may use the key of another one."""
    refs = workspace.members.refs()
    return workspace.implausible is not None or not all(workspace.trust.trusts(ref, workspace.digests) for ref in refs)


def former_digests(workspace: "Workspace") -> frozenset[str]:
    """Digests of earlier keys of the references in this workspace."""
    former = (workspace.trust.former(ref) for ref in workspace.refs)
    return frozenset[str]().union(*former) - workspace.digests
