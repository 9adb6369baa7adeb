"""The version, defined in `coldsend_operator/__init__.py`, and the files that repeat it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release.errors import ReleaseError

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "operator/coldsend_operator/__init__.py"
CHANGELOG = "CHANGELOG.md"
_VERSION = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?"
_ASSIGNED = re.compile(rf'^(__version__ = ")({_VERSION})(")$', re.MULTILINE)
_UNRELEASED = "## Unreleased\n"

_FOLLOWERS: Mapping[str, tuple[str, ...]] = {
    "charts/coldsend-operator/Chart.yaml": (
        r"^(version: )\S+()$",
        r"^(appVersion: )\S+()$",
        rf"^( +image: coldsend-operator:){_VERSION}()$",
    ),
    "README.md": (rf"(\bcoldsend-operator:){_VERSION}()",),
    "docs/how-to/install.md": (rf"(\bcoldsend-operator:){_VERSION}()",),
    "docs/how-to/kustomize.md": (rf"(kustomize\?ref=v){_VERSION}()",),
    "docs/how-to/verify.md": (rf"^( *VERSION=){_VERSION}()$",),
}
"""Patterns of the version in each file; each must be found."""


@dataclass(frozen=True)
class Version:
    """A semantic version, without the `v` of tags."""

    text: str

    def __post_init__(self) -> None:
        if not re.fullmatch(_VERSION, self.text):
            raise ReleaseError(f"{self.text!r} is not a version like 1.2.3 or 1.2.3-rc.1")

    @property
    def tag(self) -> str:
        return f"v{self.text}"


def current(root: Path = ROOT) -> Version:
    found = _ASSIGNED.search((root / SOURCE).read_text(encoding="utf-8"))
    if found is None:
        raise ReleaseError(f"{SOURCE} has no line __version__ = ...")
    return Version(found[2])


def followed(root: Path = ROOT) -> dict[Path, str]:
    """The current content of each file that names the version, with the right version."""
    version = current(root).text
    files: dict[Path, str] = {}
    for name, patterns in _FOLLOWERS.items():
        text = (root / name).read_text(encoding="utf-8")
        for pattern in patterns:
            text, count = re.subn(pattern, rf"\g<1>{version}\g<2>", text, flags=re.MULTILINE)
            if not count:
                raise ReleaseError(f"{name} has no text like {pattern}")
        files[root / name] = text
    return files


def stale(root: Path = ROOT) -> list[str]:
    """The files that name another version."""
    return [
        str(path.relative_to(root)) for path, text in followed(root).items() if path.read_text(encoding="utf-8") != text
    ]


def follow(root: Path = ROOT) -> None:
    for path, text in followed(root).items():
        path.write_text(text, encoding="utf-8")


def prepare(version: Version, date: str, root: Path = ROOT) -> None:
    """Set the version everywhere, and make it the heading of the unreleased changes."""
    source, changelog = root / SOURCE, root / CHANGELOG
    text = changelog.read_text(encoding="utf-8")
    if _UNRELEASED not in text:
        raise ReleaseError(f"{CHANGELOG} has no section `Unreleased`")
    if f"\n## {version.text} - " in text:
        raise ReleaseError(f"{CHANGELOG} already has a section for {version.text}")
    changelog.write_text(text.replace(_UNRELEASED, f"{_UNRELEASED}\n## {version.text} - {date}\n", 1), encoding="utf-8")
    source.write_text(_ASSIGNED.sub(rf"\g<1>{version.text}\g<3>", source.read_text(encoding="utf-8")), encoding="utf-8")
    follow(root)


def notes(version: Version, root: Path = ROOT) -> str:
    """The section of the changelog about `version`, without its heading."""
    sections = re.split(r"^## ", (root / CHANGELOG).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for section in sections:
        heading, _, body = section.partition("\n")
        if re.fullmatch(rf"{re.escape(version.text)} - \d{{4}}-\d\d-\d\d", heading.strip()) and body.strip():
            return body.strip() + "\n"
    raise ReleaseError(f"{CHANGELOG} has no section like '## {version.text} - 2026-01-31' with text in it")


def check_tag(tag: str, root: Path = ROOT) -> None:
    """Raises ReleaseError unless all files name the version of `tag` and the changelog has a section for it."""
    version = current(root)
    if tag != version.tag:
        raise ReleaseError(f"the tag is {tag}, but the version in {SOURCE} is {version.text}")
    if wrong := stale(root):
        raise ReleaseError(f"these files name another version: {', '.join(wrong)}; run `make generate`")
    notes(version, root)
