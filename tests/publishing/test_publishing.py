"""Pushed to a registry, pulled from there and installed: image, chart and install.yaml."""

import json
from pathlib import Path

import pytest
import yaml

from release.platforms import PLATFORMS
from tests.chart.installed import QUICK, Release, install
from tests.chart.support import Helm, HelmError, Object, rendered
from tests.e2e.support.tenant import Tenant, opened_tenant
from tests.e2e.support.world import World
from tests.publishing.conftest import NAME, Made, Registry
from tests.publishing.test_image import PACKAGES, unpacked


@pytest.fixture(scope="module")
def image_files(made: Made, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where Python finds the operator that is in the image."""
    return str(unpacked(made, PLATFORMS[0], tmp_path_factory.mktemp("image")) / PACKAGES)


def works(release: Release, tenant: Tenant, files: str) -> None:
    """The operator of the image makes and removes an inbox."""
    key = tenant.world.folder / f"key-{tenant.namespace}"
    key.write_text(tenant.key)
    about = {"PYTHONPATH": files, "COLDSEND_API_URL": tenant.emulator.api_url}
    with release.operator(key, **about) as operator:
        tenant.make("ann", apiKeySecretRef=None)
        tenant.remove("ann")
        assert f"PYTHONPATH={files}" in _loaded(operator.process.pid)


def _loaded(wrapper: int) -> str:
    """The command lines and environments of a process and its children, as the kernel shows them."""
    children = Path(f"/proc/{wrapper}/task/{wrapper}/children").read_text().split()
    return "".join(Path(f"/proc/{each}/environ").read_text(errors="replace") for each in [str(wrapper), *children])


def test_the_image_is_in_the_registry_what_it_is_on_disk(made: Made, controller: Registry, tmp_path: Path) -> None:
    name = f"{controller.host}/team/coldsend-operator:{made.origin.version.text}"
    controller("push", "--insecure", str(made.folder / "image"), name)

    assert controller("digest", "--insecure", name) == made.image.digest
    for part in made.image.parts:
        assert controller("digest", "--insecure", "--platform", str(part.platform), name) == part.digest
        config = json.loads(controller("config", "--insecure", "--platform", str(part.platform), name))
        assert config["architecture"] == part.platform.architecture
        controller("validate", "--insecure", "--remote", f"{name.rpartition(':')[0]}@{part.digest}")
    pulled = tmp_path / "pulled.tar"
    controller("pull", "--insecure", "--platform", "linux/arm64", name, str(pulled))
    assert pulled.stat().st_size > made.image.parts[1].download


def test_the_chart_comes_back_from_the_registry_and_installs(
    made: Made, controller: Registry, world: World, helm: Helm, image_files: str, tmp_path: Path
) -> None:
    version = made.origin.version.text
    (packed,) = made.folder.glob("*.tgz")
    charts = f"oci://{controller.host}/team/charts"
    helm("push", str(packed), charts, "--plain-http")
    helm("pull", f"{charts}/coldsend-operator", "--version", version, "--plain-http", "--destination", str(tmp_path))
    assert (tmp_path / packed.name).read_bytes() == packed.read_bytes()

    with opened_tenant(world, "pulled") as tenant:
        values: Object = {"apiKey": {"existingSecret": "workspace"}, "settings": QUICK}
        release = install(world, helm, tenant.namespace, values, chart=tmp_path / packed.name)
        assert release.made.container["image"] == f"{NAME.text}:{version}"
        works(release, tenant, image_files)
        release.helm("uninstall", "coldsend-operator", "--namespace", tenant.namespace)


def test_a_chart_that_is_not_in_the_registry_is_not_installed(controller: Registry, helm: Helm) -> None:
    with pytest.raises(HelmError, match=r"not found|unknown"):
        helm("pull", f"oci://{controller.host}/team/charts/other", "--version", "1.0.0", "--plain-http")


def test_install_yaml_brings_an_operator_that_works(made: Made, world: World, helm: Helm, image_files: str) -> None:
    path = made.folder / "install.yaml"
    manifest = rendered(path.read_text())
    world.server.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(path))
    wanted = f"{NAME.text}:{made.origin.version.text}@{made.image.digest}"
    assert manifest.container["image"] == wanted
    with opened_tenant(world, "plain") as tenant:
        works(Release(world, helm, "coldsend", manifest), tenant, image_files)


def test_crds_yaml_is_what_install_yaml_brings(made: Made) -> None:
    definitions = {
        each["metadata"]["name"]: each for each in yaml.safe_load_all((made.folder / "crds.yaml").read_text())
    }
    installed = rendered((made.folder / "install.yaml").read_text()).of("CustomResourceDefinition")
    assert {each["metadata"]["name"]: each["spec"] for each in installed} == {
        name: each["spec"] for name, each in definitions.items()
    }
