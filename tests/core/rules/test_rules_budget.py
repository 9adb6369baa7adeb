"""The rules of "Budget and mail": 27 to 29."""

import json
from typing import Any

import pytest

from coldsend_operator.accounts.bookings import UNGUARDED
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import MailSent
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.policy import Limits, Policy, Threshold
from coldsend_operator.core.model.stored import Mail
from coldsend_operator.core.model.transitions.inboxes import USED_BEFORE
from coldsend_operator.core.status.projection import project
from coldsend_operator.core.workspace.budget import Budget
from coldsend_operator.core.workspace.queues import Queue
from coldsend_operator.resources.names import FINALIZER
from coldsend_operator.resources.reading import read_batch
from tests.core.rules.watching import reach, running
from tests.support.clock import START
from tests.support.core_world import LOST, CoreWorld, row
from tests.support.simulation import Simulation

MAIL = {"recipient": "ops@example.com", "requestID": "1"}


def test_rule_27_requests_are_booked_before_they_are_spent() -> None:
    core = CoreWorld()
    core.workspace.budget.booked = 0
    core.account()
    assert core.calls() == ()
    core.workspace.budget.book(20)
    assert len(core.calls()) >= 1


def test_rule_27_the_first_request_waits_until_its_block_is_stored() -> None:
    simulation = Simulation()
    simulation.apply("sales", "one", "a@company.com")
    process = running(simulation)
    booking = reach(simulation, "kube", "create /api/v1/namespaces/default/configmaps")
    while not booking.future.done():
        assert simulation.remote.requests == 0
        assert not any(workspace.budget.booked for workspace in process.operator.controller.workspaces)
        simulation.go_on(booking)
    (made,) = simulation.cluster.config_maps.values()
    (stored,) = (json.loads(text) for name, text in made["data"].items() if name != "report")
    assert stored["budget"]["open"] == 20


def test_rule_27_an_unused_block_counts_as_spent_after_a_crash() -> None:
    limits = Limits(100, 1000, 0.0)
    before, after = Budget(limits), Budget(limits)
    after.load(before.to_json(START, block=20), START + 1.0)
    assert after.available(START + 1.0) == 80
    assert after.available(START + 62.0) == 100


def test_rule_27_requests_under_way_count_as_spent_before_and_after_a_crash() -> None:
    limits = Limits(100, 1000, 0.0)
    before, after = Budget(limits), Budget(limits)
    for _ in range(30):
        before.start()
    assert before.available(START) == 70
    after.load(before.to_json(START, block=20), START + 1.0)
    assert after.available(START + 1.0) == 50


def test_rule_27_what_was_spent_before_a_crash_still_counts_in_both_windows() -> None:
    limits = Limits(100, 1000, 0.0)
    before, after = Budget(limits), Budget(limits)
    for _ in range(70):
        before.start()
        before.end(START)
    after.load(before.to_json(START, block=0), START + 1.0)
    assert after.remaining(START + 1.0) == (30, 930)
    assert after.remaining(START + 100.0) == (100, 930)


@pytest.mark.parametrize("moment", [0.0, 0.04, 0.05, 0.06, 0.09])
def test_rule_27_no_stored_request_counts_for_less_than_its_window(moment: float) -> None:
    limits = Limits(1, 1000, 0.0)
    before, after = Budget(limits), Budget(limits)
    before.start()
    before.end(START + moment)
    after.load(before.to_json(START + 1.0, block=0), START + 1.0)
    assert after.available(START + moment + 59.99) == 0
    assert after.available(START + moment + 60.11) == 1


def test_rule_27_crash_loops_cause_no_burst() -> None:
    simulation = Simulation(per_minute=40, per_hour=400)
    for number in range(3):
        simulation.apply("sales", f"one-{number}", f"{number}@company.com")
    for _ in range(30):
        running(simulation, 2.0)
        simulation.crash()
    assert simulation.remote.requests > 0
    simulation.check()


def test_rule_27_a_write_of_the_state_that_another_process_made_stale_takes_its_requests_in() -> None:
    simulation = Simulation(per_minute=60, per_hour=600)
    simulation.apply("sales", "one", "a@company.com")
    process = running(simulation, 5.0)
    (path,) = simulation.cluster.config_maps
    (key,) = simulation.cluster.config_maps[path]["data"].keys() - UNGUARDED
    theirs = {"budget": {"minute": [[simulation.clock(), 50]], "hour": [[simulation.clock(), 50]], "open": 0}}
    version = simulation.cluster.config_maps[path]["metadata"]["resourceVersion"]
    body = {"metadata": {"resourceVersion": version}, "data": {key: json.dumps(theirs)}}
    simulation.cluster.patch(path, body, "application/merge-patch+json")
    workspace = process.loops[0].workspace
    workspace.budget.booked = 0
    simulation.apply("sales", "two", "b@company.com")
    simulation.wait(1.0)
    assert workspace.budget.available(simulation.clock()) <= 10


def test_rule_27_each_lease_has_a_state_of_its_own() -> None:
    simulation = Simulation(changes={"lease_name": "shard-7"})
    simulation.apply("sales", "one", "a@company.com")
    running(simulation, 5.0)
    assert [path.rpartition("/")[2] for path in simulation.cluster.config_maps] == ["shard-7-state"]


def wanting_a_mail(core: CoreWorld, **around: Any) -> Account:
    account = core.holder(testEmail=MAIL, **around)
    core.sweep(row())
    return account


