"""The files of a release beside the image: inventories, schemas, wheel, checksums; and what reads the workflows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from cyclonedx.model.bom import Bom

from devcluster.builder import build
from devcluster.modules import PUBLISHING
from release import artifacts
from release.artifacts import CHECKSUMS, LAYOUT, NOTES
from release.errors import ReleaseError
from release.platforms import PLATFORMS, Platform
from release.version import ROOT
from tests.publishing.base import PYTHON
from tests.publishing.conftest import COMMIT, Made

LOCKED = re.compile(r"^([a-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)

each_platform = pytest.mark.parametrize("platform", PLATFORMS, ids=str)


def test_a_release_has_the_files_that_the_page_names(made: Made) -> None:
    page = (ROOT / "docs/how-to/verify.md").read_text().replace("VERSION", made.origin.version.text)
    named = set(re.findall(r"`([\w.-]+\.(?:yaml|json|tgz|whl))`", page)) - {"SHA256SUMS.sigstore.json"}
    assert {path.name for path in made.folder.iterdir()} == named | {CHECKSUMS, LAYOUT, NOTES}


def test_the_checksums_cover_every_file_that_is_published(made: Made) -> None:
    listed = artifacts.checked(made.folder)
    assert set(listed) == {path.name for path in made.folder.iterdir()} - {CHECKSUMS, LAYOUT, NOTES}


def test_a_changed_file_is_told_by_its_checksum(made: Made, tmp_path: Path) -> None:
    (tmp_path / CHECKSUMS).write_text(f"{'0' * 64}  crds.yaml\n")
    (tmp_path / "crds.yaml").write_text("changed")
    with pytest.raises(ReleaseError, match=r"crds\.yaml does not have the checksum"):
        artifacts.checked(tmp_path)


@each_platform
def test_the_inventory_names_every_locked_package_and_the_packages_of_the_base(made: Made, platform: Platform) -> None:
    text = (made.folder / f"sbom-{platform.architecture}.cdx.json").read_text()
    document = json.loads(text)
    found = Bom.from_json(data=document)  # type: ignore[attr-defined] # added by a decorator
    found.validate()
    assert document["specVersion"] == "1.6"
    assert found.metadata.component.version == made.origin.version.text
    listed = {(each["name"], each["version"]) for each in document["components"]}
    everywhere = {(name, locked) for name, locked, marker in LOCKED.findall(_lock()) if not marker}
    assert len(everywhere) > 25
    assert listed >= everywhere
    urls = {each["purl"] for each in document["components"]}
    assert f"pkg:deb/debian/libssl3@3.0.17-1?arch={platform.architecture}" in urls
    assert f"pkg:generic/python@{PYTHON}" in urls
    assert not [each for each in urls if "/gone@" in each]
    without = [each["name"] for each in document["components"] if "pypi" in each["purl"] and not each.get("licenses")]
    assert without == []


def test_the_schemas_take_the_examples_and_refuse_a_typo(made: Made) -> None:
    schema = json.loads((made.folder / "senderaccount_v1alpha1.json").read_text())
    validator = jsonschema_rs.validator_for(schema)
    account = yaml.safe_load((ROOT / "examples" / "observe.yaml").read_text())
    assert account["kind"] == "SenderAccount"
    validator.validate(account)
    account["spec"]["inboxTyp"] = account["spec"].pop("inboxType")
    assert not validator.is_valid(account)


def test_the_wheel_installs_and_runs_both_programs(made: Made, tmp_path: Path) -> None:
    (wheel,) = made.folder.glob("*.whl")
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    locked = ["--constraint", str(ROOT / "requirements" / "all.txt")]
    subprocess.run([*uv, "pip", "install", "--python", str(python), *locked, f"{wheel}[emulator]"], check=True)

    def said(program: str, *arguments: str) -> str:
        command = [str(python.with_name(program)), *arguments]
        outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=outside)
        assert done.returncode == 0, done.stderr
        return done.stdout

    about = said("coldsend-operator", "version").splitlines()
    assert about[:2] == [f"coldsend-operator {made.origin.version.text}", f"commit {COMMIT}"]
    said("kubectl-coldsend", "validate", "-f", str(ROOT / "examples" / "observe.yaml"))
    assert "usage" in said("coldsend-emulator", "--help").lower()


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    program = build(PUBLISHING, ["actionlint"]) / "actionlint"
    workflows = sorted(map(str, (ROOT / ".github" / "workflows").glob("*.yaml")))
    done = subprocess.run([program, "-no-color", *workflows], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def _lock() -> str:
    return (ROOT / "requirements" / "operator.txt").read_text()
