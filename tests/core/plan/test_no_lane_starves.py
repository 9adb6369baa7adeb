"""The hour is spent and a request comes free now and then: a flood of one lane keeps no other waiting for long."""

from coldsend_operator.core import apply
from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind
from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.policy import Policy, Threshold
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from tests.support.clock import START
from tests.support.core_world import LONG_AGO, CoreWorld, row

DOMAIN_ID = "550e8400-e29b-41d4-a716-446655440000"
FORBIDDEN = Failure(FailureKind.FORBIDDEN, "", 403, required=("domains:read",))
FLOOD = 800
SLOT = 6.0  # seconds between two requests


def spent(deletions: int) -> CoreWorld:
    """Many deletions wait, each answered without a job."""
    core = CoreWorld(policy=Policy(brake=Threshold(None, 100.0)))
    names = [f"h{number}" for number in range(deletions)]
    for name in names:
        core.holder(f"{name}@company.com", f"in-{name}")
    core.sweep(*(row(f"{name}@company.com", f"in-{name}", made=START - LONG_AGO) for name in names))
    return core


def flood(core: CoreWorld) -> None:
    for account in list(core.workspace.accounts.values()):
        if account.stored.held:
            core.change(account, account.address or "", deleting=True)


def served(core: CoreWorld, turns: int) -> list[Operation]:
    """What leaves when only the first call of each plan may."""
    leaving = []
    for _ in range(turns):
        core.wait(SLOT)
        calls = core.calls()
        if not calls:
            continue
        call = apply.launch(core.workspace, calls[0], core.now)
        leaving.append(call.operation)
        core.answer(call, BulkAnswer(total=len(call.uids), success_count=len(call.uids)))
    return leaving


def test_that_creates_leave_beside_a_flood_of_deletions() -> None:
    core = spent(FLOOD)
    flood(core)
    for number in range(150):
        core.account(f"new{number}@company.com")
    assert Operation.CREATE_SMTP_BULK in served(core, 6)


def test_that_a_lone_account_is_made_beside_many_natives_that_go_one_by_one() -> None:
    core = CoreWorld()
    natives = [
        core.account(f"n{number}@mail.example.com", native={"domainID": DOMAIN_ID, "emailPrefix": f"n{number}"})
        for number in range(100)
    ]
    core.sweep()
    core.answer(core.ask(Operation.LIST_DOMAINS, natives[0]), FORBIDDEN)
    served(core, 5)
    core.account()
    core.sweep()
    assert Operation.CREATE_SMTP in served(core, 3)


def test_that_the_deletion_of_a_person_comes_before_a_flood_of_creates() -> None:
    core = spent(1)
    for number in range(250):
        core.account(f"new{number}@company.com")
    served(core, 1)
    core.wait(SLOT)
    flood(core)
    core.wait(SETTLE_SECONDS)
    assert core.calls()[0].lane is Lane.DELETE
