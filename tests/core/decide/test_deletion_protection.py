"""`deletionProtection`: an inbox under it is deleted by nobody until the field is false."""

from typing import Any

import pytest

from coldsend_operator.core.model.account import Credentials
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.policy import BatchSettings, NamespaceSettings
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from coldsend_operator.core.workspace.holds import WINDOW
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.core.rules.deleting import APPROVED, delete, holders, leaving
from tests.core.rules.watching import running
from tests.support.core_world import CoreWorld, held, row_of
from tests.support.simulation import Simulation


def test_an_inbox_under_deletion_protection_is_not_deleted_until_the_field_is_false() -> None:
    core = CoreWorld()
    (account,) = holders(core, 1, deletionProtection=True)
    core.show(account)
    delete(core, [account], deletionProtection=True)
    core.wait(WINDOW)
    assert leaving(core) == 0
    _, reason, message = core.says(account)["Ready"]
    assert reason == "DeletionHeld"
    assert message.startswith("Deletion is on hold: deletionProtection is true. To approve: set it to false")
    delete(core, [account], deletionProtection=False)
    core.wait(SETTLE_SECONDS)
    assert leaving(core) == 1


@pytest.mark.parametrize(("where", "count"), [("object", 1), ("batch", 1), ("namespace", 0)])
def test_deletion_protection_is_approved_on_the_object_that_bears_it_only(where: str, count: int) -> None:
    core = CoreWorld()
    (account,) = holders(core, 1, batch="pool", deletionProtection=True)
    core.show(account)
    if where == "batch":
        core.workspace.policy.batches["pool"] = BatchSettings(approve_deletion=True)
    if where == "namespace":
        core.workspace.policy.namespaces["sales"] = NamespaceSettings(approve_deletion=True)
    annotations = APPROVED if where == "object" else None
    delete(core, [account], deletionProtection=True, annotations=annotations)
    core.wait(SETTLE_SECONDS)
    assert leaving(core) == count


@pytest.mark.parametrize(("live", "count"), [(True, 0), (False, 1)])
def test_what_the_live_batch_says_of_deletion_protection_counts(live: bool, count: int) -> None:
    core = CoreWorld()
    (account,) = holders(core, 1, batch="pool", deletionProtection=not live)
    core.show(account)
    core.workspace.policy.batches["pool"] = BatchSettings(protected=live)
    delete(core, [account], deletionProtection=not live)
    core.wait(SETTLE_SECONDS)
    assert leaving(core) == count


def test_an_inbox_under_deletion_protection_is_not_recreated() -> None:
    core, account = held(updatePolicy="Recreate", deletionProtection=True)
    account.credentials = Credentials("hmac-of-two")
    assert core.step(account).reason is Reason.DELETION_HELD
    core.wait(WINDOW)
    assert leaving(core) == 0
    core.change(account, updatePolicy="Recreate")
    assert leaving(core) == 1


def test_an_object_whose_spec_cannot_be_read_is_protected_unless_the_field_is_false_or_absent() -> None:
    core, account = held()
    core.change(account, deleting=True, inboxType="SOMETHING", deletionProtection="yes")
    core.wait(WINDOW)
    assert leaving(core) == 0
    core.change(account, deleting=True, inboxType="SOMETHING")
    core.wait(SETTLE_SECONDS)
    assert leaving(core) == 1


def test_a_protected_batch_keeps_the_inboxes_of_a_shorter_list_and_of_its_deletion() -> None:
    simulation = Simulation()
    running(simulation)
    addresses = [f"p{number}@company.com" for number in range(3)]
    simulation.list_in_batch("sales", "pool", addresses, deletionProtection=True)
    simulation.wait(60.0)
    (uid,) = simulation.batches
    simulation.list_in_batch("sales", "pool", addresses[1:])
    simulation.wait(30.0)
    simulation.delete_batch(uid)
    simulation.wait(700.0)
    assert len(simulation.remote.live()) == 3
    simulation.change_template(uid, deletionProtection=False)
    simulation.wait(60.0)
    assert simulation.remote.live() == []
    assert simulation.uids == []


@pytest.mark.parametrize("around", [{"updatePolicy": "Recreate", "displayName": "New"}, {"deleting": True}])
def test_that_a_person_may_ask_for_a_look_at_an_inbox_whose_deletion_is_on_hold(around: dict[str, Any]) -> None:
    core, account = held(updatePolicy="Recreate")
    spec = {"updatePolicy": "Recreate", "deletionProtection": True, **around}
    core.change(account, **spec)
    assert core.step(account).reason is Reason.DELETION_HELD
    core.change(account, annotations={RECONCILE_ANNOTATION: "now"}, generation=account.desired.generation, **spec)
    account.credentials = Credentials("hmac-of-one")
    core.workspace.stale_secrets.clear()
    assert Operation.GET_ACCOUNT in core.operations()
    core.get(account, row_of(account, emails_sent_today=7))
    core.step(account)
    assert account.stored.reconcile == "now"
    assert core.says(account)["Synced"][1] == "DeletionHeld"
