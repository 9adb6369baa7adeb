"""A call that waits because the API server refused its mark leaves at once when a person acts on the object."""

from coldsend_operator.core import apply
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.support.desk import Desk, asked_for

TRIES = 6


def refuse_mark(desk: Desk) -> None:
    """The call that is due does not leave."""
    [call] = desk.calls()
    apply.cancel(desk.workspace, apply.launch(desk.workspace, call, desk.now), desk.now)


def postponed() -> tuple[Desk, Account]:
    """The mark of its create was refused several times: the next try is far away."""
    desk, account = asked_for()
    for _ in range(TRIES):
        refuse_mark(desk)
        desk.settle()
        assert desk.calls() == ()
        desk.wait(account.postponed_until - desk.now)
    refuse_mark(desk)
    desk.wait(1.0)
    assert desk.calls() == ()
    return desk, account


def test_that_the_reconcile_annotation_tries_a_postponed_create_again_now() -> None:
    desk, account = postponed()
    desk.change(account, generation=account.desired.generation, annotations={RECONCILE_ANNOTATION: "now"})
    assert desk.operations() == [Operation.CREATE_SMTP]


def test_that_a_new_spec_tries_a_postponed_create_again_now() -> None:
    desk, account = postponed()
    desk.change(account)
    assert desk.operations() == [Operation.CREATE_SMTP]


def test_that_an_event_without_a_new_spec_changes_nothing_for_a_postponed_create() -> None:
    desk, account = postponed()
    desk.change(account, generation=account.desired.generation)
    assert desk.operations() == []


def test_that_a_new_spec_does_not_end_the_wait_while_another_server_answers() -> None:
    desk, account = postponed()
    transitions.misrouted(account, desk.now, 404)
    desk.change(account)
    assert desk.operations() == []
