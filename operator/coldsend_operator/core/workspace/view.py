"""The state that decisions read besides their account."""

from collections.abc import Mapping
from typing import Protocol

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.phases import Deleting, Gone
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.workspace.brake import Brake
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.domains import Domains
from coldsend_operator.core.workspace.inventory import Inventory


class View(Protocol):
    """The state that a decision reads besides its account."""

    policy: Policy
    inventory: Inventory
    claims: Claims
    domains: Domains
    brake: Brake
    id: str
    digests: frozenset[str]
    implausible: str | None
    kube_offset: float
    server_offset: float

    @property
    def managed(self) -> Mapping[str, int]: ...

    def unproven(self, account: Account) -> bool: ...

    def wait_until(self, account: Account) -> float: ...

    def goes_again(self, account: Account) -> bool: ...

    def recreate_slot(self, account: Account) -> bool: ...

    def may_adopt(self, account: Account) -> bool: ...

    def approved_recreation(self, account: Account) -> bool: ...

    def approved_deletion(self, account: Account) -> bool: ...

    def protected(self, account: Account) -> bool: ...


def confirmed_gone(account: Account, view: View) -> bool:
    """Absence is proven by one 404, or one proven list started after ColdSend accepted the delete.

    Where its answer was lost the inbox may be absent only because a list lags behind its creation.
    """
    match account.removal:
        case Gone():
            return True
        case Deleting(at=at, answered=answered) if account.stored.inbox_id not in view.inventory.rows:
            return view.inventory.listed_at > at + (0.0 if answered else view.policy.lost_seconds)
    return False
