"""Writes /opt/coldsend, the image's content beside its base: as the Dockerfile does, but without a container engine."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from release.errors import ReleaseError
from release.platforms import Platform
from release.version import ROOT

HOME = "opt/coldsend"
LOCK = ROOT / "requirements" / "operator.txt"
_PROGRAM = f"#!/{HOME}/bin/python\nfrom coldsend_operator.__main__ import main\nmain()\n"
# The Kubernetes client has 1,500 models, 30 MB compiled, of which the operator imports few.
_NOT_COMPILED = r"kubernetes/.*client/models/(?!__init__)"
# Its typed calls, 54 MB, are never imported: the operator has its own client.
_NEVER_IMPORTED = ("kubernetes/client/api/*_api.py", "kubernetes/aio/client/api/*_api.py")


@dataclass(frozen=True)
class Python:
    """The Python of a base image: its version and path."""

    version: str
    program: str = "/usr/local/bin/python3"

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])

    @property
    def packages(self) -> str:
        return f"{HOME}/lib/python{self.minor}/site-packages"


def write(root: Path, platform: Platform, python: Python, commit: str) -> None:
    """Write the operator and its locked packages into the file system at `root`."""
    if python.minor != f"{sys.version_info[0]}.{sys.version_info[1]}":
        raise ReleaseError(
            f"the base has Python {python.version}: the bytecode for it is made by Python {python.minor}, "
            f"and this is {sys.version.split()[0]}"
        )
    packages = root / python.packages
    packages.mkdir(parents=True)
    _install(packages, platform, python)
    operator = packages / "coldsend_operator"
    shutil.copytree(ROOT / "operator" / "coldsend_operator", operator, ignore=shutil.ignore_patterns("__pycache__"))
    (operator / "COMMIT").write_text(f"{commit}\n")
    for tests in [path for path in packages.rglob("tests") if path.is_dir()]:
        shutil.rmtree(tests)
    for path in [path for pattern in _NEVER_IMPORTED for path in packages.glob(pattern)]:
        path.unlink()
    _compile(root, packages)
    _environment(root / HOME, python)


def _install(packages: Path, platform: Platform, python: Python) -> None:
    # uv evaluates the markers of the lock for the given platform; pip would do so for this machine.
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(packages)]
    command += ["--python-platform", platform.wheels, "--python-version", python.minor, "--link-mode", "copy"]
    command += ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--requirement", str(LOCK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"the packages for {platform} cannot be installed:\n{done.stderr}")
    shutil.rmtree(packages / "bin", ignore_errors=True)  # programs of packages; unused
    (packages / ".lock").unlink(missing_ok=True)


def _compile(root: Path, packages: Path) -> None:
    # A new process with a fixed hash seed, for reproducible bytecode.
    command = [sys.executable, "-s", "-m", "compileall", "-q", "-x", _NOT_COMPILED]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/", str(packages)]
    done = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"not everything can be compiled:\n{done.stdout}{done.stderr}")


def _environment(home: Path, python: Python) -> None:
    """Write what `python -m venv --without-pip` writes."""
    (home / "bin").mkdir()
    (home / "bin" / "python").symlink_to(python.program)
    program = home / "bin" / "coldsend-operator"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    folder = python.program.rpartition("/")[0]
    (home / "pyvenv.cfg").write_text(
        f"home = {folder}\ninclude-system-site-packages = false\nversion = {python.version}\n"
    )
