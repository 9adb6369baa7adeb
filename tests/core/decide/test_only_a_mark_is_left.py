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
