"""Domains that could not be read, and native inboxes whose address follows from them."""

from coldsend_operator.core.apply.common import BREAKER_PACES
from coldsend_operator.core.model.account import RETRY_FIRST
from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Call
from coldsend_operator.core.workspace.workspace import Workspace


def domains_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    """The list was refused. Where another key of the workspace may read domains it is asked with that one."""
    if failure.kind is FailureKind.FORBIDDEN and workspace.keys.works(call.operation):
        workspace.domains.page = 1
    elif failure.kind in {FailureKind.FORBIDDEN, FailureKind.PLAN_LIMIT}:
        workspace.domains.forbid(failure.required, failure.message, now + RETRY_FIRST)
    elif failure.kind in BREAKER_PACES:
        workspace.domains.page = 1
    else:
        workspace.domains.refuse(failure.message, now)
    rename_natives(workspace)


def domains_listed(workspace: Workspace) -> None:
    natives = (account.desired.spec.native for account in workspace.accounts.values())
    workspace.domains.sought = frozenset(native.domain for native in natives if native is not None)
    rename_natives(workspace)


def rename_natives(workspace: Workspace) -> None:
    for account in workspace.accounts.values():
        if account.desired.spec.native is not None and not account.stored.held:
            workspace.name_address(account)
            workspace.index(account)
