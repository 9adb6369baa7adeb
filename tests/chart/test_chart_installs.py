"""`helm install`, `upgrade` and `uninstall` on a real API server, with the operator at work on objects of a release."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from tests.chart.installed import install, upgrade, values
from tests.chart.support import CRDS, RELEASE, Helm, HelmError, Object
from tests.e2e.batches.pool import Pool
from tests.e2e.stage.stage import Stage, staged
from tests.e2e.stage.world import World, opened_world
from tests.kube.support import established

MANY = tuple(f"seller-{number:02}" for number in range(30))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A control plane that knows nothing of us."""
    with devcluster.control_plane() as plane, opened_world(plane, tmp_path) as opened:
        yield opened


def _key(stage: Stage) -> Path:
    path = stage.world.folder / "key"
    path.write_text(stage.key)
    return path


def _crds(world: World) -> list[Object]:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    return [world.server.ask("GET", f"{path}/{name}") for name in CRDS]


def _versions(stage: Stage) -> dict[str, str]:
    """UID and resourceVersion of each object of both kinds."""
    found = [*stage.server.items("SenderAccount", stage.namespace)]
    found += stage.server.items("SenderAccountBatch", stage.namespace)
    return {
        each["metadata"]["name"]: f"{each['metadata']['uid']} {each['metadata']['resourceVersion']}" for each in found
    }


def _uids(stage: Stage) -> dict[str, str]:
    return {name: version.split()[0] for name, version in _versions(stage).items()}


def _writes_to_coldsend(stage: Stage) -> list[str]:
    return [each["operation"] for each in stage.asked() if each["method"] != "GET"]


def test_an_uninstall_keeps_crds_objects_and_inboxes_and_a_new_release_goes_on(fresh: World, helm: Helm) -> None:
    with staged(fresh, "home") as stage:
        release = install(fresh, helm, stage.namespace, values(stage))
        established(fresh.cluster, *(f"crd/{name}" for name in CRDS))
        pool = Pool(stage)
        with release.operator(_key(stage)):
            stage.apply("ann", apiKeySecretRef=None)
            stage.known("ann")
            pool.make(*MANY)
            stage.after_sweeps()
        before, writes = _versions(stage), _writes_to_coldsend(stage)
        upgrade(release, {**values(stage), "crds": {"install": False}})
        assert _versions(stage) == before
        release.helm("uninstall", RELEASE, "--namespace", stage.namespace)
        left = [each["metadata"]["name"] for each in fresh.server.items("Role", stage.namespace)]
        assert left == []
        assert _versions(stage) == before

        again = install(fresh, helm, stage.namespace, values(stage))
        with again.operator(_key(stage)) as operator:
            stage.after_sweeps()
            assert operator.figure("coldsend_kubernetes_writes_total", kind="SenderAccount") == 0
            assert _writes_to_coldsend(stage) == writes
            stage.remove("ann")
        assert _uids(stage) == {name: version.split()[0] for name, version in before.items() if name != "ann"}


def test_crds_that_another_release_left_are_taken_over_when_asked(fresh: World, helm: Helm) -> None:
    with staged(fresh, "home") as first, staged(fresh, "home") as second:
        release = install(fresh, helm, first.namespace, values(first))
        release.helm("uninstall", RELEASE, "--namespace", first.namespace)
        with pytest.raises(HelmError, match="invalid ownership metadata"):
            install(fresh, helm, second.namespace, values(second))
        install(fresh, helm, second.namespace, values(second), "--take-ownership")
        owners = {each["metadata"]["annotations"]["meta.helm.sh/release-namespace"] for each in _crds(fresh)}
        assert owners == {second.namespace}