def test_rule_28_the_intent_is_stored_before_the_mail_leaves() -> None:
    core = CoreWorld()
    core.stores = False
    account = wanting_a_mail(core)
    assert account.stored.mail is not None
    assert account.stored.mail.started_at is not None
    assert Operation.SEND_TEST_EMAIL not in core.operations()
    core.workspace.status_stored(account.uid, account.stored)
    assert Operation.SEND_TEST_EMAIL in core.operations()


def test_rule_28_a_mail_that_was_begun_without_an_answer_is_never_sent_again() -> None:
    core = CoreWorld()
    begun = {"requestID": "1", "recipient": "ops@example.com", "startedAt": "2023-11-14T22:13:20Z"}
    account = wanting_a_mail(core, status={"testEmail": begun})
    assert Operation.SEND_TEST_EMAIL not in core.operations()
    assert account.stored.mail is not None
    assert "set a new requestID" in (account.stored.mail.error or "")


def test_rule_28_a_mail_whose_answer_was_lost_is_never_sent_again() -> None:
    core = CoreWorld()
    account = wanting_a_mail(core)
    core.answer(core.ask(Operation.SEND_TEST_EMAIL, account, inbox_ids=("inbox-1",)), LOST)
    core.wait(7200.0)
    assert core.step(account).action is not Action.MAIL
    core.change(account, testEmail={**MAIL, "requestID": "2"})
    assert core.step(account).action is Action.MAIL


def test_rule_28_an_earlier_request_that_is_set_again_sends_no_mail_and_says_so() -> None:
    core = CoreWorld()
    account = wanting_a_mail(core)
    for number in ("1", "2"):
        core.change(account, testEmail={**MAIL, "requestID": number})
        core.answer(core.ask(Operation.SEND_TEST_EMAIL, account, inbox_ids=("inbox-1",)), MailSent(None, None))
    for number, other in (("1", "2"), ("2", "1")):
        core.change(account, testEmail={**MAIL, "requestID": number})
        assert core.step(account).action is not Action.MAIL
        assert account.stored.mail == Mail(number, MAIL["recipient"], error=USED_BEFORE, earlier=(other,))
    core.change(account, testEmail=MAIL)
    again = CoreWorld()
    status = project(account, core.workspace, core.now)
    restarted = again.account(finalizers=(FINALIZER,), testEmail=MAIL, status=status)
    again.sweep(row())
    assert again.step(restarted).action is not Action.MAIL
    assert restarted.stored.mail == account.stored.mail


@pytest.mark.parametrize(("limits", "most"), [(Limits(100, 1000, 0.0), 10), (Limits(100, 50, 0.0), 5)])
def test_rule_28_test_mails_take_at_most_a_tenth_of_each_window(limits: Limits, most: int) -> None:
    core = CoreWorld(policy=Policy(limits=limits))
    accounts = [core.holder(f"{number}@company.com", f"inbox-{number}", testEmail=MAIL) for number in range(20)]
    core.show(*accounts)
    sent = 0
    while mails := [call for call in core.calls() if call.operation is Operation.SEND_TEST_EMAIL]:
        (account,) = (account for account in accounts if account.uid == mails[0].uids[0])
        core.answer(core.ask(Operation.SEND_TEST_EMAIL, account), MailSent(None, None))
        sent += 1
    assert sent == most


def test_rule_28_a_batch_may_not_ask_for_test_mails() -> None:
    template = {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": {"name": "mail"}}, "testEmail": MAIL}
    reading = read_batch({"template": template, "inboxes": []})
    assert any("testEmail" in problem for problem in reading.problems)


def test_rule_29_namespaces_take_turns_within_a_lane() -> None:
    queue = Queue()
    for number in range(10_000):
        queue.add(f"many-{number}", "sales", START)
    queue.add("lone", "support", START + 10.0)
    assert "lone" in queue.first(100)
    assert queue.first(1) == ("many-0",)
    queue.launch(("many-0",), START + 11.0)
    assert queue.first(1) == ("lone",)


def test_rule_29_what_one_namespace_leaves_of_a_call_goes_to_all_others_in_turn() -> None:
    queue = Queue()
    queue.add("lone", "support", START)
    for namespace in ("sales", "hr"):
        for number in range(10):
            queue.add(f"{namespace}-{number}", namespace, START)
    taken = queue.first(9)
    assert [sum(uid.startswith(name) for uid in taken) for name in ("lone", "sales", "hr")] == [1, 4, 4]


def test_rule_29_a_lone_account_is_made_soon_though_thousands_of_another_namespace_wait() -> None:
    core = CoreWorld()
    for number in range(500):
        core.account(f"{number}@company.com")
    lone = core.account("lone@company.com", namespace="support")
    core.sweep()
    core.wait(3.0)
    first = next(call for call in core.calls() if call.operation.creates)
    assert lone.uid in first.uids


def test_rule_29_deletions_take_turns_too() -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(percent=100)))
    many = [core.holder(f"{number}@company.com", f"inbox-{number}", deleting=True) for number in range(300)]
    lone = core.holder("lone@company.com", "inbox-lone", namespace="support", deleting=True)
    core.show(*many, lone)
    core.wait(3.0)
    first = next(call for call in core.calls() if call.operation.deletes)
    assert lone.uid in first.uids
