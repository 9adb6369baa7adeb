"""The images of pods: built outside the box, imported in it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.paths import CACHE, CHECKOUT
from devcluster.progress import wait_showing
from devcluster.whole import places, programs

OPERATOR_IMAGE = "localhost/coldsend-operator:test"
_ARCHIVES = CACHE / "image"
OPERATOR_ARCHIVE = _ARCHIVES / "operator.tar"
_PAUSE_ARCHIVE = _ARCHIVES / "pause.tar"
_LOG = _ARCHIVES / "build.log"
_PAUSE = 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n'
_TAIL_LINES = 30
# In the checkout's cache, apart from the user's own images.
_STORAGE = """\
[storage]
driver = "{driver}"
graphroot = "{root}/storage"
runroot = "{root}/run"
"""


def build_all() -> None:
    """Build the image of the operator, as `make image` does, and the pause image of pods."""
    _ARCHIVES.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "ENGINE": "buildah", "BUILDAH_ISOLATION": "chroot", **_storage()}
    for archive in (OPERATOR_ARCHIVE, _PAUSE_ARCHIVE):
        archive.unlink(missing_ok=True)  # buildah would append to it
    operator = {"IMAGE": OPERATOR_IMAGE, "ARCHIVE": str(OPERATOR_ARCHIVE)}
    _run("building the image of the operator", [str(CHECKOUT / "image/build.sh")], environment | operator)
    with tempfile.TemporaryDirectory() as context:
        (Path(context) / "Dockerfile").write_text(_PAUSE)
        shutil.copy(programs.node().pause, context)
        _run("building the image of pods", ["buildah", "bud", "--tag", places.PAUSE_IMAGE, context], environment)
    target = f"oci-archive:{_PAUSE_ARCHIVE}:{places.PAUSE_IMAGE}"
    _run("writing the image of pods", ["buildah", "push", "--quiet", places.PAUSE_IMAGE, target], environment)


def import_all(ctr: Path, snapshotter: str) -> None:
    """Import the images into this box's containerd, unpacked, so that pods start at once."""
    namespaced = [str(ctr), "--address", places.CONTAINERD_SOCKET, "--namespace", "k8s.io"]
    importing = [*namespaced, "images", "import", "--snapshotter", snapshotter]
    for archive in (_PAUSE_ARCHIVE, OPERATOR_ARCHIVE):
        _run(f"importing {archive.name}", [*importing, str(archive)], os.environ)


def _storage() -> dict[str, str]:
    """The environment with buildah's storage: overlay if it works here, else vfs, which copies whole trees."""
    config = _ARCHIVES / "storage.conf"
    for driver in ("overlay", "vfs"):
        config.write_text(_STORAGE.format(driver=driver, root=_ARCHIVES))
        chosen = {"CONTAINERS_STORAGE_CONF": str(config)}
        tried = subprocess.run(["buildah", "info"], env={**os.environ, **chosen}, capture_output=True, check=False)
        if tried.returncode == 0:
            return chosen
    raise DevclusterError(f"buildah does not work here: {tried.stderr.decode(errors='replace').strip()}")


def _run(title: str, command: list[str], environment: Mapping[str, str]) -> None:
    with (
        _LOG.open("wb") as log,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            code = wait_showing(title, lambda seconds: _code(process, seconds))
        finally:
            process.terminate()
    if code != 0:
        tail = "\n".join(_LOG.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise DevclusterError(f"{title} failed; its last lines:\n{tail}")


def _code(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
