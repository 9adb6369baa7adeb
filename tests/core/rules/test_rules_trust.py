"""Rule 40: trust belongs to a key reference, not to whoever else uses the same workspace."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.workspace.brake import SETTLE_SECONDS
from tests.core.rules.deleting import DELETES
from tests.core.rules.watching import finish, pending, play_until, reach, running
from tests.support.core_world import ANN, BOB, CoreWorld, row
from tests.support.process import API_KEY
from tests.support.remote import FakeColdSend, Fault
from tests.support.simulation import Simulation

OWN, TEAM, THIRD = API_KEY, "cs_live_team", "cs_live_third"
OF_TEAM = {"apiKeySecretRef": {"name": "key"}}


def two_workspaces() -> tuple[Simulation, FakeColdSend]:
    """The operator's workspace, and one of namespace `support` with a key of its own."""
    simulation = Simulation()
    team = simulation.add_workspace(TEAM, "support", _made=100)
    return simulation, team


def key_file_of(simulation: Simulation, folder: Path) -> Path:
    """The file from which the operator reads its own key from now on."""
    key_file = folder / "key"
    key_file.write_text(OWN)
    simulation.settings = simulation.settings.model_copy(update={"api_key": None, "api_key_file": key_file})
    return key_file


def reasons_of(simulation: Simulation, *uids: str) -> list[str]:
    return [simulation.ready(uid)[1] for uid in uids]


def addresses(remote: FakeColdSend) -> list[str]:
    return sorted(inbox.address for inbox in remote.live())


@pytest.mark.parametrize("running_on", [False, True], ids=["while_it_was_down", "while_it_runs"])
def test_rule_40_a_swapped_key_is_not_trusted_because_others_have_their_inboxes_there(
    tmp_path_factory: pytest.TempPathFactory, running_on: bool
) -> None:
    simulation, team = two_workspaces()
    key_file = key_file_of(simulation, tmp_path_factory.mktemp("key"))
    running(simulation)
    simulation.apply("sales", "held", "held@company.com")
    simulation.apply("support", "theirs", "theirs@company.com", **OF_TEAM)
    simulation.wait(10.0)
    if not running_on:
        simulation.crash()
    key_file.write_text(TEAM)
    running(simulation, 10.0)
    new = simulation.apply("sales", "new", "new@company.com")
    simulation.wait(1500.0)
    assert reasons_of(simulation, new) == ["InventoryImplausible"]
    assert addresses(team) == ["theirs@company.com"]
    key_file.write_text(OWN)
    simulation.wait(60.0)
    assert addresses(simulation.remote) == ["held@company.com", "new@company.com"]


def test_rule_40_an_inbox_of_somebody_else_does_not_prove_a_swapped_key() -> None:
    simulation, team = two_workspaces()
    running(simulation)
    simulation.apply("sales", "held", "held@company.com")
    theirs = simulation.apply("support", "theirs", "theirs@company.com", **OF_TEAM)
    simulation.wait(10.0)
    simulation.crash()
    simulation.settings = simulation.settings.model_copy(update={"api_key": SecretStr(TEAM)})
    running(simulation, 10.0)
    simulation.edit(theirs, apiKeySecretRef=None)  # they give their object to the operator's key, which leads to them
    simulation.wait(10.0)
    new = simulation.apply("sales", "new", "new@company.com")
    simulation.wait(600.0)
    assert reasons_of(simulation, new) == ["InventoryImplausible"]
    assert addresses(team) == ["theirs@company.com"]


