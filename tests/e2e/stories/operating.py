"""Stories of whoever runs the operator: restarts, limits, keys, replicas, outages. Each has an operator of its own."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from itertools import pairwise
from typing import Any
from uuid import uuid4

from coldsend_emulator.operations import BASE_PATH
from coldsend_emulator.running import running_emulator
from coldsend_operator.kube.client import FIELD_MANAGER
from coldsend_operator.resources.names import FINALIZER
from tests.e2e.stage.api_server import MERGE, Refused
from tests.e2e.stage.gated_operators import gated_operators
from tests.e2e.stage.stage import CUSTOM, GOOGLE, OUTLOOK, Stage, eventually
from tests.e2e.stage.world import World

OWN_KEY: dict[str, Any] = {"apiKeySecretRef": None}
FEW = 6
YEAR_0 = "0000-01-01T00:00:00Z"


def a_restart_with_nothing_changed_writes_nothing(world: World) -> None:
    with gated_operators(world, "restart") as (operators, stage):
        with operators.operator() as first:
            names = _apply_one_of_each(stage)
            stage.after_sweeps()
            assert first.stop() == 0
        versions = {name: _version(stage, name) for name in names}
        asked = len(stage.asked())
        with operators.operator() as second:
            stage.after_sweeps(2)
            assert second.figure("coldsend_kubernetes_writes_total", kind="SenderAccount") == 0
        assert {name: _version(stage, name) for name in names} == versions
        later = [each["operation"] for each in stage.asked()[asked:]]
        assert len([each for each in later if each != "listSenderAccounts"]) <= 2


def _apply_one_of_each(stage: Stage) -> list[str]:
    """Objects in every state in which they can stay."""
    for name, inbox_type in (("google", GOOGLE), ("outlook", OUTLOOK), ("custom", CUSTOM), ("native", "COLDSEND")):
        stage.apply(name, inbox_type)
        stage.known(name)
    for name in ("adopted", "refused", "observed"):
        stage.seed(name, display_name="Ann Example", daily_limit=50)
    stage.apply("adopted", adoptionPolicy="Adopt")
    stage.apply("refused")
    stage.server.apply(stage.observer("observed"), stage.observer("absent"))
    stage.apply("waiting", smtp={"passwordSecretRef": {"name": "not-there"}})
    stage.apply("mailing", testEmail={"recipient": f"ops@{stage.domain}", "requestID": "1"})
    stage.make_each("drifted", "changed", "paused")
    stage.emulator.change(stage.address("drifted"), display_name="Another")
    stage.edit("changed", displayName="Another")
    stage.annotate("paused", paused="true")
    stage.shows("adopted", Ready="True Adopted", CredentialsCurrent="Unknown CredentialsUnknown")
    stage.shows("refused", Ready="False AlreadyExists")
    stage.shows("observed", Ready="True Active")
    stage.shows("absent", Ready="False NotFound")
    stage.shows("waiting", Ready="False SecretNotFound", CredentialsCurrent="False SecretNotFound")
    stage.until("mailing", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    stage.shows("drifted", Synced="False Drifted")
    stage.shows("changed", Synced="False UpdateNotSupported")
    stage.shows("paused", Synced="False ReconciliationPaused")
    return [each["metadata"]["name"] for each in stage.server.items("SenderAccount", stage.namespace)]


def _version(stage: Stage, name: str) -> str:
    found = stage.server.get("SenderAccount", stage.namespace, name)
    assert found is not None
    return str(found["metadata"]["resourceVersion"])


def who_waits_for_the_budget_is_told_when_and_the_limits_hold(world: World) -> None:
    with gated_operators(world, "budget") as (operators, stage):
        limits = {"COLDSEND_REQUESTS_PER_MINUTE": str(FEW), "COLDSEND_RESERVE": "0", "COLDSEND_SWEEP_SECONDS": "300"}
        with operators.operator(**limits):
            stage.apply("first")
            stage.shows("first", Ready="True Active")
            stage.apply("second")
            stage.shows("second", Ready="True Active")
            while (spent := len(stage.asked())) < FEW - 1:  # the last one is kept for edits of people
                stage.annotate("first", reconcile=str(spent))
                eventually(partial(_has_asked_more_than, stage, spent), "a look")
            stage.apply("third", "COLDSEND")
            stage.apply("fourth")
            for name in ("third", "fourth"):
                shown = stage.shows(name, Ready="False RateLimited", Synced="False RateLimited")
                (at,) = re.findall(r"is expected at (\S+) \(it was ", shown.message("Ready"))
                told = datetime.fromisoformat(at)
                assert timedelta() < told - datetime.now(UTC) < timedelta(minutes=4)
            for name in ("third", "fourth"):
                stage.shows(name, Ready="True Active")
            times = [datetime.fromisoformat(each["at"]) for each in stage.asked()]
    spans = [last - first for first, last in zip(times, times[FEW:], strict=False)]
    assert spans
    assert min(spans) >= timedelta(seconds=59)


def _has_asked_more_than(stage: Stage, requests: int) -> bool:
    return len(stage.asked()) > requests


def what_the_brake_holds_stays_held_over_a_restart(world: World) -> None:
    with gated_operators(world, "brake") as (operators, stage):
        names = [f"n{number}" for number in range(12)]
        with operators.operator():
            stage.make_each(*names)
        stage.delete_all()
        with operators.operator() as second:
            for name in names:
                stage.until(name, lambda shown: shown.condition("Ready") == "False DeletionHeld", "DeletionHeld")
            second.kill()
        with operators.operator():
            stage.after_sweeps()
            assert [name for name in names if stage.no_inbox(name)] == []
            stage.annotate_namespace(approve_deletion="true")
            for name in names:
                stage.gone(name)
                assert stage.no_inbox(name)


def the_file_of_the_operators_key_is_read_again_when_it_changes(world: World) -> None:
    with gated_operators(world, "key-file") as (operators, stage):
        path = world.folder / f"{stage.namespace}.key"
        with operators.operator(COLDSEND_API_KEY_FILE=str(path)):
            stage.apply(**OWN_KEY)
            assert "missing or empty" in stage.shows(Ready="False Unauthorized").message("Ready")
            path.write_text(f"{stage.key}\n")
            stage.ready()
            second = f"{stage.key}_2"
            stage.emulator.add_key(second, workspace=stage.workspace)
            path.write_text(second)
            stage.emulator.change_key(stage.key, revoked=True)
            stage.make("bob", **OWN_KEY)
            assert stage.happened() == ["created"]


def without_a_key_of_its_own_the_operator_serves_those_who_bring_one(world: World) -> None:
    with gated_operators(world, "no-key") as (operators, stage), operators.operator():
        stage.apply("ann")
        stage.apply("bob", **OWN_KEY)
        stage.ready("ann")
        shown = stage.shows("bob", Ready="False Unauthorized")
        assert "apiKeySecretRef" in shown.message("Ready")
        stage.edit("bob", apiKeySecretRef={"name": "workspace"})
        stage.ready("bob")


def the_operators_key_serves_the_namespaces_that_may_use_it(world: World) -> None:
    with gated_operators(world, "tenants") as (operators, stage), operators.staged("stranger") as stranger:
        settings = {
            "COLDSEND_API_KEY": stage.key,
            "COLDSEND_OPERATOR_KEY_NAMESPACES": stage.namespace,
            "COLDSEND_ADOPT_NAMESPACES": "somebody-else",
        }
        with operators.operator(**settings):
            stage.seed("old")
            stage.apply("ann", **OWN_KEY)
            stage.apply("old", adoptionPolicy="Adopt", **OWN_KEY)
            stage.server.apply(stage.observer("seen", emailAddress=stage.address("old"), **OWN_KEY))
            stranger.apply("ann", **OWN_KEY)
            stage.ready("ann")
            assert "COLDSEND_ADOPT_NAMESPACES" in stage.shows("old", Ready="False AlreadyExists").message("Ready")
            assert "COLDSEND_ADOPT_NAMESPACES" in stage.shows("seen", Ready="False Unauthorized").message("Ready")
            shown = stranger.shows("ann", Ready="False Unauthorized")
            assert "COLDSEND_OPERATOR_KEY_NAMESPACES" in shown.message("Ready")
            stranger.edit("ann", apiKeySecretRef={"name": "workspace"})
            stranger.ready("ann")


def objects_restored_into_a_new_cluster_adopt_where_that_is_the_default(world: World) -> None:
    with gated_operators(world, "restored") as (operators, stage):
        ids = {name: stage.seed(name, display_name="Ann Example", daily_limit=50) for name in ("ann", "bob", "carol")}
        for name in ids:
            stage.apply(name)
        with operators.operator(COLDSEND_ADOPTION_DEFAULT="Adopt"):
            assert {name: stage.ready(name, reason="Adopted").inbox_id for name in ids} == ids


def two_objects_that_a_restore_made_of_one_inbox_delete_it_neither(world: World) -> None:
    with gated_operators(world, "restored") as (operators, stage):
        with operators.operator():
            stage.apply()
            status = stage.known().status
        stage.server.apply(stage.manifest("copy", emailAddress=stage.address()))
        stage.write_status("copy", status)
        with operators.operator():
            for name, other in (("ann", "copy"), ("copy", "ann")):
                assert f"SenderAccount {other}" in stage.shows(name, Synced="False AddressConflict").message("Synced")
            stage.remove("copy")
            stage.ready()
    assert stage.happened() == ["created"]


def sigterm_records_the_call_under_way_and_gives_the_lease_back(world: World) -> None:
    with (
        gated_operators(world, "sigterm") as (operators, stage),
        operators.operator(COLDSEND_LEADER_ELECTION="on") as operator,
    ):
        hold = operators.coldsend.hold("POST .*/sender-accounts/smtp ?\n", when="after")
        stage.apply()
        assert hold.reached.wait(60)
        with ThreadPoolExecutor() as pool:
            stopping = pool.submit(operator.stop)
            eventually(lambda: '"stopping"' in operator.lines(), "the line that says so")
            operators.coldsend.release(hold)
            assert stopping.result() == 0
        found = stage.server.get("SenderAccount", stage.namespace, "ann")
        assert found is not None
        assert found["status"]["inboxID"] == stage.inbox()["inbox_id"]
        lease = stage.server.get("Lease", operators.home, "coldsend-operator")
        assert lease is not None
        assert not lease["spec"].get("holderIdentity")


def a_standby_takes_over_from_a_leader_that_was_killed(world: World) -> None:
    election = {"COLDSEND_LEADER_ELECTION": "on"}
    with gated_operators(world, "replicas") as (operators, stage), operators.operator(**election) as leader:
        stage.make("ann")
        with operators.operator(**election) as standby:
            assert [each.figure("coldsend_leader") for each in (leader, standby)] == [1, 0]
            hold = operators.coldsend.hold("POST .*/sender-accounts/smtp ?\n", when="before")
            stage.apply("bob")
            assert hold.reached.wait(60)
            leader.kill()
            operators.coldsend.drop()
            stage.ready("bob")
            stage.ready("ann")
            assert standby.figure("coldsend_leader") == 1
            assert stage.happened("ann") == stage.happened("bob") == ["created"]


def a_coldsend_that_nobody_can_reach_is_told_and_used_once_it_is_there(world: World) -> None:
    with gated_operators(world, "unreachable") as (operators, stage), socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port: int = nobody.getsockname()[1]
        with operators.operator(COLDSEND_API_URL=f"http://127.0.0.1:{port}{BASE_PATH}"):
            stage.apply()
            stage.shows(Ready="False ApiUnavailable")
            nobody.close()
            with running_emulator([f"{stage.key}={stage.workspace}"], port=port) as emulator:
                stage.shows(Ready="True Active", Synced="True InSync")
                assert [each["email_address"] for each in emulator.inboxes()] == [stage.address()]
                stage.remove()


def an_api_server_that_is_away_for_a_while_costs_nothing_but_time(world: World) -> None:
    with gated_operators(world, "api-server-away") as (operators, stage), operators.operator() as operator:
        stage.apply("ann")
        stage.known("ann")
        operators.kubernetes.close()
        stage.emulator.change(stage.address("ann"), health_score=40)
        stage.apply("bob")
        stage.after_sweeps(3)
        operators.kubernetes.open()
        stage.shows("ann", Healthy="False HealthScoreLow")
        stage.ready("bob")
        assert stage.happened("ann") == stage.happened("bob") == ["created"]
        assert operator.process.poll() is None


def objects_of_another_shard_are_left_alone(world: World) -> None:
    with gated_operators(world, "shards") as (operators, stage), operators.operator():
        manifest = stage.manifest("other")
        manifest["metadata"]["labels"] = {"played-by": "another-shard"}
        stage.server.apply(manifest)
        stage.make("ann")
        stage.after_sweeps()
        shown = stage.look("other")
        assert shown is not None
        assert shown.status == {"observedGeneration": -1}  # the default: no operator has seen it
        assert stage.no_inbox("other")


def the_same_reason_is_not_told_again_after_a_restart(world: World) -> None:
    with gated_operators(world, "told-once") as (operators, stage):
        told: list[list[str]] = []
        for _ in range(2):
            with operators.operator():
                stage.apply()
                stage.known()
                stage.after_sweeps()
            told.append(stage.events())
        assert told[0]
        assert all(before == after for before, after in pairwise(told))


def times_of_the_year_0_that_a_tenant_writes_stop_nobody(world: World) -> None:
    with gated_operators(world, "year-0") as (operators, stage):
        stage.apply("early", smtp={"passwordSecretRef": {"name": "not-there"}})
        _set_times_to_year_0(stage, "early")
        with operators.operator():
            stage.apply("late", smtp={"passwordSecretRef": {"name": "comes-later"}})
            stage.shows("late", Ready="False SecretNotFound")
            _set_times_to_year_0(stage, "late")
            stage.secret("comes-later", password=stage.password)
            names = ["late", "ann", "bob", "carl"]  # they share a bulk call
            for name in names[1:]:
                stage.apply(name)
            for name in names:
                stage.ready(name)
            _set_times_to_year_0(stage, "late")
            for name in ("early", "late"):
                stage.remove(name)


def _set_times_to_year_0(stage: Stage, name: str) -> None:
    """What the rights of a tenant allow: our finalizer in the name of our field manager, at a time without a date."""
    path = f"{stage.accounts}/{name}"
    metadata: dict[str, Any] = stage.server.ask("GET", path)["metadata"]
    finalizers = sorted({*metadata.get("finalizers", ()), FINALIZER})
    ours = {"metadata": {"finalizers": finalizers}}
    stage.server.ask("PATCH", path, ours, MERGE, fieldManager=FIELD_MANAGER)
    eventually(lambda: _put_times_of_year_0(stage, path), "a write that the operator does not outrun")


def _put_times_of_year_0(stage: Stage, path: str) -> bool:
    """Whether it was stored: the API server refuses it when the operator has written in between."""
    found = stage.server.ask("GET", path)
    for entry in found["metadata"]["managedFields"]:
        entry["time"] = YEAR_0
    # without another change the API server keeps the times that it has
    annotations = found["metadata"].get("annotations", {})
    found["metadata"]["annotations"] = {**annotations, "example.com/touched": uuid4().hex}
    try:
        stored = stage.server.ask("PUT", path, found, fieldManager="a-tenant")
    except Refused as refused:
        if refused.status != HTTPStatus.CONFLICT:
            raise
        return False
    times = {entry["time"] for entry in stored["metadata"]["managedFields"] if entry["manager"] == FIELD_MANAGER}
    assert YEAR_0 in times
    return True
