"""ColdSend says that an address exists, and no list shows it: lists lag (contract row 35), or the name is unknown."""

import pytest

from coldsend_operator.core.decide.questions import LATEST
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind, ResultRow
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import Reason
from tests.support.desk import BOB, LOST, Desk, asked_for, row

EXISTS = Failure(FailureKind.CONFLICT, "Email account already exists", 409)
FORBIDDEN = Failure(FailureKind.FORBIDDEN, "", 403, required=("domains:read",))
NATIVE = {"domainID": "550e8400-e29b-41d4-a716-446655440000", "emailPrefix": "n"}
LONG = 130.0  # seconds: more than COLDSEND_LOST_CALL_SECONDS


def unlisted(*, bulk: bool = False) -> tuple[Desk, Account]:
    """A lost create was repeated, ColdSend says that the address exists, and its lists do not show it."""
    desk, account = asked_for()
    others = [desk.account(BOB)] if bulk else []
    operation = Operation.CREATE_SMTP_BULK if bulk else Operation.CREATE_SMTP
    desk.answer(desk.ask(operation, account, *others), LOST)
    desk.wait(LONG)
    desk.sweep()
    repeated = desk.ask(operation, account, *others)
    rows = tuple(ResultRow(each.address, success=False, message="already exists") for each in (account, *others))
    desk.answer(repeated, BulkAnswer(results=rows) if bulk else EXISTS)
    desk.wait(LONG)
    desk.sweep()
    desk.patch(account)
    return desk, account


@pytest.mark.parametrize("bulk", [False, True])
def test_the_inbox_of_a_lost_create_that_is_listed_late_is_picked_up_at_once(bulk: bool) -> None:
    desk, account = unlisted(bulk=bulk)
    assert desk.step(account).reason is Reason.ALREADY_EXISTS
    assert "picks it up once it is listed" in desk.step(account).message
    made = desk.now - 2 * LONG
    desk.wait(20.0)
    desk.sweep(row(made=made))
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Created")


def test_an_inbox_that_was_there_before_the_lost_create_is_left_alone() -> None:
    desk, account = unlisted()
    desk.sweep(row(made=desk.now - 10 * LONG))
    assert account.stored.inbox_id is None
    assert desk.step(account).reason is Reason.ALREADY_EXISTS


def test_nothing_is_sent_before_the_time_of_the_next_try_and_each_try_waits_longer() -> None:
    desk, account = unlisted()
    for _ in range(10):
        desk.sweep(seconds=1.0)
    assert account.create_backoff is not None
    assert account.create_backoff.tries == 1
    desk.wait(account.create_backoff.retry_at - desk.now - 1.0)
    assert Operation.CREATE_SMTP not in desk.operations()
    desk.wait(2.0)
    desk.sweep()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), EXISTS)
    desk.wait(LONG)
    desk.sweep()
    assert account.create_backoff.tries == 2


def test_after_an_hour_nothing_is_matched_any_more() -> None:
    desk, account = unlisted()
    desk.wait(LATEST)
    desk.sweep()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), EXISTS)
    desk.wait(LONG)
    desk.sweep()
    assert account.unknown_create is None
    assert desk.patch(account) is Action.REMOVE_FINALIZER


def refused_unseen() -> tuple[Desk, Account]:
    """An object of unknown address, as the key may not read domains; ColdSend says that the address exists."""
    desk = Desk()
    account = desk.account("n@mail.example.com", native=NATIVE)
    desk.sweep()
    desk.answer(desk.ask(Operation.LIST_DOMAINS, account), FORBIDDEN)
    desk.answer(desk.ask(Operation.CREATE_NATIVE, account, domain_id=NATIVE["domainID"]), EXISTS)
    return desk, account


def test_an_address_that_exists_and_that_nobody_can_look_up_is_not_tried_again_at_once() -> None:
    desk, account = refused_unseen()
    desk.sweep()
    assert Operation.CREATE_NATIVE not in desk.operations()
    desk.patch(account)
    step = desk.step(account)
    assert step.reason is Reason.ALREADY_EXISTS
    assert "domains:read" in step.message
    assert account.create_backoff is not None
    assert account.create_backoff.tries == 1


def test_it_is_tried_again_later() -> None:
    desk, account = refused_unseen()
    desk.patch(account)
    desk.wait(400.0)
    assert Operation.CREATE_NATIVE in desk.operations()
