"""Rules 32, 41, 42 and the test mails of 45: the failures and the use of one object are its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Credentials
from coldsend_operator.core.model.answers import BulkAnswer, Created, Failure, FailureKind, MailSent, Page, Row
from coldsend_operator.core.model.calls import Call, Lane, Operation, Scope
from coldsend_operator.core.model.policy import Limits, Policy, Threshold
from coldsend_operator.core.workspace.budget import Budget
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.merging import merge
from coldsend_operator.core.workspace.wait_estimate import estimate_waits
from coldsend_operator.resources.names import RECONCILE_ANNOTATION
from tests.core.rules.watching import running
from tests.support.clock import START
from tests.support.core_world import CoreWorld, asked_for, held, row, row_of
from tests.support.process import API_KEY
from tests.support.remote import FakeColdSend, Fault, Item
from tests.support.simulation import Simulation

BAD = "bad@company.com"
DOWN = Failure(FailureKind.UNAVAILABLE, "Internal Server Error", 500)
PLAN = Failure(FailureKind.PLAN_LIMIT, "Your plan does not allow this", 402)
ELSEWHERE = Failure(FailureKind.NOT_FOUND, "Not Found", 404)
LIMITS = Limits(100, 1000, 0.0)
MAIL = {"recipient": "ops@example.com", "requestID": "1"}


def wanting_mails(core: CoreWorld, count: int) -> None:
    digest = core.workspace.digest
    ids = {f"{number}@{digest}.com": f"{digest}-{number}" for number in range(count)}
    for address, inbox_id in ids.items():
        core.holder(address, inbox_id, testEmail=MAIL)
    core.sweep(*(row(address, inbox_id) for address, inbox_id in ids.items()))


def send_mails(core: CoreWorld) -> int:
    sent = 0
    while mails := [call for call in core.calls() if call.operation is Operation.SEND_TEST_EMAIL]:
        core.answer(
            core.ask(Operation.SEND_TEST_EMAIL, core.workspace.accounts[mails[0].uids[0]]), MailSent(None, None)
        )
        sent += 1
    return sent


@pytest.mark.parametrize("known_late", [False, True])
def test_rule_45_two_keys_of_one_workspace_share_the_tenth_of_test_mails(known_late: bool) -> None:
    claims = Claims()
    one, two = (CoreWorld(digest, policy=Policy(limits=LIMITS), claims=claims) for digest in ("one", "two"))
    for core in (one, two):
        wanting_mails(core, 20)
    before = send_mails(two) if known_late else 0
    merge(one.workspace, two.workspace, START)
    assert before + send_mails(one) + send_mails(two) == 10


def test_rule_45_test_mails_count_over_a_restart() -> None:
    before, after = Budget(LIMITS), Budget(LIMITS)
    for _ in range(90):
        before.mails.add(START)
    before.mails.in_flight = 5  # their answers are awaited when the process ends
    after.load(before.to_json(START, block=0), START + 120.0)
    for _ in range(5):
        after.mails.add(START + 120.0)
    assert after.mails.free_at(START + 120.0, 1000, 1000) > START + 3590.0


def test_rule_45_restarts_give_no_test_mail_more() -> None:
    simulation = Simulation(per_minute=100, per_hour=400)
    for turn in range(6):
        for number in range(20):
            mail: dict[str, Any] = {"recipient": "ops@example.com", "requestID": "1"}
            simulation.apply("sales", f"a{turn}-{number}", f"{turn}-{number}@company.com", testEmail=mail)
        running(simulation, 150.0)
        simulation.crash()
    assert len(simulation.remote.mails) == 40
    simulation.check()


@dataclass
class FailsOnOne(FakeColdSend):
    """Every create that carries BAD fails, alone or in a bulk, and nothing of it is done."""

    failure: Failure = DOWN
    tries: int = 0

    def create(self, item: Item, now: float) -> Created | Failure:
        return self._fails([item]) or super().create(item, now)

    def create_bulk(self, items: Sequence[Item], now: float, fault: Fault = Fault.NONE) -> BulkAnswer:
        failure = self._fails(items)
        return failure if failure is not None else super().create_bulk(items, now, fault)  # type: ignore[return-value]

    def _fails(self, items: Sequence[Item]) -> Failure | None:
        if all(item.address != BAD for item in items):
            return None
        self.tries += 1
        return self.failure


def failing(simulation: Simulation, failure: Failure) -> FailsOnOne:
    remote = FailsOnOne(simulation.clock, failure=failure)
    simulation.remotes[API_KEY] = simulation.remote = remote
    return remote


def test_rule_41_one_item_that_coldsend_fails_on_costs_its_neighbours_no_inbox() -> None:
    simulation = Simulation()
    remote = failing(simulation, DOWN)
    running(simulation)
    for number in range(30):
        simulation.apply("sales", f"one-{number}", f"{number}@company.com")
    bad = simulation.apply("sales", "bad", BAD)
    simulation.wait(1800.0)
    assert len(remote.live()) == 30
    assert simulation.ready(bad)[:2] == ("False", "ApiUnavailable")
    tries = remote.tries
    simulation.wait(1800.0)
    assert remote.tries <= tries + 3
    simulation.check()


def test_rule_41_an_account_that_comes_later_does_not_share_a_bulk_with_the_one_that_fails() -> None:
    simulation = Simulation()
    remote = failing(simulation, DOWN)
    running(simulation)
    simulation.apply("sales", "bad", BAD)
    simulation.wait(1200.0)
    for turn in range(6):
        uids = [simulation.apply("sales", f"{turn}-{n}", f"{turn}-{n}@company.com") for n in range(10)]
        simulation.wait(60.0)
        assert {simulation.ready(uid)[:2] for uid in uids} == {("True", "Active")}
        simulation.wait(240.0)
    assert remote.tries <= 8


@pytest.mark.parametrize("failure", [PLAN, DOWN])
def test_rule_41_the_refusal_of_one_object_blocks_no_other(failure: Failure) -> None:
    simulation = Simulation()
    remote = failing(simulation, failure)
    running(simulation)
    simulation.apply("sales", "bad", BAD)
    for number in range(10):
        simulation.wait(120.0)
        uid = simulation.apply("support", f"one-{number}", f"{number}@company.com")
        simulation.wait(5.0)
        assert simulation.ready(uid)[:2] == ("True", "Active")
    assert remote.tries <= 6


def test_rule_41_a_plan_limit_that_two_objects_meet_blocks_the_creates_of_all() -> None:
    core = CoreWorld()
    one, two, three = (core.account(f"{name}@company.com") for name in ("one", "two", "three"))
    core.sweep()
    core.answer(core.ask(Operation.CREATE_SMTP, one), PLAN)
    assert core.breaker.block_of(Operation.CREATE_SMTP) is None
    assert core.says(one)["Ready"][1] == "PlanLimit"
    core.answer(core.ask(Operation.CREATE_SMTP, two), PLAN)
    assert core.breaker.block_of(Operation.CREATE_SMTP) is not None
    assert core.says(three)["Ready"][1] == "PlanLimit"
    core.wait(299.0)
    assert not any(operation.creates for operation in core.operations())
    core.wait(2.0)
    probe = next(call for call in core.calls() if call.operation.creates)
    assert three.uid in probe.uids


def test_rule_41_a_bulk_of_deletions_that_is_twice_unknown_goes_again_in_halves() -> None:
    core = CoreWorld()
    accounts = [core.holder(f"{n}@company.com", f"inbox-{n}", deleting=True) for n in range(8)]
    for account in accounts:
        core.workspace.brake.ask(account.uid, "sales", START, approved=True)
    rows = [row_of(account, made=START - 1e4) for account in accounts]
    for _ in range(2):
        core.sweep(*rows)
        ids = tuple(account.stored.inbox_id or "" for account in accounts)
        core.answer(core.ask(Operation.DELETE_ACCOUNTS, *accounts, inbox_ids=ids), DOWN)
        core.wait(121.0)
    assert [len(split) for split in core.workspace.splits[Scope.DELETE]] == [4, 4]


def test_rule_41_the_neighbour_of_one_that_fails_to_be_deleted_is_tried_alone_before_it_waits_long() -> None:
    core = CoreWorld()
    bad, good = accounts = [core.holder(f"{n}@company.com", f"inbox-{n}", deleting=True) for n in range(2)]
    for account in accounts:
        core.workspace.brake.ask(account.uid, "sales", START, approved=True)
    for _ in range(2):
        core.show(*accounts)
        ids = tuple(account.stored.inbox_id or "" for account in accounts)
        core.answer(core.ask(Operation.DELETE_ACCOUNTS, *accounts, inbox_ids=ids), DOWN)
        core.wait(121.0)
    core.show(*accounts)
    alone = [call.uids for call in core.calls() if call.operation.deletes]
    assert alone == [(bad.uid,)]
    core.answer(core.send(next(call for call in core.calls() if call.operation.deletes)), DOWN)
    core.wait(121.0)
    core.show(*accounts)
    assert [call.uids for call in core.calls() if call.operation.deletes] == [(good.uid,)]
    assert "this particular inbox" in core.says(bad)["Ready"][2]


def test_rule_41_the_neighbour_of_one_that_fails_to_be_created_is_tried_alone_before_it_waits_long() -> None:
    core = CoreWorld()
    bad, good = accounts = [core.account(f"{n}@company.com") for n in range(2)]
    for _ in range(2):
        core.sweep()
        core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), DOWN)
        core.wait(121.0)
    core.sweep()
    assert [account.create_backoff for account in accounts] == [None, None]
    core.answer(core.ask(Operation.CREATE_SMTP, bad), DOWN)
    core.answer(core.ask(Operation.CREATE_SMTP, good), Created(row("1@company.com", "inbox-1")))
    core.wait(121.0)
    core.show(good)
    assert bad.create_backoff is not None


def test_rule_41_an_outage_is_no_fault_of_those_whose_calls_met_it() -> None:
    core = CoreWorld()
    accounts = [core.account(f"{n}@company.com") for n in range(4)]
    core.sweep()
    for account in accounts:
        core.answer(core.ask(Operation.CREATE_SMTP, account), DOWN)
    assert core.breaker.failing(Operation.CREATE_SMTP, frozenset({accounts[0].desired.namespace}))
    assert [account.unknowns for account in accounts] == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (DOWN, "ColdSend is not available: it answers HTTP 500; the last known values stay"),
        (Failure(FailureKind.LOST, "no response from ColdSend within 30 s"), "ColdSend does not answer; the last"),
        (
            Failure(FailureKind.NOT_SENT, "no connection to ColdSend: certificate verify failed"),
            "No connection to ColdSend: certificate verify failed; the last",
        ),
        (
            Failure(FailureKind.LOST, "response not understood: the response is not JSON", 200),
            "cannot read the answers",
        ),
    ],
)
def test_that_an_outage_is_told_by_its_first_cause_and_not_anew_for_each_other_one(failure: Failure, told: str) -> None:
    core = CoreWorld()
    account = core.holder()
    core.sweep()
    for cause in (failure, failure, failure):
        core.answer(core.ask(Operation.LIST_ACCOUNTS), cause)
    said = core.says(account)["Synced"]
    assert said[1] == "ApiUnavailable"
    assert told in said[2]
    core.answer(core.ask(Operation.LIST_ACCOUNTS), Failure(FailureKind.UNAVAILABLE, "Bad gateway", 502))
    assert core.says(account)["Synced"] == said


def test_rule_41_errors_of_one_object_are_tried_on_a_list_before_all_are_blocked() -> None:
    core = CoreWorld()
    account = core.holder()
    core.sweep()
    for _ in range(3):
        core.get(account, DOWN)
    core.wait(5.0)
    assert core.breaker.blocks == {}
    assert core.calls()[0].operation is Operation.LIST_ACCOUNTS
    core.answer(core.ask(Operation.LIST_ACCOUNTS), DOWN)
    assert core.says(account)["Synced"][1] == "ApiUnavailable"
    core.wait(60.0)
    assert core.operations() == [Operation.LIST_ACCOUNTS]  # the probe
    core.answer(core.ask(Operation.LIST_ACCOUNTS), Page((), 1, 0, 1, has_next=False))
    assert core.breaker.blocks == {}


def test_rule_41_a_bulk_whose_job_is_forgotten_twice_goes_again_in_halves() -> None:
    core = CoreWorld()
    accounts = [core.account(f"{n}@company.com") for n in range(4)]
    for name in ("one", "two"):
        core.sweep()
        assert core.workspace.splits[Scope.CREATE] == []
        core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), BulkAnswer(job_id=name, total=4))
        core.answer(core.ask(Operation.POLL_CREATE_JOB, job=name), ELSEWHERE)
        core.wait(121.0)
    assert [len(split) for split in core.workspace.splits[Scope.CREATE]] == [2, 2]
    core.sweep()
    assert [len(call.uids) for call in core.calls() if call.operation.creates] == [2]


@dataclass
class Misrouted(FakeColdSend):
    failure: Failure | None = None

    def arrive(self, key: str = "") -> Failure | None:
        return self.failure or super().arrive(key)


@pytest.mark.parametrize(
    "failure",
    [
        Failure(FailureKind.PLAN_LIMIT, "This job belongs to another workspace", 403),
        Failure(FailureKind.FORBIDDEN, "Missing scope", 403, required=("jobs:read",)),
    ],
    ids=["without_required", "with_required"],
)
def test_rule_41_a_job_that_may_not_be_followed_blocks_no_look(failure: Failure) -> None:
    core = CoreWorld()
    job = {"id": "job-of-elsewhere", "operation": "Create", "state": "Running"}
    core.account("one@company.com", marked=START, status={"job": job})
    core.sweep()
    for _ in range(5):
        core.wait(60.0)
        core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-of-elsewhere"), failure)
    assert core.breaker.block_of(Operation.LIST_ACCOUNTS) is None


@pytest.mark.parametrize(
    "failure", [ELSEWHERE, Failure(FailureKind.REFUSED, "No", 405), Failure(FailureKind.REFUSED, "Moved", 308)]
)
def test_rule_32_a_404_for_every_path_is_told_as_such_and_costs_no_item_its_turn(failure: Failure) -> None:
    simulation = Simulation()
    remote = Misrouted(simulation.clock)
    simulation.remotes[API_KEY] = remote
    running(simulation)
    simulation.apply("sales", "first", "first@company.com")
    simulation.wait(10.0)
    remote.failure = failure
    uid = simulation.apply("sales", "one", "a@company.com")
    simulation.wait(10.0)
    status, reason, message = simulation.ready(uid)
    assert (status, reason) == ("False", "ApiUnavailable")
    assert "COLDSEND_API_URL" in message
    remote.failure = None
    simulation.wait(10.0)
    assert simulation.ready(uid)[:2] == ("True", "Active")
    simulation.check()


@pytest.mark.parametrize("kind", [FailureKind.REFUSED, FailureKind.CONFLICT])
def test_lists_that_are_refused_again_and_again_are_told(kind: FailureKind) -> None:
    core, account = held()
    for _ in range(3):
        core.answer(core.ask(Operation.LIST_ACCOUNTS), Failure(kind, "This version of the API has ended", 400))
        core.wait(60.0)
    status, reason, message = core.says(account)["Synced"]
    assert (status, reason) == ("False", "ApiUnavailable")
    assert message.startswith("ColdSend refuses to list the inboxes (This version of the API has ended); ")
    core.show(account)
    assert core.says(account)["Synced"][:2] == ("True", "InSync")


@pytest.mark.parametrize("failure", [ELSEWHERE, Failure(FailureKind.REFUSED, "page: out of range", 422)])
def test_rule_32_a_page_beyond_the_end_of_a_list_that_became_shorter_ends_that_list(failure: Failure) -> None:
    core, account = held()
    core.wait(3600.0)
    core.answer(core.ask(Operation.LIST_ACCOUNTS), Page((row_of(account),), 1, 101, 2, has_next=True))
    core.answer(core.ask(Operation.LIST_ACCOUNTS, page=2), failure)
    assert core.says(account)["Synced"][:2] == ("True", "InSync")
    core.wait(3600.0)
    assert [call.page for call in core.calls() if call.sweeps] == [1]


def test_a_plan_that_was_raised_is_tried_at_once_when_a_person_asks() -> None:
    core = CoreWorld()
    one, two, three = core.asked_for("a@company.com", "b@company.com", "c@company.com")
    for account in (one, two):
        core.answer(core.ask(Operation.CREATE_SMTP, account), PLAN)
    status, reason, message = core.says(three)["Ready"]
    assert (status, reason) == ("False", "PlanLimit")
    assert "does not allow this. The operator tries again" in message
    core.wait(20.0)
    assert Operation.CREATE_SMTP not in core.operations()
    core.change(three, "c@company.com", annotations={RECONCILE_ANNOTATION: "raised"})
    transitions.secret_read(three, Credentials("hmac-of-one"))
    core.workspace.touch(three.uid)
    assert Operation.CREATE_SMTP in core.operations()


@pytest.mark.parametrize("status", [404, 405, 302])
def test_rule_32_a_create_that_alone_meets_another_server_is_told_too(status: int) -> None:
    core = CoreWorld()
    account = core.account()
    core.sweep()
    for _ in range(3):
        failure = Failure(FailureKind.NOT_FOUND if status == 404 else FailureKind.REFUSED, "No", status)
        core.answer(core.ask(Operation.CREATE_SMTP, account), failure)
        core.sweep()
        core.patch(account)
        condition, reason, message = core.says(account)["Ready"]
        assert (condition, reason) == ("False", "ApiUnavailable")
        assert f"does not answer as the ColdSend API ({status}); check the URL" in message
        core.wait(60.0)
    core.answer(core.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.REFUSED, "SMTP login failed", 400))
    assert core.says(account)["Ready"][1] == "ConnectionFailed"


def test_rule_32_a_404_of_an_id_proves_nothing_while_the_list_is_answered_so() -> None:
    core, account = held()
    core.answer(core.ask(Operation.LIST_ACCOUNTS), ELSEWHERE)
    core.get(account, ELSEWHERE)
    assert account.not_found_at is None
    assert core.breaker.down
    core.sweep(row())
    core.get(account, ELSEWHERE)
    assert account.not_found_at is not None


def test_rule_32_a_bulk_of_deletions_that_is_answered_404_deletes_nothing_and_blames_no_campaign() -> None:
    core = CoreWorld()
    accounts = [core.holder(f"{n}@company.com", f"inbox-{n}", deleting=True) for n in range(8)]
    call = core.ask(Operation.DELETE_ACCOUNTS, *accounts, inbox_ids=tuple(f"inbox-{n}" for n in range(8)))
    core.answer(call, ELSEWHERE)
    assert {account.delete_backoff for account in accounts} == {None}
    assert {account.deleted_at for account in accounts} == {None}
    assert core.workspace.splits[Scope.DELETE] == []


def test_rule_42_a_call_that_does_not_leave_pauses_nothing_else() -> None:
    simulation = Simulation()
    running(simulation)
    simulation.apply("sales", "one", "a@company.com")
    simulation.wait(10.0)
    process = simulation.process
    assert process is not None
    begun = simulation.clock()
    simulation.take_password("support")
    for number in range(700):
        uid = simulation.apply("support", f"junk-{number}", f"junk-{number}@company.com")
        simulation.wait(0.8)
        simulation.delete(uid)
        simulation.wait(0.1)
    assert process.loops[0].workspace.inventory.listed_at > begun + 300.0


def test_rule_41_a_bulk_that_alone_is_answered_404_goes_again_in_halves_at_last() -> None:
    core = CoreWorld()
    accounts = [core.account(f"{n}@company.com") for n in range(4)]
    for _ in range(3):
        core.sweep()
        assert core.workspace.splits[Scope.CREATE] == []
        core.answer(core.ask(Operation.CREATE_SMTP_BULK, *accounts), ELSEWHERE)
        core.wait(60.0)
    assert [len(split) for split in core.workspace.splits[Scope.CREATE]] == [2, 2]
    assert {account.create_backoff for account in accounts} == {None}


def serve(core: CoreWorld, *rows: Row) -> list[Call]:
    """What leaves in one second, answered at once; inboxes that are asked for are not understood."""
    left = list(core.calls())
    for planned in left:
        accounts = [core.workspace.accounts[uid] for uid in planned.uids]
        call = core.ask(planned.operation, *accounts, page=planned.page, inbox_ids=planned.inbox_ids)
        match planned.operation:
            case Operation.CREATE_SMTP:
                address = accounts[0].address or ""
                core.answer(call, Created(row(address, f"in-{address}", made=core.now)))
            case Operation.DELETE_ACCOUNT:
                core.answer(call, Failure(FailureKind.NOT_FOUND, "inbox not found", 404))
            case Operation.LIST_ACCOUNTS | Operation.SEARCH_ACCOUNTS:
                core.answer(call, Page(rows, 1, len(rows), 1, has_next=False))
            case _:
                core.answer(call, Failure(FailureKind.LOST, "response not understood", 200))
    core.wait(1.0)
    return left


def first_call_after(core: CoreWorld, uid: str) -> int:
    """Seconds until a write for the account leaves."""
    return next(second for second in range(3600) if any(uid in c.uids and c.operation.creates for c in serve(core)))


def test_rule_42_looks_of_one_namespace_leave_room_for_the_creates_of_another() -> None:
    core = CoreWorld()
    many = [core.holder(f"{n}@company.com", f"inbox-{n}") for n in range(40)]
    rows = [row_of(account, made=START - 1e4) for account in many]
    for second in range(2000):
        for account in many[second % 60 : second % 60 + 1]:
            core.change(account, account.address or "", generation=1, annotations={RECONCILE_ANNOTATION: str(second)})
        core.workspace.stale_secrets.clear()  # the Secrets are read again
        serve(core, *rows)
    spent = 800 - core.workspace.budget.remaining(core.now)[1]
    lone = core.account("lone@company.com", namespace="support")
    assert first_call_after(core, lone.uid) < 60
    assert spent > 500
    assert core.workspace.budget.remaining(core.now)[1] > 100


def test_rule_42_creates_and_deletions_of_one_namespace_leave_room_for_those_of_another() -> None:
    core = CoreWorld(policy=Policy(brake=Threshold(None, 100.0)))
    core.sweep()
    for second in range(2000):
        account = core.account(f"{second}@company.com")
        serve(core)
        if account.stored.held:
            core.change(account, account.address or "", deleting=True)
            serve(core)
        core.workspace.remove(account.uid)
    lone = core.account("lone@company.com", namespace="support")
    assert first_call_after(core, lone.uid) < 60


def test_rule_42_one_namespace_alone_has_nine_tenths_of_the_hour() -> None:
    budget = Budget(LIMITS)
    for _ in range(900):
        budget.start()
        budget.shares.charge("sales", START)
        budget.end(START)
    assert budget.exhausted_by(START, probes=False) == frozenset()
    budget.shares.charge("sales", START)
    assert budget.exhausted_by(START, probes=False) == {"sales"}
    budget.shares.charge("support", START)
    assert "support" not in budget.exhausted_by(START, probes=False)
    assert budget.exhausted_by(START + 3901.0, probes=False) == frozenset()


def test_rule_42_an_object_of_a_namespace_that_has_used_its_part_of_the_hour_says_when_its_turn_comes() -> None:
    core, account = asked_for()
    core.workspace.budget.limits = LIMITS
    for _ in range(950):
        core.workspace.budget.start()
        core.workspace.budget.shares.charge(account.desired.namespace, core.now)
        core.workspace.budget.end(core.now)
    core.wait(1.0)
    estimate_waits(core.workspace, core.now)
    assert core.calls() == ()
    assert account.eta is not None
    assert core.says(account)["Synced"][1] == "RateLimited"
    core.wait(account.eta - core.now)
    assert core.operations() != []


def test_rule_42_looks_take_at_most_their_share_of_the_hour() -> None:
    budget, now = Budget(LIMITS), START
    looks = 0
    while now < START + 3500.0:
        if budget.available(now, Lane.PROBE.reserved, Lane.PROBE.hour_share):
            budget.start(probe=True)
            budget.end(now, probe=True)
            looks += 1
        now += 1.0
    assert looks == 750
    assert budget.available(now) > 0
    assert START + 3600.0 <= budget.free_at(now, 0.0, Lane.PROBE.hour_share) <= START + 3661.0
