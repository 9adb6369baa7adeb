"""One release, made once on a base of a few bytes; a registry of its own, and a control plane that knows nothing."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

import devcluster
from demo.operator_run import free_port
from devcluster.builder import build
from devcluster.kubectl import any_kubectl
from devcluster.modules import PUBLISHING
from release import artifacts, version
from release.artifacts import Name, Programs
from release.image import Image, Origin
from tests.chart.support import Helm
from tests.e2e.support.world import World, opened_world
from tests.publishing.base import base_layout

NAME = Name("registry.example.com/team/coldsend-operator")
SOURCE = "https://git.example.com/team/coldsend-operator"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
BASE = "python:3.13-slim"
START_SECONDS = 20


@dataclass(frozen=True)
class Made:
    """The files of a release, and what its image consists of."""

    folder: Path
    image: Image
    origin: Origin


@dataclass(frozen=True)
class Registry:
    """A registry that forgets all when it ends."""

    host: str
    crane: Path

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run([self.crane, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="session")
def made(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("release")
    origin = Origin(version.current(), COMMIT, 1_700_000_000, SOURCE, BASE)
    base = base_layout(folder / "base")
    image = artifacts.build(folder / "dist", base, NAME, origin, Programs(helm.program, any_kubectl()))
    return Made(folder / "dist", image, origin)


@pytest.fixture(scope="session")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    crane = build(PUBLISHING, ["crane"]) / "crane"
    host = f"127.0.0.1:{free_port()}"
    log = tmp_path_factory.mktemp("registry") / "log"
    with log.open("wb") as lines:
        process = subprocess.Popen([crane, "registry", "serve", "--address", host], stdout=lines, stderr=lines)
        try:
            _wait(f"http://{host}/v2/", process, log)
            yield Registry(host, crane)
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with devcluster.control_plane() as plane, opened_world(plane, tmp_path_factory.mktemp("world")) as opened:
        yield opened


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        else:
            return
