"""What status says of an account to the people who read it."""

import pytest

from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import Created, Domain, DomainPage, Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.status.projection import project
from tests.support.core_world import CoreWorld, held, row
from tests.support.remote import DOMAIN

NATIVE = f"jane@{DOMAIN.domain_name}"


def shown(core: CoreWorld, account: Account) -> dict[str, object]:
    core.wait(60.0)  # longer than what passes by itself
    return project(account, core.workspace, core.now) or {}


def test_that_an_object_without_an_inbox_says_nothing_of_health_and_of_the_password_that_coldsend_has() -> None:
    core = CoreWorld()
    account = core.account()
    core.sweep(row(made=0.0))
    says = core.says(account)
    assert says["Ready"][1] == Reason.ALREADY_EXISTS
    assert not {"Healthy", "CredentialsCurrent"} & says.keys()


def test_that_a_missing_secret_is_told_of_an_object_without_an_inbox_too() -> None:
    core = CoreWorld()
    account = core.account()
    account.credentials = Credentials(None, Reason.SECRET_NOT_FOUND, "There is no Secret mail.")
    core.sweep()
    assert core.says(account)["CredentialsCurrent"][:2] == ("False", Reason.SECRET_NOT_FOUND)


def test_that_an_adopted_inbox_says_that_its_health_and_its_password_are_not_known() -> None:
    core = CoreWorld()
    account = core.holder(origin="Adopted", applied={"credentialsHash": None})
    core.sweep(row(health_score=None))
    says = core.says(account)
    assert says["Healthy"][:2] == ("Unknown", Reason.HEALTH_SCORE_UNKNOWN)
    assert says["CredentialsCurrent"][:2] == ("Unknown", Reason.CREDENTIALS_UNKNOWN)


@pytest.mark.parametrize("policy", ["Never", "Recreate"])
def test_that_a_changed_secret_is_told_with_a_way_out_that_is_not_taken_yet(policy: str) -> None:
    core, account = held(updatePolicy=policy)
    account.credentials = Credentials("hmac-of-two")
    core.step(account)
    _, reason, message = core.says(account)["CredentialsCurrent"]
    assert reason == Reason.SECRET_CHANGED
    assert ("set updatePolicy: Recreate" in message) == (policy == "Never")
    assert "coldsend.pro/credentials-current" in message


def test_that_a_change_of_spec_is_told_with_field_wanted_and_actual_value() -> None:
    core = CoreWorld()
    account = core.holder(dailyLimit=50)
    core.sweep(row(daily_limit=50))
    core.change(account, dailyLimit=60)
    _, reason, message = core.says(account)["Synced"]
    assert reason == Reason.UPDATE_NOT_SUPPORTED
    assert "dailyLimit is 50, the spec says 60" in message


def test_that_a_change_of_a_server_is_told_with_what_spec_asks_for() -> None:
    core, account = held()
    core.change(account, smtp={"host": "mail.company.com", "passwordSecretRef": {"name": "mail"}})
    _, reason, message = core.says(account)["Synced"]
    assert reason == Reason.UPDATE_NOT_SUPPORTED
    assert "smtp: mail.company.com:587, username ann@company.com, useTLS true" in message


@pytest.mark.parametrize("named_by", ["domainName", "domainID"])
def test_that_a_native_inbox_that_waits_shows_the_address_it_is_to_have(named_by: str) -> None:
    core = CoreWorld()
    value = DOMAIN.domain_name if named_by == "domainName" else DOMAIN.domain_id
    account = core.account(NATIVE, native={named_by: value, "emailPrefix": "jane"})
    full = Domain(DOMAIN.domain_id, DOMAIN.domain_name, "ACTIVE", 1, 1)
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((full,), 1, has_next=False))
    status = shown(core, account)
    assert status["emailAddress"] == NATIVE
    assert "inboxID" not in status


def test_that_a_native_inbox_that_exists_elsewhere_is_told_that_its_domain_is_full_by_now() -> None:
    core = CoreWorld()
    account = core.account(NATIVE, native={"domainName": DOMAIN.domain_name, "emailPrefix": "jane"})
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((DOMAIN,), 1, has_next=False))
    core.sweep()
    create = core.ask(Operation.CREATE_NATIVE, account, domain_id=DOMAIN.domain_id)
    core.answer(create, Failure(FailureKind.CONFLICT, "conflict", 409))
    core.patch(account)  # its create mark goes first
    assert Operation.LIST_DOMAINS in core.operations()
    full = Domain(DOMAIN.domain_id, DOMAIN.domain_name, "ACTIVE", 1, 1)
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((full,), 1, has_next=False))
    assert core.says(account)["Ready"][1] == Reason.DOMAIN_FULL


def test_that_an_inbox_that_waits_is_told_at_once_when_another_takes_the_last_room_of_the_domain() -> None:
    core = CoreWorld()
    first, second = (
        core.account(f"{prefix}@{DOMAIN.domain_name}", native={"domainName": DOMAIN.domain_name, "emailPrefix": prefix})
        for prefix in ("ann", "bob")
    )
    room_for_one = Domain(DOMAIN.domain_id, DOMAIN.domain_name, "ACTIVE", 1, 0)
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((room_for_one,), 1, has_next=False))
    core.sweep()
    create = core.ask(Operation.CREATE_NATIVE, first, domain_id=DOMAIN.domain_id)
    core.answer(create, Created(row(first.address or "")))
    assert core.says(second)["Ready"][1] == Reason.DOMAIN_FULL


@pytest.mark.parametrize("order", [1, -1])
def test_that_a_domain_name_that_is_listed_twice_is_the_domain_that_can_be_used(order: int) -> None:
    core = CoreWorld()
    account = core.account(NATIVE, native={"domainName": DOMAIN.domain_name, "emailPrefix": "jane"})
    failed = Domain("850e8400-e29b-41d4-a716-446655440009", DOMAIN.domain_name, "FAILED")
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((DOMAIN, failed)[::order], 1, has_next=False))
    core.sweep()
    assert Operation.CREATE_NATIVE in core.operations(), core.says(account)
