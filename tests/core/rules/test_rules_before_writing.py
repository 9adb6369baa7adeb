"""The rules of "Before anything is written": 1 to 5."""

import pytest

from coldsend_operator.core.model.answers import Created, Failure, FailureKind, Page
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.kube.lease import Election
from coldsend_operator.resources.crd import UNSEEN
from coldsend_operator.resources.names import FINALIZER
from tests.core.rules.watching import finish, pending, play_until, reach, running
from tests.support.clients import SimulatedKubeClient
from tests.support.clock import START, FakeClock
from tests.support.core_world import LOST, CoreWorld, asked_for, held, row
from tests.support.process import Process
from tests.support.simulation import Simulation
from tests.support.stories import ready_of

A, B = "a@company.com", "b@company.com"


def _without_events(simulation: Simulation, process: Process, seconds: float = 20.0) -> None:
    """All that can happen while no further watch event comes."""
    for _ in range(int(seconds / 0.1)):
        for call in process.traffic.movable:
            finish(simulation, call)
        simulation.pass_time(0.1)


def test_rule_01_nothing_is_called_before_every_listed_object_has_arrived() -> None:
    simulation = Simulation()
    for name, address in (("one", A), ("two", B)):
        simulation.apply("sales", name, address)
    process = running(simulation)
    process.deliver()
    _without_events(simulation, process)
    assert simulation.remote.requests == 0
    process.deliver()
    _without_events(simulation, process)
    assert len(simulation.remote.inboxes) == 2


def test_rule_01_nothing_is_called_while_an_object_is_known_as_it_was_before_the_own_list() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", A)
    process = running(simulation)
    simulation.edit(uid, displayName="Joe")
    process.deliver()
    _without_events(simulation, process)
    assert simulation.remote.requests == 0
    process.see()
    process.deliver()
    _without_events(simulation, process)
    assert [inbox.display_name for inbox in simulation.remote.inboxes.values()] == ["Joe"]


def test_rule_01_nothing_is_called_before_every_listed_batch_has_arrived() -> None:
    simulation = Simulation()
    simulation.apply("sales", "one", A)
    simulation.list_in_batch("sales", "pool", [])
    process = running(simulation)
    process.deliver()
    _without_events(simulation, process)
    assert simulation.remote.requests == 0
    process.deliver("SenderAccountBatch")
    _without_events(simulation, process)
    assert len(simulation.remote.inboxes) == 1


def test_rule_01_no_child_is_made_before_every_listed_object_has_arrived() -> None:
    simulation = Simulation()
    simulation.apply("sales", "one", A)
    simulation.list_in_batch("sales", "pool", [B])
    process = running(simulation)
    process.deliver("SenderAccountBatch")
    _without_events(simulation, process)
    assert len(simulation.uids) == 1
    process.deliver()
    _without_events(simulation, process)
    assert len(simulation.uids) == 2


def test_rule_02_a_late_status_does_not_land_on_a_new_object_of_the_same_name() -> None:
    simulation = Simulation()
    old = simulation.apply("sales", "one", A)
    running(simulation)
    play_until(simulation, lambda: simulation.remote.inboxes)
    late = reach(simulation, "kube", "one/status")
    simulation.cluster.wipe_finalizers(old)
    simulation.cluster.delete(old)
    new = simulation.apply("sales", "one", B)
    finish(simulation, late)
    assert simulation.status(new) == UNSEEN


def test_rule_02_a_refused_mark_takes_that_member_out_of_the_call() -> None:
    simulation = Simulation()
    for name, address in (("zero", "z@company.com"), ("one", A), ("two", B)):
        simulation.apply("sales", name, address)
    process = running(simulation)
    reach(simulation, "kube", "patch /apis/coldsend.pro/v1alpha1/namespaces/sales/senderaccounts/two")
    simulation.cluster.delete(simulation.uids[2])
    new = simulation.apply("sales", "two", B)
    while (create := pending(simulation, "coldsend", A)) is None:  # before any event tells of it
        for call in process.traffic.movable:
            simulation.go_on(call)
        simulation.pass_time(0.1)
    assert B not in create.what
    simulation.wait(5.0)
    assert simulation.ready(new)[:2] == ("True", "Active")
    assert len(simulation.remote.inboxes) == 3
    assert not simulation.remote.doubles


@pytest.mark.parametrize(("seconds", "repeats"), [(0.0, False), (100.0, False), (119.0, False), (121.0, True)], ids=str)
def test_rule_03_a_create_of_unknown_outcome_is_repeated_only_after_a_look_begun_later(
    seconds: float, repeats: bool
) -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.wait(seconds)
    core.search(account)
    core.wait(200.0 - seconds)
    core.patch(account)
    assert (core.step(account).action is Action.CREATE) == repeats


def test_rule_03_a_look_that_began_before_the_wait_was_over_proves_nothing_however_late_it_ends() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.wait(100.0)
    core.sweep(seconds=60.0)
    assert core.step(account).action is not Action.CREATE


def test_rule_03_a_search_that_began_before_the_wait_was_over_proves_nothing_however_late_it_ends() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.wait(100.0)
    search = core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address)
    core.wait(60.0)
    core.answer(search, Page((), 1, 0, 1, has_next=False))
    core.wait(2.0)
    assert core.step(account).action is Action.SEARCH


