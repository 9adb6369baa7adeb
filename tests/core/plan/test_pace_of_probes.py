"""Looks that fail, or are asked for all the time, are paced; lists have an end (rule 42)."""

from collections.abc import Callable

import pytest

from coldsend_operator.core import apply
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Answer, Domain, DomainPage, Failure, FailureKind, Page, Row
from coldsend_operator.core.model.calls import BULK, Call, Operation
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.support.clock import START
from tests.support.core_world import CoreWorld, asked_for, held, row, row_of
from tests.support.remote import DOMAIN

REFUSED = Failure(FailureKind.REFUSED, "Unprocessable", 422)
CONFLICT = Failure(FailureKind.CONFLICT, "email already exists", 409)
UPPER = "550E8400-E29B-41D4-A716-446655440001"
HOUR = 3600


def answers(core: CoreWorld, answer: Callable[[Call], Answer | Failure], seconds: int) -> dict[Operation, int]:
    """What leaves when every call of these seconds is answered so."""
    counts: dict[Operation, int] = {}
    for _ in range(seconds * 2):
        core.wait(0.5)
        for candidate in core.calls():
            call = apply.launch(core.workspace, candidate, core.now)
            counts[call.operation] = counts.get(call.operation, 0) + 1
            core.answer(call, answer(call))
    return counts


def test_rule_42_a_search_that_is_refused_is_paced() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), CONFLICT)
    core.patch(account)
    assert answers(core, lambda _: REFUSED, 600)[Operation.SEARCH_ACCOUNTS] <= 20


@pytest.mark.parametrize("goes", [False, True])
def test_rule_42_a_search_for_one_that_observes_or_goes_is_paced_too(goes: bool) -> None:
    core = CoreWorld()
    if goes:
        transitions.not_found(core.holder(deleting=True), START, listed=False)
    else:
        core.account(managementPolicy="Observe")
    assert answers(core, lambda _: REFUSED, 600)[Operation.SEARCH_ACCOUNTS] <= 20


def test_rule_42_a_list_that_is_refused_is_paced() -> None:
    core = CoreWorld()
    core.holder()
    assert answers(core, lambda _: REFUSED, 600)[Operation.LIST_ACCOUNTS] <= 20


def test_rule_42_a_list_of_domains_that_is_refused_is_paced_and_told() -> None:
    core, account = asked_for(f"n@{DOMAIN.domain_name}")
    counts = answers(core, lambda call: REFUSED if call.operation is Operation.LIST_DOMAINS else empty(), 600)
    assert counts[Operation.LIST_DOMAINS] <= 20
    assert "Unprocessable" in core.says(account)["Ready"][2]


@pytest.mark.parametrize("kind", [FailureKind.UNAVAILABLE, FailureKind.LOST])
def test_rule_42_a_list_of_domains_that_alone_fails_is_paced_and_stops_nobody(kind: FailureKind) -> None:
    down = Failure(kind, "Internal Server Error", 500)
    core, native = asked_for(f"n@{DOMAIN.domain_name}")
    other = core.holder("other@company.com", "inbox-2")
    shown = Page((row_of(other),), 1, 1, 1, has_next=False)
    counts = answers(core, lambda call: down if call.operation is Operation.LIST_DOMAINS else shown, 600)
    assert counts[Operation.LIST_DOMAINS] <= 20
    assert core.breaker.block_of(Operation.LIST_ACCOUNTS) is None
    assert "Internal Server Error" in core.says(native)["Ready"][2]


def empty() -> Page:
    return Page((), 1, 0, 1, has_next=False)


def test_rule_42_a_refused_probe_does_not_count_as_a_success() -> None:
    core = CoreWorld()
    account = core.account()
    down = Failure(FailureKind.UNAVAILABLE, "down", 503)
    for outcome in (down, down, REFUSED, down):
        core.answer(core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address), outcome)
    assert core.breaker.doubtful


def reconciled(core: CoreWorld, account: Account, value: int) -> None:
    """The annotation changes, and the Secret is read again."""
    core.change(account, account.address or "", generation=1, annotations={RECONCILE_ANNOTATION: str(value)})
    core.workspace.stale_secrets.discard(account.uid)


def test_rule_42_an_annotation_that_changes_each_second_causes_few_probes() -> None:
    core, account = held()
    looks = 0
    for second in range(900):
        reconciled(core, account, second)
        looks += answers(core, lambda call: row() if call.operation is Operation.GET_ACCOUNT else shown(), 1).get(
            Operation.GET_ACCOUNT, 0
        )
    assert 5 <= looks <= 25


