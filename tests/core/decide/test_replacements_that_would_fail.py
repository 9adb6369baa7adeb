"""An inbox is not deleted for a replacement that could not be created."""

from dataclasses import dataclass, replace

import pytest

from coldsend_operator.core.decide.native_domain import CHECK_SECONDS
from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import Created, DomainPage, Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.core.rules.deleting import leaving
from tests.core.rules.watching import running
from tests.support.core_world import BOB, CoreWorld, held, row, row_of
from tests.support.process import API_KEY
from tests.support.remote import DOMAIN, FakeColdSend, Item
from tests.support.simulation import Simulation

CARL = "carl@company.com"
NATIVE = f"jane@{DOMAIN.domain_name}"
SCOPE = Failure(FailureKind.FORBIDDEN, "insufficient scopes", 403, required=("sender_accounts:create",))


def renamed(status: str) -> tuple[CoreWorld, Account]:
    """A native account with Recreate and another name; its domain was ACTIVE long ago and has this status now."""
    core = CoreWorld()
    account = core.holder(NATIVE, updatePolicy="Recreate")
    core.sweep(row_of(account, inbox_type="COLDSEND"))
    list_domains(core, "ACTIVE")
    core.wait(CHECK_SECONDS)
    core.change(account, NATIVE, updatePolicy="Recreate", displayName="Jane Doe")
    assert Operation.LIST_DOMAINS in core.operations()
    assert leaving(core) == 0
    list_domains(core, status)
    return core, account


def list_domains(core: CoreWorld, status: str) -> None:
    domain = replace(DOMAIN, status=status, max_inboxes=1, current_inboxes=1)
    core.answer(core.ask(Operation.LIST_DOMAINS), DomainPage((domain,), 1, has_next=False))


def test_a_native_inbox_is_replaced_on_an_active_domain_even_if_it_fills_the_domain() -> None:
    core, _ = renamed("ACTIVE")
    assert leaving(core) == 1


def test_a_native_inbox_is_not_replaced_until_its_domain_is_active() -> None:
    core, account = renamed("FAILED")
    assert leaving(core) == 0
    said = core.says(account)
    assert said["Ready"][0] == "True"
    assert said["Synced"][1] == Reason.DOMAIN_NOT_ACTIVE
    core.wait(CHECK_SECONDS)
    list_domains(core, "ACTIVE")
    assert leaving(core) == 1


def refused_scope() -> tuple[CoreWorld, Account]:
    """An account with Recreate and another name; ColdSend has refused a create of another one to its key."""
    core, account = held(updatePolicy="Recreate")
    other = core.account(BOB)
    core.answer(core.ask(Operation.CREATE_SMTP, other), SCOPE)
    core.change(account, updatePolicy="Recreate", displayName="Jane Doe")
    return core, account


def test_an_inbox_is_not_replaced_while_its_key_may_not_create_inboxes() -> None:
    core, account = refused_scope()
    core.wait(3600.0)
    assert leaving(core) == 0
    said = core.says(account)
    assert said["Ready"][0] == "True"
    assert said["Synced"][1] == Reason.MISSING_SCOPES
    assert "grant sender_accounts:create" in said["Synced"][2]
    core.answer(core.ask(Operation.CREATE_SMTP, core.account(CARL)), Created(row(CARL, "inbox-3")))
    assert leaving(core) == 1


@dataclass
class WithoutScope(FakeColdSend):
    """A workspace as seen with a key that may lack the scope to create."""

    lacks: bool = False

    def create(self, item: Item, now: float) -> Created | Failure:
        return SCOPE if self.lacks else super().create(item, now)


@pytest.mark.parametrize("how", ["crash", "stop", "take_over"])
def test_a_restart_does_not_replace_what_cannot_be_created_again(how: str) -> None:
    simulation = Simulation()
    remote = WithoutScope(simulation.clock, inboxes=simulation.remote.inboxes)
    simulation.remotes[API_KEY] = remote
    uid = simulation.apply("sales", "one", NATIVE, updatePolicy="Recreate")
    running(simulation, 60.0)
    before = simulation.status(uid)["inboxID"]
    remote.lacks = True
    refused = simulation.apply("sales", "two", BOB)
    simulation.wait(60.0)
    simulation.delete(refused)
    simulation.wait(60.0)
    simulation.stand_by()
    getattr(simulation, how)()
    simulation.edit(uid, displayName="Jane Doe")
    running(simulation, 60.0)
    assert simulation.says(uid)["Synced"][1] == "MissingScopes"
    assert simulation.status(uid)["inboxID"] == before
    remote.lacks = False
    simulation.apply("sales", "three", CARL)
    simulation.wait(60.0)
    assert simulation.ready(uid)[0] == "True"
    assert simulation.status(uid)["inboxID"] != before


def test_an_inbox_is_replaced_when_a_person_says_that_its_key_may_create_inboxes_now() -> None:
    core, account = refused_scope()
    asked = {RECONCILE_ANNOTATION: "granted"}
    core.change(account, updatePolicy="Recreate", displayName="Jane Doe", annotations=asked)
    account.credentials = Credentials("hmac-of-one")
    core.workspace.stale_secrets.clear()
    core.get(account, row_of(account))
    assert leaving(core) == 1


@pytest.mark.parametrize("reason", [Reason.SECRET_NOT_FOUND, Reason.SECRET_INVALID])
def test_a_replacement_that_waits_for_its_secret_says_so(reason: Reason) -> None:
    core, account = held(updatePolicy="Recreate")
    core.change(account, updatePolicy="Recreate", displayName="Jane Doe")
    account.credentials = Credentials("", reason, "What is wrong with the Secret.")
    core.step(account)
    assert leaving(core) == 0
    assert core.says(account)["Synced"] == ("False", reason, "What is wrong with the Secret.")