def test_rule_40_a_lost_create_is_not_looked_up_in_the_workspace_of_a_swapped_key(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    simulation, team = two_workspaces()
    key_file = key_file_of(simulation, tmp_path_factory.mktemp("key"))
    running(simulation)
    simulation.apply("sales", "held", "held@company.com")
    simulation.wait(10.0)
    ann = simulation.apply("sales", "ann", "ann@company.com")
    reach(simulation, "coldsend", "create ann@company.com")
    simulation.crash()
    simulation.clock.advance(5.0)
    stranger = team.make_by_hand("ann@company.com", name="Jane")
    key_file.write_text(TEAM)
    running(simulation, 60.0)
    key_file.write_text(OWN)
    simulation.wait(900.0)
    assert addresses(simulation.remote) == ["ann@company.com", "held@company.com"]
    assert simulation.status(ann)["inboxID"] != stranger.inbox_id
    simulation.delete(ann)
    simulation.wait(60.0)
    assert team.live() == [stranger]


@pytest.mark.parametrize("restart", [False, True])
def test_rule_40_an_object_that_comes_from_elsewhere_stops_nobody_who_was_there_before(restart: bool) -> None:
    simulation, _ = two_workspaces()
    running(simulation)
    first = simulation.apply("sales", "first", "first@company.com")
    stranger = simulation.apply("support", "stranger", "stranger@company.com", **OF_TEAM)
    simulation.wait(10.0)
    simulation.delete(first)  # nothing is held in the operator's workspace
    simulation.wait(10.0)
    simulation.edit(stranger, apiKeySecretRef=None)
    simulation.wait(10.0)
    if restart:
        simulation.crash()
        running(simulation)
    new = simulation.apply("sales", "new", "new@company.com")
    simulation.wait(60.0)
    assert simulation.says(stranger)["Synced"][1] == "InventoryImplausible"
    assert reasons_of(simulation, new) == ["Active"]


def test_rule_40_an_object_that_came_from_elsewhere_while_the_operator_was_down_costs_nobody_else() -> None:
    simulation, _ = two_workspaces()
    running(simulation)
    stranger = simulation.apply("support", "stranger", "stranger@company.com", **OF_TEAM) or ""
    reach(simulation, "kube", "status")  # it has its inbox, and nothing else happened since
    simulation.drain()
    simulation.crash()
    simulation.edit(stranger, apiKeySecretRef=None)
    running(simulation)
    new = simulation.apply("sales", "new", "new@company.com")
    simulation.wait(60.0)
    assert simulation.says(stranger)["Synced"][1] == "InventoryImplausible"
    assert reasons_of(simulation, new) == ["Active"]


def test_rule_40_where_a_key_leads_is_stored_before_a_create_and_again_after_a_restore_of_etcd() -> None:
    simulation, _ = two_workspaces()
    running(simulation)
    simulation.apply("support", "theirs", "theirs@company.com", **OF_TEAM)
    reach(simulation, "coldsend", "create theirs@company.com")
    assert list(where_keys_lead(simulation)) == ["support/key/apiKey"]
    simulation.drain()
    for state in simulation.cluster.config_maps.values():
        del state["data"]["key-workspaces"]
        state["metadata"]["resourceVersion"] = "1"
    simulation.apply("sales", "new", "new@company.com")
    simulation.wait(60.0)
    assert list(where_keys_lead(simulation)) == ["support/key/apiKey", "default"]


def where_keys_lead(simulation: Simulation) -> dict[str, list[str]]:
    """By reference, as the state ConfigMap says it."""
    (state,) = simulation.cluster.config_maps.values()
    found: dict[str, list[str]] = json.loads(state["data"]["key-workspaces"])
    return found


@pytest.mark.parametrize("restart", [False, True])
def test_rule_40_a_deletion_that_uses_another_key_changes_no_trust(restart: bool) -> None:
    simulation, team = two_workspaces()
    running(simulation)
    simulation.apply("support", "theirs", "theirs@company.com", **OF_TEAM)
    strangers = [simulation.apply("support", f"s-{number}", f"s-{number}@company.com", **OF_TEAM) for number in (1, 2)]
    first = simulation.apply("sales", "first", "first@company.com")
    simulation.wait(10.0)
    simulation.delete(first)
    for uid in strangers:
        simulation.edit(uid or "", apiKeySecretRef=None)
    simulation.wait(10.0)
    (busy,) = team.at("s-1@company.com")
    busy.in_use = True
    simulation.delete(strangers[0])  # it goes with the key of its workspace, and that takes its time
    simulation.wait(10.0)
    if restart:
        simulation.crash()
        running(simulation)
    new = simulation.apply("sales", "new", "new@company.com")
    simulation.wait(60.0)
    assert reasons_of(simulation, new) == ["Active"]


def test_rule_40_a_rotated_key_is_trusted_for_the_inboxes_of_its_reference() -> None:
    simulation, _ = two_workspaces()
    simulation.remotes[THIRD] = simulation.remote
    running(simulation)
    held = simulation.apply("sales", "held", "held@company.com")
    stranger = simulation.apply("support", "stranger", "stranger@company.com", **OF_TEAM)
    simulation.wait(10.0)
    simulation.edit(stranger, apiKeySecretRef=None)
    simulation.wait(10.0)
    simulation.crash()
    simulation.settings = simulation.settings.model_copy(update={"api_key": SecretStr(THIRD)})
    running(simulation)
    new = simulation.apply("sales", "new", "new@company.com")
    simulation.wait(60.0)
    assert reasons_of(simulation, held, new) == ["Active", "Active"]


def test_rule_40_inboxes_of_another_workspace_are_not_missed_here() -> None:
    simulation, team = two_workspaces()
    running(simulation)
    for number in range(8):
        simulation.apply("sales", f"theirs-{number}", f"theirs-{number}@company.com")
    movers = [
        simulation.apply("support", f"mover-{number}", f"mover-{number}@company.com", **OF_TEAM) for number in range(12)
    ]
    simulation.wait(300.0)
    assert len(addresses(team)) == 12
    for uid in movers:
        simulation.edit(uid, apiKeySecretRef=None)
    simulation.wait(2 * simulation.settings.sweep_seconds)
    new = simulation.apply("sales", "new", "new@company.com")
    simulation.wait(60.0)
    assert reasons_of(simulation, new) == ["Active"]
    assert {simulation.says(uid)["Synced"][1] for uid in movers} == {"InventoryImplausible"}


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_rule_40_a_lost_create_is_not_repeated_with_a_key_that_was_corrected(fault: Fault) -> None:
    simulation, team = two_workspaces()
    process = running(simulation)
    uid = simulation.apply("support", "one", "one@company.com")
    create = reach(simulation, "coldsend", "create one@company.com")
    create.fault = fault
    finish(simulation, create)
    play_until(simulation, lambda: process.operator.controller.accounts[uid].unknown_create)
    simulation.edit(uid, **OF_TEAM)
    simulation.wait(1500.0)
    assert simulation.remote.doubles == []
    if fault is Fault.LOST_BEFORE:
        assert (addresses(simulation.remote), addresses(team)) == ([], ["one@company.com"])
        assert reasons_of(simulation, uid) == ["Active"]
    else:  # what did come of the create is held, and said to be in the wrong workspace
        assert (addresses(simulation.remote), addresses(team)) == (["one@company.com"], [])
        assert simulation.says(uid)["Synced"][1] == "InventoryImplausible"


@pytest.mark.parametrize("there", [False, True])
def test_rule_40_an_object_whose_key_leads_elsewhere_gets_no_inbox_of_the_old_workspace(there: bool) -> None:
    core = CoreWorld()
    account = core.account(adoptionPolicy="Adopt")
    transitions.moving(account, away=True)
    core.workspace.touch(account.uid)
    core.sweep(*[row()] if there else [])
    assert core.step(account).action is Action.WAIT
    assert account.stored.inbox_id is None


def test_rule_40_each_inbox_of_a_workspace_is_deleted_with_the_key_that_its_object_names() -> None:
    core = CoreWorld()
    one, two = core.holder(ANN, "inbox-1", deleting=True), core.holder(BOB, "inbox-2", deleting=True)
    core.workspace.use_key(two, "second-key")
    core.show(one, two)
    core.wait(SETTLE_SECONDS)
    leaving = {call.uids: call.key for call in core.calls() if call.operation in DELETES}
    assert leaving == {(one.uid,): core.workspace.digest, (two.uid,): "second-key"}


def test_rule_40_no_test_mail_leaves_in_the_old_workspace_of_an_object_whose_key_leads_elsewhere() -> None:
    core = CoreWorld()
    account = core.holder(testEmail={"recipient": "ops@example.com", "requestID": "1"})
    transitions.moving(account, away=True)
    core.sweep(row())
    assert Operation.SEND_TEST_EMAIL not in core.operations()
    transitions.moving(account, away=False)
    core.step(account)
    assert Operation.SEND_TEST_EMAIL in core.operations()


def test_rule_40_a_create_that_is_prepared_does_not_leave_once_the_key_is_corrected() -> None:
    simulation, team = two_workspaces()
    running(simulation)
    uid = simulation.apply("support", "one", "one@company.com")
    mark = reach(simulation, "kube", "patch")
    simulation.cluster.write_secret("support", "key", {"apiKey": TEAM})
    simulation.edit(uid, **OF_TEAM)
    play_until(simulation, lambda: pending(simulation, "kube", "get /api/v1/namespaces/support/secrets/key"))
    finish(simulation, mark)
    simulation.wait(300.0)
    assert (addresses(simulation.remote), addresses(team)) == ([], ["one@company.com"])


def test_rule_40_a_create_that_is_prepared_does_not_leave_once_the_secret_holds_another_key() -> None:
    simulation, team = two_workspaces()
    third = simulation.remotes[THIRD] = FakeColdSend(simulation.clock, _made=200)
    process = running(simulation)
    uid = simulation.apply("support", "one", "one@company.com", **OF_TEAM)
    mark = reach(simulation, "kube", "patch")
    simulation.cluster.write_secret("support", "key", {"apiKey": THIRD})
    simulation.pass_time(2.0)  # no key is read more than once a second
    process.operator.controller.placement.hasten(process.operator.controller.accounts[uid])
    read = reach(simulation, "kube", "get /api/v1/namespaces/support/secrets/key")
    finish(simulation, read)
    finish(simulation, mark)
    simulation.wait(300.0)
    assert (addresses(team), addresses(third)) == ([], ["one@company.com"])


def test_rule_40_nothing_is_created_with_the_old_key_while_the_new_one_is_not_read_yet() -> None:
    simulation, team = two_workspaces()
    running(simulation)
    simulation.cluster.write_secret("support", "mail", None)
    uid = simulation.apply("support", "one", "one@company.com")
    simulation.wait(10.0)
    assert reasons_of(simulation, uid) == ["SecretNotFound"]
    simulation.edit(uid, **OF_TEAM)
    read = reach(simulation, "kube", "secrets/key")
    simulation.cluster.write_secret("support", "mail", {"password": "one"})
    for _ in range(40):  # everything else goes on
        moves = [move for move in simulation.process.traffic.movable if move is not read]  # type: ignore[union-attr]
        for move in moves:
            simulation.go_on(move)
        simulation.pass_time(0.5)
    assert addresses(simulation.remote) == []
    finish(simulation, read)
    simulation.wait(60.0)
    assert addresses(team) == ["one@company.com"]


def test_rule_40_a_job_that_runs_when_the_key_is_rotated_to_another_workspace_ends_where_it_began() -> None:
    simulation, team = two_workspaces()
    team.item_seconds = 30.0
    third = simulation.remotes[THIRD] = FakeColdSend(simulation.clock, _made=200, ids="third")
    running(simulation)
    uids = [simulation.apply("support", name, f"{name}@company.com", **OF_TEAM) for name in ("one", "two")]
    simulation.wait(15.0)
    assert all(simulation.status(uid)["job"] for uid in uids)
    simulation.cluster.write_secret("support", "key", {"apiKey": THIRD})
    simulation.wait(1500.0)
    assert addresses(team) == ["one@company.com", "two@company.com"]
    assert addresses(third) == []
    assert [simulation.says(uid)["Synced"][1] for uid in uids] == ["InventoryImplausible"] * 2
    simulation.cluster.write_secret("support", "key", {"apiKey": TEAM})
    simulation.wait(1500.0)
    assert [simulation.says(uid)["Synced"][1] for uid in uids] == ["InSync"] * 2
    assert team.creates == 2
