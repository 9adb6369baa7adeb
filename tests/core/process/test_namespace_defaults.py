"""Annotations of a Namespace are defaults for its objects; what an object says itself wins."""

from typing import Any

import pytest

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.desired import SecretRef
from coldsend_operator.core.model.policy import NamespaceSettings, Policy
from coldsend_operator.core.status.projection import project
from coldsend_operator.kube.errors import Forbidden, KubeError
from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    API_KEY_SECRET_ANNOTATION,
    DELETION_POLICY_ANNOTATION,
    PAUSED_ANNOTATION,
)
from tests.core.rules.watching import reach, running
from tests.support.cluster import Raw
from tests.support.core_world import ANN, BOB, CoreWorld, held, row
from tests.support.simulation import SECOND, SECOND_KEY, Simulation

ORPHAN = {DELETION_POLICY_ANNOTATION: "Orphan"}
PAUSED = {PAUSED_ANNOTATION: "true"}


def annotate(simulation: Simulation, annotations: dict[str, str], namespace: str = "sales") -> None:
    simulation.cluster.namespaces[namespace] = {"metadata": {"annotations": annotations}, "status": {}}


@pytest.mark.parametrize(
    ("own", "move"),
    [({}, Action.REMOVE_FINALIZER), ({"deletionPolicy": "Delete"}, Action.DELETE)],
    ids=["silent", "Delete"],
)
def test_the_deletion_policy_of_the_namespace_holds_for_objects_that_say_nothing(own: Raw, move: Action) -> None:
    core = CoreWorld(policy=Policy(namespaces={"sales": NamespaceSettings(orphan=True)}))
    account = core.holder(deleting=True, **own)
    core.sweep(row())
    assert core.step(account).action is move


def test_the_namespace_wins_over_the_setting() -> None:
    core = CoreWorld(policy=Policy(orphan_by_default=True, namespaces={"sales": NamespaceSettings(orphan=False)}))
    account = core.holder(deleting=True)
    core.sweep(row())
    assert core.step(account).action is Action.DELETE


@pytest.mark.parametrize("word", ["Orphan", "orphan", "keep"])
def test_an_unknown_word_on_a_namespace_keeps_the_inbox(word: str) -> None:
    simulation = Simulation()
    annotate(simulation, {DELETION_POLICY_ANNOTATION: word})
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(30.0)
    simulation.delete(uid)
    simulation.wait(60.0)
    assert not simulation.cluster.of_kind(ACCOUNT_KIND)
    assert [inbox.address for inbox in simulation.remote.live()] == [ANN]


def test_nothing_is_created_in_a_paused_namespace_and_all_goes_on_by_itself() -> None:
    simulation = Simulation()
    annotate(simulation, PAUSED)
    running(simulation)
    ann = simulation.apply("sales", "ann", ANN)
    bob = simulation.apply("sales", "bob", BOB)
    simulation.annotate(bob, PAUSED_ANNOTATION, "false")
    simulation.wait(60.0)
    assert [inbox.address for inbox in simulation.remote.live()] == [BOB]
    assert simulation.says(ann)["Synced"][1:][0] == "ReconciliationPaused"
    assert "of the namespace" in simulation.says(ann)["Synced"][1:][1]
    annotate(simulation, {})
    simulation.wait(60.0)
    assert {inbox.address for inbox in simulation.remote.live()} == {ANN, BOB}


def test_a_batch_in_a_paused_namespace_makes_no_children() -> None:
    simulation = Simulation()
    annotate(simulation, PAUSED)
    running(simulation)
    simulation.list_in_batch("sales", "pool", [ANN, BOB])
    simulation.wait(60.0)
    assert not simulation.cluster.of_kind(ACCOUNT_KIND)
    (batch,) = simulation.batches
    says = simulation.says(batch)
    assert says["Ready"][1] == says["Synced"][1] == "ReconciliationPaused"
    assert says["Stalled"][1:] == says["Ready"][1:]
    annotate(simulation, {})
    simulation.wait(120.0)
    assert {inbox.address for inbox in simulation.remote.live()} == {ANN, BOB}


