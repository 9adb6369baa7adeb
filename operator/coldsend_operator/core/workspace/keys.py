"""The API keys that lead to one workspace, by digest: which accounts use which, and what ColdSend refuses to each.

An account's own calls go with the key that the account names, and what ColdSend refuses to that key costs its accounts
alone (rule 40: trust belongs to a key reference). Lists show the same to each key, so any one that works serves all.
"""

from collections.abc import Mapping

from coldsend_operator.core.model.calls import Operation, Scope
from coldsend_operator.core.model.membership import Membership
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.breaker import BlockedCalls, Breaker

NOBODY = frozenset[str]()  # a call that asks for no object in particular concerns no namespace


class Keys:
    """The keys of one workspace in the order in which they became known."""

    def __init__(self, digest: str) -> None:
        self.breakers: dict[str, Breaker] = {digest: Breaker()}
        self._users = Membership[str]()
        self.listing = digest  # the key of the last page of a whole list
        self._stored: Mapping[str, str] = {}

    def breaker(self, digest: str) -> Breaker:
        """What ColdSend refuses to this key."""
        return self.breakers.setdefault(digest, Breaker())

    def refused(self, digest: str) -> bool:
        """Whether ColdSend refuses the key as such."""
        return digest in self.breakers and self.breakers[digest].key_refused

    def place(self, uid: str, digest: str | None) -> None:
        """The account uses this key from now on; None: it is gone."""
        if digest is not None:
            self.breaker(digest)
        self._users.place(uid, digest)

    def forget(self, digest: str) -> None:
        """No account uses the key any more, and no call with it is under way."""
        self.breakers.pop(digest, None)

    def users(self, digest: str) -> frozenset[str]:
        """UIDs of the accounts that use the key."""
        return self._users.members(digest)

    def count(self, digest: str) -> int:
        """How many they are."""
        return self._users.size(digest)

    @property
    def used(self) -> tuple[str, ...]:
        """The keys that accounts use; where there is no account, the first one."""
        counts = self._users.counts()
        return tuple(digest for digest in self.breakers if digest in counts) or tuple(self.breakers)[:1]

    def works(self, operation: Operation) -> bool:
        """Whether ColdSend takes this call with some key, as far as is known."""
        return any(self._may(digest, operation) for digest in self.used)

    def for_list(self, operation: Operation, *, next_turn: bool = False) -> str:
        """The key for a call that shows the same to all.

        `next_turn`: another one than last time, so that a key which ColdSend refuses is noticed without a call of its
        accounts.
        """
        used = self.used
        start = used.index(self.listing) + next_turn if self.listing in used else 0
        turns = used[start:] + used[:start]
        able = (digest for digest in turns if self._may(digest, operation))
        return next(able, None) or min(turns, key=lambda digest: self.breakers[digest].free_at(operation, NOBODY))

    def to_be_checked(self, now: float) -> str | None:
        """A key whose lists are refused or in doubt and may be tried again, while another key serves the others."""
        operation, used = Operation.LIST_ACCOUNTS, self.used
        if len(used) == 1 or not self.works(operation):
            return None
        found = (digest for digest in used if self.breakers[digest].doubtful or not self._may(digest, operation))
        return next((digest for digest in found if self.breakers[digest].allows(operation, now, NOBODY)), None)

    # -- surviving a restart

    @property
    def changed(self) -> bool:
        """Whether the stored state is out of date."""
        return self._stored != self._lacking()

    def to_json(self) -> Mapping[str, str]:
        """The keys that may not create inboxes: a restart must not replace what cannot be created again."""
        self._stored = self._lacking()
        return self._stored

    def load(self, state: Mapping[str, str], now: float) -> None:
        """Load what an earlier run stored of the keys that are known here."""
        self._stored = {digest: str(message) for digest, message in state.items() if digest in self.breakers}
        for digest, message in self._stored.items():
            block = BlockedCalls(Reason.MISSING_SCOPES, message, now, now)  # the next create tries it again
            self.breakers[digest].blocks[Scope.CREATE] = block

    def _lacking(self) -> Mapping[str, str]:
        blocks = {digest: breaker.blocks.get(Scope.CREATE) for digest, breaker in self.breakers.items()}
        lacks = Reason.MISSING_SCOPES
        return {digest: block.message for digest, block in blocks.items() if block and block.reason is lacks}

    def _may(self, digest: str, operation: Operation) -> bool:
        return self.breakers[digest].block_of(operation, NOBODY) is None
