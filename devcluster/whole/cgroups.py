"""The cgroups of pods: besides files, the only thing of a whole cluster that outlives its namespaces."""

import os
import time
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "coldsend-whole-"
_REMOVE_SECONDS = 10.0
_RETRY_SECONDS = 0.1


def new_name() -> str:
    """A name for the cgroup of all pods of a cluster."""
    return f"{_PREFIX}{os.getpid()}"


def can_make_cgroups() -> bool:
    probe = _hierarchies()[0] / f"{_PREFIX}probe"
    try:
        probe.mkdir(exist_ok=True)
        probe.rmdir()
    except OSError:
        return False
    return True


def remove_all() -> None:
    """Remove the cgroups of all whole clusters; none may be running."""
    until = time.monotonic() + _REMOVE_SECONDS
    while left := [found for root in _hierarchies() for found in root.glob(f"{_PREFIX}*")]:
        for found in left:
            _remove(found)
        if time.monotonic() > until:
            return
        if any(found.exists() for found in left):
            time.sleep(_RETRY_SECONDS)  # the kernel has not removed the last process yet


def _remove(cgroup: Path) -> None:
    for path, _folders, _files in os.walk(cgroup, topdown=False):
        with suppress(OSError):
            Path(path).rmdir()


def _hierarchies() -> list[Path]:
    """The roots: one with cgroups v2, one for each controller with v1."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [path for path in sorted(_ROOT.iterdir()) if (path / "cgroup.procs").exists()] or [_ROOT]
