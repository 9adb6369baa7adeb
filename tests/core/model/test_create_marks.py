"""Marks of creates in whole processes: forged ones, wiped ones, objects that come and go, restarts (rule 39)."""

import pytest

from coldsend_operator.core.model.answers import BulkAnswer, JobProgress, ResultRow
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.create_marks import CreateMarks, is_mark
from coldsend_operator.resources.names import FINALIZER
from tests.core.rules.watching import finish, reach, running
from tests.support.clock import START
from tests.support.core_world import ANN, BOB, LOST, CoreWorld, asked_for, row
from tests.support.remote import Fault
from tests.support.simulation import SECOND, SECOND_KEY, Simulation

A = "a@company.com"
ADOPTING = {"adopt_namespaces": "sales"}


def put_finalizers(simulation: Simulation, uid: str, *finalizers: str) -> None:
    """What whoever may edit the object can do."""
    raw = simulation.raw(uid)
    simulation.cluster._update(raw | {"metadata": raw["metadata"] | {"finalizers": list(finalizers)}})


def with_inbox(simulation: Simulation) -> str:
    uid = simulation.apply("sales", "one", A)
    running(simulation, 10.0)
    assert simulation.ready(uid)[0] == "True"
    return uid


@pytest.mark.parametrize("restarted", [False, True])
def test_that_a_forged_mark_brings_nobody_an_inbox_made_by_hand(restarted: bool) -> None:
    simulation = Simulation(changes=ADOPTING)
    simulation.take_password("support")
    running(simulation)
    uid = simulation.apply("support", "thief", A)
    marks = CreateMarks(b"guessed")
    put_finalizers(simulation, uid, FINALIZER, marks.text(uid, simulation.clock() - 5.0))
    if restarted:
        simulation.crash()
        simulation.start()
    simulation.wait(200.0)
    simulation.remote.make_by_hand(A, name="Jane")
    simulation.wait(700.0)
    assert simulation.ready(uid)[1] == "AlreadyExists"
    simulation.delete(uid)
    simulation.wait(300.0)
    assert simulation.uids == []
    assert len(simulation.remote.at(A)) == 1


def test_that_forged_marks_of_others_do_not_keep_a_lost_create_from_being_repeated() -> None:
    simulation = Simulation()
    victim = simulation.apply("sales", "one", A)
    running(simulation)
    reach(simulation, "coldsend", "create")
    simulation.crash()  # the call never arrives
    simulation.start()
    for number in range(4):
        simulation.wait(60.0)
        other = simulation.apply("support", f"other-{number}", f"o{number}@company.com")
        put_finalizers(simulation, other, FINALIZER, CreateMarks(b"guessed").text(other, simulation.clock()))
    assert simulation.ready(victim)[0] == "True"


def test_that_a_mark_wiped_while_the_call_is_under_way_stands_again_before_its_answer() -> None:
    simulation = Simulation()
    uid = simulation.apply("sales", "one", A)
    process = running(simulation)
    create = reach(simulation, "coldsend", "create")
    before = simulation.raw(uid)["metadata"]["finalizers"]
    simulation.cluster.wipe_finalizers(uid)
    process.see()
    process.deliver()
    finish(simulation, reach(simulation, "kube", "patch /apis/coldsend.pro"))
    assert simulation.raw(uid)["metadata"]["finalizers"] == before
    simulation.delete(uid)
    finish(simulation, create)
    simulation.wait(60.0)
    assert (simulation.remote.at(A), simulation.uids) == ([], [])


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.SLOW, Fault.NONE])
def test_that_an_object_which_leaves_the_selector_for_a_while_is_made_no_second_inbox(fault: Fault) -> None:
    simulation = Simulation(item_seconds=20.0)
    uids = [simulation.apply("sales", name, f"{name}@company.com") for name in ("one", "two")]
    process = running(simulation)
    process.traffic.coldsend_faults[:] = [Fault.NONE, fault]
    reach(simulation, "coldsend", "create")
    gone, stored = process.operator, simulation.raw(uids[0])
    process.call(lambda: gone.cache_sync.account_event("DELETED", stored))
    simulation.wait(30.0)
    process.call(lambda: gone.cache_sync.account_event("ADDED", simulation.raw(uids[0])))
    simulation.wait(400.0)
    simulation.check()
    assert [simulation.ready(uid)[0] for uid in uids] == ["True", "True"]
    assert len(simulation.remote.inboxes) == 2


@pytest.mark.parametrize("finalizers", ["with_the_mark", "of_an_older_version"])
def test_that_a_restart_writes_nothing_to_objects_that_hold_inboxes(finalizers: str) -> None:
    simulation = Simulation()
    uid = with_inbox(simulation)
    assert any(map(is_mark, simulation.raw(uid)["metadata"]["finalizers"]))
    if finalizers == "of_an_older_version":
        put_finalizers(simulation, uid, FINALIZER)
    simulation.wait(10.0)
    before = simulation.raw(uid)
    simulation.crash()
    simulation.start()
    simulation.wait(100.0)
    assert simulation.raw(uid) == before
    simulation.delete(uid)
    simulation.wait(100.0)
    assert (simulation.remote.at(A), simulation.uids) == ([], [])


