"""What Argo CD and its like see of the inboxes that a repository asks for: no diff, health, and what a prune leaves.

The manifests are those of `examples/argocd/inboxes/`; the health is that of `argocd/health.lua`, on live objects.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from argocd.generate import GROUP, HERE, KINDS
from tests.argocd.lua import Health, health
from tests.e2e.support.api_server import MANAGER, named
from tests.e2e.support.tenant import eventually
from tests.e2e.support.world import World

REPOSITORY = Path(__file__).parents[2] / "examples" / "argocd" / "inboxes"
NAMESPACE = "outreach"
SCRIPT = (HERE / "health.lua").read_text(encoding="utf-8")
FROM_GIT = ("--server-side", "--force-conflicts", "--field-manager", MANAGER, "-f", str(REPOSITORY))
POOL = "git-pool"
HEALTHY = {"Healthy"}

Raw = dict[str, Any]


@pytest.fixture(scope="module")
def synced(world: World) -> Iterator[World]:
    """The repository, applied once and at peace."""
    with world.operator(COLDSEND_NAMESPACES=NAMESPACE, COLDSEND_LEASE_NAME="git", COLDSEND_DELETE_BRAKE="10"):
        world.server.kubectl("apply", *FROM_GIT)
        eventually(lambda: set(healths(world)) == HEALTHY, "health of the whole repository")
        yield world
        world.server.merge("Namespace", "", NAMESPACE, approval("true"))
        world.server.kubectl("delete", "--ignore-not-found", "--timeout=120s", "-f", str(REPOSITORY))


def approval(value: str | None) -> Raw:
    return {"metadata": {"annotations": {"coldsend.pro/approve-deletion": value}}}


def live(world: World) -> list[Raw]:
    """All objects of both kinds, those that a batch owns too."""
    return [
        each | {"kind": kind, "apiVersion": f"{GROUP}/v1alpha1"}
        for kind in KINDS
        for each in world.server.items(kind, NAMESPACE)
    ]


def healths(world: World) -> list[str]:
    return [health(SCRIPT, each).status for each in live(world)]


def health_of(world: World, name: str) -> Health:
    (found,) = [each for each in live(world) if each["metadata"]["name"] == name]
    return health(SCRIPT, found)


def addresses(world: World) -> set[str]:
    return {inbox["email_address"] for inbox in world.emulator.inboxes()}


def ids_of(world: World, name: str) -> dict[str, str]:
    """The inboxes of a pool, by their addresses."""
    shown = [(inbox["email_address"], inbox["inbox_id"]) for inbox in world.emulator.inboxes()]
    return {address: inbox_id for address, inbox_id in shown if address.startswith(f"{name}-")}


def pool_of(count: int, name: str = POOL, **template: str) -> Raw:
    inboxes = [{"emailAddress": f"{name}-{number}@example.com", "displayName": "Pia"} for number in range(count)]
    smtp = {"passwordSecretRef": {"name": "mailboxes", "key": "olga"}}
    spec = {"template": {"inboxType": "GOOGLE_WORKSPACE", "smtp": smtp, **template}, "inboxes": inboxes}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "SenderAccountBatch", "metadata": metadata, "spec": spec}


def test_that_a_sync_leaves_no_diff_though_the_operator_has_been_at_work(synced: World) -> None:
    compared = synced.server.kubectl("diff", *FROM_GIT, check=False)
    assert (compared.returncode, compared.stdout) == (0, ""), compared.stderr


def test_that_a_second_sync_changes_no_object(synced: World) -> None:
    def versions() -> dict[str, str]:
        """Without those of status, which the operator may write at any time."""
        return {each["metadata"]["name"]: str(each["metadata"]["generation"]) for each in live(synced)}

    before = versions()
    answer = synced.server.kubectl("apply", *FROM_GIT)
    assert "serverside-applied" in answer.stdout
    assert versions() == before


def test_that_the_operator_owns_no_field_of_what_is_in_git_but_its_finalizer_and_status(synced: World) -> None:
    for document in (doc for path in REPOSITORY.glob("*.yaml") for doc in yaml.safe_load_all(path.read_text())):
        if document["kind"] not in KINDS:
            continue
        found = synced.server.get(document["kind"], NAMESPACE, document["metadata"]["name"])
        assert found is not None
        ours = [entry for entry in found["metadata"]["managedFields"] if entry["manager"] != MANAGER]
        fields = {name for entry in ours for name in entry["fieldsV1"]}
        metadata = {name for entry in ours for name in entry["fieldsV1"].get("f:metadata", {})}
        assert fields <= {"f:metadata", "f:status"}
        assert metadata <= {"f:finalizers"}


def test_that_the_config_map_takes_the_scripts_beside_what_it_has(synced: World) -> None:
    server = synced.server
    server.apply(named("Namespace", "", "argocd"))
    server.apply(named("ConfigMap", "argocd", "argocd-cm", data={"url": "https://argocd.example.com"}))
    patched = "--patch-file", str(HERE / "argocd-cm.yaml")
    server.kubectl("patch", "configmap", "argocd-cm", "-n", "argocd", *patched)
    found = server.get("ConfigMap", "argocd", "argocd-cm")
    assert found is not None
    scripts = [found["data"][f"resource.customizations.health.{GROUP}_{kind}"] for kind in KINDS]
    assert (found["data"]["url"], set(scripts)) == ("https://argocd.example.com", {SCRIPT})


def test_that_a_mistake_in_git_is_taken_back_with_the_same_inboxes(synced: World) -> None:
    name = "mistaken"
    synced.server.apply(pool_of(14, name))
    eventually(lambda: health_of(synced, name).status == "Healthy", "health of the pool")
    synced.server.apply(pool_of(1, name))
    eventually(lambda: health_of(synced, name).message.startswith("DeletionHeld: "), "the brake")
    held = ids_of(synced, name)
    assert len(held) > 1

    synced.server.apply(pool_of(14, name, deletionPolicy="Orphan", adoptionPolicy="Adopt"))
    eventually(lambda: health_of(synced, name).status == "Healthy", "health of the pool that came back")
    assert len(ids_of(synced, name)) == 14
    assert held.items() <= ids_of(synced, name).items()


def test_that_a_shorter_list_in_git_is_held_until_the_namespace_approves(synced: World) -> None:
    synced.server.apply(pool_of(14))
    eventually(lambda: health_of(synced, POOL).status == "Healthy", "health of the pool")
    synced.server.apply(pool_of(1))
    eventually(lambda: health_of(synced, POOL).message.startswith("DeletionHeld: "), "the brake")
    assert health_of(synced, POOL).status == "Degraded"
    assert len(ids_of(synced, POOL)) > 1

    synced.server.merge("Namespace", "", NAMESPACE, approval("true"))
    eventually(lambda: set(healths(synced)) == HEALTHY, "the end of the deletions")
    assert set(ids_of(synced, POOL)) == {f"{POOL}-0@example.com"}


def test_that_a_prune_takes_the_inboxes_with_it_or_leaves_them_as_the_object_says(synced: World) -> None:
    synced.server.merge("Namespace", "", NAMESPACE, approval("true"))
    for kind, name in (("senderaccountbatch", "outreach-pool"), ("senderaccount", "olga")):
        synced.server.kubectl("delete", kind, name, "-n", NAMESPACE, "--timeout=60s", "--cascade=foreground")
    left = addresses(synced)
    assert "olga@example.com" in left
    assert left.isdisjoint({"paul@example.com", "quinn@example.com"})
