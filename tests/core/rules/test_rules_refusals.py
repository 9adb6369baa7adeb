"""Refusals are remembered (rule 33): neither a restart nor a neighbour nor a new leader tries earlier than told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import Failure, FailureKind, Fault
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.status.stored import stored_of, stored_to_status
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.core.rules.watching import running
from tests.support.clock import rfc3339
from tests.support.core_world import ANN, CoreWorld, asked_for
from tests.support.simulation import Simulation

LOGIN = Failure(FailureKind.REFUSED, "SMTP connection failed: 535 5.7.139 Authentication unsuccessful", 400)
WORD = Failure(FailureKind.REFUSED, "", 422, faults=(Fault(None, "smtp_host", "is not allowed here"),))
PLAN = Failure(FailureKind.PLAN_LIMIT, "Your plan allows 10 inboxes", 402)


class Mailbox:
    """ColdSend refuses the creates of some addresses, and counts the logins that it tried."""

    def __init__(self, simulation: Simulation, *addresses: str) -> None:
        self.tries: list[float] = []
        create = simulation.remote.create

        def refuse(item: object, now: float) -> object:
            if getattr(item, "address", "") in addresses:
                self.tries.append(now)
                return LOGIN
            return create(item, now)  # type: ignore[arg-type] # what the client hands on

        simulation.remote.create = refuse  # type: ignore[assignment,method-assign] # the model of ColdSend, not ours


def refused(changes: dict[str, float] | None = None) -> tuple[Simulation, Mailbox, str]:
    simulation = Simulation(changes={"secret_check_seconds": 60.0, **(changes or {})})
    mailbox = Mailbox(simulation, ANN)
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(30.0)
    assert len(mailbox.tries) == 1
    return simulation, mailbox, uid


def test_rule_33_three_restarts_in_twenty_seconds_try_the_login_once() -> None:
    simulation, mailbox, uid = refused()
    before = simulation.status(uid)
    assert before["attempts"] == 1
    for _ in range(3):
        simulation.crash()
        running(simulation, 7.0)
    assert len(mailbox.tries) == 1
    assert simulation.status(uid)["nextAttempt"] == before["nextAttempt"]
    assert simulation.ready(uid)[1] == "ConnectionFailed"


def test_rule_33_a_namespace_that_cannot_be_read_after_a_restart_leads_to_no_earlier_try() -> None:
    simulation, mailbox, uid = refused()
    before = simulation.status(uid)
    simulation.crash()
    simulation.cluster.refuses["/api/v1/namespaces/sales"] = KubeError("etcd has lost the key", status=500)
    running(simulation)
    for _ in range(60):
        simulation.wait(1.0)
    assert simulation.ready(uid)[1] == "ApiUnavailable"
    del simulation.cluster.refuses["/api/v1/namespaces/sales"]
    simulation.wait(30.0)
    assert len(mailbox.tries) == 1
    assert simulation.status(uid)["nextAttempt"] == before["nextAttempt"]
    assert simulation.ready(uid)[1] == "ConnectionFailed"


def test_rule_33_the_next_try_comes_when_it_was_told_and_the_one_after_it_later() -> None:
    simulation, mailbox, uid = refused()
    due = unix_of(simulation.status(uid)["nextAttempt"]) or 0.0
    simulation.crash()
    running(simulation)
    simulation.wait(due - simulation.clock() + 30.0)
    assert len(mailbox.tries) == 2
    assert due <= mailbox.tries[1] < due + 30.0
    assert simulation.status(uid)["attempts"] == 2
    assert (unix_of(simulation.status(uid)["nextAttempt"]) or 0.0) >= mailbox.tries[1] + 600.0


def test_rule_33_after_a_restart_the_waits_go_on_growing() -> None:
    core = CoreWorld()
    refusal = {"reason": "Rejected", "message": "", "generation": 1, "credentialsHash": "hmac-of-one"}
    last = {**refusal, "workspace": core.workspace.digest}
    status = {"nextAttempt": rfc3339(core.now), "attempts": 3, "lastRefusal": last}
    (account,) = core.asked_for(ANN, status=status)
    core.answer(core.ask(Operation.CREATE_SMTP, account), WORD)
    assert account.stored.refusal is not None
    assert account.stored.refusal.attempts == 4
    assert (unix_of(account.stored.refusal.next_attempt) or 0.0) >= core.now + 8 * 300.0


def test_rule_33_a_new_leader_tries_no_earlier() -> None:
    simulation, mailbox, _ = refused()
    simulation.stand_by()
    simulation.wait(10.0)
    simulation.take_over()
    simulation.wait(60.0)
    assert len(mailbox.tries) == 1


def test_rule_33_a_neighbour_in_a_bulk_brings_it_no_earlier() -> None:
    simulation, mailbox, _ = refused()
    simulation.crash()
    running(simulation)
    for number in range(5):
        simulation.apply("sales", f"b{number}", f"b{number}@company.com")
    simulation.wait(120.0)
    assert len(simulation.remote.live()) == 5
    assert len(mailbox.tries) == 1


def _spec(simulation: Simulation, uid: str) -> None:
    simulation.edit(uid, displayName="Jane Doe")


def _secret(simulation: Simulation, _: str) -> None:
    simulation.rotate("sales", "two")


def _reconcile(simulation: Simulation, uid: str) -> None:
    simulation.annotate(uid, RECONCILE_ANNOTATION, "again")


@pytest.mark.parametrize("change", [_spec, _secret, _reconcile])
@pytest.mark.parametrize("while_down", [True, False], ids=["while_nobody_runs", "after_a_restart"])
def test_rule_33_a_change_of_spec_secret_or_reconcile_is_tried_at_once(
    change: Callable[[Simulation, str], None], while_down: bool
) -> None:
    simulation, mailbox, uid = refused()
    simulation.crash()
    if while_down:
        change(simulation, uid)
    running(simulation, 5.0)
    if not while_down:
        change(simulation, uid)
    simulation.wait(90.0)
    assert len(mailbox.tries) == 2


def test_rule_33_a_secret_that_cannot_be_read_after_a_restart_brings_no_try() -> None:
    simulation, mailbox, uid = refused()
    simulation.crash()
    simulation.take_password("sales")
    running(simulation, 60.0)
    assert len(mailbox.tries) == 1
    simulation.rotate("sales", "one")
    simulation.wait(60.0)
    assert len(mailbox.tries) == 1
    assert simulation.status(uid)["attempts"] == 1


def test_rule_33_what_was_remembered_goes_when_the_inbox_is_there() -> None:
    simulation, _, uid = refused()
    del simulation.remote.create  # ColdSend is well again
    simulation.rotate("sales", "two")
    simulation.wait(120.0)
    assert "inboxID" in simulation.status(uid)
    assert not {"nextAttempt", "attempts", "lastRefusal"} & simulation.status(uid).keys()


def restarted(account: Account, credentials: Credentials | None = None) -> tuple[CoreWorld, Account]:
    """The object as a process finds it that starts now; its Secret is read as `credentials`, if given."""
    core = CoreWorld()
    found = core.account(status={**stored_to_status(account.stored)})
    found.credentials = credentials
    core.sweep()
    return core, found


@pytest.mark.parametrize("refusal", [LOGIN, WORD, PLAN], ids=["login", "rejected", "plan"])
def test_rule_33_each_kind_of_refusal_of_one_object_is_remembered(refusal: Failure) -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), refusal)
    said = core.says(account)["Ready"]
    assert stored_of(stored_to_status(account.stored)) == account.stored
    later, found = restarted(account, account.credentials)
    assert Operation.CREATE_SMTP not in later.operations()
    assert later.says(found)["Ready"][:2] == said[:2]
    later.wait(301.0)
    assert found.create_backoff is not None
    assert later.step(found).action.value == "create"


def test_rule_33_nothing_leaves_before_the_secret_was_read() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOGIN)
    later, found = restarted(account)
    assert Operation.CREATE_SMTP not in later.operations()
    assert found.uid in later.workspace.stale_secrets
    found.credentials = Credentials("hmac-of-two")
    later.step(found)
    assert Operation.CREATE_SMTP in later.operations()


def test_rule_33_digests_that_cannot_be_compared_count_as_unchanged() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOGIN)
    later, _ = restarted(account, Credentials("another key-of-one"))
    assert Operation.CREATE_SMTP not in later.operations()


def test_rule_33_a_time_that_somebody_wrote_far_ahead_is_bounded_in_status_too() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOGIN)
    assert account.stored.refusal is not None
    account.stored = replace(
        account.stored, refusal=replace(account.stored.refusal, next_attempt="2999-01-01T00:00:00Z", attempts=10**9)
    )
    later, found = restarted(account, account.credentials)
    assert found.stored.refusal is not None
    assert found.stored.refusal.next_attempt == rfc3339(later.now + 6 * 3600.0)
    later.wait(6 * 3600.0 + 1.0)
    assert later.step(found).action.value == "create"
    later.answer(later.ask(Operation.CREATE_SMTP, found), LOGIN)
    assert found.create_backoff is not None
    assert found.create_backoff.retry_at <= later.now + 6 * 3600.0


def remembering(core: CoreWorld, reason: str = "ConnectionFailed", wait: float = 600.0, workspace: str = "") -> Account:
    """An object that an earlier run found refused."""
    last = {"reason": reason, "message": "no", "generation": 1, "credentialsHash": "hmac-of-one"}
    last["workspace"] = workspace or core.workspace.digest
    status = {"nextAttempt": rfc3339(core.now + wait), "attempts": 2, "lastRefusal": last}
    account = core.account(status=status)
    core.sweep()
    return account


@pytest.mark.parametrize("reason", ["ConnectionFailed", "WordOfTomorrow", ""])
def test_rule_33_a_start_waits_as_long_as_an_earlier_run_told_whatever_the_reason_was_called(reason: str) -> None:
    core = CoreWorld()
    remembering(core, reason)
    assert Operation.CREATE_SMTP not in core.operations()
    core.wait(599.0)
    assert Operation.CREATE_SMTP not in core.operations()
    core.wait(2.0)
    assert Operation.CREATE_SMTP in core.operations()


def test_rule_33_what_another_workspace_refused_keeps_nothing_waiting_in_this_one() -> None:
    core = CoreWorld()
    remembering(core, workspace="another")
    assert Operation.CREATE_SMTP in core.operations()


def test_rule_33_a_spec_that_changes_each_second_brings_ever_fewer_logins() -> None:
    simulation, mailbox, uid = refused()
    for number in range(60):
        simulation.edit(uid, displayName=f"Jane {number}")
        simulation.wait(1.0)
    assert 2 <= len(mailbox.tries) <= 8
