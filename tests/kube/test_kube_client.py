"""Raw calls: their results, repetition and counting."""

import json
import subprocess
import sys

import pytest

import devcluster
from coldsend_operator.kube import paths
from coldsend_operator.kube.client import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, KubeClient
from coldsend_operator.kube.errors import Conflict, Invalid, NotFound, StaleLease, Unreachable
from coldsend_operator.kube.paths import Ref
from coldsend_operator.kube.reads import METADATA, METADATA_LIST
from tests.kube.support import Wire, World


async def test_an_object_that_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFound) as error:
        await world.client.get(Ref("SenderAccount", world.namespace, "nobody", "").path)
    assert (error.value.status, error.value.reason) == (404, "NotFound")


async def test_a_kind_that_is_not_installed_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.client.get("/apis/coldsend.pro/v1alpha1/pigeons")


async def test_no_write_passes_a_closed_fence_but_those_of_the_lease(world: World) -> None:
    ref = await world.account("john")
    leases = paths.leases(world.namespace)
    world.client.write_guard.may_write = lambda: False
    with pytest.raises(StaleLease):
        await world.account("ann")
    with pytest.raises(StaleLease):
        await world.client.beside(1).patch(ref.path, {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH)
    with pytest.raises(StaleLease):
        await world.client.delete(ref.path)
    await world.client.create(leases, {"metadata": {"name": "mine"}}, urgent=True)
    listed = await world.client.get(paths.collection("SenderAccount", world.namespace))
    assert [item["metadata"]["name"] for item in listed["items"]] == ["john"]
    assert "labels" not in listed["items"][0]["metadata"]


async def test_a_second_create_is_a_conflict(world: World) -> None:
    await world.account("john")
    with pytest.raises(Conflict):
        await world.account("john")


async def test_a_refused_object_is_invalid_and_says_why(world: World) -> None:
    manifest = world.manifest("john")
    manifest["spec"]["inboxType"] = "PIGEON"
    with pytest.raises(Invalid, match="inboxType") as error:
        await world.client.create(paths.collection("SenderAccount", world.namespace), manifest)
    assert "\n" not in error.value.message


async def test_an_answer_can_be_asked_for_as_metadata_alone(world: World) -> None:
    ref = await world.account()
    answer = await world.client.get(ref.path, accept=METADATA)
    assert (answer["metadata"]["uid"], "spec" in answer) == (ref.uid, False)


async def test_a_list_comes_in_pages(world: World) -> None:
    names = {f"inbox-{number}" for number in range(7)}
    for name in names:
        await world.account(name)
    listing = world.client.list_pages(paths.collection("SenderAccount", world.namespace), 3, accept=METADATA_LIST)
    pages = [page["items"] async for page in listing]
    assert [len(items) for items in pages] == [3, 3, 1]
    assert {item["metadata"]["name"] for items in pages for item in items} == names


async def test_every_write_is_counted_and_no_read_is(world: World) -> None:
    ref = await world.account()
    await world.client.get(ref.path)
    await world.client.patch(ref.path, {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH)
    await world.client.patch(f"{ref.path}/status", [], JSON_PATCH)
    await world.client.patch(ref.path, world.manifest(ref.name), APPLY_PATCH, {"fieldManager": "x", "force": "true"})
    stored = await world.client.get(ref.path)
    await world.client.replace(ref.path, stored)
    await world.client.delete(ref.path)
    assert world.writes == [
        ("SenderAccount", verb) for verb in ("create", "patch", "patch", "patch", "update", "delete")
    ]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (paths.collection("SenderAccount", None), "SenderAccount"),
        (paths.collection("SenderAccountBatch", "sales"), "SenderAccountBatch"),
        (f"{Ref('SenderAccount', 'sales', 'john', '').path}/status", "SenderAccount"),
        (paths.events("sales"), "Event"),
        (f"{paths.leases('sales')}/coldsend-operator", "Lease"),
        (f"{paths.config_maps('sales')}/coldsend-operator-state", "ConfigMap"),
        (paths.secrets("sales"), "Secret"),
        (paths.namespace_path("sales"), "Namespace"),
        ("/api/v1/namespaces", "Namespace"),
        ("/apis/example.com/v1/pigeons/one", "pigeons"),
    ],
)
def test_a_path_says_which_kind_it_is_about(path: str, kind: str) -> None:
    assert paths.kind_of(path) == kind


async def test_the_clock_of_the_api_server_on_this_machine_is_ours(world: World) -> None:
    await world.client.get(paths.namespace_path(world.namespace))
    assert abs(world.client.clock_offset) <= 1


async def test_a_read_survives_connections_that_die(
    cluster: devcluster.Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await world.account()
    async with Wire(cluster) as wire:
        monkeypatch.setenv("KUBECONFIG", str(wire.kubeconfig))
        async with KubeClient(lambda kind, verb: None) as client:
            await client.get(ref.path)
            wire.drop()
            assert (await client.get(ref.path))["metadata"]["uid"] == ref.uid


async def test_no_connection_is_unreachable_and_names_no_credentials(
    cluster: devcluster.Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Wire(cluster) as wire:
        wire.cut = True
        monkeypatch.setenv("KUBECONFIG", str(wire.kubeconfig))
        async with KubeClient(lambda kind, verb: None) as client:
            with pytest.raises(Unreachable) as error:
                await client.get(paths.namespace_path(world.namespace))
    assert error.value.status is None
    assert str(cluster.admin_token) not in repr(error.value) + repr(error.value.__cause__)


def test_neither_models_nor_api_classes_are_loaded() -> None:
    program = """
import json, pkgutil, sys
import coldsend_operator.kube as kube
for module in pkgutil.iter_modules(kube.__path__):
    __import__(f"coldsend_operator.kube.{module.name}")
print(json.dumps([name for name in sys.modules if name.startswith("kubernetes.")]))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    heavy = [name for name in json.loads(done.stdout) if ".models." in name or ".client.api." in name]
    assert heavy == []
