"""The image of a release: what it consists of for each platform, and what it says of itself."""

import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from release import application, oci
from release.oci import Document
from release.platforms import PLATFORMS, Platform
from release.version import ROOT
from tests.publishing.base import PIP, PYTHON
from tests.publishing.conftest import BASE, COMMIT, Made

LIMIT = 120_000_000  # docs/contributing/releases.md
_MACHINE = slice(18, 20)  # e_machine in an ELF header
PACKAGES = application.Python(PYTHON).packages

each_platform = pytest.mark.parametrize("platform", PLATFORMS, ids=str)


def config(made: Made, platform: Platform) -> Document:
    return made.image.layout.document(manifest(made, platform)["config"]["digest"])


def manifest(made: Made, platform: Platform) -> Document:
    return made.image.layout.manifest(platform)[1]


def unpacked(made: Made, platform: Platform, folder: Path) -> Path:
    """What the image adds to its base."""
    with made.image.layout.tar(manifest(made, platform)["layers"][-1]) as tar:
        tar.extractall(folder, filter="tar")
    return folder


def said_by_the_dockerfile() -> dict[str, list[str]]:
    """Instruction to its arguments, of the last stage."""
    text = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2].replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, arguments = line.partition(" ")
        found.setdefault(name, []).append(arguments.strip())
    return found


def test_the_index_names_both_platforms_and_where_the_image_comes_from(made: Made) -> None:
    index = made.image.layout.document(made.image.digest)
    assert [each["platform"] for each in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    assert index["annotations"]["org.opencontainers.image.revision"] == COMMIT


@each_platform
def test_every_blob_is_there_and_is_what_its_descriptor_says(made: Made, platform: Platform) -> None:
    found = manifest(made, platform)
    for each in (found["config"], *found["layers"]):
        assert len(made.image.layout.read(each["digest"])) == each["size"]
    plain = gzip.decompress(made.image.layout.read(found["layers"][-1]["digest"]))
    assert config(made, platform)["rootfs"]["diff_ids"][-1] == f"sha256:{hashlib.sha256(plain).hexdigest()}"
    assert len(config(made, platform)["rootfs"]["diff_ids"]) == len(found["layers"])


@each_platform
def test_labels_and_annotations_say_what_it_is_and_on_which_base(made: Made, platform: Platform) -> None:
    labels = config(made, platform)["config"]["Labels"]
    assert labels == made.origin.labels
    assert labels["org.opencontainers.image.version"] == made.origin.version.text
    assert labels["org.opencontainers.image.source"].startswith("https://")
    annotations = manifest(made, platform)["annotations"]
    assert annotations.items() >= labels.items()
    assert annotations["org.opencontainers.image.base.name"] == BASE
    assert re.fullmatch("sha256:[0-9a-f]{64}", annotations["org.opencontainers.image.base.digest"])


@each_platform
def test_it_starts_as_the_image_of_the_dockerfile_does(made: Made, platform: Platform) -> None:
    ours, theirs = config(made, platform)["config"], said_by_the_dockerfile()
    assert ours["User"] == theirs["USER"][0]
    assert sorted(ours["ExposedPorts"]) == [f"{port}/tcp" for port in theirs["EXPOSE"][0].split()]
    assert ours["Entrypoint"] == json.loads(theirs["ENTRYPOINT"][0])
    assert ours["Cmd"] == json.loads(theirs["CMD"][0])
    environment = dict(each.split("=", 1) for each in ours["Env"])
    for each in theirs["ENV"][0].split():
        name, value = each.split("=", 1)
        assert environment[name] == value.replace("$PATH", "/usr/local/bin:/usr/bin:/bin")
    labelled = dict(re.findall(r'([\w.]+)="([^"]*)"', theirs["LABEL"][0]))
    fixed = {name: value for name, value in labelled.items() if "${" not in value}
    assert ours["Labels"].items() >= fixed.items()
    assert ours["Labels"].keys() >= labelled.keys()


@each_platform
def test_every_compiled_module_is_for_its_platform(made: Made, platform: Platform, tmp_path: Path) -> None:
    modules = list(unpacked(made, platform, tmp_path).rglob("*.so*"))
    assert len(modules) > 10
    for path in modules:
        with path.open("rb") as file:
            assert int.from_bytes(file.read(20)[_MACHINE], "little") == platform.machine, path


@each_platform
def test_its_files_add_at_most_120_mb_to_the_base(made: Made, platform: Platform) -> None:
    (part,) = (each for each in made.image.parts if each.platform is platform)
    assert part.files <= LIMIT


def test_the_pages_say_its_size(made: Made) -> None:
    text = (ROOT / "docs/contributing/releases.md").read_text()
    said = re.search(r"It is (\d+) MB, (\d+) MB to download", text)
    assert said
    for part in made.image.parts:
        assert abs(part.files / 1e6 - int(said[1])) <= 3, part.files
        assert abs(part.download / 1e6 - int(said[2])) <= 2, part.download


@each_platform
def test_nobody_can_install_anything_in_it(made: Made, platform: Platform) -> None:
    with made.image.layout.tar(manifest(made, platform)["layers"][-1]) as tar:
        names = tar.getnames()
    parent, _, name = PIP.rpartition("/")
    assert f"{parent}/.wh.{name}" in names
    assert {"usr/local/bin/.wh.pip3", f"{parent.rpartition('/')[0]}/.wh.ensurepip"} <= set(names)
    assert [each for each in names if re.search(r"site-packages/(pip|setuptools)(-|/|$)", each)] == []


def test_both_platforms_hold_the_same_modules_of_python(made: Made) -> None:
    def modules(platform: Platform) -> dict[str, bytes]:
        with made.image.layout.tar(manifest(made, platform)["layers"][-1]) as tar:
            ours = [each for each in tar if "/coldsend_operator/" in each.name and each.isreg()]
            return {each.name: file.read() for each in ours if (file := tar.extractfile(each))}

    first, second = map(modules, PLATFORMS)
    assert first == second
    assert any(name.endswith(".pyc") for name in first)


def test_the_operator_of_this_platform_runs_from_the_files_of_the_image(made: Made, tmp_path: Path) -> None:
    folder = unpacked(made, PLATFORMS[0], tmp_path)
    run = f"import sys; sys.path.insert(0, {str(folder / PACKAGES)!r}); "
    run += "from coldsend_operator.__main__ import main; main()"
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", run, "version"], capture_output=True, text=True, check=False
    )
    assert asked.stdout.splitlines()[:2] == [f"coldsend-operator {made.origin.version.text}", f"commit {COMMIT}"]
    program = folder / "opt/coldsend/bin/coldsend-operator"
    assert program.stat().st_mode & 0o777 == 0o755
    assert program.read_text().startswith("#!/opt/coldsend/bin/python\n")
    assert str((folder / "opt/coldsend/bin/python").readlink()) == "/usr/local/bin/python3"


def test_the_same_commit_gives_the_same_layer(made: Made, tmp_path: Path) -> None:
    platform = PLATFORMS[1]
    again = f"""
from pathlib import Path
from release import application, platforms
application.write(Path({str(tmp_path)!r}), platforms.PLATFORMS[1], application.Python({PYTHON!r}), {COMMIT!r})
"""
    subprocess.run([sys.executable, "-c", again], cwd=ROOT, check=True)
    content, _ = oci.packed(tmp_path, [], made.origin.committed)
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as second,
        made.image.layout.tar(manifest(made, platform)["layers"][-1]) as first,
    ):
        for each in second:
            if each.isreg() and (one := first.extractfile(each.name)) and (other := second.extractfile(each)):
                assert one.read() == other.read(), each.name
