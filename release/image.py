"""Builds the image as an OCI layout: one layer on a base for each platform, without a container engine."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from release import application, oci, sbom
from release.application import Python
from release.errors import ReleaseError
from release.oci import Descriptor, Document, Layout
from release.platforms import PLATFORMS, Platform
from release.version import Version

_TITLE = "coldsend-operator"
_DESCRIPTION = "Keeps the e-mail sender inboxes of a ColdSend workspace as Kubernetes objects"
_LICENCE = "Apache-2.0"
_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
# pip of the base image, which the operator does not need.
_NOT_NEEDED = re.compile(
    r"usr/local/(?:bin/(?:pip|wheel)[^/]*"
    r"|lib/python3\.\d+/(?:ensurepip|site-packages/(?:pip|setuptools|pkg_resources|wheel)[^/]*))"
)


@dataclass(frozen=True)
class Origin:
    """The origin of an image, for its labels and annotations.

    Attributes:
        version: version of the operator.
        commit: full hash of the commit.
        committed: its time, which all files get too.
        source: URL of the repository; may be empty.
        base: name of the base image.
    """

    version: Version
    commit: str
    committed: int
    source: str
    base: str

    @property
    def labels(self) -> dict[str, str]:
        spoken = {
            "title": _TITLE,
            "description": _DESCRIPTION,
            "licenses": _LICENCE,
            "version": self.version.text,
            "revision": self.commit,
            "created": self.created,
            "source": self.source,
        }
        return {f"org.opencontainers.image.{name}": value for name, value in spoken.items() if value}

    @property
    def created(self) -> str:
        return datetime.fromtimestamp(self.committed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Part:
    """The image of one platform.

    Attributes:
        digest: digest of its manifest.
        files: size of the files that it adds to the base, in bytes.
        download: size of its compressed layer, in bytes.
        inventory: its SBOM.
    """

    platform: Platform
    digest: str
    files: int
    download: int
    inventory: str


@dataclass(frozen=True)
class Image:
    """The image for all platforms, in a layout."""

    layout: Layout
    digest: str
    parts: tuple[Part, ...]


def build(folder: Path, base: Layout, origin: Origin) -> Image:
    """Write the image for all platforms into the new folder."""
    layout = Layout.new(folder)
    made = [_part(layout, base, platform, origin) for platform in PLATFORMS]
    index = {
        "schemaVersion": 2,
        "mediaType": oci.INDEX,
        "manifests": [descriptor.on(part.platform).to_document() for descriptor, part in made],
        "annotations": origin.labels,
    }
    whole = layout.add_document(index, oci.INDEX)
    layout.finish(whole.annotated({"org.opencontainers.image.ref.name": origin.version.text}))
    return Image(layout, whole.digest, tuple(part for _, part in made))


def _part(layout: Layout, base: Layout, platform: Platform, origin: Origin) -> tuple[Descriptor, Part]:
    below, manifest = base.manifest(platform)
    config = base.document(manifest["config"]["digest"])
    python = _python(config)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        application.write(root, platform, python, origin.commit)
        content, uncompressed = oci.packed(root, _superfluous(base, manifest), origin.committed)
        files = sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())
        inventory = sbom.document(origin.version, root / python.packages, _status(base, manifest), python, origin)
    layer = layout.add(content, oci.LAYER)
    for each in manifest["layers"]:
        layout.take(base, each["digest"])
    written = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": layout.add_document(_config(config, uncompressed, platform, origin), oci.CONFIG).to_document(),
        "layers": [*({**each, "mediaType": _as_oci(each)} for each in manifest["layers"]), layer.to_document()],
        "annotations": {
            **origin.labels,
            "org.opencontainers.image.base.name": origin.base,
            "org.opencontainers.image.base.digest": below,
        },
    }
    descriptor = layout.add_document(written, oci.MANIFEST)
    return descriptor, Part(platform, descriptor.digest, files, len(content), inventory)


def _config(base: Document, uncompressed: str, platform: Platform, origin: Origin) -> Document:
    inherited = dict(each.split("=", 1) for each in base["config"].get("Env", ()))
    environment = {**inherited, **_ENVIRONMENT, "PATH": f"/{application.HOME}/bin:{inherited['PATH']}"}
    return {
        **platform.oci,
        "created": origin.created,
        "config": {
            "User": "65532:65532",
            "ExposedPorts": {"8080/tcp": {}, "8081/tcp": {}},
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Entrypoint": ["coldsend-operator"],
            "Cmd": ["run"],
            "Labels": origin.labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [*base["rootfs"]["diff_ids"], uncompressed]},
        "history": [
            *base.get("history", ()),
            {"created": origin.created, "created_by": "python -m release", "comment": "coldsend-operator"},
        ],
    }


def _python(config: Document) -> Python:
    environment: Mapping[str, str] = dict(each.split("=", 1) for each in config["config"].get("Env", ()))
    if "PYTHON_VERSION" not in environment:
        raise ReleaseError("the base is not a Python image: it does not set PYTHON_VERSION")
    return Python(environment["PYTHON_VERSION"])


def _superfluous(base: Layout, manifest: Document) -> list[str]:
    found: set[str] = set()
    for layer in manifest["layers"]:
        with base.tar(layer) as tar:
            found |= {shown[0] for name in tar.getnames() if (shown := _NOT_NEEDED.match(name.removeprefix("./")))}
    return sorted(found)


def _status(base: Layout, manifest: Document) -> str:
    """Debian's list of installed packages, from the topmost layer that has one."""
    for layer in reversed(manifest["layers"]):
        with base.tar(layer) as tar:
            for name in ("var/lib/dpkg/status", "./var/lib/dpkg/status"):
                if name in tar.getnames() and (file := tar.extractfile(name)):
                    return file.read().decode()
    return ""


def _as_oci(layer: Document) -> str:
    gzipped = "gzip" in layer["mediaType"]
    return oci.LAYER if gzipped else oci.LAYER.removesuffix("+gzip")
