"""ConnectionFailed is the most frequent mistake: its message says what was tried, and when it is tried again."""

import pytest

from coldsend_operator.core.model.answers import Failure, FailureKind, Fault
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.reasons import Reason
from tests.core.rules.test_rules_values import an_account, passwords_sent
from tests.support.core_world import CoreWorld
from tests.support.simulation import Simulation


def test_a_refused_login_names_what_was_tried_and_when_it_is_tried_again() -> None:
    simulation = Simulation()
    uid = an_account(simulation, "wrong word\n")
    passwords = passwords_sent(simulation, good="right")
    simulation.wait(30.0)
    assert passwords == ["wrong word"]
    _, reason, message = simulation.ready(uid)
    assert reason == "ConnectionFailed"
    assert message.startswith(
        "ColdSend refused the inbox: SMTP connection failed: 535 bad credentials. Tried: SMTP smtp.gmail.com:587 as "
        "ann@company.com with key password of Secret mail (its value has a line end, which is not sent). Next try at 20"
    )
    assert "IMAP imap" not in message
    assert "wrong" not in message


@pytest.mark.parametrize(
    ("said", "tried"),
    [
        ("IMAP login failed", ["IMAP imap.gmail.com:993"]),
        ("authentication failed", ["SMTP smtp.gmail.com:587", "IMAP imap.gmail.com:993"]),
        ("SMTP works, IMAP login failed", ["SMTP smtp.gmail.com:587", "IMAP imap.gmail.com:993"]),
    ],
)
def test_a_refused_login_names_the_server_that_coldsend_names(said: str, tried: list[str]) -> None:
    core = CoreWorld()
    account = core.account()
    core.answer(core.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.REFUSED, said, 400))
    message = core.says(account)["Ready"][2]
    assert [part for part in ("SMTP smtp.gmail.com:587", "IMAP imap.gmail.com:993") if part in message] == tried


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("SMTP connection failed: 535 5.7.8 Username and Password not accepted", Reason.CONNECTION_FAILED),
        ("authentication failed", Reason.CONNECTION_FAILED),
        ("Field required", Reason.REJECTED),
        ("String should have at least 1 character", Reason.REJECTED),
    ],
)
@pytest.mark.parametrize("place", [None, 1])
def test_a_refused_login_is_recognised_in_a_fault_that_names_a_field(
    words: str, reason: Reason, place: int | None
) -> None:
    core = CoreWorld()
    ann, bob = core.account(), core.account("bob@company.com")
    failure = Failure(FailureKind.REFUSED, f"smtp_password: {words}", 422, (Fault(place, "smtp_password", words),))
    if place is None:
        core.answer(core.ask(Operation.CREATE_SMTP, bob), failure)
    else:
        core.answer(core.ask(Operation.CREATE_SMTP_BULK, ann, bob), failure)
    assert core.says(bob)["Ready"][1] == reason
