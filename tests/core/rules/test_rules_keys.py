"""Rule 43 for API keys: what those that come and go cost, and that nothing is left of them."""

import json
from typing import Any

import pytest

from coldsend_operator.accounts.cleanup import CLOSE_AFTER
from coldsend_operator.core.model.hashes import workspace_digest
from coldsend_operator.core.workspace.claims import NO_WORKSPACE
from coldsend_operator.credentials.api_keys import MAX_KEYS
from tests.core.accounts.test_refused_key import go_on
from tests.core.accounts.test_rotated_keys import Revocable
from tests.core.rules.watching import play_until, running
from tests.support.process import API_KEY, Process
from tests.support.simulation import Simulation

HOUR = 3600.0
TEAM, ROTATED = "cs_live_team", "cs_live_rotated"
OF_TEAM = {"apiKeySecretRef": {"name": "key"}}


def junk_keys(simulation: Simulation, count: int, namespace: str = "sales", start: int = 0) -> Revocable:
    """One Secret with many keys that ColdSend refuses."""
    refusing = Revocable(simulation.clock, revoked=True)
    keys = {f"k{number}": f"cs_live_junk_{namespace}_{number}" for number in range(start, start + count)}
    simulation.remotes |= dict.fromkeys(keys.values(), refusing)
    simulation.cluster.write_secret(namespace, "junk", keys)
    return refusing


def with_junk(simulation: Simulation, number: int, namespace: str = "sales") -> str:
    ref = {"name": "junk", "key": f"k{number}"}
    address = f"{namespace}-{number}@company.com"
    return simulation.apply(namespace, f"junk-{number}", address, apiKeySecretRef=ref)


def sizes(process: Process) -> dict[str, int]:
    """How much is kept of keys."""
    controller = process.operator.controller
    placement = controller.placement
    ring, bookings = placement._ring, process.operator._bookings
    return {
        "runners": len(controller.loops),
        "open keys": sum(len(loop.keys) for loop in controller.loops.values()),
        "tasks": len(controller._workspaces.tasks),
        "closing": len(placement.cleanup.closing),
        "unused": len(placement.cleanup._unused_since) + len(placement.cleanup._idle_keys),
        "refs": len(placement._refs),
        "crowded": len(placement._over_key_limit),
        "states": len(ring._states),
        "keys": len(ring.keys),
        "trusted": len(controller._workspaces.trust._workspaces),
        "counts": len(controller._workspaces.trust._counts),
        "texts": len(bookings._texts),
        "pruning": len(bookings._unused_since),
        "stored": len(bookings._state._known),
        "series": len(process.operator.metrics._requests._metrics),
    }


def stored_digests(simulation: Simulation) -> set[str]:
    (state,) = simulation.cluster.config_maps.values()
    return {name for name in state["data"] if name not in {"key-workspaces", "report"}}


def test_rule_43_nothing_is_left_of_hundreds_of_keys_that_came_and_went() -> None:
    simulation = Simulation()
    simulation.apply("support", "one", "a@company.com")
    process = running(simulation)
    before: dict[str, int] = {}
    for start in range(0, 400, 100):
        junk_keys(simulation, 100, start=start)
        uids = [with_junk(simulation, number) for number in range(start, start + 100)]
        go_on(simulation, 5.0)
        for uid in uids:
            simulation.delete(uid)
        simulation.wait(2 * HOUR)
        go_on(simulation, 5.0)
        before = before or sizes(process)
    assert sizes(process) == before
    assert len(stored_digests(simulation)) == 1
    assert b"sales/junk" not in process.operator.metrics.render(process.operator.figures())[0]


def test_rule_43_a_standby_forgets_keys_too() -> None:
    simulation = Simulation()
    simulation.stand_by()
    assert simulation.standby is not None
    junk_keys(simulation, 10)
    uids = [with_junk(simulation, number) for number in range(10)]
    go_on(simulation, 5.0)
    assert len(simulation.standby.loops) == 10
    for uid in uids:
        simulation.cluster.delete(uid)
    go_on(simulation, CLOSE_AFTER + 10.0)
    assert simulation.standby.loops == []
    assert not simulation.cluster.config_maps


