"""The election on a real Lease: one leader, by steady clocks only (rule 5: a call begins only with a fresh Lease)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

import devcluster
from coldsend_operator.kube import paths
from coldsend_operator.kube.client import MERGE_PATCH, KubeClient
from coldsend_operator.kube.errors import NotFound
from coldsend_operator.kube.leadership import NoElection
from coldsend_operator.kube.lease import Election, LeaseTimes, steady
from tests.kube.support import PATIENCE, QUICK, Wire, World, eventually

NAME = "coldsend-operator"


def path_of(world: World) -> str:
    return f"{paths.leases(world.namespace)}/{NAME}"


async def spec_of(world: World) -> dict[str, Any]:
    spec: dict[str, Any] = (await world.client.get(path_of(world)))["spec"]
    return spec


async def holder_of(world: World) -> str:
    try:
        return str((await spec_of(world)).get("holderIdentity") or "")
    except NotFound:
        return ""


async def change(world: World, **spec: object) -> None:
    await world.client.patch(path_of(world), {"spec": spec}, MERGE_PATCH)


def candidate(world: World, identity: str, pace: LeaseTimes = QUICK) -> Election:
    return Election(world.client, world.namespace, NAME, identity=identity, pace=pace)


async def soon(waiting: Awaitable[None]) -> None:
    await asyncio.wait_for(waiting, PATIENCE)


@asynccontextmanager
async def crashed(election: Election) -> AsyncIterator[Election]:
    """Runs the election; afterwards it stands still without giving the Lease back."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(election)
        await election.acquired()
        yield election
        assert election._loop is not None
        election._loop.cancel()
        stack.pop_all()


async def test_the_first_takes_the_lease_and_says_who_and_for_how_long(world: World) -> None:
    async with Election(world.client, world.namespace, NAME) as election:
        assert not election.fresh()
        await election.acquired()
        assert election.fresh()
        spec = await spec_of(world)
        assert spec["holderIdentity"] == election.identity
        assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (15, 0)
        assert os.uname().nodename in election.identity
        assert election.identity != Election(world.client, world.namespace, NAME).identity


async def test_the_holder_renews(world: World) -> None:
    async with candidate(world, "first") as election:
        await election.acquired()
        before = await spec_of(world)

        async def renewed() -> bool:
            return bool((await spec_of(world))["renewTime"] > before["renewTime"])

        await eventually(renewed)
        after = await spec_of(world)
        assert (after["acquireTime"], after["leaseTransitions"]) == (before["acquireTime"], 0)


async def test_of_two_only_one_leads_until_it_gives_the_lease_back(world: World) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(candidate(world, "first"))
        await soon(first.acquired())
        async with candidate(world, "second") as second:
            for _ in range(40):
                assert not second.fresh()
                await asyncio.sleep(QUICK.duration / 20)
            assert await holder_of(world) == "first"
            await stack.aclose()
            await soon(second.acquired())
            assert not first.fresh()
            assert (await spec_of(world))["leaseTransitions"] == 1


async def test_a_candidate_that_waits_says_once_for_whom(world: World) -> None:
    with capture_logs() as lines:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(candidate(world, "first"))
            await soon(first.acquired())
            async with candidate(world, "second") as second, asyncio.timeout(PATIENCE):
                before = renewed = (await spec_of(world))["renewTime"]
                while len(lines) < 2 or renewed == before:
                    await asyncio.sleep(QUICK.retry)
                    renewed = (await spec_of(world))["renewTime"]
                await stack.aclose()
                await second.acquired()
    said = [(line["event"], line.get("holder")) for line in lines]
    assert said == [
        ("lease_acquired", "first"),
        ("lease_held", "first"),
        ("lease_released", None),
        ("lease_acquired", "second"),
        ("lease_released", None),
    ]


async def test_a_lease_given_back_names_nobody(world: World) -> None:
    with capture_logs() as lines:
        async with candidate(world, "first") as first:
            await first.acquired()
        assert not first.fresh()
    assert await holder_of(world) == ""
    assert [line["event"] for line in lines] == ["lease_acquired", "lease_released"]


async def test_a_candidate_that_leaves_does_not_touch_the_lease_of_another(world: World) -> None:
    async with candidate(world, "first") as first:
        await first.acquired()
        async with candidate(world, "second"):
            await asyncio.sleep(3 * QUICK.retry)
        assert await holder_of(world) == "first"


