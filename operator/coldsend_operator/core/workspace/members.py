"""The accounts of a workspace, by what is asked of them most often."""

from collections import Counter

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.desired import KeyRef
from coldsend_operator.core.model.membership import Membership


class Members:
    """An index; `holders` counts those that hold an inbox, by namespace."""

    def __init__(self) -> None:
        self.holders = Counter[str]()
        self._shown = Membership[str]()  # by the inbox that their status shows
        self._observing = Membership[str]()  # by address: they stand in no line for it
        self._bound = Membership[str]()  # holders, by the workspace digest of their lastApplied
        self._refs = Membership[tuple[KeyRef, bool]]()  # with whether the account is in deletion

    def place(self, account: Account) -> None:
        """The account is new, or something of it has changed."""
        desired, stored = account.desired, account.stored
        bound = stored.applied.workspace if stored.applied else None
        self._shown.place(account.uid, stored.inbox_id)
        self._observing.place(account.uid, account.address if desired.spec.observe else None)
        self._bind(account, (bound or account.key) if account.is_holder else None)
        self._refs.place(account.uid, (desired.key_ref, desired.deleting is not None))

    def drop(self, account: Account) -> None:
        for index in (self._shown, self._observing, self._refs):
            index.place(account.uid, None)
        self._bind(account, None)

    def _bind(self, account: Account, digest: str | None) -> None:
        """Count the account among those that hold an inbox, under the key that it was last seen with."""
        before = self._bound.key_of(account.uid) is not None
        self._bound.place(account.uid, digest)
        self.holders[account.desired.namespace] += (digest is not None) - before

    def showing(self, inbox_id: str) -> frozenset[str]:
        """UIDs of those whose status shows the inbox."""
        return self._shown.members(inbox_id)

    def observing(self, address: str) -> frozenset[str]:
        """UIDs of those that observe the address."""
        return self._observing.members(address)

    def bound_to(self, uid: str) -> str | None:
        """The digest of the key with which the account got its inbox; None when it holds none."""
        return self._bound.key_of(uid)

    def refs(self, *, deleting: bool = False) -> frozenset[KeyRef]:
        """The key references of the live ones, or of those in deletion."""
        return frozenset(ref for ref, in_deletion in self._refs.counts() if in_deletion is deleting)
