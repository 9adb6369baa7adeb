"""Our finalizers on a real API server: whose they are, what goes with what, and how they go (rules 2, 4 and 39)."""

import asyncio
import json
from contextlib import suppress

import pytest

import devcluster
from coldsend_operator.core.model.create_marks import CreateMarks
from coldsend_operator.kube.errors import Conflict, Invalid, NotFound
from coldsend_operator.kube.finalizers import (
    MAX_KEPT,
    add_finalizers,
    has_finalizer,
    own_finalizers,
    remove_finalizers,
)
from coldsend_operator.kube.paths import Ref
from coldsend_operator.resources.names import FINALIZER
from tests.kube.support import World, eventually, kubectl

OTHER = "example.com/other"
MARKS = CreateMarks(b"key")
FORGED = ("coldsend.pro/creating.1700000000.00", "coldsend.pro/creating.yesterday")


def text(ref: Ref, since: float = 1_700_000_000.0) -> str:
    return MARKS.text(ref.uid, since)


async def test_a_new_object_has_no_finalizer(world: World) -> None:
    metadata = await world.metadata(await world.account())
    assert (has_finalizer(metadata), own_finalizers(metadata)) == (False, ())


async def test_a_create_mark_stands_beside_the_finalizer_after_one_write(world: World) -> None:
    ref = await world.account()
    put = await add_finalizers(world.client, ref, text(ref))
    metadata = await world.metadata(ref)
    assert set(metadata["finalizers"]) == {FINALIZER, text(ref)}
    assert (own_finalizers(metadata), metadata["resourceVersion"]) == (put.finalizers, put.resource_version)
    assert MARKS.times(ref.uid, put.finalizers) == [1_700_000_000.0]
    assert world.writes[-1:] == [("SenderAccount", "patch")]


async def test_a_new_mark_replaces_the_old_one_in_one_write(world: World) -> None:
    ref = await world.account()
    await add_finalizers(world.client, ref, text(ref))
    new = text(ref, 1_700_000_300.0)
    put = await add_finalizers(world.client, ref, new)
    assert set((await world.metadata(ref))["finalizers"]) == set(put.finalizers) == {FINALIZER, new}


async def test_the_finalizer_alone_takes_the_mark_away(world: World) -> None:
    ref = await world.account()
    await add_finalizers(world.client, ref, text(ref))
    assert (await add_finalizers(world.client, ref)).finalizers == (FINALIZER,)


async def test_the_same_mark_once_more_changes_nothing(world: World) -> None:
    ref = await world.account()
    first = await add_finalizers(world.client, ref, text(ref))
    assert await add_finalizers(world.client, ref, text(ref)) == first


async def test_a_mark_stays_when_others_edit_the_object(world: World) -> None:
    ref = await world.account()
    put = await add_finalizers(world.client, ref, text(ref))
    await world.edit(ref, {"labels": {"team": "blue"}, "finalizers": [*put.finalizers, OTHER]})
    assert set((await world.metadata(ref))["finalizers"]) == {FINALIZER, text(ref), OTHER}


async def test_a_mark_makes_no_object_again(world: World) -> None:
    ref = await world.account()
    await world.client.delete(ref.path)
    with pytest.raises(NotFound):
        await add_finalizers(world.client, ref)
    with pytest.raises(NotFound):
        await world.metadata(ref)


async def test_a_mark_does_not_land_on_a_later_object_of_the_same_name(world: World) -> None:
    old = await world.account()
    new = await world.account_again(old)
    with pytest.raises(Conflict):
        await add_finalizers(world.client, old)
    assert not has_finalizer(await world.metadata(new))


async def test_an_object_in_deletion_cannot_be_marked(world: World) -> None:
    ref = await world.account("john", finalizers=[OTHER])
    await world.client.delete(ref.path)
    with pytest.raises(Invalid):
        await add_finalizers(world.client, ref)
    await world.edit(ref, {"finalizers": None})


async def test_a_mark_of_a_copied_manifest_is_not_valid_for_the_copy(cluster: devcluster.Cluster, world: World) -> None:
    ref = await world.account()
    await add_finalizers(world.client, ref, text(ref))
    copy = await world.client.get(ref.path)
    await remove_finalizers(world.client, ref)
    await world.client.delete(ref.path)
    copy["metadata"] = {key: copy["metadata"][key] for key in ("name", "namespace", "finalizers")}
    kubectl(cluster, "create", "-f", "-", given=json.dumps(copy))
    metadata = await world.metadata(ref)
    finalizers = own_finalizers(metadata)
    assert (len(finalizers), MARKS.times(metadata["uid"], finalizers)) == (2, [])