@pytest.mark.parametrize("operation", [Operation.LIST_ACCOUNTS, Operation.GET_ACCOUNT])
def test_that_a_read_from_before_a_person_asked_for_one_does_not_answer_that(operation: Operation) -> None:
    core, account = held()
    get = {"inbox_ids": (account.stored.inbox_id,)}
    early = core.ask(operation, account, **get) if operation is Operation.GET_ACCOUNT else core.ask(operation)
    core.wait(1.0)
    reconciled(core, account, 1)
    core.answer(early, row() if operation is Operation.GET_ACCOUNT else shown())
    assert account.stored.reconcile is None
    core.wait(1.0)
    core.get(account, row())
    assert account.stored.reconcile == "1"


def shown() -> Page:
    return Page((row(),), 1, 1, 1, has_next=False)


def test_that_a_person_who_reconciles_now_and_then_is_served_at_once() -> None:
    core, account = held()
    for value in range(5):
        reconciled(core, account, value)
        assert Operation.GET_ACCOUNT in core.operations()
        core.get(account, row())
        core.wait(400.0)


def test_rule_42_an_object_that_is_edited_each_second_is_not_created_each_second() -> None:
    core, account = asked_for()
    creates = 0
    for second in range(900):
        core.change(account, displayName=f"Jane {second}")
        counts = answers(core, lambda call: REFUSED if call.operation.creates else empty(), 1)
        creates += counts.get(Operation.CREATE_SMTP, 0)
    assert 5 <= creates <= 25


def test_rule_42_pages_are_bounded_by_the_total_first_told() -> None:
    core = CoreWorld()
    core.holder()
    pages: list[int] = []

    def endless(call: Call) -> Page:
        pages.append(call.page)
        return Page((row(),), call.page, 1, 1, has_next=True)

    assert answers(core, endless, 60)[Operation.LIST_ACCOUNTS] == 2
    assert core.workspace.inventory.listed_at > 0  # it told one inbox, and showed it


def test_rule_42_a_whole_list_that_goes_on_showing_other_rows_has_an_end() -> None:
    core = CoreWorld()
    core.holder()
    pages: list[int] = []

    def endless(call: Call) -> Page:
        pages.append(call.page)
        other = row(f"{len(pages)}@elsewhere.com", f"inbox-{len(pages)}")
        return Page((other,), call.page, 10, 10, has_next=True)

    answers(core, endless, 60)
    assert 10 < max(pages) <= 25


def test_rule_42_a_search_and_the_newest_rows_have_an_end_too() -> None:
    core = CoreWorld()
    account = core.account()
    number = 0

    def endless(call: Call) -> Page:
        nonlocal number
        number += 1
        other = row(f"{number}@elsewhere.com", f"inbox-{number}", made=START + 1e6)
        return Page((other,), call.page, 1, 1, has_next=True)

    call = core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address)
    for _ in range(20):
        core.answer(call, endless(call))
        if account.uid not in core.workspace.searches:
            break
        call = core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address, page=call.page + 1)
    assert call.page <= 7
    assert account.searched_at == 0.0  # a list without an end proves no absence


@pytest.mark.parametrize("total", [None, 100_000_000], ids=["untold", "huge"])
def test_rule_42_a_search_that_shows_the_same_page_again_and_again_has_an_end(total: int | None) -> None:
    core = CoreWorld()
    account = core.account()
    other = row("other@elsewhere.com", "inbox-2")
    counts = answers(core, lambda call: Page((other,), call.page, total, None, has_next=True), 600)
    assert counts[Operation.SEARCH_ACCOUNTS] <= 40
    assert account.searched_at == 0.0


def test_rule_42_domains_have_an_end_too() -> None:
    core = CoreWorld()
    for page in (1, 2):
        core.answer(core.ask(Operation.LIST_DOMAINS, page=page), DomainPage((DOMAIN,), page, has_next=True))
    assert core.workspace.domains.listed_at > 0


