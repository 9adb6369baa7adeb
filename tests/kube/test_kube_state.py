"""The state ConfigMap: one writer per key, no overwrites of others, few writes."""

import asyncio

import pytest

import devcluster
from coldsend_operator.kube import paths
from coldsend_operator.kube.client import MERGE_PATCH, KubeClient
from coldsend_operator.kube.errors import NotFound, Unreachable
from coldsend_operator.kube.state import StateConflict, StateMap
from tests.kube.support import Wire, World

LEASE = "coldsend-operator"


async def stored(world: World) -> dict[str, str]:
    found = await world.client.get(f"{paths.config_maps(world.namespace)}/{LEASE}-state")
    content: dict[str, str] = found.get("data") or {}
    return content


def state_of(world: World) -> StateMap:
    return StateMap(world.client, world.namespace, LEASE)


async def test_a_missing_map_is_empty_and_reading_does_not_make_it(world: World) -> None:
    assert await state_of(world).load() == {}
    assert world.writes == []


async def test_the_first_save_makes_the_map(world: World) -> None:
    state = state_of(world)
    await state.save("aaaaaaaaaaaa", '{"used": 20}')
    await state.save("aaaaaaaaaaaa", '{"used": 40}')
    assert await stored(world) == {"aaaaaaaaaaaa": '{"used": 40}'}
    assert world.writes == [("ConfigMap", "create"), ("ConfigMap", "patch")]
    assert await state_of(world).load() == {"aaaaaaaaaaaa": '{"used": 40}'}


async def test_keys_of_other_writers_stay(world: World) -> None:
    ours, theirs = state_of(world), state_of(world)
    await asyncio.gather(ours.load(), theirs.load())
    for turn in range(3):
        await ours.save("ours", str(turn))
        await theirs.save("theirs", str(turn))
    assert await stored(world) == {"ours": "2", "theirs": "2"}


async def test_two_who_make_the_map_at_once_both_get_through(world: World) -> None:
    ours, theirs = state_of(world), state_of(world)
    await asyncio.gather(ours.load(), theirs.load())
    await asyncio.gather(ours.save("ours", "1"), theirs.save("theirs", "1"))
    assert await stored(world) == {"ours": "1", "theirs": "1"}


async def test_another_writer_of_the_same_key_is_a_conflict_for_that_key_alone(world: World) -> None:
    ours, theirs = state_of(world), state_of(world)
    await ours.save("shared", "1")
    await theirs.load()
    await theirs.save("shared", "2")
    results = await asyncio.gather(ours.save("shared", "3"), ours.save("mine", "4"), return_exceptions=True)
    assert isinstance(results[0], StateConflict)
    assert results[0].key == "shared"
    assert results[1] is None
    assert await stored(world) == {"shared": "2", "mine": "4"}


async def test_a_conflict_stays_until_the_map_is_read_again(world: World) -> None:
    ours, theirs = state_of(world), state_of(world)
    await ours.save("shared", "1")
    await theirs.load()
    await theirs.save("shared", "2")
    for _ in range(2):
        with pytest.raises(StateConflict):
            await ours.save("shared", "3")
    assert await ours.load() == {"shared": "2"}
    await ours.save("shared", "3")
    assert await stored(world) == {"shared": "3"}


async def test_a_conflict_is_seen_although_another_key_is_written_in_between(world: World) -> None:
    ours, theirs = state_of(world), state_of(world)
    await asyncio.gather(ours.save("a", "1"), ours.save("b", "1"))
    await theirs.load()
    await theirs.save("b", "2")
    await ours.save("a", "2")
    with pytest.raises(StateConflict):
        await ours.save("b", "3")
    assert await stored(world) == {"a": "2", "b": "2"}


async def test_saves_that_come_together_go_in_one_write(world: World) -> None:
    state = state_of(world)
    await state.load()
    await asyncio.gather(*(state.save(f"key-{number}", "x") for number in range(20)))
    assert len(await stored(world)) == 20
    assert world.writes == [("ConfigMap", "create")]


async def test_the_newest_text_of_a_key_wins_and_all_who_wait_return(world: World) -> None:
    state = state_of(world)
    await state.load()
    await asyncio.gather(*(state.save("key", str(number)) for number in range(20)))
    assert await stored(world) == {"key": "19"}
    assert len(world.writes) == 1


async def test_a_label_by_hand_is_no_conflict(world: World) -> None:
    state = state_of(world)
    await state.save("key", "1")
    path = f"{paths.config_maps(world.namespace)}/{state.name}"
    await world.client.patch(path, {"metadata": {"labels": {"team": "blue"}}}, MERGE_PATCH)
    await state.save("key", "2")
    assert await stored(world) == {"key": "2"}


async def test_a_map_deleted_by_hand_is_made_again_with_all_that_is_known(world: World) -> None:
    state = state_of(world)
    await asyncio.gather(state.save("a", "1"), state.save("b", "1"))
    await world.client.delete(f"{paths.config_maps(world.namespace)}/{state.name}")
    await state.save("a", "2")
    assert await stored(world) == {"a": "2", "b": "1"}


async def test_a_write_whose_answer_got_lost_is_no_conflict_with_ourselves(
    cluster: devcluster.Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Wire(cluster) as wire:
        monkeypatch.setenv("KUBECONFIG", str(wire.kubeconfig))
        async with KubeClient(lambda kind, verb: None) as client:
            state = StateMap(client, world.namespace, LEASE)
            await state.save("key", "1")
            wire.mute = True
            lost = asyncio.create_task(state.save("key", "2"))
            while await stored(world) != {"key": "2"}:  # noqa: ASYNC110 - the API server tells
                await asyncio.sleep(0.02)
            wire.drop()
            with pytest.raises(Unreachable):
                await lost
            wire.mute = False
            await state.save("key", "3")
    assert await stored(world) == {"key": "3"}


async def test_without_its_namespace_all_who_wait_are_told(world: World) -> None:
    state = StateMap(world.client, f"{world.namespace}-missing", LEASE)
    results = await asyncio.gather(state.save("a", "1"), state.save("b", "1"), return_exceptions=True)
    assert [type(result) for result in results] == [NotFound, NotFound]


async def test_a_waiter_that_gives_up_spoils_nothing(world: World) -> None:
    state = state_of(world)
    await state.load()
    waiter = asyncio.create_task(state.save("key", "1"))
    await asyncio.sleep(0)
    waiter.cancel()
    await state.save("key", "2")
    assert await stored(world) == {"key": "2"}
