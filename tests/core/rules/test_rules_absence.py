"""The rules of "Absence": 16 to 19."""

import pytest

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Created, Deleted, Page
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from coldsend_operator.core.workspace.inventory import Inventory
from tests.support.clock import START
from tests.support.desk import ANN, BOB, LOST, Desk, asked_for, held, row, row_of


@pytest.mark.parametrize(
    ("totals", "proven"),
    [((2, 2), True), ((3, 3), False), ((1, 1), False), ((3, 2), False), ((None, 2), False), ((None, None), False)],
)
def test_rule_16_a_list_proves_absence_only_with_as_many_ids_as_an_unchanged_total_says(
    totals: tuple[int | None, int | None], proven: bool
) -> None:
    inventory = Inventory()
    inventory.put(row("gone@company.com", "inbox-0"), START)
    inventory.begin(START + 1)
    inventory.fold(Page((row(),), 1, totals[0], 2, has_next=True), START + 1)
    _, result = inventory.fold(Page((row(BOB, "inbox-2"),), 2, totals[1], 2, has_next=False), START + 1)
    assert result is not None
    assert result.proven == proven
    assert ("inbox-0" not in inventory.rows) == proven


def test_rule_16_an_inbox_that_stands_on_two_pages_counts_once() -> None:
    inventory = Inventory()
    inventory.begin(START)
    inventory.fold(Page((row(),), 1, 2, 2, has_next=True), START)
    _, result = inventory.fold(Page((row(),), 2, 2, 2, has_next=False), START)
    assert result is not None
    assert not result.proven


def test_rule_16_a_list_says_nothing_of_what_was_made_after_it_began() -> None:
    desk, account = asked_for()
    desk.wait(1.0)
    listing = desk.ask(Operation.LIST_ACCOUNTS)
    desk.wait(1.0)
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Created(row()))
    desk.answer(listing, Page((), 1, 0, 1, has_next=False))
    assert "inbox-1" in desk.workspace.inventory.rows


def test_rule_16_what_vanished_unasked_is_made_again_only_after_a_404_of_its_id() -> None:
    desk, account = held()
    for _ in range(5):
        desk.wait(300.0)
        desk.sweep()
    assert desk.step(account).action is Action.GET
    assert account.stored.inbox_id == "inbox-1"
    desk.get(account)
    assert desk.patch(account) is Action.FORGET
    assert desk.step(account).action is Action.CREATE


def test_rule_16_a_404_right_after_our_own_create_is_not_trusted_yet() -> None:
    desk, account = asked_for()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Created(row()))
    desk.wait(119.0)
    desk.get(account)
    assert account.not_found_at is None
    desk.wait(2.0)
    desk.get(account)
    assert account.not_found_at is not None


def test_rule_16_a_404_that_a_later_list_refutes_proves_nothing() -> None:
    desk, account = held()
    desk.workspace.implausible = "told apart"  # what keeps the next step from being taken at once
    desk.get(account)
    desk.wait(300.0)
    desk.sweep(row())
    assert account.not_found_at is None
    assert desk.step(account).action is Action.WAIT


def test_rule_16_a_list_that_lags_behind_a_404_does_not_bring_the_inbox_back() -> None:
    desk, account = held(deleting=True)
    desk.get(account)
    desk.wait(10.0)
    desk.sweep(row())
    assert "inbox-1" not in desk.workspace.inventory.rows


def in_deletion() -> tuple[Desk, Account]:
    """The GET of its inbox has answered 404."""
    desk, account = held(deleting=True)
    desk.get(account)
    return desk, account


def test_rule_17_a_404_ends_a_deletion_when_the_address_is_absent_too() -> None:
    desk, account = in_deletion()
    assert desk.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_before_any_look_at_the_address_a_404_does_not_end_a_deletion() -> None:
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.get(account)
    assert desk.step(account).action is Action.SEARCH
    desk.search(account)
    assert desk.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_a_look_at_the_address_from_before_the_404_does_not_end_a_deletion() -> None:
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.sweep()
    desk.wait(10.0)
    desk.get(account)
    assert desk.step(account).action is Action.SEARCH
    desk.search(account)
    assert desk.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_a_look_that_shows_the_id_in_spite_of_its_404_does_not_end_a_deletion() -> None:
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.get(account)
    desk.search(account, row())
    desk.wait(10.0)
    assert desk.step(account).action is Action.SEARCH
    desk.search(account)
    assert desk.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_looks_that_show_the_id_in_spite_of_its_404_may_end_in_any_order() -> None:
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.get(account)
    search = desk.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address)
    desk.wait(0.1)
    desk.sweep(row())
    desk.answer(search, Page((row(),), 1, 1, 1, has_next=False))
    assert desk.step(account).action is not Action.REMOVE_FINALIZER


