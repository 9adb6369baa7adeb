"""Downloads the released programs of the control plane, which is faster than a build.

Each is checked against its published checksum. After any failure the program is built instead.
"""

import hashlib
import http.client
import os
import platform
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from devcluster.modules import GoModule
from devcluster.progress import clock, say, wait_showing

FROM_SOURCE = "FROM_SOURCE"  # environment variable: always build
CONNECT_SECONDS = 5.0  # also the maximum pause between two chunks
PATIENCE_SECONDS = 240.0  # for all downloads: a build takes about as long

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_CHUNK = 1 << 18
_TROUBLE = (OSError, http.client.HTTPException, tarfile.TarError, subprocess.SubprocessError, ValueError)


class ReleaseError(OSError):
    """The download is not the published program, or does not run here."""


@dataclass(frozen=True)
class Releases:
    """Base URLs of the releases."""

    kubernetes: str = "https://dl.k8s.io/release"
    etcd: str = "https://github.com/etcd-io/etcd/releases/download"


PUBLISHED = Releases()


@dataclass(frozen=True)
class _Published:
    """`checksums` lists SHA-256 sums; `member` is the program inside an archive."""

    url: str
    checksums: str
    version: str
    member: str = ""


def fetch(module: GoModule, programs: Iterable[str], folder: Path, releases: Releases | None = None) -> None:
    """Download `programs` into `folder`; the caller builds those that are still missing."""
    if os.environ.get(FROM_SOURCE) or platform.system() != "Linux":  # Kubernetes has releases for Linux only
        return
    deadline = time.monotonic() + PATIENCE_SECONDS
    for program in programs:
        try:
            _fetch(program, _published(module, program, releases or PUBLISHED), folder, deadline)
        except _TROUBLE as trouble:
            say(f"downloading {program} failed ({trouble}): building from source")
            return


def _published(module: GoModule, program: str, releases: Releases) -> _Published:
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    if program == "etcd":
        version = module.version_of("go.etcd.io/etcd/server/v3")
        name = f"etcd-{version}-linux-{architecture}"
        base = f"{releases.etcd}/{version}"
        return _Published(f"{base}/{name}.tar.gz", f"{base}/SHA256SUMS", version, f"{name}/etcd")
    url = f"{releases.kubernetes}/{module.version}/bin/linux/{architecture}/{program}"
    return _Published(url, f"{url}.sha256", module.version)


def _fetch(program: str, published: _Published, folder: Path, deadline: float) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="partial-released-") as partial:
        checksum = _checksum(published)
        downloaded = Path(partial) / Path(published.url).name
        _Download(published.url, downloaded, deadline).run(f"downloading {program} {published.version}")
        if hashlib.sha256(downloaded.read_bytes()).hexdigest() != checksum:
            raise ReleaseError(f"the checksum of {published.url} is wrong")
        if published.member:
            with tarfile.open(downloaded) as archive:
                archive.extract(published.member, partial, filter="data")
        found = Path(partial) / (published.member or downloaded.name)
        found.chmod(0o755)
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
        if published.version.removeprefix("v") not in said:
            raise ReleaseError(f"its version is not {published.version}, but {said.strip()!r}")
        found.rename(folder / program)


def _checksum(published: _Published) -> str:
    """The checksum, from a file that is one sum or has lines `SUM  NAME`."""
    with urllib.request.urlopen(published.checksums, timeout=CONNECT_SECONDS) as answer:  # noqa: S310 - https, or a test
        words = answer.read(1 << 20).decode("ascii").split()
    name = Path(published.url).name
    return str(words[0] if len(words) == 1 else words[words.index(name) - 1])


@dataclass
class _Download:
    """A download in a thread, so that its progress can be shown."""

    url: str
    target: Path
    deadline: float
    _size: int = 0
    _received: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _trouble: BaseException | None = None

    def run(self, title: str) -> None:
        threading.Thread(target=self._receive, daemon=True).start()
        began = time.monotonic()
        wait_showing(title, lambda seconds: self._ended.wait(seconds) or None, lambda: self._text(began))
        if self._trouble is not None:
            raise self._trouble

    def _receive(self) -> None:
        try:
            with (
                urllib.request.urlopen(self.url, timeout=CONNECT_SECONDS) as answer,  # noqa: S310 - https, or a test
                self.target.open("wb") as file,
            ):
                self._size = int(answer.headers.get("Content-Length") or 0)
                while chunk := answer.read(_CHUNK):
                    self._received += file.write(chunk)
                    if time.monotonic() > self.deadline:
                        raise ReleaseError("the download takes too long")
        except _TROUBLE as trouble:
            self._trouble = trouble
        finally:
            self._ended.set()

    def _text(self, began: float) -> str:
        text = f"{self._received >> 20} of {self._size >> 20} MB"
        if not self._received or not self._size:
            return ""
        left = (time.monotonic() - began) * (self._size - self._received) / self._received
        return f"{text}, about {clock(left)} left"
