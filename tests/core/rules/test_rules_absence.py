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
from tests.support.core_world import ANN, BOB, LOST, CoreWorld, asked_for, held, row, row_of


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
    core, account = asked_for()
    core.wait(1.0)
    listing = core.ask(Operation.LIST_ACCOUNTS)
    core.wait(1.0)
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(row()))
    core.answer(listing, Page((), 1, 0, 1, has_next=False))
    assert "inbox-1" in core.workspace.inventory.rows


def test_rule_16_what_vanished_unasked_is_made_again_only_after_a_404_of_its_id() -> None:
    core, account = held()
    for _ in range(5):
        core.wait(300.0)
        core.sweep()
    assert core.step(account).action is Action.GET
    assert account.stored.inbox_id == "inbox-1"
    core.get(account)
    assert core.patch(account) is Action.FORGET
    assert core.step(account).action is Action.CREATE


def test_rule_16_a_404_right_after_our_own_create_is_not_trusted_yet() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(row()))
    core.wait(119.0)
    core.get(account)
    assert account.not_found_at is None
    core.wait(2.0)
    core.get(account)
    assert account.not_found_at is not None


def test_rule_16_a_404_that_a_later_list_refutes_proves_nothing() -> None:
    core, account = held()
    core.workspace.implausible = "told apart"  # what keeps the next step from being taken at once
    core.get(account)
    core.wait(300.0)
    core.sweep(row())
    assert account.not_found_at is None
    assert core.step(account).action is Action.WAIT


def test_rule_16_a_list_that_lags_behind_a_404_does_not_bring_the_inbox_back() -> None:
    core, account = held(deleting=True)
    core.get(account)
    core.wait(10.0)
    core.sweep(row())
    assert "inbox-1" not in core.workspace.inventory.rows


def in_deletion() -> tuple[CoreWorld, Account]:
    """The GET of its inbox has answered 404."""
    core, account = held(deleting=True)
    core.get(account)
    return core, account


def test_rule_17_a_404_ends_a_deletion_when_the_address_is_absent_too() -> None:
    core, account = in_deletion()
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_before_any_look_at_the_address_a_404_does_not_end_a_deletion() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.get(account)
    assert core.step(account).action is Action.SEARCH
    core.search(account)
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_a_look_at_the_address_from_before_the_404_does_not_end_a_deletion() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.sweep()
    core.wait(10.0)
    core.get(account)
    assert core.step(account).action is Action.SEARCH
    core.search(account)
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_a_look_that_shows_the_id_in_spite_of_its_404_does_not_end_a_deletion() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.get(account)
    core.search(account, row())
    core.wait(10.0)
    assert core.step(account).action is Action.SEARCH
    core.search(account)
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_looks_that_show_the_id_in_spite_of_its_404_may_end_in_any_order() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.get(account)
    search = core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address)
    core.wait(0.1)
    core.sweep(row())
    core.answer(search, Page((row(),), 1, 1, 1, has_next=False))
    assert core.step(account).action is not Action.REMOVE_FINALIZER


def test_rule_17_the_404_of_an_inbox_that_we_deleted_does_not_end_a_deletion_before_any_look_at_the_address() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.get(account, row())
    core.answer(core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=("inbox-1",)), Deleted())
    core.get(account)
    assert core.step(account).action is Action.SEARCH
    core.search(account)
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_17_the_address_under_another_id_is_left_alone_without_a_lost_create() -> None:
    """A restored status looks just like an inbox that a person made again by hand: nothing tells them apart."""
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.sweep(row(inbox_id="inbox-2", made=START - 5_000.0))
    core.get(account)
    assert core.step(account).action is Action.REMOVE_FINALIZER
    assert account.stored.inbox_id == "inbox-1"


def test_rule_17_the_address_under_an_id_that_another_object_holds_is_left_alone() -> None:
    core = CoreWorld()
    account = core.holder(deleting=True)
    core.holder(inbox_id="inbox-2", name="other")
    core.sweep(row(inbox_id="inbox-2", made=START - 5_000.0))
    core.get(account)
    assert core.step(account).action is Action.REMOVE_FINALIZER
    assert account.stored.inbox_id == "inbox-1"


def delete_meanwhile(core: CoreWorld, account: Account) -> None:
    core.change(account, deleting=True)


