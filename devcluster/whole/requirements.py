"""Checks whether the machine can run a whole cluster."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.progress import say, wait_showing
from devcluster.whole.cgroups import can_make_cgroups

INSTALL = "APT"
CNI_PLUGINS = Path("/usr/lib/cni")

_PACKAGES = {
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "git": "git",
    "ip": "iproute2",
    "mount": "mount",
    "nft": "nftables",
    "redis-server": "redis-server",
    "runc": "runc",
    "unshare": "util-linux",
}
_RIGHTS = "set -e; ip link add probe0 type veth peer name probe1; nft add table ip probe; mount -t tmpfs none /run"
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


class NotPossibleHereError(DevclusterError):
    """This machine cannot run a whole cluster."""

    exit_code = 77


def see_system_programs() -> None:
    """Add the sbin folders to PATH, which root's PATH may lack."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{_SYSTEM_PATH}"


def require_all() -> None:
    """Raises NotPossibleHereError if a requirement is missing. With APT=1 missing Debian packages are installed."""
    if sys.platform != "linux":
        raise NotPossibleHereError("a whole cluster needs Linux")
    if os.geteuid() != 0:
        raise NotPossibleHereError("a whole cluster needs root")
    missing = _missing_packages()
    if missing and os.environ.get(INSTALL) == "1" and shutil.which("apt-get"):
        _install(missing)
        missing = _missing_packages()
    if missing:
        raise NotPossibleHereError(
            f"packages are missing: apt-get install --no-install-recommends {' '.join(missing)}"
            f" ({INSTALL}=1 does so on Debian and Ubuntu)"
        )
    if not can_make_cgroups():
        raise NotPossibleHereError("a whole cluster needs cgroups, and they cannot be written here")
    probe = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", _RIGHTS]
    tried = subprocess.run(probe, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise NotPossibleHereError(
            f"a whole cluster needs namespaces, veth and nftables, which are refused here: {tried.stderr.strip()}"
        )


def _missing_packages() -> list[str]:
    missing = {package for program, package in _PACKAGES.items() if shutil.which(program) is None}
    if not (CNI_PLUGINS / "bridge").exists():
        missing.add("containernetworking-plugins")
    return sorted(missing)


def _install(packages: list[str]) -> None:
    # With run level 1 packages start no services.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    _run_apt("asking for the list of Debian packages", ["update", "-qq"], environment)
    install = ["install", "-qq", "--yes", "--no-install-recommends", *packages]
    _run_apt(f"installing {', '.join(packages)}", install, environment)


def _run_apt(title: str, arguments: list[str], environment: dict[str, str]) -> None:
    with subprocess.Popen(
        ["apt-get", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as apt:
        said = wait_showing(title, lambda seconds: _output(apt, seconds))
    if apt.returncode != 0:
        say(said)
        raise DevclusterError(f"{title} failed with exit code {apt.returncode}")


def _output(process: subprocess.Popen[str], seconds: float) -> str | None:
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return None