def test_rule_43_a_namespace_uses_a_bounded_number_of_keys_and_others_are_told_what_to_do() -> None:
    simulation = Simulation()
    refusing = junk_keys(simulation, 200)
    process = running(simulation)
    uids = [with_junk(simulation, number) for number in range(200)]
    team = simulation.add_workspace(TEAM, "support")
    simulation.apply("support", "one", "a@company.com", **OF_TEAM)
    go_on(simulation, 40.0)
    assert len(process.operator.controller.placement._ring._states) == MAX_KEYS + 1
    assert refusing.requests == 0  # what is refused is not counted as served
    said = [simulation.ready(uid) for uid in uids]
    assert [reason for _, reason, _ in said] == ["Unauthorized"] * 200
    assert sum(f"more than {MAX_KEYS}" in message for _, _, message in said) == 200 - MAX_KEYS
    assert len(team.inboxes) == 1
    for uid in uids[:MAX_KEYS]:
        simulation.delete(uid)
    go_on(simulation, 10.0)
    assert sum(f"more than {MAX_KEYS}" in simulation.ready(uid)[2] for uid in uids[MAX_KEYS:]) == 160


def test_rule_43_an_object_that_holds_an_inbox_may_always_use_its_key() -> None:
    simulation = Simulation()
    team = simulation.add_workspace(TEAM, "sales")
    junk_keys(simulation, 100)
    running(simulation)
    uid = simulation.apply("sales", "zz", "a@company.com", **OF_TEAM)
    go_on(simulation, 10.0)
    for number in range(100):
        with_junk(simulation, number)
    go_on(simulation, 10.0)
    simulation.crash()
    simulation.cluster.objects = dict(sorted(simulation.cluster.objects.items()))  # the junk is listed first
    process = running(simulation)
    play_until(simulation, lambda: any(loop.untried for loop in process.loops))
    assert process.operator.controller.loops[workspace_digest(TEAM)].may_call()  # it waits behind no junk
    go_on(simulation, 10.0)
    simulation.delete(uid)
    go_on(simulation, 30.0)
    assert team.at("a@company.com") == []


@pytest.mark.parametrize("standby", [False, True])
def test_rule_43_no_restart_admits_more_keys_than_a_namespace_may_use(standby: bool) -> None:
    simulation = Simulation()
    simulation.add_workspace(TEAM, "sales")
    junk_keys(simulation, 30)
    running(simulation)
    held = simulation.apply("sales", "zz", "a@company.com", **OF_TEAM) or ""
    go_on(simulation, 10.0)
    uids = [with_junk(simulation, number) for number in range(30)]
    go_on(simulation, 10.0)
    if standby:
        simulation.stand_by()
        go_on(simulation, 10.0)
    simulation.crash()
    simulation.cluster.objects = dict(sorted(simulation.cluster.objects.items()))  # the junk is listed first
    process = running(simulation, 10.0)
    assert len(process.operator.controller.placement._ring._states) == MAX_KEYS
    assert simulation.ready(held)[1] == "Active"
    said = [simulation.ready(uid)[2] for uid in uids]
    assert sum(f"more than {MAX_KEYS}" in message for message in said) == 30 - MAX_KEYS + 1


def test_rule_43_an_object_that_holds_an_inbox_may_not_name_a_key_more() -> None:
    simulation = Simulation()
    junk_keys(simulation, MAX_KEYS + 1)
    process = running(simulation)
    held = simulation.apply("sales", "held", "a@company.com") or ""
    go_on(simulation, 10.0)
    for number in range(MAX_KEYS):
        with_junk(simulation, number)
    go_on(simulation, 10.0)
    simulation.edit(held, apiKeySecretRef={"name": "junk", "key": f"k{MAX_KEYS}"})
    go_on(simulation, 10.0)
    assert len(process.operator.controller.placement._ring._states) == MAX_KEYS
    said = simulation.raw(held)["status"]["conditions"]
    assert any(f"more than {MAX_KEYS}" in condition["message"] for condition in said)
    simulation.edit(held, apiKeySecretRef=None)
    go_on(simulation, 10.0)
    assert simulation.ready(held)[1] == "Active"


