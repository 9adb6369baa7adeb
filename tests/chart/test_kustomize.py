"""The Kustomize base is the chart with an API key in the Secret `coldsend`, and runs as it does."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from devcluster.kubectl import any_kubectl
from release import manifests
from tests.chart.installed import Release
from tests.chart.support import CHART, RELEASE, Helm, Object, Rendered, rendered
from tests.e2e.support.tenant import opened_tenant
from tests.e2e.support.world import World

Identity = tuple[str, str, str]


@pytest.fixture(scope="module")
def base() -> list[Object]:
    return [each for each in yaml.safe_load_all(manifests.built(any_kubectl(), manifests.BASE)) if each]


def by_name(objects: list[Object]) -> dict[Identity, Object]:
    def identity(each: Object) -> Identity:
        about = each["metadata"]
        return each["kind"], about.get("namespace", ""), about["name"]

    return {identity(each): each for each in objects}


def without_keep(made: Object) -> Object:
    """Without what keeps a CRD when Helm uninstalls."""
    annotations: dict[str, str] = made["metadata"].get("annotations") or {}
    annotations.pop("helm.sh/resource-policy", None)
    made["metadata"]["annotations"] = annotations
    return made


def test_the_made_files_are_what_the_chart_makes(helm: Helm) -> None:
    for path, text in manifests.base(helm.program).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `python -m release kustomize`"


def test_it_makes_what_the_chart_makes(base: list[Object], helm: Helm) -> None:
    """All objects, with every field; beside them only the namespace, and for Helm the labels that only it needs."""
    made = helm("template", RELEASE, str(CHART), "--namespace", "coldsend", "--skip-tests", *_key("coldsend"))
    wanted = by_name([without_keep(manifests.without_helm(each)) for each in rendered(made).objects])
    found = by_name([without_keep(each) for each in base])
    namespace = found.pop(("Namespace", "", "coldsend"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert found.keys() == wanted.keys()
    for name, each in found.items():
        if name[0] == "CustomResourceDefinition":
            assert each["spec"] == wanted[name]["spec"]
        else:
            assert each == wanted[name]


def test_an_overlay_moves_it_to_another_namespace_as_a_whole(tmp_path: Path) -> None:
    place = os.path.relpath(manifests.BASE, tmp_path.resolve())
    overlay = {"kind": "Kustomization", "namespace": "mail-team", "namePrefix": "our-", "resources": [place]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    moved = [each for each in yaml.safe_load_all(manifests.built(any_kubectl(), tmp_path)) if each]
    assert {each["metadata"].get("namespace", "mail-team") for each in moved} == {"mail-team"}
    operator = Rendered(tuple(moved)).one("Deployment", f"our-{RELEASE}")
    assert "coldsend" not in {
        each.get("value") for each in operator["spec"]["template"]["spec"]["containers"][0]["env"]
    }


def test_its_operator_works_with_the_rights_of_its_own_account(
    base: list[Object], own_world: World, helm: Helm
) -> None:
    world = own_world
    world.server.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(manifests.BASE))
    with opened_tenant(world, "base") as tenant:
        key = world.folder / "key-of-the-base"
        key.write_text(tenant.key)
        release = Release(world, helm, manifests.NAMESPACE, Rendered(tuple(base)))
        with release.operator(key, COLDSEND_API_URL=tenant.emulator.api_url):
            tenant.make("ann", apiKeySecretRef=None)
            tenant.remove("ann")


def _key(secret: str) -> tuple[Any, ...]:
    return ("--set", f"apiKey.existingSecret={secret}")
