"""The intent mark on a real API server: whose it is, since when, and how it goes (safety.md, 2 and 4)."""

import asyncio
import json
from contextlib import suppress

import pytest

import devcluster
from coldsend_operator.kube import paths
from coldsend_operator.kube.client import MERGE_PATCH, Conflict, Invalid, NotFound, Ref
from coldsend_operator.kube.finalizers import _apply, has_finalizer, mark, mark_of, unmark
from coldsend_operator.resources.names import FINALIZER
from tests.kube.support import World, eventually, kubectl

OTHER = "example.com/other"
SECOND = 1.05  # managedFields count whole seconds


async def test_a_new_object_has_no_mark(world: World) -> None:
    metadata = await world.metadata(await world.account())
    assert (has_finalizer(metadata), mark_of(metadata)) == (False, None)


async def test_a_mark_says_since_when_it_stands(world: World) -> None:
    ref = await world.account()
    put = await mark(world.client, ref)
    metadata = await world.metadata(ref)
    assert metadata["finalizers"] == [FINALIZER]
    assert (mark_of(metadata), metadata["resourceVersion"]) == (put.since, put.resource_version)
    assert world.writes[-1:] == [("SenderAccount", "patch")]


async def test_a_second_mark_keeps_the_time_of_the_first_and_writes_nothing(world: World) -> None:
    ref = await world.account()
    first = await mark(world.client, ref)
    await asyncio.sleep(SECOND)
    assert await mark(world.client, ref) == first


async def test_a_mark_keeps_its_time_when_others_edit_the_object(world: World) -> None:
    ref = await world.account()
    first = await mark(world.client, ref)
    await asyncio.sleep(SECOND)
    await world.edit(ref, {"labels": {"team": "blue"}, "finalizers": [FINALIZER, OTHER]})
    assert (await mark(world.client, ref)).since == first.since


async def test_a_mark_makes_no_object_anew(world: World) -> None:
    ref = await world.account()
    await world.client.delete(ref.path)
    with pytest.raises(NotFound):
        await mark(world.client, ref)
    with pytest.raises(NotFound):
        await world.metadata(ref)


async def test_a_mark_does_not_land_on_a_later_object_of_the_same_name(world: World) -> None:
    old = await world.account()
    new = await world.account_anew(old)
    with pytest.raises(Conflict):
        await mark(world.client, old)
    assert not has_finalizer(await world.metadata(new))


async def test_an_object_in_deletion_cannot_be_marked(world: World) -> None:
    ref = await world.account("john", finalizers=[OTHER])
    await world.client.delete(ref.path)
    with pytest.raises(Invalid):
        await mark(world.client, ref)
    await world.edit(ref, {"finalizers": None})


@pytest.mark.parametrize("manager", ["kubectl", "argocd-controller"])
async def test_a_finalizer_that_another_put_there_is_no_mark_until_we_mark(world: World, manager: str) -> None:
    ref = await world.account()
    await world.edit(ref, {"finalizers": [FINALIZER]}, manager)
    metadata = await world.metadata(ref)
    assert (has_finalizer(metadata), mark_of(metadata)) == (True, None)
    put = await mark(world.client, ref)
    assert mark_of(await world.metadata(ref)) == put.since


async def test_a_copied_manifest_brings_no_mark(cluster: devcluster.Cluster, world: World) -> None:
    ref = await world.account()
    await mark(world.client, ref)
    copy = await world.client.get(ref.path)
    await unmark(world.client, ref)
    await world.client.delete(ref.path)
    copy["metadata"] = {key: copy["metadata"][key] for key in ("name", "namespace", "finalizers")}
    kubectl(cluster, "create", "-f", "-", given=json.dumps(copy))
    metadata = await world.metadata(ref)
    assert (has_finalizer(metadata), mark_of(metadata)) == (True, None)


async def test_a_restore_with_the_old_managed_fields_brings_no_mark_and_is_marked_anew(world: World) -> None:
    ref = await world.account()
    old = await mark(world.client, ref)
    backup = await world.client.get(ref.path)
    await unmark(world.client, ref)
    await world.client.delete(ref.path)
    await asyncio.sleep(SECOND)
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        del backup["metadata"][field]
    fields = backup["metadata"].pop("managedFields")
    made = await world.client.create(
        paths.collection("SenderAccount", world.namespace), backup, {"fieldManager": "velero"}
    )
    copied = await world.client.patch(ref.path, {"metadata": {"managedFields": fields}}, MERGE_PATCH)
    assert "Apply" in {entry["operation"] for entry in copied["metadata"]["managedFields"]}
    assert mark_of(copied["metadata"]) is None
    restored = Ref("SenderAccount", ref.namespace, ref.name, made["metadata"]["uid"])
    put = await mark(world.client, restored)
    assert put.since > old.since
    assert world.writes.count(("SenderAccount", "patch")) == 6  # mark, unmark, the restore's, three to mark anew
    assert (await world.metadata(restored))["finalizers"] == [FINALIZER]
    assert mark_of(await world.metadata(restored)) == put.since


