"""A call that waits because the API server refused its mark leaves at once when a person acts on the object."""

from coldsend_operator.core import apply
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.support.core_world import CoreWorld, asked_for

TRIES = 6


def refuse_mark(core: CoreWorld) -> None:
    """The call that is due does not leave."""
    [call] = core.calls()
    apply.cancel(core.workspace, apply.launch(core.workspace, call, core.now), core.now)


def postponed() -> tuple[CoreWorld, Account]:
    """The mark of its create was refused several times: the next try is far away."""
    core, account = asked_for()
    for _ in range(TRIES):
        refuse_mark(core)
        core.settle()
        assert core.calls() == ()
        core.wait(account.postponed_until - core.now)
    refuse_mark(core)
    core.wait(1.0)
    assert core.calls() == ()
    return core, account


def test_that_the_reconcile_annotation_tries_a_postponed_create_again_now() -> None:
    core, account = postponed()
    core.change(account, generation=account.desired.generation, annotations={RECONCILE_ANNOTATION: "now"})
    assert core.operations() == [Operation.CREATE_SMTP]


def test_that_a_new_spec_tries_a_postponed_create_again_now() -> None:
    core, account = postponed()
    core.change(account)
    assert core.operations() == [Operation.CREATE_SMTP]


def test_that_an_event_without_a_new_spec_changes_nothing_for_a_postponed_create() -> None:
    core, account = postponed()
    core.change(account, generation=account.desired.generation)
    assert core.operations() == []


def test_that_a_new_spec_does_not_end_the_wait_while_another_server_answers() -> None:
    core, account = postponed()
    transitions.misrouted(account, core.now, 404)
    core.change(account)
    assert core.operations() == []