async def test_a_dead_holder_is_succeeded_not_before_its_duration_is_over(world: World) -> None:
    async with crashed(candidate(world, "dead")):
        died = steady()
    async with candidate(world, "heir") as heir:
        await soon(heir.acquired())
        assert steady() - died >= QUICK.duration
        assert (await spec_of(world))["leaseTransitions"] == 1


async def test_the_times_that_a_record_claims_do_not_matter(world: World) -> None:
    times = {"past": "2001-01-01T00:00:00.000000Z", "future": "2101-01-01T00:00:00.000000Z", "none": None}

    async def succeed_one_that_claims(name: str, renew_time: str | None) -> None:
        spec = {"holderIdentity": "odd", "leaseDurationSeconds": QUICK.duration, "renewTime": renew_time}
        begun = steady()
        await world.client.create(paths.leases(world.namespace), {"metadata": {"name": name}, "spec": spec})
        async with Election(world.client, world.namespace, name, pace=QUICK) as heir:
            await soon(heir.acquired())
            assert steady() - begun >= QUICK.duration

    await asyncio.gather(*(succeed_one_that_claims(*claim) for claim in times.items()))


async def test_the_duration_that_counts_is_the_holders(world: World) -> None:
    slow = LeaseTimes(duration=3, fresh=2, renew=30, retry=0.1, call=0.4)
    async with crashed(candidate(world, "slow", slow)):
        died = steady()
    async with candidate(world, "heir") as heir:
        await soon(heir.acquired())
        assert steady() - died >= slow.duration


async def test_a_count_of_transitions_at_its_end_keeps_nobody_from_leading(world: World) -> None:
    async with crashed(candidate(world, "first")):
        await change(world, leaseTransitions=2**31 - 1)
    async with candidate(world, "second") as second:
        await soon(second.acquired())
    assert (await spec_of(world))["leaseTransitions"] == 2**31 - 1


async def test_a_label_by_hand_costs_nobody_the_lease(world: World) -> None:
    async with candidate(world, "first") as first:
        await first.acquired()
        for turn in range(10):
            await world.client.patch(path_of(world), {"metadata": {"labels": {"turn": str(turn)}}}, MERGE_PATCH)
            await asyncio.sleep(QUICK.renew / 4)
        lost = asyncio.create_task(first.lost())
        await asyncio.sleep(2 * QUICK.renew)
        assert first.fresh()
        assert not lost.done()
        lost.cancel()


@pytest.mark.parametrize("holder", ["second", ""])
async def test_a_lease_that_another_got_is_lost_and_not_written_again(world: World, holder: str) -> None:
    async with candidate(world, "first") as first:
        await first.acquired()
        await change(world, holderIdentity=holder)
        await soon(first.lost())
        assert not first.fresh()
        version = (await world.client.get(path_of(world)))["metadata"]["resourceVersion"]
        await asyncio.sleep(5 * QUICK.renew)
        assert (await world.client.get(path_of(world)))["metadata"]["resourceVersion"] == version
    assert await holder_of(world) == holder


async def test_a_deleted_lease_is_made_again_by_its_holder(world: World) -> None:
    patient = replace(QUICK, duration=60, fresh=30)  # a holder that a busy machine slows down keeps the Lease
    async with candidate(world, "first", patient) as first:
        await first.acquired()
        async with candidate(world, "second", patient) as second:
            await asyncio.sleep(3 * QUICK.retry)  # so that the second has seen a holder
            await world.client.delete(path_of(world))
            await eventually(lambda: holds(world, "first"))
            assert first.fresh()
            assert not second.fresh()


async def leave_state(world: World) -> None:
    """The ConfigMap that a leader has made before its first call."""
    await world.client.create(paths.config_maps(world.namespace), {"metadata": {"name": f"{NAME}-state"}})


async def test_of_a_leader_and_a_newcomer_that_finds_its_lease_deleted_only_one_may_write(world: World) -> None:
    await leave_state(world)
    seldom = LeaseTimes(duration=3, fresh=2, renew=1.5, retry=0.1, call=0.4)
    async with candidate(world, "first", seldom) as first:
        await first.acquired()
        await world.client.delete(path_of(world))
        async with candidate(world, "second", seldom) as second:
            until = steady() + 2 * seldom.renew
            while steady() < until:
                assert not (first.fresh() and second.fresh())
                await asyncio.sleep(0.02)
            assert first.fresh()
            assert await holder_of(world) == "first"


async def test_a_newcomer_takes_a_deleted_lease_when_its_holder_has_stopped_for_sure(world: World) -> None:
    await leave_state(world)
    async with crashed(candidate(world, "dead")):
        await world.client.delete(path_of(world))
        died = steady()
    async with candidate(world, "heir") as heir:
        await soon(heir.acquired())
        assert steady() - died >= QUICK.duration


