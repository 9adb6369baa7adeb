"""An answer comes, or fails to come: who takes it in."""

from dataclasses import replace

from coldsend_operator.core.answers import (
    Answer,
    BulkAnswer,
    Created,
    Deleted,
    DomainPage,
    Failure,
    FailureKind,
    JobProgress,
    MailSent,
    Page,
    Row,
)
from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.folding.creates import create_failed, created, created_in_bulk, not_taken_in
from coldsend_operator.core.folding.deletes import accepted_delete, delete_failed, deleted_in_bulk
from coldsend_operator.core.folding.gets import found, get_failed
from coldsend_operator.core.folding.jobs import poll_failed, progressed
from coldsend_operator.core.folding.leaving import end, release
from coldsend_operator.core.folding.looks import fold_page, list_failed
from coldsend_operator.core.folding.mails import mail_failed, mailed
from coldsend_operator.core.folding.native import domains_failed, domains_listed
from coldsend_operator.core.folding.pieces import look_again, members_of, misrouted, seen_as
from coldsend_operator.core.ledger import Ledger


def fold(ledger: Ledger, call: Call, outcome: Answer | Failure, now: float) -> None:
    """Take an answer, or the lack of one, into the ledger.

    What fails in it counts as an answer that got lost, and is raised when all is in order.
    """
    call, told = ledger.flying.get(call.id, call), len(ledger.audit.lines)
    end(ledger, call)
    ledger.budget.end(now, look=call.lane.looks)
    for account in members_of(ledger, call):
        release(account)
        if not isinstance(outcome, Failure):
            account.holds = 0
    try:
        if isinstance(outcome, Failure):
            _fold_failure(ledger, call, outcome, now)
        else:
            ledger.budget.answered(now)
            if ledger.breaker.succeed(call.operation):
                ledger.touch_everything()
            _fold_answer(ledger, call, outcome, now)
    except Exception:
        _not_taken_in(ledger, call, now)
        raise
    finally:
        for account in members_of(ledger, call) if call.operation.creates else ():
            ledger.index(account)  # who stands in line for the same address may have its turn now
        if call.writes:
            ledger.audit.answered(ledger, call, outcome, told)
        ledger.touch_all(call.uids)


def _not_taken_in(ledger: Ledger, call: Call, now: float) -> None:
    """Taking in the answer failed: no create of it is repeated, and no look is made again at once (rule 42)."""
    if call.operation.creates:
        not_taken_in(ledger, call, now)
    else:
        _fold_failure(ledger, call, Failure(FailureKind.LOST, "the answer could not be taken in"), now)


def _fold_answer(ledger: Ledger, call: Call, answer: Answer, now: float) -> None:
    answer = _with_known_ids(ledger, answer)
    match answer:
        case Page():
            fold_page(ledger, call, answer, now)
        case Row():
            found(ledger, call, answer, now)
        case Created():
            created(ledger, call, answer, now)
        case BulkAnswer() if call.operation is Operation.DELETE_ACCOUNTS:
            deleted_in_bulk(ledger, call, answer, now)
        case BulkAnswer():
            created_in_bulk(ledger, call, answer, now)
        case JobProgress():
            progressed(ledger, call, answer, now)
        case Deleted():
            for account in members_of(ledger, call):
                accepted_delete(ledger, account, now)
                account.unknowns = 0
        case MailSent():
            for account in members_of(ledger, call):
                mailed(ledger, account, answer, now)
        case DomainPage():
            if ledger.domains.fold(answer):
                domains_listed(ledger)


def _with_known_ids(ledger: Ledger, answer: Answer) -> Answer:
    """Ids of inboxes in the form in which they are compared."""
    match answer:
        case Page():
            return replace(answer, rows=tuple(ledger.inventory.known(row) for row in answer.rows))
        case Row():
            return ledger.inventory.known(answer)
        case Created() if answer.row is not None:
            return Created(ledger.inventory.known(answer.row))
    return answer


def _fold_failure(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    failure = seen_as(ledger, call, failure)
    if failure.kind is FailureKind.RATE_LIMITED:
        ledger.budget.refuse(now, failure.retry_after)
        ledger.changed.update(ledger.waiting())
    elif failure.kind is not FailureKind.NOT_SENT:
        ledger.budget.answered(now)
    if failure.kind is FailureKind.MISROUTED:
        misrouted(ledger, call, now)
    if ledger.breaker.fail(call.operation, failure, now, frozenset(call.uids), call.namespaces):
        ledger.touch_everything()
    match call.operation:
        case Operation.LIST_ACCOUNTS:
            list_failed(ledger, call, failure, now)
        case Operation.SEARCH_ACCOUNTS:
            ledger.searches.pop(call.uids[0], None)
            look_again(ledger, call, now)
        case Operation.GET_ACCOUNT:
            get_failed(ledger, call, failure, now)
        case Operation.POLL_CREATE_JOB | Operation.POLL_DELETE_JOB:
            poll_failed(ledger, call, failure, now)
        case Operation.DELETE_ACCOUNT | Operation.DELETE_ACCOUNTS:
            delete_failed(ledger, call, failure, now)
        case Operation.SEND_TEST_EMAIL:
            mail_failed(ledger, call, failure, now)
        case Operation.LIST_DOMAINS:
            domains_failed(ledger, failure, now)
        case _:
            create_failed(ledger, call, failure, now)
