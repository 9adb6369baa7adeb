"""Deletions are confirmed by lists, which are short when the others are gone too: so lists wait for these."""

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.policy import Policy, Threshold
from coldsend_operator.core.plan.probe_choice import FEW_PAGES, MAX_UNCONFIRMED_SECONDS
from coldsend_operator.core.plan.probes import WORKED_OFF
from tests.support.clock import START
from tests.support.core_world import LONG_AGO, CoreWorld, row

CONFIRMS = (Operation.LIST_ACCOUNTS, Operation.GET_ACCOUNT)


def in_deletion(count: int) -> tuple[CoreWorld, list[Account]]:
    """All accounts of a workspace are to be deleted."""
    core = CoreWorld(policy=Policy(brake=Threshold(None, 100.0)))
    names = [f"h{number}" for number in range(count)]
    accounts = [core.holder(f"{name}@company.com", f"in-{name}") for name in names]
    core.sweep(*(row(f"{name}@company.com", f"in-{name}", made=START - LONG_AGO) for name in names))
    for account in accounts:
        core.change(account, account.address or "", deleting=True)
    return core, accounts


def delete(core: CoreWorld, accounts: list[Account], job: str | None = None) -> None:
    inbox_ids = tuple(account.stored.inbox_id or "" for account in accounts)
    call = core.ask(Operation.DELETE_ACCOUNTS, *accounts, inbox_ids=inbox_ids)
    core.answer(call, BulkAnswer(job_id=job, total=len(accounts), success_count=len(accounts)))


def confirms(core: CoreWorld) -> bool:
    return any(operation in CONFIRMS for operation in core.operations())


def test_that_those_that_are_gone_wait_for_a_job_that_is_worked_off() -> None:
    core, accounts = in_deletion(8)
    delete(core, accounts[:4])
    delete(core, accounts[4:], "job-1")
    core.wait(5.0)
    assert not confirms(core)


def test_that_they_do_not_wait_for_a_job_that_takes_long() -> None:
    core, accounts = in_deletion(8)
    delete(core, accounts[:4])
    delete(core, accounts[4:], "job-1")
    core.wait(WORKED_OFF + 1)
    assert confirms(core)


def test_that_a_long_list_waits_for_the_end_of_the_flood_but_not_for_ever() -> None:
    core, accounts = in_deletion(100 * (FEW_PAGES + 1))
    for first in range(0, 300, 100):
        delete(core, accounts[first : first + 100])
    core.wait(5.0)
    assert not confirms(core)
    core.wait(MAX_UNCONFIRMED_SECONDS)
    assert confirms(core)
