"""A flood of creates: one look at the newest rows for many bulks, and none leaves while its pages are turned."""

from dataclasses import replace

from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind, Page, Row
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.plan.probes import NEWEST_LINGER
from tests.support.core_world import CoreWorld, row

MADE, WAITING = 100, 150


def flooded() -> tuple[CoreWorld, list[Row]]:
    """A bulk was answered with its inboxes still to be looked up, and more accounts wait than one bulk takes."""
    core = CoreWorld()
    core.sweep()
    accounts = [core.account(f"made{number}@company.com") for number in range(MADE)]
    rows = [row(account.address or "", f"inbox-{account.uid}") for account in accounts]
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(total=MADE))
    for number in range(WAITING):
        core.account(f"next{number}@company.com")
    core.workspace.newest.after = core.now  # the look before this one has just ended
    core.wait(2.0)
    return core, rows


def looked_at(core: CoreWorld) -> bool:
    return any(call.newest for call in core.calls())


def turn(core: CoreWorld, page: int, rows: list[Row], *, more: bool) -> None:
    call = core.ask(Operation.LIST_ACCOUNTS, newest=True, page=page)
    assert Operation.CREATE_SMTP_BULK not in core.operations()
    core.answer(call, Page(tuple(rows), page, MADE, 2, has_next=more))


def test_that_the_probe_waits_for_more_bulks() -> None:
    core, _ = flooded()
    assert not looked_at(core)
    assert Operation.CREATE_SMTP_BULK in core.operations()
    core.wait(NEWEST_LINGER)
    assert looked_at(core)


def test_that_no_bulk_leaves_while_its_pages_are_turned() -> None:
    core, rows = flooded()
    turn(core, 1, rows[:50], more=True)
    assert Operation.CREATE_SMTP_BULK not in core.operations()
    assert looked_at(core)
    turn(core, 2, rows[50:], more=False)
    assert Operation.CREATE_SMTP_BULK in core.operations()


def test_that_bulks_leave_when_a_page_is_refused() -> None:
    core, rows = flooded()
    turn(core, 1, rows[:50], more=True)
    call = core.ask(Operation.LIST_ACCOUNTS, newest=True, page=2)
    core.answer(call, Failure(FailureKind.FORBIDDEN, "no", 403))
    assert Operation.CREATE_SMTP_BULK in core.operations()


def test_that_bulks_leave_when_lists_are_refused_to_somebody_else() -> None:
    core, rows = flooded()
    turn(core, 1, rows[:50], more=True)
    core.answer(core.ask(Operation.LIST_ACCOUNTS), Failure(FailureKind.FORBIDDEN, "no", 403))
    assert core.workspace.newest.page == 2
    assert Operation.CREATE_SMTP_BULK in core.operations()


def test_that_rows_without_a_time_lead_to_no_further_page() -> None:
    core, rows = flooded()
    turn(core, 1, [replace(each, created_at=None) for each in rows[:50]], more=True)
    assert core.workspace.newest.page == 0
    assert Operation.CREATE_SMTP_BULK in core.operations()
