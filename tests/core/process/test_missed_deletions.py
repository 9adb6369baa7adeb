"""After a gap in its watch kopf lists again, and tells nothing of what went meanwhile."""

import pytest

from coldsend_operator.kube.errors import Forbidden
from coldsend_operator.kube.paths import collection
from coldsend_operator.resources.names import ACCOUNT_KIND, RECONCILE_ANNOTATION
from tests.core.rules.watching import finish, play_until, reach, running
from tests.support.clients import CallStage
from tests.support.cluster import WatchEvent
from tests.support.hostile import HostileWorld
from tests.support.process import Process
from tests.support.simulation import Simulation

ADDRESS = "a@company.com"
LIST = "get " + collection("SenderAccount", None)


def delete_in_a_gap(simulation: Simulation, uid: str) -> None:
    """Nobody hears of it."""
    simulation.drain()
    simulation.delete(uid)
    gone = simulation.cluster.history.pop()
    assert gone.kind == "DELETED"


def list_again(simulation: Simulation, process: Process) -> None:
    for raw in simulation.cluster.objects.values():
        process.events[raw["kind"]].append(WatchEvent("LISTED", raw))
    simulation.drain()


def with_one_that_waits(*, standing_by: bool = False) -> tuple[Simulation, Process, str]:
    """An object that never reached ColdSend: its Secret is missing."""
    simulation = Simulation()
    if standing_by:
        simulation.stand_by()
    else:
        running(simulation)
    process = simulation.standby if standing_by else simulation.process
    assert process is not None
    simulation.cluster.write_secret("sales", "mail", None)
    uid = simulation.apply("sales", "one", ADDRESS)
    simulation.wait(10.0)
    return simulation, process, uid


def test_that_an_object_made_again_in_the_gap_is_not_kept_from_its_address() -> None:
    simulation, process, uid = with_one_that_waits()
    delete_in_a_gap(simulation, uid)
    simulation.apply("sales", "one", ADDRESS)
    list_again(simulation, process)
    simulation.cluster.write_secret("sales", "mail", {"password": "one"})
    simulation.wait(120.0)
    (raw,) = simulation.cluster.objects.values()
    assert len(simulation.remote.at(ADDRESS)) == 1
    assert raw["status"]["inboxID"]


def test_that_an_object_that_went_last_is_forgotten_in_time() -> None:
    simulation, process, uid = with_one_that_waits()
    delete_in_a_gap(simulation, uid)
    list_again(simulation, process)  # an empty list shows nothing
    simulation.wait(1200.0)
    assert not process.operator.controller.accounts


def test_that_a_standby_that_takes_over_forgets_what_went_in_a_gap() -> None:
    simulation, process, uid = with_one_that_waits(standing_by=True)
    delete_in_a_gap(simulation, uid)
    simulation.take_over()
    simulation.wait(10.0)
    assert not process.operator.controller.accounts


@pytest.mark.parametrize("deleted", [False, True])
def test_that_a_list_takes_no_object_away_that_is_there_or_leaves_by_itself(deleted: bool) -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "one", ADDRESS)
    simulation.wait(10.0)
    if deleted:
        simulation.remote.at(ADDRESS)[0].in_use = True
        simulation.delete(uid)
    list_again(simulation, process)
    simulation.wait(700.0)
    assert list(process.operator.controller.accounts) == [uid]


def test_that_objects_that_come_and_go_all_the_time_keep_no_process_from_starting() -> None:
    simulation = Simulation()
    process = running(simulation)  # its first list is under way
    simulation.apply("sales", "stays", "stays@company.com")
    before = ""
    for number in range(300):  # each list shows one that goes then
        if process.operator.ready:
            break
        uid = simulation.apply("sales", f"a{number}", f"a{number}@company.com")
        if before:
            delete_unheard(simulation, before)
        for move in simulation.moves():
            move()
        before = uid
        simulation.pass_time(0.5)
    assert process.operator.ready


def test_that_a_first_list_that_takes_minutes_is_not_slowed_by_own_lists() -> None:
    simulation = Simulation()
    simulation.apply("sales", "one", ADDRESS)
    process = running(simulation)
    lists = 0
    for _ in range(300):  # kopf's list arrives after five minutes
        for pending in process.traffic.movable:
            lists += pending.what == LIST and pending.stage is CallStage.SENT
            simulation.go_on(pending)
        simulation.pass_time(1.0)
    assert 0 < lists < 15
    simulation.wait(10.0)
    assert process.operator.ready


def delete_unheard(simulation: Simulation, uid: str) -> None:
    """It was in a list, and neither its coming nor its end is told by the watch."""
    simulation.delete(uid)
    simulation.cluster.history[:] = [
        event for event in simulation.cluster.history if event.object["metadata"]["uid"] != uid
    ]
    for process in simulation._running:
        process._cursor = min(process._cursor, len(simulation.cluster.history))


