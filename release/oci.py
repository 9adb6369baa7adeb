"""An OCI image layout: a folder of blobs, named by their digest, with an index."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from release.errors import ReleaseError
from release.platforms import Platform

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")

Document = dict[str, Any]


@dataclass(frozen=True)
class Descriptor:
    """A reference to a blob."""

    media_type: str
    digest: str
    size: int
    platform: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None

    def to_document(self) -> Document:
        found: Document = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.platform:
            found["platform"] = dict(self.platform)
        if self.annotations:
            found["annotations"] = dict(self.annotations)
        return found

    def on(self, platform: Platform) -> "Descriptor":
        return replace(self, platform=platform.oci)

    def annotated(self, annotations: Mapping[str, str]) -> "Descriptor":
        return replace(self, annotations=annotations)


@dataclass(frozen=True)
class Layout:
    """A layout on disk."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> "Layout":
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        return cls(folder)

    def add(self, content: bytes, media_type: str) -> Descriptor:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._blob(digest).write_bytes(content)
        return Descriptor(media_type, digest, len(content))

    def add_document(self, document: Document, media_type: str) -> Descriptor:
        return self.add(json.dumps(document, separators=(",", ":"), sort_keys=True).encode(), media_type)

    def take(self, other: "Layout", digest: str) -> None:
        """Copy a blob of another layout."""
        self._blob(digest).write_bytes(other.read(digest))

    def read(self, digest: str) -> bytes:
        content = self._blob(digest).read_bytes()
        if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
            raise ReleaseError(f"{self._blob(digest)} does not have the digest in its name")
        return content

    def document(self, digest: str) -> Document:
        found: Document = json.loads(self.read(digest))
        return found

    def finish(self, *manifests: Descriptor) -> None:
        """Write the index of the layout."""
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [each.to_document() for each in manifests]}
        (self.folder / "index.json").write_text(json.dumps(index))

    def index(self) -> Document:
        found: Document = json.loads((self.folder / "index.json").read_text())
        return found

    def manifest(self, platform: Platform) -> tuple[str, Document]:
        """Digest and content of the platform's manifest, also from nested indexes."""
        for each in self._descriptors(self.index()):
            if {name: each.get("platform", {}).get(name) for name in platform.oci} == platform.oci:
                return each["digest"], self.document(each["digest"])
        raise ReleaseError(f"{self.folder} has no image for {platform}")

    def tar(self, layer: Document) -> tarfile.TarFile:
        """Open a layer, which may be compressed with gzip."""
        media_type = str(layer["mediaType"])
        if "zstd" in media_type:
            raise ReleaseError(f"layers of type {media_type} cannot be read")
        return tarfile.open(fileobj=io.BytesIO(self.read(layer["digest"])), mode="r:*")

    def _descriptors(self, index: Document) -> Iterator[Document]:
        for each in index["manifests"]:
            if each["mediaType"] in _INDEXES:
                yield from self._descriptors(self.document(each["digest"]))
            else:
                yield each

    def _blob(self, digest: str) -> Path:
        return self.folder / "blobs" / Path(*digest.split(":", 1))


def packed(folder: Path, whiteouts: list[str], changed: int) -> tuple[bytes, str]:
    """A layer with the content of `folder` that also removes `whiteouts`; and the digest of its uncompressed tar.

    All files belong to root, may be read by everybody, and have the time `changed`, so that equal content makes an
    equal layer, whatever the umask was.
    """
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:

        def put(name: str, path: Path | None) -> None:
            entry = tar.gettarinfo(path, name) if path else tarfile.TarInfo(name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = changed
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            if path and entry.isreg():
                with path.open("rb") as file:
                    tar.addfile(entry, file)
            else:
                tar.addfile(entry)

        for path in sorted(folder.rglob("*")):
            put(str(path.relative_to(folder)), path)
        for name in sorted(whiteouts):
            parent, _, gone = name.rpartition("/")
            put(f"{parent}/.wh.{gone}", None)
    digest = f"sha256:{hashlib.sha256(plain.getvalue()).hexdigest()}"
    return gzip.compress(plain.getvalue(), compresslevel=6, mtime=0), digest
