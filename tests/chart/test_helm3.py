"""Helm 3, which many still have, reads the charts as Helm 4 does."""

import pytest

from devcluster.builder import build
from devcluster.modules import HELM3
from tests.chart.support import CHART, ROOT, Helm, HelmError, Object
from tests.chart.switched import EVERYTHING, nested


@pytest.fixture(scope="session")
def helm3(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(build(HELM3, HELM3.packages) / "helm", tmp_path_factory.mktemp("helm3"))


@pytest.mark.parametrize("flat", [{}, EVERYTHING, {"namespaces": ["sales"]}], ids=["defaults", "everything", "some"])
def test_both_make_the_same_objects(helm: Helm, helm3: Helm, flat: Object) -> None:
    assert helm3.render(nested(flat)) == helm.render(nested(flat))


@pytest.mark.parametrize("folder", [CHART, ROOT / "examples" / "helm"], ids=lambda folder: folder.name)
def test_helm_3_finds_nothing_to_complain_about(helm3: Helm, folder: str) -> None:
    assert "0 chart(s) failed" in helm3("lint", "--strict", str(folder))


def test_helm_3_refuses_a_typo_too(helm3: Helm) -> None:
    with pytest.raises(HelmError, match="sweepSecond"):
        helm3.text({"settings": {"sweepSecond": 1}})
