"""The end of the first sweep concerns those whose inbox its pages have not shown in sync."""

from coldsend_operator.core import apply
from coldsend_operator.core.model.answers import Page
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from tests.support.desk import ANN, BOB, Desk, row_of


def test_that_only_the_inbox_that_no_page_has_shown_is_decided_about_again() -> None:
    desk = Desk()
    shown, missing = desk.holder(ANN, "inbox-1"), desk.holder(BOB, "inbox-2")
    page = Page((row_of(shown),), 1, 1, 2, has_next=True)
    desk.answer(desk.ask(Operation.LIST_ACCOUNTS), page)
    last = desk.ask(Operation.LIST_ACCOUNTS, page=2)
    apply.fold(desk.workspace, last, Page((), 2, 1, 2, has_next=False), desk.now)
    assert desk.workspace.dirty == {missing.uid}
    desk.settle()
    assert desk.workspace.decisions[missing.uid].action is Action.GET
