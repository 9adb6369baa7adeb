"""The SBOM of an image in CycloneDX format: Python packages with their licenses, and Debian packages."""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from release.application import LOCK, Python
from release.version import Version, current

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
_DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_OPERATOR = "coldsend-operator"
_MAX_NAME_LENGTH = 80  # of a license
_licences = LicenseFactory()


class Made(Protocol):
    """The commit of an image, and its time."""

    @property
    def commit(self) -> str: ...
    @property
    def committed(self) -> int: ...


def document(version: Version, packages: Path, status: str, python: Python | None, made: Made | None = None) -> str:
    """The SBOM as JSON.

    Args:
        version: version of the operator.
        packages: the folder site-packages.
        status: Debian's list of installed packages; may be empty.
        python: the Python of the base, unless it is a Debian package.
        made: if given, the document has the time of the commit instead of the current time.
    """
    bom = Bom()
    root = Component(
        name=_OPERATOR,
        version=version.text,
        type=ComponentType.APPLICATION,
        bom_ref=_OPERATOR,
        licenses=[_licences.make_from_string("Apache-2.0")],
    )
    bom.metadata.component = root
    parts = [*_python(packages), *_system(status)]
    if python is not None:
        url = PackageURL("generic", name="python", version=python.version)
        parts.append(_component(url, ComponentType.PLATFORM, licence="PSF-2.0"))
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(root, parts)
    if made is not None:
        bom.metadata.timestamp = datetime.fromtimestamp(made.committed, UTC)
        listed = sorted(str(part.purl) for part in parts)
        bom.serial_number = uuid5(NAMESPACE_URL, "\n".join([made.commit, *listed]))
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _component(url: PackageURL, kind: ComponentType, licence: str | None, digests: Sequence[str] = ()) -> Component:
    return Component(
        name=url.name,
        version=url.version,
        type=kind,
        bom_ref=str(url),
        purl=url,
        licenses=[_licences.make_from_string(licence)] if licence else (),
        # All hashes in the lock: the installed wheel depends on the platform.
        properties=[Property(name="coldsend:allowed-sha256", value=each) for each in digests],
    )


def _python(packages: Path) -> Iterator[Component]:
    hashes = _hashes(LOCK.read_text(encoding="utf-8"))
    for each in metadata.distributions(path=[str(packages)]):
        name = _normal(each.name)
        url = PackageURL("pypi", name=name, version=each.version)
        yield _component(url, ComponentType.LIBRARY, _licence(each), hashes.get(name, []))


def _licence(each: metadata.Distribution) -> str | None:
    expression = next(iter(each.metadata.get_all("License-Expression") or ()), None)
    classified = [
        one.rpartition(" :: ")[2]
        for one in each.metadata.get_all("Classifier") or ()
        if one.startswith("License :: OSI Approved :: ")
    ]
    named = next(iter(each.metadata.get_all("License") or ()), None)  # some packages put the whole text there
    return expression or ", ".join(classified) or (named if named and len(named) < _MAX_NAME_LENGTH else None)


def _system(status: str) -> Iterator[Component]:
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if re.match(r"[A-Z][\w-]*: ", line))
        if fields.get("Status", "").endswith(" installed"):
            qualifiers = {"arch": fields["Architecture"]}
            url = PackageURL("deb", "debian", fields["Package"], fields["Version"], qualifiers)
            yield _component(url, ComponentType.LIBRARY, licence=None)


def _hashes(lock: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if pinned := _PINNED.match(line):
            name = _normal(pinned[1])
            found[name] = []
        found.get(name, []).extend(_DIGEST.findall(line))
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print the SBOM of an image, given its files.")
    parser.add_argument("packages", type=Path, help="the folder site-packages")
    parser.add_argument("status", type=Path, help="Debian's var/lib/dpkg/status")
    chosen = parser.parse_args()
    listed = chosen.status.read_text(encoding="utf-8") if chosen.status.is_file() else ""
    sys.stdout.write(document(current(), chosen.packages, listed, None))
