"""SenderAccounts as the operator leaves them, each played in the simulation: nothing of a status is made up here."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.argocd.scenario import Scenario, manifest
from tests.support.remote import Fault
from tests.support.simulation import SECRET, Simulation

ADDRESS = "outreach@company.com"
Play = Callable[[Simulation], str]
"""Plays a scenario and returns the UID of the object that it is about."""


def account_scenarios() -> Iterator[Scenario]:
    yield _scenario("healthy", "Healthy", "Ready", ready)
    yield _scenario("healthy_adopted", "Healthy", "Ready", adopted)
    yield _scenario("healthy_takes_over", "Healthy", "Ready", renamed)
    yield _scenario("progressing_no_status", "Progressing", None, unseen)
    yield _scenario("progressing_old_generation", "Progressing", None, changed_unseen)
    yield _scenario("progressing_provisioning", "Progressing", "Ready", waiting_for_a_lost_create)
    yield _scenario("progressing_pending", "Progressing", "Ready", lambda world: shown_as(world, "PENDING"))
    yield _scenario("progressing_recreated_after_removal", "Progressing", "Ready", removed_by_hand)
    yield _scenario("progressing_api_unavailable", "Progressing", "Synced", coldsend_down)
    yield _scenario("progressing_deletion_unseen", "Progressing", None, deletion_unseen)
    yield _scenario("progressing_deletion", "Progressing", "Ready", deleting)
    yield _scenario("suspended_object", "Suspended", "Synced", paused)
    yield _scenario("suspended_inbox", "Suspended", "Ready", lambda world: shown_as(world, "PAUSED"))
    yield _scenario("degraded_disabled", "Degraded", "Ready", lambda world: shown_as(world, "DISABLED"))
    yield _scenario("degraded_unknown_status", "Degraded", "Ready", lambda world: shown_as(world, "SNOOZED"))
    yield _scenario("degraded_rejected", "Degraded", "Ready", refused)
    yield _scenario("degraded_already_exists", "Degraded", "Ready", existing)
    yield _scenario("degraded_address_conflict", "Degraded", "Ready", claimed_twice)
    yield _scenario("degraded_secret_not_found", "Degraded", "Ready", without_secret)
    yield _scenario("degraded_secret_lost_later", "Degraded", "CredentialsCurrent", secret_lost)
    yield _scenario("degraded_secret_changed", "Degraded", "Synced", rotated)
    yield _scenario("degraded_update_not_supported", "Degraded", "Synced", changed)
    yield _scenario("degraded_observed_not_found", "Degraded", "Ready", observing_nothing)
    yield _scenario("degraded_health_low", "Degraded", "Healthy", ailing)
    yield _scenario("degraded_deletion_held", "Degraded", "Ready", deletion_held)
    yield _scenario("degraded_deletion_in_use", "Degraded", "Ready", deletion_in_use)


def _scenario(name: str, status: str, says: str | None, play: Play) -> Scenario:
    world = Simulation(per_minute=100, per_hour=1000)
    world.start()
    return Scenario("SenderAccount", name, status, says, manifest("SenderAccount", world.raw(play(world))))


def _apply(world: Simulation, name: str = "outreach", address: str = ADDRESS, **fields: Any) -> str:
    return world.apply("sales", name, address, **fields)


def ready(world: Simulation, **fields: Any) -> str:
    uid = _apply(world, **fields)
    world.wait(30)
    return uid


def _with_a_create_that_is(world: Simulation, fault: Fault) -> str:
    uid = _apply(world)
    process = world.process
    assert process is not None
    while not any(call.client == "coldsend" and "create" in call.what for call in process.traffic.movable):
        world.step(0) if world.moves() else world.pass_time(0.25)
    for call in process.traffic.movable:
        call.fault = fault
    world.wait(30)
    return uid


def _asks_again(world: Simulation, uid: str) -> str:
    world.annotate(uid, "coldsend.pro/reconcile", "1")
    world.wait(30)
    return uid


def adopted(world: Simulation) -> str:
    world.remote.make_by_hand(ADDRESS, name="Jane")
    return ready(world, adoptionPolicy="Adopt")


def unseen(world: Simulation) -> str:
    world.crash()
    return _apply(world)


def changed_unseen(world: Simulation) -> str:
    uid = ready(world)
    world.crash()
    world.edit(uid, displayName="Joe")
    return uid


def waiting_for_a_lost_create(world: Simulation) -> str:
    world.wait(10)
    return _with_a_create_that_is(world, Fault.LOST_BEFORE)


def shown_as(world: Simulation, status: str) -> str:
    uid = ready(world)
    world.remote.at(ADDRESS)[0].overall_status = status
    return _asks_again(world, uid)


def removed_by_hand(world: Simulation) -> str:
    uid = ready(world)
    world.remote.delete_by_hand(world.remote.at(ADDRESS)[0].inbox_id)
    world.annotate(uid, "coldsend.pro/reconcile", "1")
    return _until(world, uid, "NotFound")


def coldsend_down(world: Simulation) -> str:
    uid = ready(world)
    for _ in range(20):
        world.fault(Fault.DOWN)
    return _asks_again(world, uid)


def deletion_unseen(world: Simulation) -> str:
    uid = ready(world)
    world.crash()
    world.delete(uid)
    return uid


def deleting(world: Simulation) -> str:
    uid = ready(world)
    for _ in range(20):
        world.fault(Fault.LOST_BEFORE)
    world.delete(uid)
    return _until(world, uid, "Deleting", patience=600)


def paused(world: Simulation) -> str:
    uid = ready(world)
    world.annotate(uid, "coldsend.pro/paused", "true")
    world.wait(30)
    return uid


def refused(world: Simulation) -> str:
    world.wait(10)
    return _with_a_create_that_is(world, Fault.REFUSED)


def existing(world: Simulation) -> str:
    world.remote.make_by_hand(ADDRESS)
    return ready(world)


def claimed_twice(world: Simulation) -> str:
    ready(world, deletionPolicy="Orphan")
    return ready(world, name="second")


def renamed(world: Simulation) -> str:
    """The new object, before the old one is pruned."""
    ready(world)
    return ready(world, name="second")


def without_secret(world: Simulation) -> str:
    world.cluster.write_secret("sales", SECRET, None)
    return ready(world)


def secret_lost(world: Simulation) -> str:
    uid = ready(world)
    world.cluster.write_secret("sales", SECRET, None)
    world.wait(700)
    return uid


def rotated(world: Simulation) -> str:
    uid = ready(world)
    world.rotate("sales", "two")
    world.wait(700)
    return uid


def changed(world: Simulation) -> str:
    uid = ready(world)
    world.edit(uid, dailyLimit=80)
    world.wait(30)
    return uid


def observing_nothing(world: Simulation) -> str:
    return ready(world, managementPolicy="Observe")


def ailing(world: Simulation) -> str:
    uid = ready(world)
    world.remote.at(ADDRESS)[0].health_score = 41.0
    return _asks_again(world, uid)


def deletion_held(world: Simulation) -> str:
    uids = [ready(world, name=f"pool-{number}", address=f"pool-{number}@company.com") for number in range(12)]
    world.crash()  # so that the next run finds all of them at once
    for uid in uids:
        world.delete(uid)
    world.start()
    world.wait(30)
    return next(uid for uid in uids if _says(world, uid, "DeletionHeld"))


def deletion_in_use(world: Simulation) -> str:
    uid = ready(world)
    world.remote.at(ADDRESS)[0].in_use = True
    world.delete(uid)
    return _until(world, uid, "InUseByCampaign")


def _until(world: Simulation, uid: str, reason: str, patience: int = 60) -> str:
    """Step by step, as the reason may pass by itself."""
    for _ in range(patience * 40):
        if _says(world, uid, reason):
            return uid
        if world.moves():
            world.step(0)
        else:
            world.pass_time(0.25)
    raise AssertionError(f"it never says {reason}")


def _says(world: Simulation, uid: str, reason: str) -> bool:
    raw = world.cluster.find(uid) or {}
    conditions = (raw.get("status") or {}).get("conditions", ())
    return any(condition["reason"] == reason for condition in conditions if condition["type"] == "Ready")
