"""An object that changes to Observe while the operator deletes its inbox."""

import pytest

from coldsend_operator.core.model.answers import BulkAnswer, Deleted, JobProgress
from coldsend_operator.core.model.calls import Operation
from tests.support.core_world import CoreWorld, row


def test_that_it_says_that_the_inbox_is_being_deleted_until_the_job_has_ended() -> None:
    core = CoreWorld()
    account = core.holder(updatePolicy="Recreate")
    core.sweep(row())
    delete = core.ask(Operation.DELETE_ACCOUNTS, account, inbox_ids=("inbox-1",))
    core.answer(delete, BulkAnswer(job_id="job-1", total=1))
    core.change(account, managementPolicy="Observe")
    core.wait(60.0)
    state, reason, message = core.says(account)["Synced"]
    assert (state, reason) == ("False", "Deleting")
    assert message.startswith("ColdSend is deleting the inbox")
    core.answer(core.ask(Operation.POLL_DELETE_JOB, job="job-1"), JobProgress(status="COMPLETED", total=1))
    assert core.says(account)["Synced"][1] != "Deleting"


@pytest.mark.parametrize("operation", [Operation.DELETE_ACCOUNT, Operation.DELETE_ACCOUNTS])
def test_that_it_says_so_while_a_call_that_deletes_the_inbox_has_no_response(operation: Operation) -> None:
    core = CoreWorld()
    account = core.holder(updatePolicy="Recreate")
    core.sweep(row())
    delete = core.ask(operation, account, inbox_ids=("inbox-1",))
    core.change(account, managementPolicy="Observe")
    core.wait(60.0)
    state, reason, message = core.says(account)["Synced"]
    assert (state, reason) == ("False", "Deleting")
    assert message.startswith("ColdSend is deleting the inbox")
    core.answer(delete, Deleted() if operation is Operation.DELETE_ACCOUNT else BulkAnswer(total=1))
    core.sweep()
    core.wait(60.0)
    assert core.says(account)["Synced"][1] != "Deleting"