def test_that_an_inbox_which_no_look_shows_yet_is_not_forgotten_by_a_restart_and_a_deletion() -> None:
    """Looks may lag behind a create (row 35): the mark still says when it was."""
    simulation = Simulation(lag=60.0)
    uid = with_inbox(simulation)
    (inbox,) = simulation.remote.at(A)
    look = simulation.remote.look

    def lagging(inbox_id: str) -> object:
        late = simulation.clock() < inbox.visible_at
        return simulation.remote.delete("no such inbox", 0.0) if late else look(inbox_id)

    simulation.remote.look = lagging  # type: ignore[method-assign, assignment] # the model shows each at once
    simulation.crash()
    simulation.start()
    simulation.delete(uid)
    simulation.wait(600.0)
    assert (simulation.remote.at(A), simulation.uids) == ([], [])


def test_that_a_create_of_a_killed_process_is_looked_for_with_the_key_of_the_object_now() -> None:
    """A limit that the documentation names: what was made with the old key stays where it is, and is not doubled."""
    simulation = Simulation()
    uid = simulation.apply("sales", "one", A)
    running(simulation)
    create = reach(simulation, "coldsend", "create")
    create.go_on()
    simulation.crash()
    other = type(simulation.remote)(simulation.clock)
    simulation.remotes[SECOND_KEY] = other
    simulation.edit(uid, apiKeySecretRef={"name": SECOND})
    simulation.start()
    simulation.wait(400.0)
    assert (len(simulation.remote.at(A)), len(other.at(A))) == (1, 1)
    assert simulation.raw(uid)["status"]["inboxID"] == other.at(A)[0].inbox_id


@pytest.mark.parametrize("standby", [False, True])
def test_that_what_a_killed_process_made_is_found_by_its_mark(standby: bool) -> None:
    simulation = Simulation(lag=3.0)
    uid = simulation.apply("sales", "one", A)
    running(simulation)
    reach(simulation, "coldsend", "create").go_on()
    if standby:
        simulation.stand_by()
    simulation.take_over()
    simulation.converge()
    assert simulation.raw(uid)["status"]["origin"] == "Created"
    assert len(simulation.remote.inboxes) == 1


def test_that_playing_on_ends_with_one_inbox_after_a_kill_at_each_step_of_a_create() -> None:
    for steps in range(0, 60, 3):
        simulation = Simulation()
        simulation.apply("sales", "one", A)
        running(simulation)
        for _ in range(steps):
            simulation.step(0)
            simulation.pass_time(0.05)
        simulation.crash()
        simulation.start()
        simulation.converge()
        assert len(simulation.remote.inboxes) == 1


def test_that_a_shard_takes_an_inbox_of_another_for_its_lost_create_only_within_an_hour() -> None:
    """A limit that the documentation names: shards do not see each other's objects."""
    for seconds, taken in ((60.0, True), (3700.0, False)):
        core, account = asked_for()
        core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
        made = row(made=core.now + seconds)  # by the other shard, of the same type and name
        core.wait(seconds + 130.0)
        core.search(account, made)
        assert (account.stored.inbox_id is not None) == taken


def test_that_several_marks_of_ours_are_read_and_none_of_another_object() -> None:
    marks = CreateMarks(b"key")
    texts = [marks.text("uid", 300.0), marks.text("uid", 100.0), marks.text("another", 900.0)]
    assert marks.times("uid", texts) == [100.0, 300.0]


@pytest.mark.parametrize("job", [True, False])
def test_that_a_killed_process_leaves_behind_that_its_create_repeated_a_lost_one(job: bool) -> None:
    """The inbox is of the first create, which arrived while the second was about to leave."""
    core = CoreWorld()
    ann, bob = core.asked_for(ANN, BOB)
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, ann, bob), LOST)
    core.wait(130.0)
    core.sweep()
    core.wait(60.0)
    repeat, made = core.ask(Operation.CREATE_SMTP_BULK, ann, bob), core.now - 30.0
    if job:
        core.answer(repeat, BulkAnswer("job-2", 2))
    status = {"job": {"id": "job-2", "operation": "Create", "state": "Running"}} if job else {}
    core, lists = CoreWorld(), [each.desired.finalizers for each in (ann, bob)]
    core.now = START + 200.0
    ann, bob = (core.account(at, finalizers=found, status=status) for at, found in zip((ANN, BOB), lists, strict=True))
    if job:
        exists = ResultRow(ANN, None, success=False, message="email already exists")
        core.answer(
            core.ask(Operation.POLL_CREATE_JOB, job="job-2"), JobProgress("COMPLETED", total=2, results=(exists,))
        )
    core.sweep(row(made=made))
    assert (ann.stored.inbox_id, ann.stored.origin) == ("inbox-1", "Created")
    assert bob.stored.inbox_id is None
