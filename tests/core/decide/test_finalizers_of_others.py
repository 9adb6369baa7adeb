"""An object in deletion that the operator has released, and that a finalizer of another controller keeps."""

from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from tests.support.core_world import ANN, CoreWorld, row

ELSE = ("example.com/backup",)


def test_that_a_released_object_says_what_it_waits_for_once_that_lasts() -> None:
    core = CoreWorld()
    account = core.holder(finalizers=ELSE, deleting=True)
    core.sweep()
    assert core.says(account) == {}  # most objects go within the second
    core.wait(31.0)
    status, reason, message = core.says(account)["Ready"]
    assert (status, reason) == ("False", "Deleting")
    assert "metadata.finalizers" in message
    assert core.operations() == []


def test_that_a_released_object_neither_counts_as_a_deletion_nor_keeps_its_address() -> None:
    core = CoreWorld()
    released = [
        core.holder(f"{number}@company.com", f"inbox-{number}", finalizers=ELSE, deleting=True) for number in range(20)
    ]
    account = core.account("0@company.com")
    kept = core.holder(ANN, "inbox-ann", deleting=True)
    core.sweep(row(ANN, "inbox-ann"))
    assert {core.step(each).action for each in released} == {Action.WAIT}
    assert core.step(account).action is Action.CREATE
    assert core.step(kept).action is Action.DELETE
    assert Operation.DELETE_ACCOUNTS not in core.operations()
