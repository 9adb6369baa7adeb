"""`helm install`, `upgrade` and `uninstall` on a real API server, with the operator at work on objects of a release."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from tests.chart.installed import install, upgrade, values
from tests.chart.support import CRDS, RELEASE, Helm, HelmError, Object
from tests.e2e.batches.pool import Pool
from tests.e2e.support.tenant import Tenant, opened_tenant
from tests.e2e.support.world import World, opened_world
from tests.kube.support import established

MANY = tuple(f"seller-{number:02}" for number in range(30))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A control plane that knows nothing of us."""
    with devcluster.control_plane() as plane, opened_world(plane, tmp_path) as opened:
        yield opened


def _key(tenant: Tenant) -> Path:
    path = tenant.world.folder / "key"
    path.write_text(tenant.key)
    return path


def _crds(world: World) -> list[Object]:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    return [world.server.ask("GET", f"{path}/{name}") for name in CRDS]


def _versions(tenant: Tenant) -> dict[str, str]:
    """UID and resourceVersion of each object of both kinds."""
    found = [*tenant.server.items("SenderAccount", tenant.namespace)]
    found += tenant.server.items("SenderAccountBatch", tenant.namespace)
    return {
        each["metadata"]["name"]: f"{each['metadata']['uid']} {each['metadata']['resourceVersion']}" for each in found
    }


def _uids(tenant: Tenant) -> dict[str, str]:
    return {name: version.split()[0] for name, version in _versions(tenant).items()}


def _writes_to_coldsend(tenant: Tenant) -> list[str]:
    return [each["operation"] for each in tenant.asked() if each["method"] != "GET"]


def test_an_uninstall_keeps_crds_objects_and_inboxes_and_a_new_release_goes_on(fresh: World, helm: Helm) -> None:
    with opened_tenant(fresh, "home") as tenant:
        release = install(fresh, helm, tenant.namespace, values(tenant))
        established(fresh.cluster, *(f"crd/{name}" for name in CRDS))
        pool = Pool(tenant)
        with release.operator(_key(tenant)):
            tenant.apply("ann", apiKeySecretRef=None)
            tenant.known("ann")
            pool.make(*MANY)
            tenant.after_sweeps()
        before, writes = _versions(tenant), _writes_to_coldsend(tenant)
        upgrade(release, {**values(tenant), "crds": {"install": False}})
        assert _versions(tenant) == before
        release.helm("uninstall", RELEASE, "--namespace", tenant.namespace)
        left = [each["metadata"]["name"] for each in fresh.server.items("Role", tenant.namespace)]
        assert left == []
        assert _versions(tenant) == before

        again = install(fresh, helm, tenant.namespace, values(tenant))
        with again.operator(_key(tenant)) as operator:
            tenant.after_sweeps()
            assert operator.figure("coldsend_kubernetes_writes_total", kind="SenderAccount") == 0
            assert _writes_to_coldsend(tenant) == writes
            tenant.remove("ann")
        assert _uids(tenant) == {name: version.split()[0] for name, version in before.items() if name != "ann"}


def test_crds_that_another_release_left_are_taken_over_when_asked(fresh: World, helm: Helm) -> None:
    with opened_tenant(fresh, "home") as first, opened_tenant(fresh, "home") as second:
        release = install(fresh, helm, first.namespace, values(first))
        release.helm("uninstall", RELEASE, "--namespace", first.namespace)
        with pytest.raises(HelmError, match="invalid ownership metadata"):
            install(fresh, helm, second.namespace, values(second))
        install(fresh, helm, second.namespace, values(second), "--take-ownership")
        owners = {each["metadata"]["annotations"]["meta.helm.sh/release-namespace"] for each in _crds(fresh)}
        assert owners == {second.namespace}
