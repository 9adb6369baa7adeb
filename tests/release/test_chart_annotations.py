"""What Artifact Hub shows of the chart is true."""

from typing import Any

import yaml

from coldsend_operator.resources.crd import account_crd, batch_crd
from release.platforms import PLATFORMS
from release.version import ROOT

CHART: dict[str, Any] = yaml.safe_load((ROOT / "charts/coldsend-operator/Chart.yaml").read_text())
PREFIX = "artifacthub.io/"


def annotation(name: str) -> Any:
    return yaml.safe_load(CHART["annotations"][PREFIX + name])


def test_it_names_the_kinds_and_versions_that_the_chart_brings() -> None:
    brought = {
        (crd["spec"]["names"]["kind"], crd["spec"]["versions"][0]["name"], crd["metadata"]["name"])
        for crd in (account_crd(), batch_crd())
    }
    assert {(each["kind"], each["version"], each["name"]) for each in annotation("crds")} == brought
    assert all(each["displayName"] and each["description"] for each in annotation("crds"))


def test_it_names_the_image_with_its_platforms() -> None:
    (shown,) = annotation("images")
    assert shown["image"] == f"coldsend-operator:{CHART['appVersion']}"
    assert shown["platforms"] == [str(each) for each in PLATFORMS]


def test_it_shows_an_example_of_each_kind() -> None:
    assert {each["kind"] for each in annotation("crdsExamples")} == {"SenderAccount", "SenderAccountBatch"}


def test_the_repository_has_an_owner() -> None:
    assert yaml.safe_load((ROOT / "artifacthub-repo.yml").read_text())["owners"]