def test_inboxes_of_a_batch_follow_the_namespace_where_the_template_says_nothing() -> None:
    simulation = Simulation()
    running(simulation)
    simulation.list_in_batch("sales", "pool", [ANN, BOB])
    simulation.wait(60.0)
    (batch,) = simulation.batches
    assert simulation.status(batch)["effective"]["deletionPolicy"] == "Delete"
    annotate(simulation, ORPHAN)
    simulation.wait(60.0)
    assert simulation.status(batch)["effective"]["deletionPolicy"] == "Orphan"
    simulation.cluster.delete(batch)
    simulation.wait(120.0)
    simulation.collect_garbage()
    simulation.wait(120.0)
    assert not simulation.cluster.of_kind(ACCOUNT_KIND)
    assert {inbox.address for inbox in simulation.remote.live()} == {ANN, BOB}


def test_the_first_decision_waits_until_the_namespace_was_read() -> None:
    simulation = Simulation()
    annotate(simulation, PAUSED)
    running(simulation, 30.0)
    simulation.apply("sales", "ann", ANN)
    reach(simulation, "kube", "get /api/v1/namespaces/sales")
    for _ in range(40):
        simulation.pass_time(0.05)
    assert simulation.process is not None
    assert not [call for call in simulation.process.traffic.pending if "create" in call.what]
    simulation.wait(60.0)
    assert not simulation.remote.live()


def test_a_namespace_that_cannot_be_read_counts_as_saying_nothing_after_a_while() -> None:
    simulation = Simulation()
    simulation.cluster.refuses["/api/v1/namespaces/sales"] = Forbidden("no", status=403, reason="Forbidden")
    running(simulation)
    simulation.apply("sales", "ann", ANN)
    simulation.apply("support", "bob", BOB)
    simulation.wait(2.0)
    assert not any(inbox.address == ANN for inbox in simulation.remote.live())
    for _ in range(30):
        simulation.wait(1.0)
    assert {inbox.address for inbox in simulation.remote.live()} == {ANN, BOB}


@pytest.mark.parametrize("restart", [False, True])
def test_what_a_namespace_says_is_awaited_while_kubernetes_fails_and_others_go_on(restart: bool) -> None:
    simulation = Simulation()
    annotate(simulation, {API_KEY_SECRET_ANNOTATION: "team"})
    team = simulation.add_workspace("cs_live_team", "sales", "team", _made=100)
    failing = KubeError("etcd has lost the key", status=500)
    if restart:
        simulation.apply("sales", "ann", ANN)
    simulation.cluster.refuses["/api/v1/namespaces/sales"] = failing
    running(simulation)
    if not restart:
        simulation.apply("sales", "ann", ANN)
    simulation.apply("support", "bob", BOB)
    for _ in range(60):
        simulation.wait(1.0)
    assert [inbox.address for inbox in simulation.remote.live()] == [BOB]
    del simulation.cluster.refuses["/api/v1/namespaces/sales"]
    simulation.wait(60.0)
    assert [inbox.address for inbox in simulation.remote.live()] == [BOB]
    assert [inbox.address for inbox in team.live()] == [ANN]


def fail_to_read(simulation: Simulation, namespace: str = "sales") -> None:
    failing = KubeError("etcd has lost the key", status=500)
    simulation.cluster.refuses[f"/api/v1/namespaces/{namespace}"] = failing


def go_on(simulation: Simulation, seconds: int) -> None:
    for _ in range(seconds):
        simulation.wait(1.0)


def read_again(simulation: Simulation, namespace: str = "sales") -> None:
    del simulation.cluster.refuses[f"/api/v1/namespaces/{namespace}"]


