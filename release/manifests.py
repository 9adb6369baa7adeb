"""Generates the Kustomize base: the objects of the chart, with the API key in the Secret `coldsend`."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from coldsend_operator.resources.crd import render_crds
from release.errors import ReleaseError
from release.version import ROOT

CHART = ROOT / "charts" / "coldsend-operator"
BASE = ROOT / "kustomize"
NAMESPACE = "coldsend"
KEY_SECRET = "coldsend"  # noqa: S105 - a name
_HEADER = "# Made from the chart by `python -m release kustomize`; do not edit.\n"
_HELM_LABELS = ("helm.sh/chart", "app.kubernetes.io/managed-by")

Object = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes YAML without aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def base(helm: Path) -> dict[Path, str]:
    """The content of each generated file of the base."""
    chosen = ["--set", f"apiKey.existingSecret={KEY_SECRET}", "--set", "crds.install=false"]
    command = [str(helm), "template", "coldsend-operator", str(CHART), "--namespace", NAMESPACE, "--skip-tests"]
    done = subprocess.run([*command, *chosen], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"helm refuses the chart: {done.stderr}")
    objects = [without_helm(each) for each in yaml.safe_load_all(done.stdout) if each]
    return {BASE / "operator.yaml": _HEADER + _text(objects), BASE / "crds.yaml": render_crds()}


def write(helm: Path) -> None:
    for path, text in base(helm).items():
        path.write_text(text, encoding="utf-8")


def without_helm(made: Object) -> Object:
    """Remove the labels that mark an object as managed by Helm."""
    for labels in _labels(made):
        for name in _HELM_LABELS:
            labels.pop(name, None)
    return made


def built(kubectl: Path, folder: Path) -> str:
    """The output of `kubectl kustomize` for a folder."""
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"kubectl kustomize {folder} failed: {done.stderr}")
    return done.stdout


def _labels(made: Object) -> Iterator[dict[str, str]]:
    """The labels of the object and of its pods."""
    for part in (made, made.get("spec", {}).get("template", {})):
        yield part.get("metadata", {}).get("labels", {})


def _text(objects: list[Object]) -> str:
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, width=120)
