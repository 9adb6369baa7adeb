"""Makes the files of a release: images, chart, manifests, schemas, wheel, SBOMs, checksums and notes."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from coldsend_operator.resources.crd import render_crds
from coldsend_operator.tools.validation import schemas
from release import image, manifests, version
from release.errors import ReleaseError
from release.image import Image, Origin
from release.oci import Layout
from release.version import ROOT

CHECKSUMS = "SHA256SUMS"
NOTES = "notes.md"
LAYOUT = "image"
_UNRELEASED = "- No section of this version yet."
_FOR_THE_WHEEL = ("pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Name:
    """The name of the published image, such as `registry.example.com/team/coldsend-operator`."""

    text: str

    @property
    def registry(self) -> str:
        first, slash, _ = self.text.partition("/")
        return first if slash and re.search(r"[.:]|^localhost$", first) else ""

    @property
    def repository(self) -> str:
        return self.text.removeprefix(f"{self.registry}/") if self.registry else self.text


@dataclass(frozen=True)
class Programs:
    """The external programs that are called."""

    helm: Path
    kubectl: Path


def build(folder: Path, base: Layout, name: Name, origin: Origin, programs: Programs) -> Image:
    """Write all files into the new folder; the image is an OCI layout in its subfolder `image`."""
    folder.mkdir(parents=True)
    built = image.build(folder / LAYOUT, base, origin)
    for part in built.parts:
        (folder / f"sbom-{part.platform.architecture}.cdx.json").write_text(part.inventory, encoding="utf-8")
    (folder / "crds.yaml").write_text(render_crds(), encoding="utf-8")
    (folder / "install.yaml").write_text(install(programs.kubectl, name, built.digest, origin), encoding="utf-8")
    schemas.write(folder)
    chart(folder, programs.helm, name, origin)
    wheel(folder, origin)
    _checksums(folder)
    (folder / NOTES).write_text(_notes(origin), encoding="utf-8")
    return built


def install(kubectl: Path, name: Name, digest: str, origin: Origin) -> str:
    """The manifests of the Kustomize base, with the image of this release by digest."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copytree(manifests.BASE, folder / "base")
        (folder / "kustomization.yaml").write_text(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [base]\n"
            f"images:\n- name: coldsend-operator\n  newName: {name.text}\n"
            f"  newTag: {origin.version.text}\n  digest: {digest}\n"
        )
        made = manifests.built(kubectl, folder)
    return f"# coldsend-operator {origin.version.text}. The API key: Secret coldsend, key apiKey.\n{made}"


def chart(folder: Path, helm: Path, name: Name, origin: Origin) -> Path:
    """Package the chart with the image of this release as its default."""
    with tempfile.TemporaryDirectory() as temporary:
        staged = Path(temporary) / manifests.CHART.name
        shutil.copytree(manifests.CHART, staged)
        values = staged / "values.yaml"
        text = values.read_text(encoding="utf-8")
        text = _once(r'^(  registry: )""$', rf'\g<1>"{name.registry}"', text)
        text = _once(r"^(  repository: )coldsend-operator$", rf"\g<1>{name.repository}", text)
        values.write_text(text, encoding="utf-8")
        about = staged / "Chart.yaml"
        text = about.read_text(encoding="utf-8")
        text = _once(r"^( +image: )coldsend-operator:", rf"\g<1>{name.text}:", text)
        if origin.source:
            text += f"home: {origin.source}\nsources:\n- {origin.source}\n"
        about.write_text(text, encoding="utf-8")
        _run([str(helm), "package", str(staged), "--destination", str(folder)], ROOT)
    (made,) = folder.glob("coldsend-operator-*.tgz")
    return made


def wheel(folder: Path, origin: Origin) -> Path:
    """Build the wheel of operator and emulator, with a file that names the commit."""
    with tempfile.TemporaryDirectory() as temporary:
        staged = Path(temporary)
        for each in _FOR_THE_WHEEL:
            shutil.copy(ROOT / each, staged)
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / "operator", staged / "operator", ignore=ignored)
        (staged / "operator" / "coldsend_operator" / "COMMIT").write_text(f"{origin.commit}\n")
        command = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--no-build-isolation"]
        _run([*command, "--python", sys.executable, "--out-dir", str(folder), str(staged)], staged, origin.committed)
    (folder / ".gitignore").unlink(missing_ok=True)  # written by uv
    (made,) = folder.glob("*.whl")
    return made


def checked(folder: Path) -> list[str]:
    """The names in the list of checksums. Raises ReleaseError if a checksum is wrong."""
    names = []
    for line in (folder / CHECKSUMS).read_text().splitlines():
        digest, name = line.split("  ", 1)
        if digest != _sha256(folder / name):
            raise ReleaseError(f"{name} does not have the checksum in {CHECKSUMS}")
        names.append(name)
    return names


def _checksums(folder: Path) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    (folder / CHECKSUMS).write_text("".join(f"{_sha256(path)}  {path.name}\n" for path in files))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _notes(origin: Origin) -> str:
    try:
        return version.notes(origin.version)
    except ReleaseError:  # a test build: releases are refused before the build if the section is missing
        return f"{_UNRELEASED}\n"


def _once(pattern: str, replacement: str, text: str) -> str:
    text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    if count != 1:
        raise ReleaseError(f"the chart has {count} lines like {pattern}, not one")
    return text


def _run(command: list[str], folder: Path, committed: int = 0) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(committed)} if committed else None
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")
