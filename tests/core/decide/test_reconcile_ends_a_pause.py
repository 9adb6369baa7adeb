"""coldsend.pro/reconcile: a call that waits because the API server refused its mark leaves at once."""

from coldsend_operator.core import apply
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.support.desk import asked_for

TRIES = 6


def test_that_a_create_whose_mark_was_refused_is_tried_again_now() -> None:
    desk, account = asked_for()
    for _ in range(TRIES):
        [call] = desk.calls()
        apply.pause(desk.workspace, call, desk.now)
        desk.settle()
        assert desk.calls() == ()
        desk.wait(account.postponed_until - desk.now)
    apply.pause(desk.workspace, desk.calls()[0], desk.now)
    desk.wait(1.0)
    assert desk.calls() == ()
    desk.change(account, generation=account.desired.generation, annotations={RECONCILE_ANNOTATION: "now"})
    assert desk.operations() == [Operation.CREATE_SMTP]
