"""Responses to deletes: accepted, in use, unknown."""

from coldsend_operator.core.apply.common import (
    UNKNOWN,
    WORKSPACE,
    halve,
    members_of,
    not_found,
    outcome_unknown,
    too_many_jobs,
)
from coldsend_operator.core.apply.jobs import answered_at_once, begin_job
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind
from coldsend_operator.core.model.calls import Call
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.workspace import Workspace


def accepted_delete(workspace: Workspace, account: Account, now: float) -> None:
    transitions.delete_accepted(account, now)
    workspace.inventory.address_freed(account.address, now)


def deleted_in_bulk(workspace: Workspace, call: Call, answer: BulkAnswer, now: float) -> None:
    members = members_of(workspace, call.uids)
    for account in members:
        partial = bool(answer.failed_count or answer.skipped_count)
        transitions.delete_accepted_in_bulk(account, now, partial=partial)
        transitions.outcome_known(account)
        workspace.inventory.address_freed(account.address, now)
    if answer.job_id is not None:
        begin_job(workspace, call, answer.job_id, members, now)
    else:
        answered_at_once(workspace, call, answer, now)


def delete_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    members = members_of(workspace, call.uids)
    if failure.kind in WORKSPACE:
        if failure.kind is FailureKind.PLAN_LIMIT:
            _refused_by_plan(workspace, call, members, failure, now)
        return
    if failure.kind in UNKNOWN:
        outcome_unknown(workspace, call.key, call.operation, call.uids, now)
    for account in members:
        if failure.kind in UNKNOWN:
            transitions.delete_unanswered(account, now)
            workspace.inventory.address_freed(account.address, now)
        elif failure.kind is FailureKind.NOT_FOUND and len(call.uids) == 1:
            not_found(workspace, account, now)
        elif len(call.uids) == 1:
            transitions.delete_refused_in_use(account, f"ColdSend refuses to delete the inbox ({failure.message})", now)
    if len(call.uids) > 1 and failure.kind not in UNKNOWN:
        if too_many_jobs(workspace, call.operation, failure):
            workspace.parallel["Delete"] = 1
            return
        halve(workspace, call.operation, call.uids)


def _refused_by_plan(workspace: Workspace, call: Call, members: list[Account], failure: Failure, now: float) -> None:
    """A 402, or a 403 without a scope, stops only the account that gets it alone (rule 41)."""
    if len(call.uids) > 1:
        halve(workspace, call.operation, call.uids)
        return
    for account in members:
        message = f"ColdSend refuses to delete the inbox: {failure.message}"
        transitions.delete_failed(account, Reason.PLAN_LIMIT, message, now)
