"""A box: Linux namespaces for a cluster. Its processes end with it, and its network and mounts are not visible outside.

The first process of the box has PID 1. When it ends, the kernel kills all other processes and removes the network and
mounts of the box. Only cgroups and files are left, which `run_in_box` removes.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from devcluster.locks import exclusive
from devcluster.paths import CACHE, CHECKOUT
from devcluster.processes import dies_with_its_parent
from devcluster.run_folder import remove_until_gone, run_folder
from devcluster.whole import cgroups

PLACES = ("/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet")
"""Programs write there, whatever their configuration. In the box they are file systems in memory."""
FOLDER, CGROUP = "DEVCLUSTER_BOX", "DEVCLUSTER_BOX_CGROUP"
"""Environment variables in the box: its folder, and the cgroup for its pods."""

_UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL")
_GRACE_SECONDS = 30.0


def run_in_box(command: Sequence[str]) -> int:
    """Run a command in a new box and return its exit code. A machine has one box at a time."""
    lock = Path(tempfile.gettempdir()) / "coldsend-whole-cluster.lock"
    with exclusive(lock, "waiting for another whole cluster on this machine"):
        cgroups.remove_all()  # of boxes that were killed together with `run_in_box`
        root = CACHE / "whole"
        root.mkdir(parents=True, exist_ok=True)
        try:
            with run_folder(root) as folder:
                return _run(command, folder.path)
        finally:
            remove_until_gone(folder.path)
            cgroups.remove_all()


def _run(command: Sequence[str], folder: Path) -> int:
    environment = {
        **os.environ,
        FOLDER: str(folder),
        CGROUP: cgroups.new_name(),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH")))),
    }
    inside = [sys.executable, "-m", "devcluster.whole.first_process", *command]
    made = [place for place in map(Path, PLACES) if not place.exists()]  # mount points for the box
    for place in made:
        place.mkdir()
    box = subprocess.Popen(
        [*_UNSHARE, *inside],
        env=environment,
        preexec_fn=dies_with_its_parent(),  # noqa: PLW1509 - we have one thread
    )
    _on_ending(lambda number, _frame: _end(number, box))
    try:
        code = box.wait()
    finally:
        box.kill()
        box.wait()
        for place in made:
            with suppress(OSError):
                place.rmdir()
    return code if code >= 0 else 128 - code


def _end(number: int, box: "subprocess.Popen[bytes]") -> None:
    """End the box: at once, or some time after Ctrl-C, which a terminal sends to all processes in the box too."""
    if number == signal.SIGINT and sys.stdin.isatty():
        signal.signal(signal.SIGALRM, lambda _number, _frame: box.kill())
        signal.setitimer(signal.ITIMER_REAL, _GRACE_SECONDS)
    else:
        box.kill()


def _on_ending(handler: "signal._HANDLER") -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)
