"""Released programs in place of a build, from a server that plays those of Kubernetes and etcd."""

import hashlib
import http.server
import io
import platform
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from devcluster import released
from devcluster.builder import build
from devcluster.modules import CONTROL_PLANE, GoModule
from devcluster.released import Releases, fetch

KUBERNETES, ETCD = CONTROL_PLANE.version, CONTROL_PLANE.version_of("go.etcd.io/etcd/server/v3")
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
API_SERVER = f"/{KUBERNETES}/bin/linux/{ARCHITECTURE}/kube-apiserver"
ARCHIVE = f"etcd-{ETCD}-linux-{ARCHITECTURE}"


@dataclass
class Publisher:
    """Serves `files`; of a path in `broken` only the first half comes."""

    files: dict[str, bytes] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def releases(self) -> Releases:
        return Releases(self.url, self.url)

    def publish(self, path: str, content: bytes) -> None:
        self.files[path] = content
        self.files[f"{path}.sha256"] = hashlib.sha256(content).hexdigest().encode()

    def publish_etcd(self, program: bytes) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in ((f"{ARCHIVE}/README.md", b"read me"), (f"{ARCHIVE}/etcd", program)):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        name = f"{ARCHIVE}.tar.gz"
        self.files[f"/{ETCD}/{name}"] = packed.getvalue()
        sums = ("0" * 64 + "  another.tar.gz", f"{hashlib.sha256(packed.getvalue()).hexdigest()}  {name}")
        self.files[f"/{ETCD}/SHA256SUMS"] = "\n".join(sums).encode()


def saying(text: str) -> bytes:
    return f"#!/bin/sh\necho {text}\n".encode()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    played = Publisher()
    played.publish(API_SERVER, saying(f"Kubernetes {KUBERNETES}"))
    played.publish_etcd(saying(f"etcd Version: {ETCD.removeprefix('v')}"))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            played.asked.append(self.path)
            content = played.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write((content or b"")[: len(content or b"") // 2 if self.path in played.broken else None])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        played.url = f"http://127.0.0.1:{server.server_port}"
        yield played
        server.shutdown()


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing around the tests decides where programs come from."""
    for name in ("HTTP_PROXY", "ALL_PROXY", released.FROM_SOURCE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def fetched(folder: Path, publisher: Publisher, *programs: str) -> set[str]:
    folder.mkdir()
    fetch(CONTROL_PLANE, programs, folder, publisher.releases)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return {path.name for path in folder.iterdir()}


def test_released_programs_are_taken_when_they_have_the_published_checksums(
    publisher: Publisher, tmp_path: Path
) -> None:
    folder = tmp_path / "programs"
    assert fetched(folder, publisher, "etcd", "kube-apiserver") == {"etcd", "kube-apiserver"}
    assert (folder / "kube-apiserver").read_bytes() == publisher.files[API_SERVER]
    assert (folder / "etcd").stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("another_checksum", "the checksum of"),
        ("no_checksum", "404"),
        ("missing", "404"),
        ("half_of_it", "the checksum of"),
        ("another_version", "is not v"),
        ("does_not_run", "downloading kube-apiserver failed"),
    ],
)
def test_any_trouble_leaves_it_to_the_build(
    publisher: Publisher, tmp_path: Path, capfd: pytest.CaptureFixture[str], trouble: str, said: str
) -> None:
    match trouble:
        case "another_checksum":
            publisher.files[API_SERVER] += b"# and more\n"
        case "no_checksum":
            del publisher.files[f"{API_SERVER}.sha256"]
        case "missing":
            del publisher.files[API_SERVER]
        case "half_of_it":
            publisher.broken.add(API_SERVER)
        case "another_version":
            publisher.publish(API_SERVER, saying("Kubernetes v1.0.0"))
        case _:
            publisher.publish(API_SERVER, b"\x7fELF of another machine")
    assert fetched(tmp_path / "programs", publisher, "kube-apiserver") == set()
    told = capfd.readouterr().err
    assert said in told
    assert "building from source" in told


def test_without_a_network_it_is_left_to_the_build(publisher: Publisher, tmp_path: Path) -> None:
    nobody = replace(publisher, url="http://127.0.0.1:9")  # the port of `discard`, which nobody serves
    assert fetched(tmp_path / "programs", nobody, "etcd", "kube-apiserver") == set()


def test_a_build_can_be_asked_for_in_any_case(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(released.FROM_SOURCE, "1")
    assert fetched(tmp_path / "programs", publisher, "etcd") == set()
    assert publisher.asked == []


def test_what_was_released_is_not_built(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(released, "PUBLISHED", publisher.releases)
    module: GoModule = CONTROL_PLANE
    folder = build(module, ["etcd", "kube-apiserver"], tmp_path / "cache")
    assert {path.name for path in folder.iterdir()} == {"etcd", "kube-apiserver"}
    assert "from source" not in capfd.readouterr().err