async def test_at_a_first_installation_nobody_is_waited_for(world: World) -> None:
    patient = LeaseTimes(duration=3600)
    async with candidate(world, "first", patient) as first:
        await soon(first.acquired())


async def holds(world: World, identity: str) -> bool:
    return await holder_of(world) == identity


async def test_without_the_api_server_the_right_to_write_ends_by_itself_and_comes_back(
    cluster: devcluster.Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Wire(cluster) as wire:
        monkeypatch.setenv("KUBECONFIG", str(wire.kubeconfig))
        async with KubeClient(lambda kind, verb: None) as client:
            with capture_logs() as lines:
                async with Election(client, world.namespace, NAME, identity="first", pace=QUICK) as first:
                    await first.acquired()
                    wire.cut = True
                    wire.drop()
                    await eventually(lambda: not_fresh(first))
                    wire.cut = False
                    await eventually(lambda: fresh(first))
    events = [line["event"] for line in lines]
    assert events[0] == "lease_acquired"
    assert "lease_lost" not in events
    assert 1 <= events.count("call_failed") <= 5  # told when the trouble changes, not at each try


async def fresh(election: Election) -> bool:
    return election.fresh()


async def not_fresh(election: Election) -> bool:
    return not election.fresh()


async def test_a_take_whose_answer_got_lost_is_recognised(world: World) -> None:
    body = {"metadata": {"name": NAME}, "spec": {"holderIdentity": "first", "leaseDurationSeconds": 3600}}
    await world.client.create(paths.leases(world.namespace), body)
    async with candidate(world, "first") as first:
        await soon(first.acquired())
        assert (await spec_of(world)).get("leaseTransitions", 0) == 0


async def test_a_loop_that_fails_is_a_lease_lost(world: World) -> None:
    def broken() -> float:
        raise ZeroDivisionError

    with capture_logs() as lines:
        async with Election(world.client, world.namespace, NAME, pace=QUICK, clock=broken) as election:
            await soon(election.lost())
            assert not election.fresh()
    assert [line["event"] for line in lines] == ["loop_failed"]


@pytest.mark.parametrize(("passed", "may_write"), [(9.9, True), (10.0, False), (60.0, False)])
async def test_the_right_to_write_ends_ten_seconds_after_a_renewal_left(
    world: World, passed: float, may_write: bool
) -> None:
    now = [100.0]
    seldom = LeaseTimes(renew=3600)
    async with Election(world.client, world.namespace, NAME, pace=seldom, clock=lambda: now[0]) as election:
        await election.acquired()
        now[0] += passed
        assert election.fresh() is may_write


async def test_without_election_everybody_is_the_leader() -> None:
    nobody = NoElection()
    await nobody.acquired()
    assert nobody.fresh()
    lost = asyncio.create_task(nobody.lost())
    await asyncio.sleep(0.01)
    assert not lost.done()
    lost.cancel()


@contextmanager
def holder_process(world: World, cluster: devcluster.Cluster) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.kube.lease_holder", world.namespace, NAME, "paused"],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_look(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    look: dict[str, Any] = json.loads(process.stdout.readline())
    return look


async def test_a_process_paused_past_the_deadline_neither_writes_nor_renews(
    cluster: devcluster.Cluster, world: World
) -> None:
    with holder_process(world, cluster) as process:
        while not next_look(process)["fresh"]:
            pass
        os.kill(process.pid, signal.SIGSTOP)
        async with candidate(world, "heir") as heir:
            await soon(heir.acquired())
            woken = steady()
            os.kill(process.pid, signal.SIGCONT)
            looks = [next_look(process)]
            while not looks[-1]["lost"]:
                looks.append(await asyncio.to_thread(next_look, process))
            assert not [look for look in looks if look["at"] >= woken and look["fresh"]]
            assert await holder_of(world) == "heir"
            assert heir.fresh()
            assert (await spec_of(world))["leaseTransitions"] == 1


async def test_a_process_paused_past_the_deadline_goes_on_when_nobody_took_its_place(
    cluster: devcluster.Cluster, world: World
) -> None:
    with holder_process(world, cluster) as process:
        while not next_look(process)["fresh"]:
            pass
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.sleep(QUICK.duration + 0.5)
        woken = steady()
        os.kill(process.pid, signal.SIGCONT)
        after = next_look(process)
        while after["at"] < woken or not after["fresh"]:
            after = await asyncio.to_thread(next_look, process)
        assert not after["lost"]
        assert await holder_of(world) == "paused"
