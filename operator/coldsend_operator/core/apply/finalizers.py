"""Writes to Kubernetes that steps asked for."""

from dataclasses import replace

from coldsend_operator.core.decide.questions import ours
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.workspace.workspace import Workspace


def finalizers_added(workspace: Workspace, account: Account, finalizers: tuple[str, ...]) -> None:
    """These finalizers of ours stand on the object."""
    account.desired = replace(account.desired, finalizers=finalizers)
    workspace.patches.pop(account.uid, None)
    workspace.index(account)


def finalizers_removed(workspace: Workspace, account: Account) -> None:
    """Our finalizers are off. For FORGET the inbox that is gone is cleared too (rule 8)."""
    action = workspace.patches.pop(account.uid, None)
    account.desired = replace(account.desired, finalizers=())
    _end_unknown_create(workspace, account)
    if action is Action.FORGET:
        account.stored = replace(account.stored, inbox_id=None, origin=None, job=None)
        account.not_found_at = account.deleted_at = account.probe_at = None
        account.probe_count, account.delete_partial = 0, False
    workspace.index(account)


def _end_unknown_create(workspace: Workspace, account: Account) -> None:
    """A lost create is over, unless its inbox has appeared just now."""
    unknown, rows = account.unknown_create, workspace.inventory.at(account.address or "")
    if any(ours(account, row, workspace) for row in rows):
        return
    if unknown is not None and unknown.matches and not rows:
        account.repeated_mark = account.marked_at  # "exists" to the next create most likely refers to the lost one
    account.unknown_create = account.marked_at = None


def patch_failed(workspace: Workspace, account: Account) -> None:
    """A write to Kubernetes did not succeed: the step is taken again."""
    workspace.patches.pop(account.uid, None)
    workspace.touch(account.uid)
