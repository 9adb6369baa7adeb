"""Objects whose inboxes are to be deleted, and what leaves of that."""

from typing import Any

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld

APPROVED = {"coldsend.pro/approve-deletion": "true"}
DELETES = {Operation.DELETE_ACCOUNT, Operation.DELETE_ACCOUNTS}


def holders(core: CoreWorld, count: int, namespace: str = "sales", **around: Any) -> list[Account]:
    """Objects that hold inboxes, which ColdSend does not show yet."""
    names = [f"{namespace}-{len(core.workspace.accounts)}-{number}" for number in range(count)]
    return [core.holder(f"{name}@company.com", f"in-{name}", namespace=namespace, **around) for name in names]


def delete(core: CoreWorld, accounts: list[Account], **around: Any) -> None:
    for account in accounts:
        around = {"namespace": account.desired.namespace, "batch": account.desired.batch, **around}
        core.change(account, account.address or "", deleting=True, **around)


def leaving(core: CoreWorld) -> int:
    """How many inboxes would be deleted now."""
    return sum(len(call.inbox_ids) for call in core.calls() if call.operation in DELETES)


def said(core: CoreWorld, accounts: list[Account]) -> set[str]:
    return {core.says(account)["Ready"][1] for account in accounts}
