"""The one place outside the namespaces where a whole cluster leaves traces: the cgroups of its pods."""

import os
import time
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "coldsend-whole-"
_REMOVE_SECONDS = 10.0
_RETRY_SECONDS = 0.1


def new_name() -> str:
    """Of the cgroup under which all pods of a cluster stand."""
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
    """Those of every cluster that has ended; the caller knows that none runs."""
    until = time.monotonic() + _REMOVE_SECONDS
    while left := [found for root in _hierarchies() for found in root.glob(f"{_PREFIX}*")]:
        for found in left:
            _remove(found)
        if time.monotonic() > until:
            return
        if any(found.exists() for found in left):
            time.sleep(_RETRY_SECONDS)  # the kernel is still taking leave of the last process


def _remove(cgroup: Path) -> None:
    for path, _folders, _files in os.walk(cgroup, topdown=False):
        with suppress(OSError):
            Path(path).rmdir()


def _hierarchies() -> list[Path]:
    """One in version 2, one for each controller in version 1."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [path for path in sorted(_ROOT.iterdir()) if (path / "cgroup.procs").exists()] or [_ROOT]
