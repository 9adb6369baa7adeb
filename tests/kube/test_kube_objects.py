"""The list at start, children of a batch, namespaces: small calls on a real API server."""

from uuid import uuid4

import pytest

from coldsend_operator.kube.errors import Conflict, Invalid, NotFound
from coldsend_operator.kube.objects import BATCH_FIELD_MANAGER, apply_child, change_object, delete_object, list_versions
from coldsend_operator.kube.paths import Ref
from tests.kube.support import World


async def test_the_list_at_start_names_each_object_by_its_uid(world: World) -> None:
    refs = [await world.account(name) for name in ("john", "jane", "jim")]
    found = await list_versions(world.client, "SenderAccount", (world.namespace,), "")
    assert set(found.versions) == {ref.uid for ref in refs}
    assert all(version > 0 for version in found.versions.values())


async def test_the_list_at_start_goes_over_the_watched_namespaces_only(world: World) -> None:
    second = f"{world.namespace}-b"
    third = f"{world.namespace}-c"
    await world.make_namespace(second)
    await world.make_namespace(third)
    refs = [
        await world.account("john"),
        await world.account("john", namespace=second),
        await world.account("john", namespace=third),
    ]
    found = await list_versions(world.client, "SenderAccount", (world.namespace, second), "")
    assert set(found.versions) == {refs[0].uid, refs[1].uid}
    everywhere = await list_versions(world.client, "SenderAccount", (), "")
    assert {ref.uid for ref in refs} <= set(everywhere.versions)


async def test_the_list_at_start_keeps_to_its_shard(world: World) -> None:
    await world.account("john", labels={"shard": "a"})
    ref = await world.account("jane", labels={"shard": "b"})
    found = await list_versions(world.client, "SenderAccount", (world.namespace,), "shard in (b,c)")
    assert set(found.versions) == {ref.uid}


async def test_a_child_is_made_and_a_second_apply_changes_nothing(world: World) -> None:
    manifest = world.manifest("pool-john", labels={"coldsend.pro/batch": "pool"})
    made = await apply_child(world.client, manifest)
    before = await apply_child(world.client, manifest)  # stores the default of status, as no operator writes one here
    again = await apply_child(world.client, manifest)
    assert made["spec"] == manifest["spec"]
    assert before["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]
    assert {entry["manager"] for entry in made["metadata"]["managedFields"]} == {BATCH_FIELD_MANAGER}


async def test_a_child_has_every_character_of_its_batch(world: World) -> None:
    note = {"note": '\U0001f469\u200d\U0001f467 \x7f\x85\u2028\ufeff\uffff \\ud83d " é'}
    manifest = world.manifest("pool-john", annotations=note)
    manifest["spec"]["displayName"] = "Ann \U0001f469\u200d\U0001f467"
    made = await apply_child(world.client, manifest)
    assert (made["spec"], made["metadata"]["annotations"]) == (manifest["spec"], note)


async def test_an_edit_of_a_child_by_hand_is_reset_and_other_fields_stay(world: World) -> None:
    manifest = world.manifest("pool-john", labels={"coldsend.pro/batch": "pool"})
    made = await apply_child(world.client, manifest)
    ref = Ref("SenderAccount", world.namespace, "pool-john", made["metadata"]["uid"])
    await world.edit(ref, {"labels": {"coldsend.pro/batch": "stolen", "team": "blue"}})
    reset = await apply_child(world.client, manifest)
    assert reset["metadata"]["labels"] == {"coldsend.pro/batch": "pool", "team": "blue"}


async def test_a_child_with_a_uid_is_not_made_again(world: World) -> None:
    with pytest.raises(Conflict):
        await apply_child(world.client, world.manifest("pool-john", uid=str(uuid4())))


async def test_the_very_object_is_deleted(world: World) -> None:
    ref = await world.account()
    await delete_object(world.client, ref)
    with pytest.raises(NotFound):
        await world.metadata(ref)
    await delete_object(world.client, ref)


async def test_a_later_object_of_the_same_name_is_not_deleted(world: World) -> None:
    ref = await world.account()
    new = await world.account_again(ref)
    await delete_object(world.client, ref)
    assert (await world.metadata(new))["uid"] == new.uid


async def test_a_later_object_of_the_same_name_is_not_changed(world: World) -> None:
    ref = await world.account()
    new = await world.account_again(ref)
    label = {"op": "add", "path": "/metadata/labels", "value": {"team": "blue"}}
    with pytest.raises(Invalid):
        await change_object(world.client, ref, [label])
    assert "labels" not in await world.metadata(new)
    changed = await change_object(world.client, new, [label])
    assert changed is not None
    assert changed["metadata"]["labels"] == {"team": "blue"}


async def test_an_object_that_changed_since_is_not_deleted(world: World) -> None:
    ref = await world.account()
    version = (await world.metadata(ref))["resourceVersion"]
    await world.edit(ref, {"labels": {"team": "blue"}})
    with pytest.raises(Conflict):
        await delete_object(world.client, ref, version)
    await delete_object(world.client, ref, (await world.metadata(ref))["resourceVersion"])


async def test_a_namespace_shows_its_annotations_and_its_end(world: World) -> None:
    ref = await world.account("john", finalizers=["example.com/stay"])
    path = f"/api/v1/namespaces/{world.namespace}"
    annotations = {"coldsend.pro/approve-deletion": "true"}
    await world.client.patch(path, {"metadata": {"annotations": annotations}}, "application/merge-patch+json")
    before = await world.client.find(path)
    await world.client.delete(path)
    after = await world.client.find(path)
    assert before is not None
    assert after is not None
    assert (before["metadata"]["annotations"], before["status"]["phase"]) == (annotations, "Active")
    assert (after["metadata"]["annotations"], after["status"]["phase"]) == (annotations, "Terminating")
    assert await world.client.find(f"{path}-missing") is None
    await world.edit(ref, {"finalizers": None})