def test_rule_43_keys_that_are_not_tried_yet_are_tried_one_at_a_time() -> None:
    simulation = Simulation()
    junk_keys(simulation, 5)
    process = running(simulation)
    for number in range(5):
        with_junk(simulation, number)
    seen = set()
    for _ in range(2000):
        under_way = {
            id(call.future) for call in process.traffic.pending if call.client == "coldsend" and call.can_go_on
        }
        busy = [
            loop for loop in process.loops if "sales" in loop.namespaces and loop.workspace.in_flight and loop.untried
        ]
        assert len(busy) <= 1
        seen |= under_way
        if not simulation.moves():
            simulation.pass_time(0.5)
        simulation.step(0)
    keys = (key for loop in process.loops for key in loop.keys.values())
    assert sum(key.answered and bool(key.namespace) for key in keys) == 5


def test_rule_43_a_workspace_that_is_opened_again_knows_what_was_spent() -> None:
    simulation = Simulation()
    team = simulation.add_workspace(TEAM, "sales", _made=100)
    process = running(simulation)
    digest = workspace_digest(TEAM)
    uid = simulation.apply("sales", "one", "a@company.com", **OF_TEAM)
    go_on(simulation, 10.0)
    simulation.delete(uid)
    go_on(simulation, CLOSE_AFTER + 30.0)
    assert digest not in process.operator.controller.loops
    assert team.requests > 0
    simulation.apply("sales", "two", "b@company.com", **OF_TEAM)
    go_on(simulation, 10.0)
    workspace = process.operator.controller.loops[digest].workspace
    _, left = workspace.budget.remaining(simulation.clock())
    assert workspace.budget.hour_limit - left == team.requests
    assert len(team.at("b@company.com")) == 1


def test_rule_43_a_key_that_a_deletion_may_need_is_kept() -> None:
    simulation = Simulation()
    team = simulation.add_workspace(TEAM, "sales", _made=100)
    process = running(simulation)
    uid = simulation.apply("sales", "one", "a@company.com", **OF_TEAM)
    go_on(simulation, 10.0)
    simulation.edit(uid, apiKeySecretRef=None)  # it is held in a workspace that its key does not lead to any more
    simulation.cluster.write_secret("sales", "key", None)
    simulation.wait(2 * HOUR)
    assert workspace_digest(TEAM) not in process.operator.controller.loops
    simulation.delete(uid)
    go_on(simulation, 30.0)
    assert team.at("a@company.com") == []
    simulation.wait(2 * HOUR)
    assert workspace_digest(TEAM) not in process.operator.controller.placement._ring.keys


def test_rule_43_two_keys_of_one_workspace_stay_known_as_such_when_one_of_them_goes() -> None:
    simulation = Simulation()
    simulation.remotes |= {TEAM: simulation.remote, ROTATED: simulation.remote}
    simulation.cluster.write_secret("sales", "key", {"apiKey": TEAM})
    simulation.cluster.write_secret("support", "key", {"apiKey": ROTATED})
    process = running(simulation)
    first = simulation.apply("sales", "one", "a@company.com", **OF_TEAM)
    simulation.apply("support", "two", "b@company.com", **OF_TEAM)
    simulation.wait(700.0)
    simulation.delete(first)
    simulation.wait(700.0)
    controller = process.operator.controller
    (loop,) = (loop for loop in controller.loops.values() if workspace_digest(ROTATED) in loop.keys)
    assert list(loop.keys) == [workspace_digest(ROTATED)]
    assert stored_digests(simulation) >= {workspace_digest(TEAM), workspace_digest(ROTATED)}
    simulation.apply("sales", "three", "c@company.com", **OF_TEAM)
    go_on(simulation, 10.0)
    assert loop.keys.keys() == {workspace_digest(TEAM), workspace_digest(ROTATED)}
    assert {account.workspace_digest for account in controller.accounts.values()} == {loop.workspace.digest}


def test_rule_43_what_is_stored_of_a_workspace_outlives_its_brake_and_its_hour() -> None:
    simulation = Simulation()
    simulation.add_workspace(TEAM, "sales", _made=100)
    running(simulation)
    simulation.apply("support", "stays", "s@company.com")
    uid = simulation.apply("sales", "one", "a@company.com", **OF_TEAM)
    go_on(simulation, 10.0)
    simulation.delete(uid)
    simulation.wait(0.9 * HOUR)
    assert workspace_digest(TEAM) in stored_digests(simulation)
    simulation.crash()
    running(simulation, 0.9 * HOUR)
    assert workspace_digest(TEAM) in stored_digests(simulation)  # how long it was unused is not known any more
    simulation.wait(0.3 * HOUR)
    assert stored_digests(simulation) == {workspace_digest(API_KEY)}


