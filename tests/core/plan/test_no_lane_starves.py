"""The hour is spent and a request comes free now and then: a flood of one lane keeps no other waiting for long."""

from coldsend_operator.core import apply
from coldsend_operator.core.model.answers import BulkAnswer, Failure, FailureKind
from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.policy import Policy, Threshold
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from tests.support.clock import START
from tests.support.desk import LONG_AGO, Desk, row

DOMAIN_ID = "550e8400-e29b-41d4-a716-446655440000"
FORBIDDEN = Failure(FailureKind.FORBIDDEN, "", 403, required=("domains:read",))
FLOOD = 800
SLOT = 6.0  # seconds between two requests


def spent(deletions: int) -> Desk:
    """Many deletions wait, each answered without a job."""
    desk = Desk(policy=Policy(brake=Threshold(None, 100.0)))
    names = [f"h{number}" for number in range(deletions)]
    for name in names:
        desk.holder(f"{name}@company.com", f"in-{name}")
    desk.sweep(*(row(f"{name}@company.com", f"in-{name}", made=START - LONG_AGO) for name in names))
    return desk


def flood(desk: Desk) -> None:
    for account in list(desk.workspace.accounts.values()):
        if account.stored.held:
            desk.change(account, account.address or "", deleting=True)


def served(desk: Desk, turns: int) -> list[Operation]:
    """What leaves when only the first call of each plan may."""
    leaving = []
    for _ in range(turns):
        desk.wait(SLOT)
        calls = desk.calls()
        if not calls:
            continue
        call = apply.launch(desk.workspace, calls[0], desk.now)
        leaving.append(call.operation)
        desk.answer(call, BulkAnswer(total=len(call.uids), success_count=len(call.uids)))
    return leaving


def test_that_creates_leave_beside_a_flood_of_deletions() -> None:
    desk = spent(FLOOD)
    flood(desk)
    for number in range(150):
        desk.account(f"new{number}@company.com")
    assert Operation.CREATE_SMTP_BULK in served(desk, 6)


def test_that_a_lone_account_is_made_beside_many_natives_that_go_one_by_one() -> None:
    desk = Desk()
    natives = [
        desk.account(f"n{number}@mail.example.com", native={"domainID": DOMAIN_ID, "emailPrefix": f"n{number}"})
        for number in range(100)
    ]
    desk.sweep()
    desk.answer(desk.ask(Operation.LIST_DOMAINS, natives[0]), FORBIDDEN)
    served(desk, 5)
    desk.account()
    desk.sweep()
    assert Operation.CREATE_SMTP in served(desk, 3)


def test_that_the_deletion_of_a_person_comes_before_a_flood_of_creates() -> None:
    desk = spent(1)
    for number in range(250):
        desk.account(f"new{number}@company.com")
    served(desk, 1)
    desk.wait(SLOT)
    flood(desk)
    desk.wait(SETTLE_SECONDS)
    assert desk.calls()[0].lane is Lane.DELETE
