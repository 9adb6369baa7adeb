"""Whoever takes our plain finalizer off an object in deletion lets it go: no other finalizer of ours keeps it."""

from coldsend_operator.core.model.decision import Action
from tests.support.clock import START
from tests.support.desk import MARKS, Desk, row


def test_that_the_mark_of_a_create_alone_keeps_no_object_in_deletion() -> None:
    desk = Desk()
    account = desk.holder(finalizers=(MARKS.text("uid-digest-1-1", START),), deleting=True)
    desk.sweep(row())
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    assert not account.desired.finalizers
    assert not desk.operations()


def test_that_a_write_which_has_not_begun_is_the_one_that_was_decided_last() -> None:
    """Before the deletion the plain finalizer is to come back; the API server refuses to add one during it."""
    desk = Desk()
    mark = MARKS.text("uid-digest-1-1", START)
    account = desk.holder(finalizers=(mark,))
    desk.sweep(row())
    assert desk.workspace.patches[account.uid] is Action.ADD_FINALIZER
    desk.change(account, deleting=True)
    assert desk.workspace.patches[account.uid] is Action.REMOVE_FINALIZER
