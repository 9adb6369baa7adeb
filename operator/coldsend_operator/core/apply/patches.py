"""A write to Kubernetes has ended: finalizers were added, removed or refused."""

from coldsend_operator.core.decide.questions import ours
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.workspace.workspace import Workspace


def finalizers_added(workspace: Workspace, account: Account, finalizers: tuple[str, ...]) -> None:
    """The object has these finalizers of ours."""
    transitions.write_accepted(account)
    transitions.finalizers_shown(account, finalizers)
    workspace.patches.pop(account.uid, None)
    workspace.index(account)


def finalizers_removed(workspace: Workspace, account: Account) -> None:
    """Our finalizers are removed. For FORGET the id of the missing inbox is cleared too (rule 8)."""
    action = workspace.patches.pop(account.uid, None)
    transitions.write_accepted(account)
    transitions.finalizers_shown(account, ())
    _end_unknown_create(workspace, account)
    if action is Action.FORGET:
        transitions.forgotten(account)
    workspace.index(account)


def _end_unknown_create(workspace: Workspace, account: Account) -> None:
    """A lost create is over, unless its inbox has appeared just now."""
    unknown, rows = account.unknown_create, workspace.inventory.at(account.address or "")
    if any(ours(account, row, workspace) for row in rows):
        return
    transitions.create_over(account, repeatable=unknown is not None and unknown.matches and not rows)


def write_refused(workspace: Workspace, account: Account, why: str) -> None:
    """A policy or webhook of the cluster refused a write of our finalizers: status says so when it lasts."""
    transitions.write_refused(account, why)
    workspace.touch(account.uid)


def patch_failed(workspace: Workspace, account: Account) -> None:
    """A write to Kubernetes failed: decide again."""
    workspace.patches.pop(account.uid, None)
    workspace.touch(account.uid)