async def test_a_replace_wipes_the_mark_and_it_can_be_put_again(cluster: devcluster.Cluster, world: World) -> None:
    ref = await world.account()
    put = await add_finalizers(world.client, ref, text(ref))
    kubectl(cluster, "replace", "-f", "-", given=json.dumps(world.manifest(ref.name)))
    assert own_finalizers(await world.metadata(ref)) == ()
    assert set((await add_finalizers(world.client, ref, text(ref))).finalizers) == set(put.finalizers)


@pytest.mark.parametrize("others", [[], [OTHER], [OTHER, "example.com/second"]])
async def test_a_removal_takes_our_finalizer_and_no_other(world: World, others: list[str]) -> None:
    ref = await world.account("john", finalizers=others)
    await add_finalizers(world.client, ref, text(ref))
    await remove_finalizers(world.client, ref)
    assert (await world.metadata(ref)).get("finalizers", []) == others


async def test_a_removal_takes_nothing_from_a_later_object_of_the_same_name(world: World) -> None:
    old = await world.account()
    new = await world.account_again(old)
    await add_finalizers(world.client, new)
    await remove_finalizers(world.client, old)
    assert has_finalizer(await world.metadata(new))


async def test_a_removal_takes_our_finalizer_whoever_added_it(world: World) -> None:
    ref = await world.account("john", finalizers=[OTHER, FINALIZER])
    await remove_finalizers(world.client, ref)
    assert (await world.metadata(ref))["finalizers"] == [OTHER]


async def test_a_removal_takes_known_finalizers_in_one_write(world: World) -> None:
    ref = await world.account()
    put = await add_finalizers(world.client, ref, text(ref))
    before = len(world.writes)
    await remove_finalizers(world.client, ref, put.finalizers)
    assert (await world.metadata(ref)).get("finalizers") is None
    assert len(world.writes) == before + 1


@pytest.mark.parametrize("known", [(), (FINALIZER,), FORGED], ids=["nothing", "plain", "wrong"])
async def test_a_removal_takes_forged_marks_too_whatever_was_known(world: World, known: tuple[str, ...]) -> None:
    ref = await world.account("john", finalizers=[OTHER, *FORGED])
    await add_finalizers(world.client, ref, text(ref))
    await remove_finalizers(world.client, ref, known)
    assert (await world.metadata(ref))["finalizers"] == [OTHER]


async def test_a_removed_finalizer_releases_an_object_in_deletion(world: World) -> None:
    ref = await world.account()
    await add_finalizers(world.client, ref)
    await world.client.delete(ref.path)
    await remove_finalizers(world.client, ref)
    with pytest.raises(NotFound):
        await world.metadata(ref)


async def test_removing_a_missing_finalizer_changes_nothing(world: World) -> None:
    ref = await world.account()
    await remove_finalizers(world.client, ref)
    new = await world.account_again(ref)
    await add_finalizers(world.client, new)
    before = await world.metadata(new)
    await remove_finalizers(world.client, ref)
    await remove_finalizers(world.client, Ref("SenderAccount", world.namespace, "nobody", ref.uid))
    assert await world.metadata(new) == before


async def test_a_removal_takes_only_ours_while_others_change_the_list(world: World) -> None:
    ref = await world.account()
    await add_finalizers(world.client, ref)
    done = asyncio.Event()

    async def others_come_and_go() -> None:
        for turn in range(12):
            metadata = await world.metadata(ref)
            ours = [name for name in metadata.get("finalizers", []) if name == FINALIZER]
            wanted = {"finalizers": [f"example.com/{turn}", *ours], "resourceVersion": metadata["resourceVersion"]}
            with suppress(Conflict):
                await world.edit(ref, wanted)
        done.set()

    await asyncio.gather(others_come_and_go(), remove_finalizers(world.client, ref))
    await eventually(lambda: _finalizers_are_foreign(world, ref))
    assert done.is_set()


async def _finalizers_are_foreign(world: World, ref: Ref) -> bool:
    names = (await world.metadata(ref)).get("finalizers", [])
    return names != [] and FINALIZER not in names


async def test_a_mark_counts_as_put_also_behind_many_others(world: World) -> None:
    ref = await world.account("john", finalizers=[f"coldsend.pro/creating.{number}.00" for number in range(20)])
    put = await add_finalizers(world.client, ref, text(ref))
    assert {FINALIZER, text(ref)} <= set(put.finalizers)
    await remove_finalizers(world.client, ref, put.finalizers)
    assert (await world.metadata(ref)).get("finalizers") is None


def test_who_adds_many_marks_makes_only_a_few_of_them_known() -> None:
    many = [f"coldsend.pro/creating.{number}.00" for number in range(100)]
    assert own_finalizers({"finalizers": [OTHER, FINALIZER, *many]}) == (FINALIZER, *many[: MAX_KEPT - 1])
    assert own_finalizers({"finalizers": None}) == ()