@pytest.mark.parametrize("size", [200, 2_000])
def test_rule_43_a_state_that_is_full_goes_on_taking_what_is_written_now(size: int) -> None:
    simulation = Simulation()
    old: dict[str, Any] = {"budget": {}, "brake": {"left": []}, "padding": "x" * 1000}
    texts = {f"{number:012x}": json.dumps(old) for number in range(size)}
    path = "/api/v1/namespaces/default/configmaps/coldsend-operator-state"
    simulation.cluster.config_maps[path] = {"metadata": {"resourceVersion": "1"}, "data": texts}
    running(simulation)
    simulation.apply("support", "one", "a@company.com")
    go_on(simulation, 10.0)
    data = simulation.cluster.config_maps[path]["data"]
    assert workspace_digest(API_KEY) in data
    assert sum(len(name) + len(text) for name, text in data.items()) < 1_000_000
    assert ("000000000000" in data) == (size == 200)


SAME_DIGEST = ("cs_live_070cc907f043", "cs_live_60f596d980d7")  # two keys: found in seconds, as 48 bits allow


@pytest.mark.parametrize("restart", [False, True])
def test_rule_14_a_key_made_up_to_have_the_digest_of_the_operators_key_opens_nothing(restart: bool) -> None:
    theirs, made_up = SAME_DIGEST
    simulation = Simulation(changes={"api_key": theirs, "operator_key_namespaces": ("sales",)})
    simulation.remotes = {theirs: simulation.remote}
    simulation.cluster.write_secret("support", "key", {"apiKey": made_up})
    running(simulation)
    thief = simulation.apply("support", "thief", "thief@company.com", apiKeySecretRef={"name": "key"}) or ""
    go_on(simulation, 30.0)
    if restart:
        simulation.crash()
        running(simulation)
    simulation.apply("sales", "one", "one@company.com")
    go_on(simulation, 60.0)
    assert [inbox.address for inbox in simulation.remote.live()] == ["one@company.com"]
    assert simulation.ready(thief)[1] == "SecretInvalid"


def test_rule_14_a_key_made_up_to_have_the_digest_of_another_tenants_key_opens_nothing() -> None:
    theirs, made_up = SAME_DIGEST
    simulation = Simulation()
    simulation.add_workspace(theirs, "sales", _made=100)
    simulation.cluster.write_secret("support", "key", {"apiKey": made_up})
    running(simulation)
    simulation.apply("sales", "one", "one@company.com", apiKeySecretRef={"name": "key"})
    go_on(simulation, 30.0)
    thief = simulation.apply("support", "thief", "thief@company.com", apiKeySecretRef={"name": "key"}) or ""
    go_on(simulation, 60.0)
    assert [inbox.address for inbox in simulation.remotes[theirs].live()] == ["one@company.com"]
    assert simulation.ready(thief)[1] == "SecretInvalid"


def test_rule_14_a_key_made_up_to_have_the_digest_of_another_is_not_used_for_a_deletion_of_the_other() -> None:
    theirs, made_up = SAME_DIGEST
    simulation = Simulation()
    simulation.add_workspace(theirs, "sales", _made=100)
    simulation.add_workspace(made_up, "support", _made=200)
    running(simulation)
    one = simulation.apply("sales", "one", "one@company.com", apiKeySecretRef={"name": "key"}) or ""
    go_on(simulation, 30.0)
    simulation.crash()
    simulation.delete(one)
    simulation.apply("support", "thief", "thief@company.com", apiKeySecretRef={"name": "key"})
    simulation.cluster.objects = dict(reversed(simulation.cluster.objects.items()))  # the made-up key is read first
    process = running(simulation, 60.0)
    assert simulation.ready(one)[1] == "SecretInvalid"
    assert process.operator.controller.accounts[one].workspace_digest == NO_WORKSPACE
    assert [inbox.address for inbox in simulation.remotes[theirs].live()] == ["one@company.com"]
