"""The state that decisions read besides their account."""

from collections.abc import Mapping
from typing import Protocol

from coldsend_operator.core.model.account import Account
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
    if account.not_found_at is not None:
        return True
    if account.deleted_at is None or account.stored.inbox_id in view.inventory.rows:
        return False
    return view.inventory.listed_at > account.deleted_at + (
        view.policy.lost_seconds if account.delete_unanswered else 0.0
    )
