"""An inbox that ColdSend did not show for a while: its id tells that it is the object's own."""

import pytest

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Deleted, Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from tests.support.core_world import ANN, CoreWorld, held, row

EXISTS = Failure(FailureKind.CONFLICT, "Email account already exists", 409)


def missed(core: CoreWorld, origin: str = "Created") -> Account:
    """An object whose inbox a GET and a list did not show, so that status names none any more."""
    account = core.holder(origin=origin)
    core.miss(account)
    return account


@pytest.mark.parametrize("origin", ["Created", "Adopted"])
def test_an_inbox_that_is_shown_again_under_its_id_is_held_again(origin: str) -> None:
    core = CoreWorld()
    account = missed(core, origin)
    core.answer(core.ask(Operation.CREATE_SMTP, account), EXISTS)
    assert core.patch(account) is Action.REMOVE_FINALIZER
    core.wait(300.0)
    core.sweep(row())
    assert core.patch(account) is Action.ADD_FINALIZER
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", origin)
    assert core.says(account)["Ready"][:2] == ("True", "Active" if origin == "Created" else "Adopted")


def test_another_inbox_at_its_address_is_not_taken_for_the_one_that_was_missed() -> None:
    core = CoreWorld()
    account = missed(core)
    core.sweep(row(ANN, "inbox-2"))
    assert account.stored.inbox_id is None
    assert core.says(account)["Ready"][:2] == ("False", "AlreadyExists")


def test_an_inbox_that_was_deleted_to_be_replaced_is_not_held_again() -> None:
    core, account = held(updatePolicy="Recreate", applied={"specHash": "of another spec"})
    core.answer(core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",)), Deleted())
    core.wait(5.0)
    core.get(account)
    core.sweep()
    assert core.patch(account) is Action.FORGET
    core.wait(300.0)
    core.sweep(row())
    assert account.stored.inbox_id is None