def test_rule_17_the_404_of_an_inbox_that_we_deleted_does_not_end_a_deletion_before_any_look_at_the_address() -> None:
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.get(account, row())
    desk.answer(desk.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",)), Deleted())
    desk.get(account)
    assert desk.step(account).action is Action.SEARCH
    desk.search(account)
    assert desk.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_the_address_under_another_id_is_left_alone_without_a_lost_create() -> None:
    """A restored status looks just like an inbox that a person made again by hand: nothing tells them apart."""
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.sweep(row(inbox_id="inbox-2", made=START - 5_000.0))
    desk.get(account)
    assert desk.step(account).action is Action.REMOVE_FINALIZER
    assert account.stored.inbox_id == "inbox-1"


def test_rule_17_the_address_under_an_id_that_another_object_holds_is_left_alone() -> None:
    desk = Desk()
    account = desk.holder(deleting=True)
    desk.holder(inbox_id="inbox-2", name="other")
    desk.sweep(row(inbox_id="inbox-2", made=START - 5_000.0))
    desk.get(account)
    assert desk.step(account).action is Action.REMOVE_FINALIZER
    assert account.stored.inbox_id == "inbox-1"


def delete_meanwhile(desk: Desk, account: Account) -> None:
    desk.change(account, deleting=True)


def test_rule_18_an_object_stays_while_its_create_is_under_way_and_what_appears_is_deleted() -> None:
    desk, account = asked_for()
    call = desk.ask(Operation.CREATE_SMTP, account)
    delete_meanwhile(desk, account)
    assert desk.step(account).action is Action.WAIT
    desk.answer(call, Created(row()))
    desk.wait(SETTLE_SECONDS)
    assert [each.inbox_ids for each in desk.calls() if each.operation.deletes] == [("inbox-1",)]


def test_rule_18_an_object_stays_while_its_job_runs() -> None:
    desk = Desk()
    ann, bob = desk.account(), desk.account(BOB)
    desk.sweep()
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, ann, bob), BulkAnswer("job-1", 2))
    delete_meanwhile(desk, ann)
    step = desk.step(ann)
    assert (step.action, step.reason) == (Action.WAIT, Reason.DELETING)


def test_rule_18_an_object_stays_until_the_wait_for_its_lost_create_is_over() -> None:
    desk, account = asked_for()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), LOST)
    delete_meanwhile(desk, account)
    desk.wait(100.0)
    desk.search(account)
    assert desk.step(account).action is not Action.REMOVE_FINALIZER
    desk.wait(21.0)
    assert desk.step(account).action is Action.SEARCH
    desk.search(account)
    assert desk.step(account).action is Action.REMOVE_FINALIZER


def test_rule_18_what_a_lost_create_brings_to_an_object_in_deletion_is_deleted() -> None:
    desk = Desk()
    account = desk.account(marked=START - 60.0, deleting=True)
    desk.sweep(row(made=START - 58.0))
    desk.wait(SETTLE_SECONDS)
    assert [each.inbox_ids for each in desk.calls() if each.operation.deletes] == [("inbox-1",)]
    assert account.stored.origin == "Created"


def many(desk: Desk, count: int) -> list[Account]:
    return [desk.holder(f"{number}@company.com", f"inbox-{number}") for number in range(count)]


@pytest.mark.parametrize(
    ("known", "shown", "trusted"), [(20, 10, True), (20, 9, False), (19, 10, True), (10, 0, False), (9, 0, True)]
)
def test_rule_19_a_list_without_most_of_at_least_10_known_inboxes_is_not_trusted(
    known: int, shown: int, trusted: bool
) -> None:
    desk = Desk()
    accounts = many(desk, known)
    desk.show(*accounts[:shown])
    assert (desk.workspace.implausible is None) == trusted
    if not trusted:
        desk.get(accounts[-1])
        assert desk.step(accounts[-1]).reason is Reason.INVENTORY_IMPLAUSIBLE


def test_rule_19_inboxes_whose_deletion_coldsend_accepted_are_not_counted_as_missing() -> None:
    desk = Desk()
    accounts = many(desk, 20)
    rows = [row_of(account) for account in accounts]
    desk.sweep(*rows)
    for account in accounts[:12]:
        delete_meanwhile(desk, account)
        desk.answer(desk.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=(account.stored.inbox_id,)), Deleted())
    desk.wait(10.0)
    desk.sweep(*rows[12:])
    assert desk.workspace.implausible is None


def test_rule_19_objects_in_deletion_whose_inbox_answered_404_are_not_counted_as_missing() -> None:
    desk = Desk()
    accounts = many(desk, 20)
    rows = [row_of(account) for account in accounts]
    desk.sweep(*rows)
    for account in accounts[:12]:
        desk.change(account, account.address or "", deleting=True)
        desk.get(account)
    desk.wait(10.0)
    desk.sweep(*rows[12:])
    assert desk.workspace.implausible is None


@pytest.mark.parametrize(("deleting", "moves"), [(False, True), (True, False)])
def test_rule_19_approve_recreation_never_applies_to_objects_in_deletion(deleting: bool, moves: bool) -> None:
    desk = Desk()
    approved = {"coldsend.pro/approve-recreation": "true"}
    account = desk.holder(applied={"workspace": "digest-of-another"}, deleting=deleting, annotations=approved)
    desk.sweep()
    desk.get(account)
    step = desk.step(account)
    assert (step.reason is not Reason.INVENTORY_IMPLAUSIBLE) == moves
    assert step.action is not Action.REMOVE_FINALIZER
    assert ("force-orphan" in step.message) == deleting


def test_rule_19_approve_recreation_lets_the_missing_be_made_again() -> None:
    desk = Desk()
    accounts = many(desk, 12)
    approved = {"coldsend.pro/approve-recreation": "true"}
    desk.sweep()
    desk.change(accounts[0], accounts[0].address or ANN, annotations=approved)
    desk.get(accounts[0])
    assert desk.step(accounts[0]).action is Action.FORGET
