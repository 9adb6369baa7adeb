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
from tests.e2e.support.api_server import MERGE, Refused
from tests.e2e.support.gated_operators import gated_operators
from tests.e2e.support.tenant import CUSTOM, GOOGLE, OUTLOOK, Tenant, eventually
from tests.e2e.support.world import World

OWN_KEY: dict[str, Any] = {"apiKeySecretRef": None}
FEW = 6
YEAR_0 = "0000-01-01T00:00:00Z"


def a_restart_with_nothing_changed_writes_nothing(world: World) -> None:
    with gated_operators(world, "restart") as (operators, tenant):
        with operators.operator() as first:
            names = _apply_one_of_each(tenant)
            tenant.after_sweeps()
            assert first.stop() == 0
        versions = {name: _version(tenant, name) for name in names}
        asked = len(tenant.asked())
        with operators.operator() as second:
            tenant.after_sweeps(2)
            assert second.figure("coldsend_kubernetes_writes_total", kind="SenderAccount") == 0
        assert {name: _version(tenant, name) for name in names} == versions
        later = [each["operation"] for each in tenant.asked()[asked:]]
        assert len([each for each in later if each != "listSenderAccounts"]) <= 2


def _apply_one_of_each(tenant: Tenant) -> list[str]:
    """Objects in every state in which they can stay."""
    for name, inbox_type in (("google", GOOGLE), ("outlook", OUTLOOK), ("custom", CUSTOM), ("native", "COLDSEND")):
        tenant.apply(name, inbox_type)
        tenant.known(name)
    for name in ("adopted", "refused", "observed"):
        tenant.seed(name, display_name="Ann Example", daily_limit=50)
    tenant.apply("adopted", adoptionPolicy="Adopt")
    tenant.apply("refused")
    tenant.server.apply(tenant.observer("observed"), tenant.observer("absent"))
    tenant.apply("waiting", smtp={"passwordSecretRef": {"name": "not-there"}})
    tenant.apply("mailing", testEmail={"recipient": f"ops@{tenant.domain}", "requestID": "1"})
    tenant.make_each("drifted", "changed", "paused")
    tenant.emulator.change(tenant.address("drifted"), display_name="Another")
    tenant.edit("changed", displayName="Another")
    tenant.annotate("paused", paused="true")
    tenant.shows("adopted", Ready="True Adopted", CredentialsCurrent="Unknown CredentialsUnknown")
    tenant.shows("refused", Ready="False AlreadyExists")
    tenant.shows("observed", Ready="True Active")
    tenant.shows("absent", Ready="False NotFound")
    tenant.shows("waiting", Ready="False SecretNotFound", CredentialsCurrent="False SecretNotFound")
    tenant.until("mailing", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    tenant.shows("drifted", Synced="False Drifted")
    tenant.shows("changed", Synced="False UpdateNotSupported")
    tenant.shows("paused", Synced="False ReconciliationPaused")
    return [each["metadata"]["name"] for each in tenant.server.items("SenderAccount", tenant.namespace)]


def _version(tenant: Tenant, name: str) -> str:
    found = tenant.server.get("SenderAccount", tenant.namespace, name)
    assert found is not None
    return str(found["metadata"]["resourceVersion"])


def who_waits_for_the_budget_is_told_when_and_the_limits_hold(world: World) -> None:
    with gated_operators(world, "budget") as (operators, tenant):
        limits = {"COLDSEND_REQUESTS_PER_MINUTE": str(FEW), "COLDSEND_RESERVE": "0", "COLDSEND_SWEEP_SECONDS": "300"}
        with operators.operator(**limits):
            tenant.apply("first")
            tenant.shows("first", Ready="True Active")
            tenant.apply("second")
            tenant.shows("second", Ready="True Active")
            while (spent := len(tenant.asked())) < FEW - 1:  # the last one is kept for edits of people
                tenant.annotate("first", reconcile=str(spent))
                eventually(partial(_has_asked_more_than, tenant, spent), "a look")
            tenant.apply("third", "COLDSEND")
            tenant.apply("fourth")
            for name in ("third", "fourth"):
                shown = tenant.shows(name, Ready="False RateLimited", Synced="False RateLimited")
                (at,) = re.findall(r"is expected at (\S+) \(it was ", shown.message("Ready"))
                told = datetime.fromisoformat(at)
                assert timedelta() < told - datetime.now(UTC) < timedelta(minutes=4)
            for name in ("third", "fourth"):
                tenant.shows(name, Ready="True Active")
            times = [datetime.fromisoformat(each["at"]) for each in tenant.asked()]
    spans = [last - first for first, last in zip(times, times[FEW:], strict=False)]
    assert spans
    assert min(spans) >= timedelta(seconds=59)


def _has_asked_more_than(tenant: Tenant, requests: int) -> bool:
    return len(tenant.asked()) > requests


def what_the_brake_holds_stays_held_over_a_restart(world: World) -> None:
    with gated_operators(world, "brake") as (operators, tenant):
        names = [f"n{number}" for number in range(12)]
        with operators.operator():
            tenant.make_each(*names)
        tenant.delete_all()
        with operators.operator() as second:
            for name in names:
                tenant.until(name, lambda shown: shown.condition("Ready") == "False DeletionHeld", "DeletionHeld")
            second.kill()
        with operators.operator():
            tenant.after_sweeps()
            assert [name for name in names if tenant.no_inbox(name)] == []
            tenant.annotate_namespace(approve_deletion="true")
            for name in names:
                tenant.gone(name)
                assert tenant.no_inbox(name)


def the_file_of_the_operators_key_is_read_again_when_it_changes(world: World) -> None:
    with gated_operators(world, "key-file") as (operators, tenant):
        path = world.folder / f"{tenant.namespace}.key"
        with operators.operator(COLDSEND_API_KEY_FILE=str(path)):
            tenant.apply(**OWN_KEY)
            assert "missing or empty" in tenant.shows(Ready="False Unauthorized").message("Ready")
            path.write_text(f"{tenant.key}\n")
            tenant.ready()
            second = f"{tenant.key}_2"
            tenant.emulator.add_key(second, workspace=tenant.workspace)
            path.write_text(second)
            tenant.emulator.change_key(tenant.key, revoked=True)
            tenant.make("bob", **OWN_KEY)
            assert tenant.happened() == ["created"]


def without_a_key_of_its_own_the_operator_serves_those_who_bring_one(world: World) -> None:
    with gated_operators(world, "no-key") as (operators, tenant), operators.operator():
        tenant.apply("ann")
        tenant.apply("bob", **OWN_KEY)
        tenant.ready("ann")
        shown = tenant.shows("bob", Ready="False Unauthorized")
        assert "apiKeySecretRef" in shown.message("Ready")
        tenant.edit("bob", apiKeySecretRef={"name": "workspace"})
        tenant.ready("bob")


def the_operators_key_serves_the_namespaces_that_may_use_it(world: World) -> None:
    with gated_operators(world, "tenants") as (operators, tenant), operators.opened_tenant("stranger") as stranger:
        settings = {
            "COLDSEND_API_KEY": tenant.key,
            "COLDSEND_OPERATOR_KEY_NAMESPACES": tenant.namespace,
            "COLDSEND_ADOPT_NAMESPACES": "somebody-else",
        }
        with operators.operator(**settings):
            tenant.seed("old")
            tenant.apply("ann", **OWN_KEY)
            tenant.apply("old", adoptionPolicy="Adopt", **OWN_KEY)
            tenant.server.apply(tenant.observer("seen", emailAddress=tenant.address("old"), **OWN_KEY))
            stranger.apply("ann", **OWN_KEY)
            tenant.ready("ann")
            assert "COLDSEND_ADOPT_NAMESPACES" in tenant.shows("old", Ready="False AlreadyExists").message("Ready")
            assert "COLDSEND_ADOPT_NAMESPACES" in tenant.shows("seen", Ready="False Unauthorized").message("Ready")
            shown = stranger.shows("ann", Ready="False Unauthorized")
            assert "COLDSEND_OPERATOR_KEY_NAMESPACES" in shown.message("Ready")
            stranger.edit("ann", apiKeySecretRef={"name": "workspace"})
            stranger.ready("ann")


def objects_restored_into_a_new_cluster_adopt_where_that_is_the_default(world: World) -> None:
    with gated_operators(world, "restored") as (operators, tenant):
        ids = {name: tenant.seed(name, display_name="Ann Example", daily_limit=50) for name in ("ann", "bob", "carol")}
        for name in ids:
            tenant.apply(name)
        with operators.operator(COLDSEND_ADOPTION_DEFAULT="Adopt"):
            assert {name: tenant.ready(name, reason="Adopted").inbox_id for name in ids} == ids


def two_objects_that_a_restore_made_of_one_inbox_delete_it_neither(world: World) -> None:
    with gated_operators(world, "restored") as (operators, tenant):
        with operators.operator():
            tenant.apply()
            status = tenant.known().status
        tenant.server.apply(tenant.manifest("copy", emailAddress=tenant.address()))
        tenant.write_status("copy", status)
        with operators.operator():
            for name, other in (("ann", "copy"), ("copy", "ann")):
                assert f"SenderAccount {other}" in tenant.shows(name, Synced="False AddressConflict").message("Synced")
            tenant.remove("copy")
            tenant.ready()
    assert tenant.happened() == ["created"]


def sigterm_records_the_call_under_way_and_gives_the_lease_back(world: World) -> None:
    with (
        gated_operators(world, "sigterm") as (operators, tenant),
        operators.operator(COLDSEND_LEADER_ELECTION="on") as operator,
    ):
        hold = operators.coldsend.hold("POST .*/sender-accounts/smtp ?\n", when="after")
        tenant.apply()
        assert hold.reached.wait(60)
        with ThreadPoolExecutor() as pool:
            stopping = pool.submit(operator.stop)
            eventually(lambda: '"stopping"' in operator.lines(), "the line that says so")
            operators.coldsend.release(hold)
            assert stopping.result() == 0
        found = tenant.server.get("SenderAccount", tenant.namespace, "ann")
        assert found is not None
        assert found["status"]["inboxID"] == tenant.inbox()["inbox_id"]
        lease = tenant.server.get("Lease", operators.home, "coldsend-operator")
        assert lease is not None
        assert not lease["spec"].get("holderIdentity")


def a_standby_takes_over_from_a_leader_that_was_killed(world: World) -> None:
    election = {"COLDSEND_LEADER_ELECTION": "on"}
    with gated_operators(world, "replicas") as (operators, tenant), operators.operator(**election) as leader:
        tenant.make("ann")
        with operators.operator(**election) as standby:
            assert [each.figure("coldsend_leader") for each in (leader, standby)] == [1, 0]
            hold = operators.coldsend.hold("POST .*/sender-accounts/smtp ?\n", when="before")
            tenant.apply("bob")
            assert hold.reached.wait(60)
            leader.kill()
            operators.coldsend.drop()
            tenant.ready("bob")
            tenant.ready("ann")
            assert standby.figure("coldsend_leader") == 1
            assert tenant.happened("ann") == tenant.happened("bob") == ["created"]


def a_coldsend_that_nobody_can_reach_is_told_and_used_once_it_is_there(world: World) -> None:
    with gated_operators(world, "unreachable") as (operators, tenant), socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port: int = nobody.getsockname()[1]
        with operators.operator(COLDSEND_API_URL=f"http://127.0.0.1:{port}{BASE_PATH}"):
            tenant.apply()
            tenant.shows(Ready="False ApiUnavailable")
            nobody.close()
            with running_emulator([f"{tenant.key}={tenant.workspace}"], port=port) as emulator:
                tenant.shows(Ready="True Active", Synced="True InSync")
                assert [each["email_address"] for each in emulator.inboxes()] == [tenant.address()]
                tenant.remove()


def an_api_server_that_is_away_for_a_while_costs_nothing_but_time(world: World) -> None:
    with gated_operators(world, "api-server-away") as (operators, tenant), operators.operator() as operator:
        tenant.apply("ann")
        tenant.known("ann")
        operators.kubernetes.close()
        tenant.emulator.change(tenant.address("ann"), health_score=40)
        tenant.apply("bob")
        tenant.after_sweeps(3)
        operators.kubernetes.open()
        tenant.shows("ann", Healthy="False HealthScoreLow")
        tenant.ready("bob")
        assert tenant.happened("ann") == tenant.happened("bob") == ["created"]
        assert operator.process.poll() is None


def objects_of_another_shard_are_left_alone(world: World) -> None:
    with gated_operators(world, "shards") as (operators, tenant), operators.operator():
        manifest = tenant.manifest("other")
        manifest["metadata"]["labels"] = {"played-by": "another-shard"}
        tenant.server.apply(manifest)
        tenant.make("ann")
        tenant.after_sweeps()
        shown = tenant.look("other")
        assert shown is not None
        assert shown.status == {"observedGeneration": -1}  # the default: no operator has seen it
        assert tenant.no_inbox("other")


def the_same_reason_is_not_told_again_after_a_restart(world: World) -> None:
    with gated_operators(world, "told-once") as (operators, tenant):
        told: list[list[str]] = []
        for _ in range(2):
            with operators.operator():
                tenant.apply()
                tenant.known()
                tenant.after_sweeps()
            told.append(tenant.events())
        assert told[0]
        assert all(before == after for before, after in pairwise(told))


def times_of_the_year_0_that_a_tenant_writes_stop_nobody(world: World) -> None:
    with gated_operators(world, "year-0") as (operators, tenant):
        tenant.apply("early", smtp={"passwordSecretRef": {"name": "not-there"}})
        _set_times_to_year_0(tenant, "early")
        with operators.operator():
            tenant.apply("late", smtp={"passwordSecretRef": {"name": "comes-later"}})
            tenant.shows("late", Ready="False SecretNotFound")
            _set_times_to_year_0(tenant, "late")
            tenant.secret("comes-later", password=tenant.password)
            names = ["late", "ann", "bob", "carl"]  # they share a bulk call
            for name in names[1:]:
                tenant.apply(name)
            for name in names:
                tenant.ready(name)
            _set_times_to_year_0(tenant, "late")
            for name in ("early", "late"):
                tenant.remove(name)


def _set_times_to_year_0(tenant: Tenant, name: str) -> None:
    """What the rights of a tenant allow: our finalizer in the name of our field manager, at a time without a date."""
    path = f"{tenant.accounts}/{name}"
    metadata: dict[str, Any] = tenant.server.ask("GET", path)["metadata"]
    finalizers = sorted({*metadata.get("finalizers", ()), FINALIZER})
    ours = {"metadata": {"finalizers": finalizers}}
    tenant.server.ask("PATCH", path, ours, MERGE, fieldManager=FIELD_MANAGER)
    eventually(lambda: _put_times_of_year_0(tenant, path), "a write that the operator does not outrun")


def _put_times_of_year_0(tenant: Tenant, path: str) -> bool:
    """Whether it was stored: the API server refuses it when the operator has written in between."""
    found = tenant.server.ask("GET", path)
    for entry in found["metadata"]["managedFields"]:
        entry["time"] = YEAR_0
    # without another change the API server keeps the times that it has
    annotations = found["metadata"].get("annotations", {})
    found["metadata"]["annotations"] = {**annotations, "example.com/touched": uuid4().hex}
    try:
        stored = tenant.server.ask("PUT", path, found, fieldManager="a-tenant")
    except Refused as refused:
        if refused.status != HTTPStatus.CONFLICT:
            raise
        return False
    times = {entry["time"] for entry in stored["metadata"]["managedFields"] if entry["manager"] == FIELD_MANAGER}
    assert YEAR_0 in times
    return True
