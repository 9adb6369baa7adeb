"""Responses to the GET of an inbox: it exists, it still exists, it is gone."""

from coldsend_operator.core.apply.common import members_of, not_found, probe_again, still_there
from coldsend_operator.core.apply.lists import show
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.answers import Failure, FailureKind, Row
from coldsend_operator.core.model.calls import Call
from coldsend_operator.core.workspace.workspace import Workspace


def found(workspace: Workspace, call: Call, row: Row, now: float) -> None:
    """A GET answered 200."""
    for account in members_of(workspace, call):
        transitions.found(account)
        transitions.probe_answered(account)
        if account.deleted_at is not None:
            still_there(workspace, account, now, sure=True)
    workspace.inventory.clear_tombstone(row.inbox_id)
    show(workspace, (row,), call.begun)
    for account in members_of(workspace, call):
        if account.stored.inbox_id not in workspace.inventory.rows:
            # What it showed is not what was asked for: to ask again at once shows no more.
            transitions.probe_put_off(account, now)


def get_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    if failure.kind is not FailureKind.NOT_FOUND:
        probe_again(workspace, call, now)
        return
    for account in members_of(workspace, call):
        young = now < account.wrote_at + workspace.policy.lost_seconds
        if young and account.deleted_at is None:
            transitions.probe_put_off(account, now)  # it may lag behind our own create (contract row 35)
            continue
        not_found(workspace, account, now)
