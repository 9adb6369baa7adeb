"""An inbox that ColdSend did not show for a while: its id tells that it is the object's own."""

import pytest

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Deleted, Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from tests.support.desk import ANN, Desk, held, row

EXISTS = Failure(FailureKind.CONFLICT, "Email account already exists", 409)


def missed(desk: Desk, origin: str = "Created") -> Account:
    """An object whose inbox a GET and a list did not show, so that status names none any more."""
    account = desk.holder(origin=origin)
    desk.sweep(row())
    desk.wait(300.0)
    desk.sweep()
    desk.get(account)
    desk.sweep()
    assert desk.patch(account) is Action.FORGET
    assert account.stored.inbox_id is None
    return account


@pytest.mark.parametrize("origin", ["Created", "Adopted"])
def test_an_inbox_that_is_shown_again_under_its_id_is_held_again(origin: str) -> None:
    desk = Desk()
    account = missed(desk, origin)
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), EXISTS)
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    desk.wait(300.0)
    desk.sweep(row())
    assert desk.patch(account) is Action.ADD_FINALIZER
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", origin)
    assert desk.says(account)["Ready"][:2] == ("True", "Active" if origin == "Created" else "Adopted")


def test_another_inbox_at_its_address_is_not_taken_for_the_one_that_was_missed() -> None:
    desk = Desk()
    account = missed(desk)
    desk.sweep(row(ANN, "inbox-2"))
    assert account.stored.inbox_id is None
    assert desk.says(account)["Ready"][:2] == ("False", "AlreadyExists")


def test_an_inbox_that_was_deleted_to_be_replaced_is_not_held_again() -> None:
    desk, account = held(updatePolicy="Recreate", applied={"specHash": "of another spec"})
    desk.answer(desk.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",)), Deleted())
    desk.wait(5.0)
    desk.get(account)
    desk.sweep()
    assert desk.patch(account) is Action.FORGET
    desk.wait(300.0)
    desk.sweep(row())
    assert account.stored.inbox_id is None
