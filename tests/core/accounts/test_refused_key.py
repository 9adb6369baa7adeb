"""A key that ColdSend refuses, and the one that is given then: both are told and picked up within seconds."""

from coldsend_operator.core.model.hashes import workspace_digest
from tests.core.accounts.test_rotated_keys import Revocable
from tests.core.rules.watching import running
from tests.support.simulation import Simulation

BAD, GOOD, ROTATED = "cs_live_bad", "cs_live_good", "cs_live_rotated"
KEY = {"apiKeySecretRef": {"name": "key"}}


def with_a_bad_key() -> Simulation:
    simulation = Simulation()
    simulation.remotes |= {BAD: Revocable(simulation.clock, revoked=True), GOOD: simulation.remote}
    return simulation


def go_on(simulation: Simulation, seconds: float) -> None:
    """Time in small steps: loops that look around each second do so."""
    for _ in range(int(seconds * 2)):
        simulation.wait(0.5)


def test_that_a_refused_key_is_told_within_seconds_and_a_valid_one_is_picked_up() -> None:
    simulation = with_a_bad_key()
    running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com", **KEY)
    go_on(simulation, 5.0)
    assert simulation.ready(uid)[1] == "SecretNotFound"
    simulation.cluster.write_secret("sales", "key", {"apiKey": BAD})
    go_on(simulation, 20.0)
    assert simulation.ready(uid)[1] == "Unauthorized"
    simulation.cluster.write_secret("sales", "key", {"apiKey": GOOD})
    go_on(simulation, 20.0)
    assert simulation.ready(uid)[1] == "Active"


def test_that_a_rotated_key_is_read_at_once_when_asked_for() -> None:
    simulation = with_a_bad_key()
    simulation.remotes[ROTATED] = simulation.remote
    running(simulation)
    simulation.cluster.write_secret("sales", "key", {"apiKey": GOOD})
    uid = simulation.apply("sales", "one", "a@company.com", **KEY)
    go_on(simulation, 20.0)
    simulation.cluster.write_secret("sales", "key", {"apiKey": ROTATED})
    simulation.annotate(uid, "coldsend.pro/reconcile", "1")
    go_on(simulation, 10.0)
    applied = simulation.status(uid)["lastApplied"]
    assert applied["workspace"] == workspace_digest(ROTATED)


def test_that_a_refused_key_is_tried_at_once_when_asked_for() -> None:
    simulation = with_a_bad_key()
    running(simulation)
    simulation.cluster.write_secret("sales", "key", {"apiKey": BAD})
    uid = simulation.apply("sales", "one", "a@company.com", **KEY)
    go_on(simulation, 60.0)
    bad = simulation.remotes[BAD]
    assert isinstance(bad, Revocable)
    bad.revoked = False
    simulation.annotate(uid, "coldsend.pro/reconcile", "1")
    go_on(simulation, 10.0)
    assert simulation.ready(uid)[1] == "Active"


def with_a_key_that_was_revoked() -> tuple[Simulation, str]:
    """An account that became ready before ColdSend revoked its key, and its UID."""
    simulation = with_a_bad_key()
    simulation.cluster.write_secret("sales", "key", {"apiKey": BAD})
    bad = simulation.remotes[BAD]
    assert isinstance(bad, Revocable)
    bad.revoked = False
    running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com", **KEY)
    go_on(simulation, 10.0)
    bad.revoked = True
    return simulation, uid


def test_that_an_object_in_deletion_whose_key_was_revoked_for_good_says_how_to_let_it_go() -> None:
    simulation, uid = with_a_key_that_was_revoked()
    simulation.delete(uid)
    go_on(simulation, 120.0)
    _, reason, message = simulation.ready(uid)
    assert reason == "Unauthorized"
    assert "force-orphan" in message


def test_that_a_restart_while_a_key_is_refused_still_says_since_when_and_writes_no_status() -> None:
    simulation, uid = with_a_key_that_was_revoked()
    go_on(simulation, 600.0)
    assert " Since 20" in simulation.says(uid)["Synced"][2]
    before = simulation.raw(uid)
    simulation.crash()
    simulation.wait(60.0)
    running(simulation)
    go_on(simulation, 60.0)
    assert simulation.raw(uid) == before
