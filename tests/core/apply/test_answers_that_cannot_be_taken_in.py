"""What fails while an answer is taken in counts as an answer that got lost, for its account alone (rules 38, 39)."""

import pytest

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Created, JobProgress, Page, ResultRow
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld, asked_for, row

NAMES = ("a@company.com", "evil@company.com", "c@company.com")
NO_TEXT = 7  # whatever taking in an answer fails at


def three_of_a_bulk() -> tuple[CoreWorld, list[Account]]:
    core = CoreWorld()
    accounts = [core.account(name) for name in NAMES]
    core.sweep()
    return core, accounts


def failing(address: str) -> ResultRow:
    return ResultRow(address, success=False, message=NO_TEXT)  # type: ignore[arg-type]


def creates_of(core: CoreWorld) -> list[str]:
    return [uid for call in core.calls() if call.operation.creates for uid in call.uids]


def test_a_create_whose_answer_cannot_be_taken_in_is_not_sent_again() -> None:
    core, account = asked_for()
    call = core.ask(Operation.CREATE_SMTP, account)
    with pytest.raises(AttributeError):
        core.answer(call, Created(row(NO_TEXT)))  # type: ignore[arg-type]
    assert account.unknown_create is not None
    assert account.busy is None
    for _ in range(5):
        assert not creates_of(core)
        core.wait(10.0)
    core.search(account, row(made=core.now))
    assert account.stored.inbox_id == "inbox-1"


def test_the_results_of_a_bulk_are_taken_in_member_by_member() -> None:
    core, (first, evil, last) = three_of_a_bulk()
    call = core.ask(Operation.CREATE_SMTP_BULK, first, evil, last)
    refused = ResultRow(last.address, success=False, message="no such mailbox")
    with pytest.raises(ExceptionGroup):
        core.answer(call, BulkAnswer(results=(failing("evil@company.com"), refused)))
    assert all(account.unknown_create is not None for account in (first, evil, last))
    assert last.unknown_create is not None
    assert last.unknown_create.hint == "no such mailbox"
    assert not creates_of(core)


def test_no_member_is_sent_again_when_a_bulk_answer_cannot_be_read_at_all() -> None:
    core, accounts = three_of_a_bulk()
    call = core.ask(Operation.CREATE_SMTP_BULK, *accounts)
    with pytest.raises(AttributeError):
        core.answer(call, BulkAnswer(results=(NO_TEXT,)))  # type: ignore[arg-type]
    assert all(account.unknown_create is not None for account in accounts)
    assert not creates_of(core)


def test_the_end_of_a_job_is_taken_in_member_by_member() -> None:
    core, (first, evil, last) = three_of_a_bulk()
    call = core.ask(Operation.CREATE_SMTP_BULK, first, evil, last)
    core.answer(call, BulkAnswer(job_id="job-1"))
    poll = core.ask(Operation.POLL_CREATE_JOB, job="job-1")
    with pytest.raises(ExceptionGroup):
        core.answer(poll, JobProgress(status="COMPLETED", results=(failing("evil@company.com"),)))
    assert all(account.unknown_create is not None and account.job is None for account in (first, evil, last))
    assert not creates_of(core)


def test_a_list_that_cannot_be_taken_in_is_not_asked_for_again_at_once() -> None:
    core = CoreWorld()
    core.account()
    for _ in range(3):
        call = core.ask(Operation.LIST_ACCOUNTS)
        with pytest.raises(AttributeError):
            core.answer(call, Page((row(NO_TEXT),), 1, 1, 1, has_next=False))  # type: ignore[arg-type]
    assert Operation.LIST_ACCOUNTS not in core.operations()
    core.wait(120.0)
    assert Operation.LIST_ACCOUNTS in core.operations()