def test_that_a_restored_etcd_is_noticed_while_the_operator_runs() -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "one", ADDRESS)
    simulation.wait(60.0)
    backup, version = dict(simulation.cluster.objects), simulation.cluster.version
    for number in range(20):
        simulation.annotate(uid, "coldsend.pro/note", str(number))
    simulation.edit(uid, displayName="Edited after the backup")
    simulation.wait(60.0)
    simulation.cluster.objects, simulation.cluster.version = backup, version
    list_again(simulation, process)
    simulation.delete(uid)
    simulation.wait(600.0)
    assert not simulation.cluster.objects
    assert not simulation.remote.at(ADDRESS)


def test_that_a_restore_of_etcd_during_a_start_does_not_keep_the_operator_from_leading() -> None:
    world = HostileWorld()
    uid = world.victim()
    world.snapshot()
    world.annotate(uid, RECONCILE_ANNOTATION, "1")
    process = running(world)
    process.events[ACCOUNT_KIND].clear()  # the list of the watch comes after the restore
    own_list = reach(world, "kube", "get /apis/coldsend.pro/v1alpha1/senderaccounts")
    finish(world, own_list)  # it shows a version that no watch will show any more
    world.restore()
    world.wait(60.0)
    assert world.ready(uid)[0] == "True"


def test_that_children_of_a_batch_are_read_again_after_a_restore() -> None:
    simulation = Simulation()
    process = running(simulation)
    simulation.list_in_batch("sales", "pool", [ADDRESS, "b@company.com"])
    simulation.wait(60.0)
    backup, version = dict(simulation.cluster.objects), simulation.cluster.version
    (batch,) = simulation.batches
    simulation.change_template(batch, dailyLimit=7)
    simulation.wait(60.0)
    simulation.cluster.objects, simulation.cluster.version = backup, version
    list_again(simulation, process)
    simulation.wait(60.0)
    simulation.change_template(batch, dailyLimit=9)
    simulation.wait(60.0)
    limits = {raw["spec"].get("dailyLimit") for raw in simulation.cluster.of_kind(ACCOUNT_KIND)}
    assert limits == {9}


def test_that_a_child_made_and_deleted_in_the_gap_is_made_again() -> None:
    simulation = Simulation()
    process = running(simulation)
    simulation.list_in_batch("sales", "pool", [ADDRESS])
    play_until(simulation, lambda: simulation.cluster.of_kind(ACCOUNT_KIND))
    (child,) = simulation.cluster.of_kind(ACCOUNT_KIND)
    for pending in process.traffic.movable:  # the response to its creation is all that the operator hears of it
        finish(simulation, pending)
    delete_unheard(simulation, child["metadata"]["uid"])
    simulation.wait(1200.0)
    (again,) = simulation.cluster.of_kind(ACCOUNT_KIND)
    assert again["status"]["inboxID"]


SUPPORT = "/namespaces/support/senderaccounts"
FORBIDDEN = Forbidden("senderaccounts is forbidden", status=403, reason="Forbidden")


def with_a_forbidden_namespace() -> tuple[Simulation, Process, list[str]]:
    simulation = Simulation(changes={"namespaces": ("sales", "support")})
    uids = [simulation.apply(name, "one", f"{name}@company.com") for name in ("sales", "support")]
    return simulation, running(simulation), uids


def test_that_a_namespace_that_may_not_be_listed_costs_itself_alone() -> None:
    simulation, _, (sales, _) = with_a_forbidden_namespace()
    simulation.cluster.refuses[SUPPORT] = FORBIDDEN
    simulation.cluster.history.clear()
    unseen = simulation.process.events[ACCOUNT_KIND] if simulation.process is not None else []
    unseen[:] = [event for event in unseen if event.object["metadata"]["namespace"] == "sales"]
    simulation.wait(30.0)
    assert [inbox.address for inbox in simulation.remote.live()] == ["sales@company.com"]
    assert simulation.ready(sales)[0] == "True"


def test_that_objects_of_a_namespace_that_may_not_be_listed_now_are_not_forgotten() -> None:
    simulation, process, uids = with_a_forbidden_namespace()
    missing = {"passwordSecretRef": {"name": "missing"}}
    waiting = simulation.apply("sales", "two", ADDRESS, smtp=missing)
    simulation.wait(30.0)
    simulation.cluster.refuses[SUPPORT] = FORBIDDEN
    delete_in_a_gap(simulation, waiting)
    list_again(simulation, process)
    simulation.wait(700.0)
    assert sorted(process.operator.controller.accounts) == sorted(uids)
