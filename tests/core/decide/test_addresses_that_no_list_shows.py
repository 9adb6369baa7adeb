"""ColdSend says that an address exists, and no list shows it: lists lag (contract row 35), or the name is unknown."""

import pytest

from coldsend_operator.core.decide.questions import LATEST
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind, ResultRow
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import Reason
from tests.support.core_world import BOB, LOST, CoreWorld, asked_for, row

EXISTS = Failure(FailureKind.CONFLICT, "Email account already exists", 409)
FORBIDDEN = Failure(FailureKind.FORBIDDEN, "", 403, required=("domains:read",))
NATIVE = {"domainID": "550e8400-e29b-41d4-a716-446655440000", "emailPrefix": "n"}
LONG = 130.0  # seconds: more than COLDSEND_LOST_CALL_SECONDS


def unlisted(*, bulk: bool = False) -> tuple[CoreWorld, Account]:
    """A lost create was repeated, ColdSend says that the address exists, and its lists do not show it."""
    core, account = asked_for()
    others = [core.account(BOB)] if bulk else []
    operation = Operation.CREATE_SMTP_BULK if bulk else Operation.CREATE_SMTP
    core.answer(core.ask(operation, account, *others), LOST)
    core.wait(LONG)
    core.sweep()
    repeated = core.ask(operation, account, *others)
    rows = tuple(ResultRow(each.address, success=False, message="already exists") for each in (account, *others))
    core.answer(repeated, BulkAnswer(results=rows) if bulk else EXISTS)
    core.wait(LONG)
    core.sweep()
    core.patch(account)
    return core, account


@pytest.mark.parametrize("bulk", [False, True])
def test_the_inbox_of_a_lost_create_that_is_listed_late_is_picked_up_at_once(bulk: bool) -> None:
    core, account = unlisted(bulk=bulk)
    assert core.step(account).reason is Reason.ALREADY_EXISTS
    assert "picks it up once it is listed" in core.step(account).message
    made = core.now - 2 * LONG
    core.wait(20.0)
    core.sweep(row(made=made))
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Created")


def test_an_inbox_that_was_there_before_the_lost_create_is_left_alone() -> None:
    core, account = unlisted()
    core.sweep(row(made=core.now - 10 * LONG))
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_nothing_is_sent_before_the_time_of_the_next_try_and_each_try_waits_longer() -> None:
    core, account = unlisted()
    for _ in range(10):
        core.sweep(seconds=1.0)
    assert account.create_backoff is not None
    assert account.create_backoff.tries == 1
    core.wait(account.create_backoff.retry_at - core.now - 1.0)
    assert Operation.CREATE_SMTP not in core.operations()
    core.wait(2.0)
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP, account), EXISTS)
    core.wait(LONG)
    core.sweep()
    assert account.create_backoff.tries == 2


def test_after_an_hour_nothing_is_matched_any_more() -> None:
    core, account = unlisted()
    core.wait(LATEST)
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP, account), EXISTS)
    core.wait(LONG)
    core.sweep()
    assert account.unknown_create is None
    assert core.patch(account) is Action.REMOVE_FINALIZER


def refused_unseen() -> tuple[CoreWorld, Account]:
    """An object of unknown address, as the key may not read domains; ColdSend says that the address exists."""
    core = CoreWorld()
    account = core.account("n@mail.example.com", native=NATIVE)
    core.sweep()
    core.answer(core.ask(Operation.LIST_DOMAINS, account), FORBIDDEN)
    core.answer(core.ask(Operation.CREATE_NATIVE, account, domain_id=NATIVE["domainID"]), EXISTS)
    return core, account


def test_an_address_that_exists_and_that_nobody_can_look_up_is_not_tried_again_at_once() -> None:
    core, account = refused_unseen()
    core.sweep()
    assert Operation.CREATE_NATIVE not in core.operations()
    core.patch(account)
    step = core.step(account)
    assert step.reason is Reason.ALREADY_EXISTS
    assert "domains:read" in step.message
    assert account.create_backoff is not None
    assert account.create_backoff.tries == 1


def test_it_is_tried_again_later() -> None:
    core, account = refused_unseen()
    core.patch(account)
    core.wait(400.0)
    assert Operation.CREATE_NATIVE in core.operations()
