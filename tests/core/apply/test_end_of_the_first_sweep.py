"""The end of the first sweep concerns those whose inbox its pages have not shown in sync."""

from coldsend_operator.core import apply
from coldsend_operator.core.model.answers import Page
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from tests.support.core_world import ANN, BOB, CoreWorld, row_of


def test_that_only_the_inbox_that_no_page_has_shown_is_decided_about_again() -> None:
    core = CoreWorld()
    shown, missing = core.holder(ANN, "inbox-1"), core.holder(BOB, "inbox-2")
    page = Page((row_of(shown),), 1, 1, 2, has_next=True)
    core.answer(core.ask(Operation.LIST_ACCOUNTS), page)
    last = core.ask(Operation.LIST_ACCOUNTS, page=2)
    apply.fold(core.workspace, last, Page((), 2, 1, 2, has_next=False), core.now)
    assert core.workspace.dirty == {missing.uid}
    core.settle()
    assert core.workspace.decisions[missing.uid].action is Action.GET
