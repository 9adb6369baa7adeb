"""An object in deletion whose key leads elsewhere: its message offers what helps it."""

from coldsend_operator.core.model.reasons import Reason
from tests.support.core_world import CoreWorld, row


def test_that_a_deletion_in_another_workspace_offers_the_key_and_force_orphan_and_no_approval() -> None:
    core = CoreWorld()
    account = core.holder(applied={"workspace": "digest-of-another"}, deleting=True)
    core.sweep(row(inbox_id="inbox-of-a-stranger"))
    step = core.step(account)
    assert step.reason is Reason.INVENTORY_IMPLAUSIBLE
    assert "Restore the key" in step.message
    assert "force-orphan" in step.message
    assert "approve-recreation" not in step.message
