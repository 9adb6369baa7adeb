"""A native inbox whose object names the domain by its id: the address follows from ColdSend only."""

from typing import Any

import pytest

from coldsend_operator.core.model.answers import Domain, DomainPage
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import Reason
from tests.support.clock import START
from tests.support.core_world import LONG_AGO, CoreWorld, row

ADDRESS = "n@mail.example.com"
DOMAIN = Domain("550e8400-e29b-41d4-a716-446655440000", "mail.example.com", "ACTIVE", 10, 0)
BY_ID: dict[str, Any] = {"native": {"domainID": DOMAIN.domain_id, "emailPrefix": "n"}}
BY_NAME: dict[str, Any] = {"native": {"domainName": DOMAIN.domain_name, "emailPrefix": "n"}}
SHOWN = row(ADDRESS, inbox_type="COLDSEND")


@pytest.mark.parametrize("domains_first", [True, False])
def test_after_a_restart_it_is_handed_over_to_an_object_that_names_the_domain(domains_first: bool) -> None:
    core = CoreWorld()
    holder = core.holder(ADDRESS, **BY_ID, deleting=True)
    claimant = core.account(ADDRESS, name="new", created=START - LONG_AGO + 60.0, **BY_NAME)
    if domains_first:
        core.answer(core.ask(Operation.LIST_DOMAINS, claimant), DomainPage((DOMAIN,), 1, has_next=False))
    core.get(holder, SHOWN)
    assert Operation.DELETE_ACCOUNT not in core.operations()
    for _ in range(4):
        core.patch(claimant)
        core.patch(holder)
    assert claimant.stored.inbox_id == SHOWN.inbox_id


def test_it_waits_for_the_child_that_a_batch_is_about_to_create_with_the_name_of_the_domain() -> None:
    core = CoreWorld()
    core.workspace.policy.awaited.put("sales", "pool-n", f"COLDSEND {ADDRESS}".lower())
    holder = core.holder(ADDRESS, **BY_ID, deleting=True)
    core.get(holder, SHOWN)
    step = core.step(holder)
    assert (step.action, step.reason) == (Action.WAIT, Reason.HANDED_OVER)
    assert "pool-n" in step.message