@pytest.mark.parametrize("restart", [False, True])
def test_an_object_says_in_its_status_that_its_namespace_cannot_be_read(restart: bool) -> None:
    simulation = Simulation()
    if restart:
        uid = simulation.apply("sales", "ann", ANN)
    fail_to_read(simulation)
    running(simulation)
    go_on(simulation, 30)
    if not restart:
        uid = simulation.apply("sales", "ann", ANN)
    go_on(simulation, 30)
    state, reason, message = simulation.ready(uid)
    assert (state, reason) == ("False", "ApiUnavailable")
    assert "cannot read the namespace sales (Kubernetes answers HTTP 500)" in message
    assert not simulation.remote.live()
    read_again(simulation)
    go_on(simulation, 60)
    assert simulation.ready(uid)[1] == "Active"
    assert [inbox.address for inbox in simulation.remote.live()] == [ANN]


def test_an_inbox_whose_namespace_cannot_be_read_after_a_restart_stays_ready_and_says_so() -> None:
    simulation = Simulation()
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    go_on(simulation, 30)
    simulation.crash()
    fail_to_read(simulation)
    running(simulation)
    go_on(simulation, 60)
    assert simulation.ready(uid)[:2] == ("True", "Active")
    assert simulation.says(uid)["Synced"][:2] == ("False", "ApiUnavailable")
    read_again(simulation)
    go_on(simulation, 60)
    assert simulation.says(uid)["Synced"][:2] == ("True", "InSync")


def test_a_deletion_waits_for_the_deletion_policy_of_a_namespace_that_cannot_be_read() -> None:
    simulation = Simulation(changes={"deletion_default": "Orphan"})
    annotate(simulation, {DELETION_POLICY_ANNOTATION: "Delete"})
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    go_on(simulation, 30)
    simulation.crash()
    simulation.delete(uid)
    fail_to_read(simulation)
    running(simulation)
    go_on(simulation, 120)
    assert simulation.ready(uid)[1] == "ApiUnavailable"
    assert len(simulation.remote.live()) == 1
    read_again(simulation)
    go_on(simulation, 120)
    assert not simulation.cluster.of_kind(ACCOUNT_KIND)
    assert not simulation.remote.live()


def test_an_inbox_of_a_key_that_its_namespace_names_makes_no_doubt_of_the_operators_key() -> None:
    simulation = Simulation()
    annotate(simulation, {API_KEY_SECRET_ANNOTATION: "team"})
    simulation.add_workspace("cs_live_team", "sales", "team", _made=100)
    running(simulation)
    simulation.apply("sales", "ann", ANN)
    go_on(simulation, 30)
    simulation.crash()
    simulation.cluster.config_maps.clear()  # nothing tells any more which key led where
    fail_to_read(simulation)
    running(simulation)
    go_on(simulation, 30)
    bob = simulation.apply("support", "bob", BOB)
    go_on(simulation, 60)
    assert simulation.ready(bob)[1] == "Active"


def test_a_batch_says_in_its_status_that_its_namespace_cannot_be_read() -> None:
    simulation = Simulation()
    fail_to_read(simulation)
    running(simulation)
    simulation.list_in_batch("sales", "pool", [ANN, BOB])
    go_on(simulation, 30)
    (batch,) = simulation.batches
    state, reason, message = simulation.says(batch)["Synced"]
    assert (state, reason) == ("False", "ApiUnavailable")
    assert "cannot read the namespace sales" in message
    assert not simulation.cluster.of_kind(ACCOUNT_KIND)
    read_again(simulation)
    go_on(simulation, 60)
    assert simulation.says(batch)["Synced"][:2] == ("True", "InSync")
    assert {inbox.address for inbox in simulation.remote.live()} == {ANN, BOB}


def test_an_object_without_a_key_leaves_its_address_to_others_once_its_namespace_can_be_read() -> None:
    simulation = Simulation()
    fail_to_read(simulation)
    running(simulation)
    simulation.apply("sales", "ann", ANN, apiKeySecretRef={"name": "missing"})
    go_on(simulation, 30)
    other = simulation.apply("support", "ann", ANN)
    go_on(simulation, 30)
    assert not simulation.remote.live()  # the older object may get there
    read_again(simulation)
    go_on(simulation, 60)
    assert simulation.ready(other)[1] == "Active"