def test_that_an_id_is_the_same_in_either_case() -> None:
    core = CoreWorld()
    account = core.holder(inbox_id=UPPER.lower())
    counts = answers(core, lambda call: whole(call, Row(UPPER, "ann@company.com", overall_status="ACTIVE")), 600)
    assert counts.get(Operation.GET_ACCOUNT, 0) == 0
    assert core.says(account)["Ready"][:2] == ("True", "Active")
    core.change(account, generation=1, annotations={RECONCILE_ANNOTATION: "1"})
    (look,) = (call for call in core.calls() if call.operation is Operation.GET_ACCOUNT)
    assert look.inbox_ids == (UPPER,)  # it is asked for as ColdSend spells it


def test_that_an_id_of_a_status_is_the_same_in_either_case() -> None:
    core = CoreWorld()
    account = core.holder(inbox_id=UPPER)
    core.sweep(Row(UPPER.lower(), "ann@company.com", overall_status="ACTIVE"))
    assert core.says(account)["Ready"][:2] == ("True", "Active")


def whole(call: Call, *rows: Row) -> Answer:
    return rows[0] if call.operation is Operation.GET_ACCOUNT else Page(rows, 1, len(rows), 1, has_next=False)


@pytest.mark.parametrize("age", [2.0, 11.0])
def test_that_a_domain_which_nobody_asked_for_so_far_is_looked_up_at_once(age: float) -> None:
    core = CoreWorld()
    core.account(f"one@{DOMAIN.domain_name}")
    core.sweep()
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((DOMAIN,), 1, has_next=False))
    core.wait(age)
    late = native(core, "new.com")
    if age < 10.0:
        assert Operation.LIST_DOMAINS not in core.operations()
        assert core.says(late)["Ready"][1] == "DomainNotFound"
        core.wait(10.0)
    assert Operation.LIST_DOMAINS in core.operations()
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((DOMAIN,), 1, has_next=False))
    core.wait(50.0)
    assert Operation.LIST_DOMAINS not in core.operations()  # once
    assert core.says(late)["Ready"][1] == "DomainNotFound"


def test_that_a_domain_stays_unknown_in_status_while_it_is_looked_up_again() -> None:
    core = CoreWorld()
    late = native(core, "new.com")
    core.sweep()
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((DOMAIN,), 1, has_next=False))
    said = core.says(late)
    assert said["Ready"][1] == said["Synced"][1] == "DomainNotFound"
    core.wait(60.0)
    assert Operation.LIST_DOMAINS in core.operations()
    assert core.says(late) == said


def test_that_objects_with_ever_new_domains_do_not_list_them_without_end() -> None:
    core = CoreWorld()
    core.sweep()
    lists = 0
    domain = Domain("550e8400-e29b-41d4-a716-446655440000", "known.com", "ACTIVE")
    for number in range(200):
        native(core, f"new{number}.com")
        counts = answers(core, lambda call: listed(call, domain), 5)
        lists += counts.get(Operation.LIST_DOMAINS, 0)
    assert lists <= 40


def native(core: CoreWorld, domain: str) -> Account:
    return core.account(f"x@{DOMAIN.domain_name}", native={"domainName": domain, "emailPrefix": "x"})


def listed(call: Call, domain: Domain) -> Answer:
    return DomainPage((domain,), 1, has_next=False) if call.operation is Operation.LIST_DOMAINS else empty()


def test_rule_42_more_inboxes_just_made_than_a_page_shows_are_reconciled_with_few_requests() -> None:
    """Those beyond the page of the newest rows had it read each second until the next sweep."""
    core, number = CoreWorld(), 250
    accounts = [core.holder(f"n{each}@company.com", f"inbox-{each}") for each in range(number)]
    rows = [row_of(account) for account in accounts]

    def shown(call: Call) -> Answer:
        if call.operation is Operation.GET_ACCOUNT:
            return next(each for each in rows if each.inbox_id == call.inbox_ids[0])
        part = rows[(call.page - 1) * BULK : call.page * BULK]
        return Page(tuple(part), call.page, number, 3, has_next=call.page < 3)

    answers(core, shown, 10)
    for account in accounts:
        transitions.address_written(account, core.now)  # as if it had been made after that list
        reconciled(core, account, 1)
    counts = answers(core, shown, 60)
    assert sum(counts.values()) <= 12, counts
    assert all(account.stored.reconcile == "1" for account in accounts)


def test_that_the_newest_rows_put_off_nobody_who_waits_for_another_reason() -> None:
    core, account = held()
    reconciled(core, account, 1)
    core.answer(core.ask(Operation.LIST_ACCOUNTS, newest=True), empty())
    assert Operation.GET_ACCOUNT in core.operations()
