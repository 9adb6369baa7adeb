"""The version stands in one place; a release is refused where anything names another."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from coldsend_operator import __version__
from release import version
from release.errors import ReleaseError
from release.version import ROOT, Version


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that name the version, of a checkout of its own with something to release."""
    for path in (*version.followed(), ROOT / version.SOURCE, ROOT / version.CHANGELOG):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (tmp_path / version.CHANGELOG).write_text("# Changelog\n\n## Unreleased\n\n### Added\n\n- One thing.\n")
    return tmp_path


def test_every_file_names_the_version_of_the_code() -> None:
    assert version.stale() == []


def test_the_package_takes_its_version_from_the_code() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "coldsend_operator.__version__"}


def test_the_command_line_says_the_version_of_the_code() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "coldsend_operator", "version"], capture_output=True, text=True, check=True
    )
    assert asked.stdout.splitlines()[0] == f"coldsend-operator {__version__}"


def test_a_raised_version_stands_everywhere_and_the_unreleased_changes_become_its_notes(checkout: Path) -> None:
    version.prepare(Version("9.8.7-rc.1"), "2031-01-31", checkout)

    assert version.current(checkout) == Version("9.8.7-rc.1")
    assert version.stale(checkout) == []
    assert version.notes(Version("9.8.7-rc.1"), checkout) == "### Added\n\n- One thing.\n"
    assert (checkout / version.CHANGELOG).read_text().startswith("# Changelog\n\n## Unreleased\n\n## 9.8.7-rc.1 - ")
    for path in version.followed(checkout):
        assert "9.8.7-rc.1" in path.read_text(), path
    version.check_tag("v9.8.7-rc.1", checkout)


def test_a_tag_of_another_version_is_refused(checkout: Path) -> None:
    version.prepare(Version("9.8.7"), "2031-01-31", checkout)
    with pytest.raises(ReleaseError, match=r"the tag is v9.8.8, but .* is 9.8.7"):
        version.check_tag("v9.8.8", checkout)


def test_a_tag_without_a_section_in_the_changelog_is_refused(checkout: Path) -> None:
    with pytest.raises(ReleaseError, match="no section"):
        version.check_tag(f"v{__version__}", checkout)


def test_a_tag_is_refused_while_a_file_names_another_version(checkout: Path) -> None:
    version.prepare(Version("9.8.7"), "2031-01-31", checkout)
    readme = checkout / "README.md"
    readme.write_text(readme.read_text().replace("9.8.7", "9.8.6"))
    with pytest.raises(ReleaseError, match=r"README\.md; run `make generate`"):
        version.check_tag("v9.8.7", checkout)


def test_a_version_that_is_in_the_changelog_is_not_prepared_again(checkout: Path) -> None:
    version.prepare(Version("9.8.7"), "2031-01-31", checkout)
    with pytest.raises(ReleaseError, match=r"already has a section for 9\.8\.7"):
        version.prepare(Version("9.8.7"), "2031-02-01", checkout)


@pytest.mark.parametrize("text", ["1.2", "v1.2.3", "1.2.3+local", "latest"])
def test_what_is_no_semantic_version_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="is not a version"):
        Version(text)
