"""A flood of creates: one look at the newest rows for many bulks, and none leaves while its pages are turned."""

from dataclasses import replace

from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind, Page, Row
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.plan.probes import NEWEST_LINGER
from tests.support.desk import Desk, row

MADE, WAITING = 100, 150


def flooded() -> tuple[Desk, list[Row]]:
    """A bulk was answered with its inboxes still to be looked up, and more accounts wait than one bulk takes."""
    desk = Desk()
    desk.sweep()
    accounts = [desk.account(f"made{number}@company.com") for number in range(MADE)]
    rows = [row(account.address or "", f"inbox-{account.uid}") for account in accounts]
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(total=MADE))
    for number in range(WAITING):
        desk.account(f"next{number}@company.com")
    desk.workspace.newest.after = desk.now  # the look before this one has just ended
    desk.wait(2.0)
    return desk, rows


def looked_at(desk: Desk) -> bool:
    return any(call.newest for call in desk.calls())


def turn(desk: Desk, page: int, rows: list[Row], *, more: bool) -> None:
    call = desk.ask(Operation.LIST_ACCOUNTS, newest=True, page=page)
    assert Operation.CREATE_SMTP_BULK not in desk.operations()
    desk.answer(call, Page(tuple(rows), page, MADE, 2, has_next=more))


def test_that_the_probe_waits_for_more_bulks() -> None:
    desk, _ = flooded()
    assert not looked_at(desk)
    assert Operation.CREATE_SMTP_BULK in desk.operations()
    desk.wait(NEWEST_LINGER)
    assert looked_at(desk)


def test_that_no_bulk_leaves_while_its_pages_are_turned() -> None:
    desk, rows = flooded()
    turn(desk, 1, rows[:50], more=True)
    assert Operation.CREATE_SMTP_BULK not in desk.operations()
    assert looked_at(desk)
    turn(desk, 2, rows[50:], more=False)
    assert Operation.CREATE_SMTP_BULK in desk.operations()


def test_that_bulks_leave_when_a_page_is_refused() -> None:
    desk, rows = flooded()
    turn(desk, 1, rows[:50], more=True)
    call = desk.ask(Operation.LIST_ACCOUNTS, newest=True, page=2)
    desk.answer(call, Failure(FailureKind.FORBIDDEN, "no", 403))
    assert Operation.CREATE_SMTP_BULK in desk.operations()


def test_that_bulks_leave_when_lists_are_refused_to_somebody_else() -> None:
    desk, rows = flooded()
    turn(desk, 1, rows[:50], more=True)
    desk.answer(desk.ask(Operation.LIST_ACCOUNTS), Failure(FailureKind.FORBIDDEN, "no", 403))
    assert desk.workspace.newest.page == 2
    assert Operation.CREATE_SMTP_BULK in desk.operations()


def test_that_rows_without_a_time_lead_to_no_further_page() -> None:
    desk, rows = flooded()
    turn(desk, 1, [replace(each, created_at=None) for each in rows[:50]], more=True)
    assert desk.workspace.newest.page == 0
    assert Operation.CREATE_SMTP_BULK in desk.operations()
