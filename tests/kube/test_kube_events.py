"""Events appear on the object, fit the limits of the API server, and never fail an action."""

from typing import Any

import pytest
from structlog.testing import capture_logs

import devcluster
from coldsend_operator.kube import paths
from coldsend_operator.kube.client import EVENTS_AT_ONCE, KubeClient
from coldsend_operator.kube.events import emit
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.throttle import NAMESPACES_AT_FULL_RATE, Throttle, Throttles
from tests.kube.support import World, eventually, kubectl, token_of_account_with


async def events_of(world: World, ref: Ref) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.client.get(paths.events(ref.namespace)))["items"]
    return [event for event in found if event["regarding"]["uid"] == ref.uid]


async def test_an_event_stands_on_its_object(cluster: devcluster.Cluster, world: World) -> None:
    ref = await world.account()
    await emit(world.client, ref, "Warning", "Rejected", "The host does not answer; check smtp.host.", "Create")
    (event,) = await events_of(world, ref)
    told = {key: event[key] for key in ("type", "reason", "note", "action", "reportingController")}
    assert told == {
        "type": "Warning",
        "reason": "Rejected",
        "note": "The host does not answer; check smtp.host.",
        "action": "Create",
        "reportingController": "coldsend.pro/coldsend-operator",
    }
    assert "check smtp.host" in kubectl(cluster, "describe", "senderaccount", ref.name, "-n", ref.namespace)


@pytest.mark.parametrize(
    ("message", "note"), [("x" * 2000, "x" * 1024), ("ä" * 600, "ä" * 512), ("x" + "€" * 600, "x" + "€" * 341)]
)
async def test_a_long_message_is_cut_between_two_characters(world: World, message: str, note: str) -> None:
    ref = await world.account()
    await emit(world.client, ref, "Normal", "Active", message, "Create")
    assert [event["note"] for event in await events_of(world, ref)] == [note]


async def test_a_long_name_still_gets_its_events(world: World) -> None:
    ref = await world.account("a" * 250)
    await emit(world.client, ref, "Normal", "Active", "ready", "Create")
    assert len(await events_of(world, ref)) == 1


async def test_an_event_that_is_refused_is_logged_and_raises_nothing(
    cluster: devcluster.Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await world.account()
    token = await token_of_account_with(world, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig_for(token)))
    async with KubeClient(lambda kind, verb: None) as client:
        with capture_logs() as lines:
            await emit(client, ref, "Normal", "Active", "ready", "Create")
    assert [(line["log_level"], line["name"]) for line in lines] == [("warning", ref.name)]


async def test_a_flood_of_events_is_bounded_and_said_once(world: World) -> None:
    ref = await world.account()
    while (throttle := world.client.event_throttles.refused_by(ref.namespace, ref.kind)) is None:
        pass
    throttle.refused = 0
    with capture_logs() as lines:
        for _ in range(3):
            await emit(world.client, ref, "Normal", "Active", "ready", "Create")
    assert [(line["event"], line["namespace"]) for line in lines] == [("events_dropped", ref.namespace)]

    async def later_ones_pass() -> bool:
        await emit(world.client, ref, "Normal", "Active", "ready", "Create")
        return await events_of(world, ref) != []

    await eventually(later_ones_pass)


def test_a_throttle_lets_a_burst_pass_and_then_its_rate() -> None:
    now = 100.0
    throttle = Throttle(20, EVENTS_AT_ONCE, clock=lambda: now)
    passed = [throttle.passes() for _ in range(EVENTS_AT_ONCE + 50)]
    assert (sum(passed), throttle.refused) == (EVENTS_AT_ONCE, 50)
    now += 0.5
    assert sum(throttle.passes() for _ in range(50)) == 10
    now += 3600
    assert sum(throttle.passes() for _ in range(300)) == EVENTS_AT_ONCE


def passing(throttles: Throttles, namespace: str, kind: str, tries: int) -> int:
    return sum(throttles.refused_by(namespace, kind) is None for _ in range(tries))


def test_events_of_one_namespace_or_kind_silence_no_other() -> None:
    throttles = Throttles(20, EVENTS_AT_ONCE, clock=lambda: 100.0)
    assert passing(throttles, "loud", "SenderAccount", 100_000) == EVENTS_AT_ONCE
    assert passing(throttles, "quiet", "SenderAccount", 1) == 1
    assert passing(throttles, "loud", "SenderAccountBatch", 1) == 1


def test_events_of_all_namespaces_together_are_bounded() -> None:
    throttles = Throttles(20, EVENTS_AT_ONCE, clock=lambda: 100.0)
    passed = sum(passing(throttles, f"namespace-{number}", "SenderAccount", 300) for number in range(50))
    assert passed == NAMESPACES_AT_FULL_RATE * EVENTS_AT_ONCE


def test_nothing_is_kept_of_namespaces_that_have_nothing_more_to_tell() -> None:
    now = 100.0
    throttles = Throttles(20, EVENTS_AT_ONCE, clock=lambda: now)
    for number in range(1_000):
        passing(throttles, f"namespace-{number}", "SenderAccount", 1)
        now += 1.0
    assert len(throttles._of_namespace) <= 2


async def test_a_namespace_that_goes_takes_no_events_and_no_line_of_the_log(world: World) -> None:
    ref = await world.account(finalizers=["example.com/stays"])
    await world.client.delete(f"/api/v1/namespaces/{world.namespace}")
    with capture_logs() as lines:
        await emit(world.client, ref, "Warning", "Deleting", "gone soon", "Reconcile")
    assert lines == []
    await world.edit(ref, {"finalizers": None})
