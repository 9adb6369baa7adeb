"""An object in deletion that the operator has released, and that a finalizer of another controller keeps."""

from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from tests.support.desk import ANN, Desk, row

ELSE = ("example.com/backup",)


def test_that_a_released_object_says_what_it_waits_for_once_that_lasts() -> None:
    desk = Desk()
    account = desk.holder(finalizers=ELSE, deleting=True)
    desk.sweep()
    assert desk.says(account) == {}  # most objects go within the second
    desk.wait(31.0)
    status, reason, message = desk.says(account)["Ready"]
    assert (status, reason) == ("False", "Deleting")
    assert "metadata.finalizers" in message
    assert desk.operations() == []


def test_that_a_released_object_neither_counts_as_a_deletion_nor_keeps_its_address() -> None:
    desk = Desk()
    released = [
        desk.holder(f"{number}@company.com", f"inbox-{number}", finalizers=ELSE, deleting=True) for number in range(20)
    ]
    account = desk.account("0@company.com")
    kept = desk.holder(ANN, "inbox-ann", deleting=True)
    desk.sweep(row(ANN, "inbox-ann"))
    assert {desk.step(each).action for each in released} == {Action.WAIT}
    assert desk.step(account).action is Action.CREATE
    assert desk.step(kept).action is Action.DELETE
    assert Operation.DELETE_ACCOUNTS not in desk.operations()
