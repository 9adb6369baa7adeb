"""safety.md: rules 32, 41, 42 and the test mails of 45: the failures and the use of one object are its own."""

from typing import Any

from coldsend_operator.core.answers import MailSent
from coldsend_operator.core.budget import Budget, Limits
from coldsend_operator.core.calls import Operation
from coldsend_operator.core.claims import Claims
from coldsend_operator.core.policy import Policy
from tests.core.rules.watching import running
from tests.support.clock import START
from tests.support.desk import Desk, row
from tests.support.simulation import Simulation

LIMITS = Limits(100, 1000, 0.0)
MAIL = {"recipient": "ops@example.com", "requestID": "1"}


def wanting_mails(desk: Desk, count: int) -> None:
    digest = desk.ledger.digest
    ids = {f"{number}@{digest}.com": f"{digest}-{number}" for number in range(count)}
    for address, inbox_id in ids.items():
        desk.holder(address, inbox_id, testEmail=MAIL)
    desk.sweep(*(row(address, inbox_id) for address, inbox_id in ids.items()))


def send_mails(desk: Desk) -> int:
    sent = 0
    while mails := [call for call in desk.calls() if call.operation is Operation.SEND_TEST_EMAIL]:
        desk.answer(desk.ask(Operation.SEND_TEST_EMAIL, desk.ledger.accounts[mails[0].uids[0]]), MailSent(None, None))
        sent += 1
    return sent


def test_rule_45_two_keys_of_one_workspace_share_the_tenth_of_test_mails() -> None:
    claims = Claims()
    one, two = (Desk(digest, policy=Policy(limits=LIMITS), claims=claims) for digest in ("one", "two"))
    for desk in (one, two):
        wanting_mails(desk, 20)
    one.ledger.join(two.ledger, START)
    assert send_mails(one) + send_mails(two) == 10


def test_rule_45_test_mails_count_over_a_restart() -> None:
    before, after = Budget(LIMITS), Budget(LIMITS)
    before.mails.add(START, 90)
    before.mails.flying = 5  # their answers are awaited when the process ends
    after.load(before.to_json(START, block=0), START + 120.0)
    after.mails.add(START + 120.0, 5)
    assert after.mails.free_at(START + 120.0, 1000, 1000) > START + 3590.0


def test_rule_45_restarts_give_no_test_mail_more() -> None:
    simulation = Simulation(per_minute=100, per_hour=400)
    for turn in range(6):
        for number in range(20):
            mail: dict[str, Any] = {"recipient": "ops@example.com", "requestID": "1"}
            simulation.apply("sales", f"a{turn}-{number}", f"{turn}-{number}@company.com", testEmail=mail)
        running(simulation)
        simulation.wait(150.0)
        simulation.crash()
    assert len(simulation.remote.mails) == 40
    simulation.check()