def test_rule_18_an_object_stays_while_its_create_is_under_way_and_what_appears_is_deleted() -> None:
    core, account = asked_for()
    call = core.ask(Operation.CREATE_SMTP, account)
    delete_meanwhile(core, account)
    assert core.step(account).action is Action.WAIT
    core.answer(call, Created(row()))
    core.wait(SETTLE_SECONDS)
    assert [each.inbox_ids for each in core.calls() if each.operation.deletes] == [("inbox-1",)]


def test_rule_18_an_object_stays_while_its_job_runs() -> None:
    core = CoreWorld()
    ann, bob = core.account(), core.account(BOB)
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, ann, bob), BulkAnswer("job-1", 2))
    delete_meanwhile(core, ann)
    step = core.step(ann)
    assert (step.action, step.reason) == (Action.WAIT, Reason.DELETING)


def test_rule_18_an_object_stays_until_the_wait_for_its_lost_create_is_over() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    delete_meanwhile(core, account)
    core.wait(100.0)
    core.search(account)
    assert core.step(account).action is not Action.REMOVE_FINALIZER
    core.wait(21.0)
    assert core.step(account).action is Action.SEARCH
    core.search(account)
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_18_what_a_lost_create_brings_to_an_object_in_deletion_is_deleted() -> None:
    core = CoreWorld()
    account = core.account(marked=START - 60.0, deleting=True)
    core.sweep(row(made=START - 58.0))
    core.wait(SETTLE_SECONDS)
    assert [each.inbox_ids for each in core.calls() if each.operation.deletes] == [("inbox-1",)]
    assert account.stored.origin == "Created"


def many(core: CoreWorld, count: int) -> list[Account]:
    return [core.holder(f"{number}@company.com", f"inbox-{number}") for number in range(count)]


@pytest.mark.parametrize(
    ("known", "shown", "trusted"), [(20, 10, True), (20, 9, False), (19, 10, True), (10, 0, False), (9, 0, True)]
)
def test_rule_19_a_list_without_most_of_at_least_10_known_inboxes_is_not_trusted(
    known: int, shown: int, trusted: bool
) -> None:
    core = CoreWorld()
    accounts = many(core, known)
    core.show(*accounts[:shown])
    assert (core.workspace.implausible is None) == trusted
    if not trusted:
        core.get(accounts[-1])
        assert core.step(accounts[-1]).reason is Reason.INVENTORY_IMPLAUSIBLE


def test_rule_19_inboxes_whose_deletion_coldsend_accepted_are_not_counted_as_missing() -> None:
    core = CoreWorld()
    accounts = many(core, 20)
    rows = [row_of(account) for account in accounts]
    core.sweep(*rows)
    for account in accounts[:12]:
        delete_meanwhile(core, account)
        core.answer(core.ask(Operation.DELETE_ACCOUNT, account, inbox_ids=(account.stored.inbox_id,)), Deleted())
    core.wait(10.0)
    core.sweep(*rows[12:])
    assert core.workspace.implausible is None


def test_rule_19_objects_in_deletion_whose_inbox_answered_404_are_not_counted_as_missing() -> None:
    core = CoreWorld()
    accounts = many(core, 20)
    rows = [row_of(account) for account in accounts]
    core.sweep(*rows)
    for account in accounts[:12]:
        core.change(account, account.address or "", deleting=True)
        core.get(account)
    core.wait(10.0)
    core.sweep(*rows[12:])
    assert core.workspace.implausible is None


@pytest.mark.parametrize(("deleting", "moves"), [(False, True), (True, False)])
def test_rule_19_approve_recreation_never_applies_to_objects_in_deletion(deleting: bool, moves: bool) -> None:
    core = CoreWorld()
    approved = {"coldsend.pro/approve-recreation": "true"}
    account = core.holder(applied={"workspace": "digest-of-another"}, deleting=deleting, annotations=approved)
    core.sweep()
    core.get(account)
    step = core.step(account)
    assert (step.reason is not Reason.INVENTORY_IMPLAUSIBLE) == moves
    assert step.action is not Action.REMOVE_FINALIZER
    assert ("force-orphan" in step.message) == deleting


def test_rule_19_approve_recreation_lets_the_missing_be_made_again() -> None:
    core = CoreWorld()
    accounts = many(core, 12)
    approved = {"coldsend.pro/approve-recreation": "true"}
    core.sweep()
    core.change(accounts[0], accounts[0].address or ANN, annotations=approved)
    core.get(accounts[0])
    assert core.step(accounts[0]).action is Action.FORGET
