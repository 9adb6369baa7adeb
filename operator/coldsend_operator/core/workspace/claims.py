"""Which account may have an address, and which holds an inbox, over all objects and keys (rule 13)."""

from collections.abc import Hashable
from operator import attrgetter

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import address_key
from coldsend_operator.core.model.membership import Several
from coldsend_operator.core.model.stored_status import from_text
from coldsend_operator.core.workspace.domains import Domains
from coldsend_operator.core.workspace.inventory import Inventory

Keys = tuple[Hashable, Hashable, Hashable, Hashable]
NO_WORKSPACE = ""  # of the accounts that have no usable key
NOTHING = (None, None, None, None)
_UID = attrgetter("uid")


class Claims:
    """Indexes over all accounts of the process.

    An address is claimed within one workspace, of which `workspace` is the id; an inbox_id has one holder over all.
    """

    def __init__(self) -> None:
        self._by_address = Several[Hashable, Account](_UID)
        self._by_prefix = Several[Hashable, Account](_UID)  # native ones, by workspace and `Spec.identity`
        self._by_inbox = Several[Hashable, Account](_UID)
        self._without_inbox = Several[Hashable, Account](_UID)  # in whatever workspace, by `_line`
        self._keys: dict[str, Keys] = {}  # by UID: of the four above; None for none
        self._unplaced = Several[str, Account](_UID)  # accounts of unknown workspace, by `_line`
        self._line_of: dict[str, str] = {}  # of these, by UID

    def await_workspace(self, account: Account) -> None:
        """The workspace of the account is unknown: until then the account claims its address in every workspace."""
        self.found_workspace(account.uid)
        line = _line(account)
        if line is not None and _claims_address(account):
            self._unplaced.put(line, account)
            self._line_of[account.uid] = line

    def found_workspace(self, uid: str) -> bool:
        """The workspace of the account is known, or the account is gone. Returns whether it claimed in all."""
        line = self._line_of.pop(uid, None)
        if line is not None:
            self._unplaced.drop(line, uid)
        return line is not None

    def may_be_overtaking(self, account: Account) -> bool:
        """Whether an object of unknown workspace would take precedence if its workspace were this one."""
        return any(_precedence(other) < _precedence(account) for other in self.unplaced(account))

    def unplaced(self, account: Account) -> tuple[Account, ...]:
        """Other objects that ask for the same inbox, and whose workspace is not known yet."""
        line = _line(account)
        others = self._unplaced.at(line) if line is not None else ()
        return tuple(other for other in others if other.uid != account.uid)

    def update(self, account: Account, workspace: str) -> set[str]:
        """Update the account's claims. Returns the UIDs of all other accounts that this may affect."""
        claims, spec = _claims_address(account), account.desired.spec
        address = (workspace, account.address) if claims and account.address else None
        prefix = (workspace, spec.identity) if claims and spec.native is not None else None
        inbox = account.stored.inbox_id if account.is_holder else None
        line = _line(account) if claims and not account.is_holder else None
        return self._claim(account, (address, prefix, inbox, line))

    def remove(self, account: Account) -> set[str]:
        """The object is gone: release its claims."""
        return self._claim(account, NOTHING)

    def _claim(self, account: Account, new: Keys) -> set[str]:
        indexes = (self._by_address, self._by_prefix, self._by_inbox, self._without_inbox)
        concerned = set[str]()
        for index, before, after in zip(indexes, self._keys.pop(account.uid, NOTHING), new, strict=True):
            concerned |= _move(index, before, after, account)
        if new != NOTHING:
            self._keys[account.uid] = new
        return concerned - {account.uid}

    def address_owner(self, account: Account, workspace: str) -> Account | None:
        """The account that owns the address instead of `account`; None if `account` owns it."""
        if account.address is None:
            return None
        owner = min(self._by_address.at((workspace, account.address)), key=_precedence, default=None)
        return None if owner is None or owner.uid == account.uid else owner

    def claimants(self, account: Account, workspace: str) -> tuple[Account, ...]:
        """The other accounts that claim the same inbox.

        If the API key may not read domains, the address of a native inbox is unknown; prefix and domain are known.
        """
        found = self._by_address.at((workspace, account.address)) if account.address is not None else ()
        spec = account.desired.spec
        alike = self._by_prefix.at((workspace, spec.identity)) if spec.native is not None else ()
        return tuple({other.uid: other for other in (*found, *alike) if other.uid != account.uid}.values())

    def elsewhere(self, account: Account, workspace: str) -> tuple[Account, ...]:
        """The accounts of other workspaces, and of none, that ask for the same inbox and have none."""
        here = {account.uid, *(other.uid for other in self.claimants(account, workspace))}
        return tuple(other for other in self._without_inbox.at(_line(account)) if other.uid not in here)

    def at(self, address: str, workspace: str) -> tuple[str, ...]:
        """UIDs of the accounts that claim an address."""
        return tuple(account.uid for account in self._by_address.at((workspace, address)))

    def same_inbox(self, account: Account) -> tuple[Account, ...]:
        """Other accounts that hold the same inbox, for example after a restore."""
        if not account.is_holder or account.stored.inbox_id is None:
            return ()
        return self.inbox_owners(account.stored.inbox_id, account.uid)

    def inbox_owners(self, inbox_id: str, besides: str) -> tuple[Account, ...]:
        return tuple(other for other in self._by_inbox.at(inbox_id) if other.uid != besides)


def _move(index: Several[Hashable, Account], old: Hashable, new: Hashable, account: Account) -> set[str]:
    """Move the claim from one key to the other. Returns the UIDs of the accounts that claim either."""
    concerned: set[str] = set()
    if old is not None and old != new:
        index.drop(old, account.uid)
        concerned.update(other.uid for other in index.at(old))
    if new is not None:
        concerned.update(other.uid for other in index.at(new))
        index.put(new, account)
    return concerned


def _line(account: Account) -> str | None:
    """What the account claims, as far as its spec alone tells."""
    spec = account.desired.spec
    return spec.identity if spec.native is not None else spec.address


def _claims_address(account: Account) -> bool:
    """Whether the object claims its address. Observe never claims (rule 12)."""
    desired = account.desired
    if account.is_holder or account.committed:
        return True
    if desired.deleting or desired.problems:
        return False
    return not desired.spec.observe


def _precedence(account: Account) -> tuple[bool, bool, str, str]:
    """The holder first, then an account with a create under way, then the older object."""
    return (not account.is_holder, not account.committed, *account.desired.age)


def address_of(account: Account, domains: Domains, inventory: Inventory) -> str | None:
    """The address of spec, or what follows from its domain or its inbox, in the compared form; None if unknown."""
    spec = account.desired.spec
    if spec.native is None:
        return spec.address if spec.address is not None else _told_address(account)
    domain = domains.find(spec.native)
    name = domain.domain_name if domain is not None else spec.native.domain_name
    if name is not None:
        return f"{spec.native.prefix}@{name}".lower()
    row = inventory.row(account.stored.inbox_id)
    return row.address if row is not None else None


def _told_address(account: Account) -> str | None:
    """The address of an object whose spec cannot be read: status says whose inbox it was (rule 20)."""
    told = from_text(account.raw_status).get("emailAddress") if account.stored.held else None
    return address_key(told) if told else None