def test_what_a_namespace_last_said_holds_while_it_cannot_be_read() -> None:
    simulation = Simulation()
    annotate(simulation, PAUSED)
    running(simulation)
    simulation.apply("sales", "ann", ANN)
    simulation.wait(30.0)
    simulation.cluster.refuses["/api/v1/namespaces/sales"] = Forbidden("no", status=403, reason="Forbidden")
    simulation.wait(120.0)
    assert not simulation.remote.live()


def test_a_key_of_the_namespace_is_a_reference_of_that_namespace() -> None:
    simulation = Simulation(changes={"operator_key_namespaces": "support"})
    annotate(simulation, {API_KEY_SECRET_ANNOTATION: SECOND})
    process = running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(60.0)
    assert "inboxID" in simulation.status(uid)
    assert simulation.status(uid)["effective"]["apiKeySecret"] == SECOND
    (account,) = process.operator.controller.accounts.values()
    assert str(account.desired.key_ref) == f"sales/{SECOND}/apiKey"


def test_another_key_of_the_namespace_takes_effect_by_itself() -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(30.0)
    inbox = simulation.status(uid)["inboxID"]
    annotate(simulation, {API_KEY_SECRET_ANNOTATION: f"{SECOND}/apiKey"})
    simulation.wait(120.0)
    (account,) = process.operator.controller.accounts.values()
    assert account.desired.key_ref.namespace == "sales"
    assert simulation.status(uid)["inboxID"] == inbox
    assert len(simulation.remote.inboxes) == 1
    assert SECOND_KEY in simulation.remotes


def test_a_secret_that_the_namespace_names_and_nobody_made_is_told() -> None:
    simulation = Simulation()
    annotate(simulation, {API_KEY_SECRET_ANNOTATION: "no such/thing/here"})
    running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(60.0)
    reason, message = simulation.says(uid)["Synced"][1:]
    assert reason == "SecretNotFound"
    assert "coldsend.pro/api-key-secret of the namespace" in message
    assert not simulation.remote.live()


EFFECTIVE: list[tuple[Raw, Policy, Raw]] = [
    ({}, Policy(), {"deletionPolicy": "Delete", "updatePolicy": "Never", "adoptionPolicy": "Refuse"}),
    (
        {"updatePolicy": "Recreate", "apiKeySecretRef": {"name": "own", "key": "other"}},
        Policy(orphan_by_default=True, adopt_by_default=True),
        {
            "deletionPolicy": "Orphan",
            "updatePolicy": "Recreate",
            "adoptionPolicy": "Adopt",
            "apiKeySecret": "own/other",
        },
    ),
    (
        {"deletionPolicy": "Delete"},
        Policy(namespaces={"sales": NamespaceSettings(orphan=True, key=SecretRef("shared", "apiKey"))}),
        {"deletionPolicy": "Delete", "updatePolicy": "Never", "adoptionPolicy": "Refuse"},
    ),
]


@pytest.mark.parametrize(("spec", "policy", "effective"), EFFECTIVE)
def test_status_shows_what_holds(spec: dict[str, Any], policy: Policy, effective: Raw) -> None:
    core = CoreWorld(policy=policy)
    account = core.holder(**spec)
    core.sweep(row())
    status = project(account, core.workspace, core.now)
    assert status is not None
    assert status["effective"] == effective


def test_what_holds_goes_along_with_the_next_write_and_causes_none() -> None:
    core, account = held()
    status = project(account, core.workspace, core.now)
    assert status is not None
    del status["effective"]
    transitions.status_kept(account, status)
    assert project(account, core.workspace, core.now) is None
    core.sweep(row(overall_status="PAUSED"))
    changed = project(account, core.workspace, core.now)
    assert changed is not None
    assert "effective" in changed


def test_namespaces_without_objects_are_not_read_and_not_kept() -> None:
    simulation = Simulation()
    process = running(simulation)
    uid = simulation.apply("sales", "ann", ANN)
    simulation.wait(30.0)
    assert set(process.operator.policy.namespaces) == {"sales"}
    simulation.delete(uid)
    simulation.wait(60.0)
    assert not process.operator.policy.namespaces
