"""Whoever takes our plain finalizer off an object in deletion lets it go: no other finalizer of ours keeps it."""

from coldsend_operator.core.model.decision import Action
from tests.support.clock import START
from tests.support.core_world import MARKS, CoreWorld, row


def test_that_the_mark_of_a_create_alone_keeps_no_object_in_deletion() -> None:
    core = CoreWorld()
    account = core.holder(finalizers=(MARKS.text("uid-digest-1-1", START),), deleting=True)
    core.sweep(row())
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert not account.desired.finalizers
    assert not core.operations()


def test_that_a_write_which_has_not_begun_is_the_one_that_was_decided_last() -> None:
    """Before the deletion the plain finalizer is to come back; the API server refuses to add one during it."""
    core = CoreWorld()
    mark = MARKS.text("uid-digest-1-1", START)
    account = core.holder(finalizers=(mark,))
    core.sweep(row())
    assert core.workspace.patches[account.uid] is Action.ADD_FINALIZER
    core.change(account, deleting=True)
    assert core.workspace.patches[account.uid] is Action.REMOVE_FINALIZER
