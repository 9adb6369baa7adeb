"""Answers to deletes: accepted, in use, unknown."""

from coldsend_operator.core.answers import BulkAnswer, Failure, FailureKind
from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.folding.jobs import answered_at_once, begin_job
from coldsend_operator.core.folding.looks import FIRST_LOOK
from coldsend_operator.core.folding.pieces import (
    UNKNOWN,
    WORKSPACE,
    delete_later,
    gone,
    halve,
    in_use,
    members_of,
    outcome_unknown,
    too_many_jobs,
)
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account


def accepted_delete(ledger: Ledger, account: Account, now: float) -> None:
    account.deleted_at = now
    account.unheard = False
    account.wrote_at = now
    account.refused_delete = None
    account.look_at, account.looks = None, 0
    if account.address is not None:
        ledger.address_freed(account.address, now)


def deleted_in_bulk(ledger: Ledger, call: Call, answer: BulkAnswer, now: float) -> None:
    members = members_of(ledger, call)
    for account in members:
        accepted_delete(ledger, account, now)
        account.unknowns = 0
        account.doubted = bool(answer.failed_count or answer.skipped_count)
    if answer.job_id is not None:
        begin_job(ledger, call, answer.job_id, members, now)
    else:
        ledger.parallel["Delete"] = 4
        answered_at_once(ledger, call, "Delete", answer, now)


def delete_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    members = members_of(ledger, call)
    if failure.kind in WORKSPACE:
        if failure.kind is FailureKind.PLAN_LIMIT:
            _refused_by_plan(ledger, call, members, failure, now)
        return
    if failure.kind in UNKNOWN:
        outcome_unknown(ledger, call.operation, call.uids, now)
    for account in members:
        if failure.kind in UNKNOWN:
            accepted_delete(ledger, account, now)
            account.doubted, account.unheard = False, True
            account.look_at = now + FIRST_LOOK
        elif failure.kind is FailureKind.NOT_FOUND and len(call.uids) == 1:
            gone(ledger, account, now)
        elif len(call.uids) == 1:
            in_use(account, f"ColdSend refuses to delete the inbox ({failure.message})", now)
    if len(call.uids) > 1 and failure.kind not in UNKNOWN:
        if too_many_jobs(ledger, "Delete", Operation.DELETE_ACCOUNTS, failure):
            ledger.parallel["Delete"] = 1
            return
        halve(ledger, ledger.delete_splits, call.uids)


def _refused_by_plan(ledger: Ledger, call: Call, members: list[Account], failure: Failure, now: float) -> None:
    """A 402, or a 403 that names no scope, stops nobody but the one that meets it alone (rule 41)."""
    if len(call.uids) > 1:
        halve(ledger, ledger.delete_splits, call.uids)
        return
    for account in members:
        message = f"ColdSend refuses to delete the inbox: {failure.message}"
        delete_later(account, Reason.PLAN_LIMIT, message, now)