async def test_a_replace_wipes_the_mark_and_it_can_be_put_again(cluster: devcluster.Cluster, world: World) -> None:
    ref = await world.account()
    first = await mark(world.client, ref)
    kubectl(cluster, "replace", "-f", "-", given=json.dumps(world.manifest(ref.name)))
    metadata = await world.metadata(ref)
    assert (has_finalizer(metadata), mark_of(metadata)) == (False, None)
    await asyncio.sleep(SECOND)
    assert (await mark(world.client, ref)).since > first.since


@pytest.mark.parametrize("others", [[], [OTHER], [OTHER, "example.com/second"]])
async def test_unmark_takes_our_finalizer_and_no_other(world: World, others: list[str]) -> None:
    ref = await world.account("john", finalizers=others)
    await mark(world.client, ref)
    await unmark(world.client, ref)
    assert (await world.metadata(ref)).get("finalizers", []) == others


async def test_unmark_takes_our_finalizer_whoever_put_it_there(world: World) -> None:
    ref = await world.account("john", finalizers=[OTHER, FINALIZER])
    await unmark(world.client, ref)
    assert (await world.metadata(ref))["finalizers"] == [OTHER]


async def test_unmark_takes_what_a_crash_amid_a_renewal_left(world: World) -> None:
    ref = await world.account("john", finalizers=[OTHER])
    await _apply(world.client, ref, FINALIZER, f"{FINALIZER}-renewal")
    assert mark_of(await world.metadata(ref)) is not None
    await unmark(world.client, ref)
    assert (await world.metadata(ref))["finalizers"] == [OTHER]


async def test_unmark_lets_an_object_in_deletion_go(world: World) -> None:
    ref = await world.account()
    await mark(world.client, ref)
    await world.client.delete(ref.path)
    await unmark(world.client, ref)
    with pytest.raises(NotFound):
        await world.metadata(ref)


async def test_unmark_of_what_is_not_there_changes_nothing(world: World) -> None:
    ref = await world.account()
    await unmark(world.client, ref)
    new = await world.account_anew(ref)
    await mark(world.client, new)
    before = await world.metadata(new)
    await unmark(world.client, ref)
    await unmark(world.client, Ref("SenderAccount", world.namespace, "nobody", ref.uid))
    assert await world.metadata(new) == before


async def test_unmark_takes_only_ours_while_others_change_the_list(world: World) -> None:
    ref = await world.account()
    await mark(world.client, ref)
    done = asyncio.Event()

    async def others_come_and_go() -> None:
        for turn in range(12):
            metadata = await world.metadata(ref)
            ours = [name for name in metadata.get("finalizers", []) if name == FINALIZER]
            wanted = {"finalizers": [f"example.com/{turn}", *ours], "resourceVersion": metadata["resourceVersion"]}
            with suppress(Conflict):
                await world.edit(ref, wanted)
        done.set()

    await asyncio.gather(others_come_and_go(), unmark(world.client, ref))
    await eventually(lambda: _finalizers_are_foreign(world, ref))
    assert done.is_set()


async def _finalizers_are_foreign(world: World, ref: Ref) -> bool:
    names = (await world.metadata(ref)).get("finalizers", [])
    return names != [] and FINALIZER not in names


ENTRY = {
    "manager": "coldsend-operator",
    "operation": "Apply",
    "time": "2026-11-24T03:00:00Z",
    "fieldsV1": {"f:metadata": {"f:finalizers": {f'v:"{FINALIZER}"': {}}}},
}
METADATA = {"creationTimestamp": "2026-11-24T02:00:00Z", "finalizers": [FINALIZER], "managedFields": [ENTRY]}


@pytest.mark.parametrize(
    ("change", "since"),
    [
        ({}, 1795489200.0),
        ({"managedFields": [{**ENTRY, "operation": "Update"}]}, 1795489200.0),
        ({"managedFields": [{**ENTRY, "operation": "Update", "time": "2026-11-24T05:00:00Z"}, ENTRY]}, 1795489200.0),
        ({"finalizers": []}, None),
        ({"finalizers": None}, None),
        ({"managedFields": None}, None),
        ({"managedFields": [{**ENTRY, "manager": "kubectl"}]}, None),
        ({"managedFields": [{**ENTRY, "manager": "coldsend-operator-batch"}]}, None),
        ({"managedFields": [{**ENTRY, "subresource": "status"}]}, None),
        ({"managedFields": [{**ENTRY, "fieldsV1": {"f:spec": {}}}]}, None),
        ({"managedFields": [{**ENTRY, "fieldsV1": {"f:metadata": {"f:finalizers": {'v:"x"': {}}}}}]}, None),
        ({"managedFields": [{key: ENTRY[key] for key in ENTRY if key != "time"}]}, None),
        ({"creationTimestamp": "2026-11-24T03:00:01Z"}, None),
        ({"creationTimestamp": "2026-11-24T03:00:00Z"}, 1795489200.0),
        ({"creationTimestamp": None}, None),
    ],
)
def test_the_mark_is_read_from_the_managed_fields(change: dict[str, object], since: float | None) -> None:
    assert mark_of({**METADATA, **change}) == since