def test_rule_03_a_search_proves_nothing_before_its_last_page() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core.wait(200.0)
    first = core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address)
    core.answer(first, Page((row("joann@company.com", "inbox-2"),), 1, 2, 2, has_next=True))
    assert core.step(account).action is Action.SEARCH
    second = core.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address, page=2)
    core.answer(second, Page((row("annann@company.com", "inbox-3"),), 2, 2, 2, has_next=False))
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_03_known_outcomes_are_in_the_inventory() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(row()))
    assert [found.inbox_id for found in core.workspace.inventory.at(row().address)] == ["inbox-1"]
    assert core.step(account).action is not Action.CREATE


def test_rule_03_before_the_first_full_list_a_lone_object_is_looked_up_by_search() -> None:
    core = CoreWorld()
    core.account()
    assert Operation.SEARCH_ACCOUNTS in core.operations()
    assert Operation.CREATE_SMTP not in core.operations()


def test_rule_03_many_objects_wait_for_the_first_full_list() -> None:
    core = CoreWorld()
    for number in range(5):
        core.account(f"{number}@company.com")
    assert core.operations() == [Operation.LIST_ACCOUNTS]


def test_rule_04_a_mark_without_an_inbox_tells_of_a_create_that_may_have_left() -> None:
    core = CoreWorld()
    account = core.account(marked=START - 60.0)
    core.sweep(row(made=START - 58.0))
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Created")


def test_rule_04_a_finalizer_without_a_mark_is_waited_for_after_a_start_and_proves_nothing() -> None:
    """An earlier version marked so, and its create may still be on its way; a copied manifest looks the same."""
    core, account = asked_for(finalizers=(FINALIZER,))
    assert core.step(account).action is not Action.CREATE
    core.wait(130.0)
    core.search(account, row(made=START))
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_04_a_held_inbox_without_the_finalizer_gets_it_back_before_anything_else() -> None:
    core, account = held()
    core.change(account, finalizers=(), displayName="Joe", updatePolicy="Recreate")
    assert core.step(account).action is Action.ADD_FINALIZER
    assert core.patch(account) is Action.ADD_FINALIZER
    assert account.desired.finalizers == (FINALIZER,)


def test_rule_04_an_object_that_waits_keeps_no_finalizer_of_a_copied_manifest() -> None:
    core, holder = held()
    core.lead()
    copy = core.account(holder.address or "", name="copy", created=START, finalizers=(FINALIZER,))
    assert core.step(copy).reason is Reason.ADDRESS_CONFLICT
    assert core.patch(copy) is Action.REMOVE_FINALIZER
    assert not copy.desired.finalizers


def test_rule_04_an_object_that_never_reached_coldsend_carries_no_finalizer() -> None:
    simulation = Simulation()
    simulation.remote.make_by_hand(A)
    uid = simulation.apply("sales", "one", A)
    running(simulation, 5.0)
    raw = simulation.raw(uid)
    assert ready_of(raw)[1] == "AlreadyExists"
    assert not raw["metadata"].get("finalizers")
    simulation.delete(uid)
    assert simulation.cluster.find(uid) is None


def test_rule_04_the_mark_stands_before_the_call_leaves() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", A)
    process = running(simulation)
    reach(simulation, "coldsend", "create a@company.com")
    raw = simulation.raw(uid)
    assert FINALIZER in raw["metadata"]["finalizers"]
    assert process.operator.policy.create_marks.times(uid, raw["metadata"]["finalizers"])


def test_rule_04_a_refused_create_takes_its_mark_off_again() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.REFUSED, "bad password", 422))
    assert core.step(account).action is Action.REMOVE_FINALIZER


def test_rule_05_the_lease_counts_as_ours_for_less_than_10_seconds_after_a_renewal_left() -> None:
    clock = FakeClock()
    simulation = Simulation(clock=clock)
    process = running(simulation)
    election = Election(SimulatedKubeClient(simulation.cluster, process.traffic), "default", "lease", clock=clock)
    assert not election.fresh()
    left = clock()
    clock.advance(2.0)  # the answer takes its time
    election._hold({}, left)
    clock.advance(7.9)
    assert election.fresh()
    clock.advance(0.1)
    assert not election.fresh()


@pytest.mark.parametrize(
    ("client", "text"),
    [("kube", "senderaccounts/one"), ("kube", "secrets/mail")],
    ids=["while_the_mark_is_put", "while_the_secret_is_read"],
)
def test_rule_05_a_create_does_not_begin_when_the_lease_was_not_renewed_meanwhile(client: str, text: str) -> None:
    simulation = Simulation()
    simulation.apply("sales", "one", A)
    process = running(simulation)
    before = reach(simulation, client, text)
    process.leadership.renewed = False
    finish(simulation, before)
    simulation.wait(30.0)
    assert not simulation.remote.inboxes
    process.leadership.renewed = True
    simulation.wait(30.0)
    assert len(simulation.remote.inboxes) == 1


def test_rule_05_a_deletion_does_not_begin_when_the_lease_was_not_renewed_meanwhile() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", A)
    process = running(simulation, 5.0)
    simulation.delete(uid)
    booking = reach(simulation, "kube", "configmaps")
    process.leadership.renewed = False
    finish(simulation, booking)
    simulation.wait(30.0)
    assert [inbox.gone_at for inbox in simulation.remote.inboxes.values()] == [None]
    assert pending(simulation, "coldsend", "delete") is None
