"""Prints what lies in this image as a CycloneDX 1.6 document: `python sbom.py VERSION LOCK`.

It runs with the Python of the image while that is built: packages are taken from what is installed, their licences from
their metadata, the hashes from the lock.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
_DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SYSTEM_FORMAT = "${binary:Package} ${Version} ${Architecture}\n"

Component = dict[str, Any]


def document(version: str, lock: Path) -> Component:
    hashes = _hashes(lock.read_text(encoding="utf-8"))
    name = "coldsend-operator"
    root = {"type": "application", "name": name, "version": version, "bom-ref": name}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**root, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": [*_python(hashes), *_system()],
    }


def _python(hashes: Mapping[str, list[str]]) -> Iterator[Component]:
    for each in sorted(metadata.distributions(), key=lambda one: _normal(one.name)):
        name = _normal(each.name)
        url = f"pkg:pypi/{name}@{each.version}"
        component: Component = {
            "type": "library",
            "bom-ref": url,
            "name": name,
            "version": each.version,
            "purl": url,
            # Those of all files of this release that the lock allows: which wheel was taken depends on the platform.
            "properties": [{"name": "coldsend:allowed-sha256", "value": one} for one in hashes.get(name, [])],
        }
        if licence := _licence(each):
            component["licenses"] = [{"license": {"name": licence}}]
        yield component


def _licence(each: metadata.Distribution) -> str | None:
    expression = next(iter(each.metadata.get_all("License-Expression", [])), None)
    classified = [
        one.rpartition(" :: ")[2]
        for one in each.metadata.get_all("Classifier", [])
        if one.startswith("License :: OSI Approved :: ")
    ]
    return expression or (", ".join(classified) or None)


def _system() -> Iterator[Component]:
    asking = shutil.which("dpkg-query")
    if asking is None:
        return
    said = subprocess.run(  # noqa: S603 - fixed arguments
        [asking, "--show", f"--showformat={_SYSTEM_FORMAT}"], capture_output=True, text=True, check=True
    ).stdout
    for line in said.splitlines():
        name, version, architecture = line.split()
        name = name.partition(":")[0]
        url = f"pkg:deb/debian/{name}@{version}?arch={architecture}"
        yield {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def _hashes(lock: str) -> dict[str, list[str]]:
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
    sys.stdout.write(json.dumps(document(sys.argv[1], Path(sys.argv[2])), indent=2) + "\n")
