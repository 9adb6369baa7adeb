"""The address of an account: that of spec, or what follows from its domain or its inbox."""

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import address_key
from coldsend_operator.core.model.stored_status import from_text
from coldsend_operator.core.workspace.domains import Domains
from coldsend_operator.core.workspace.inventory import Inventory


def address_of(account: Account, domains: Domains, inventory: Inventory) -> str | None:
    """In the compared form; None while it is not known."""
    spec = account.desired.spec
    if spec.native is None:
        return spec.address if spec.address is not None else _told_address(account)
    domain = domains.find(spec.native)
    name = domain.domain_name if domain is not None else spec.native.domain_name
    if name is not None:
        return f"{spec.native.prefix}@{name}".lower()
    row = inventory.rows.get(account.stored.inbox_id or "")
    return row.address if row is not None else None


def _told_address(account: Account) -> str | None:
    """The address of an object whose spec cannot be read: status says whose inbox it was (rule 20)."""
    told = from_text(account.raw_status).get("emailAddress") if account.stored.held else None
    return address_key(told) if told else None
