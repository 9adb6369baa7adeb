"""A box of Linux namespaces: what runs in it ends with it, and none of its addresses, rules and mounts is outside.

Its first process has the number 1 in there. When that one ends, or is killed, the kernel kills all others, and network,
mounts and processes of the box are gone. Only cgroups and files are left, which `run_in_box` removes.
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
"""Programs write there whatever they are told. In the box they are other ones, in memory, which go with it."""
FOLDER, CGROUP = "DEVCLUSTER_BOX", "DEVCLUSTER_BOX_CGROUP"
"""Variables by which what runs in the box knows its folder, and the cgroup for its pods."""

_UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL")
_LAST_WORDS_SECONDS = 30.0


def run_in_box(command: Sequence[str]) -> int:
    """The exit code of `command`; one box at a time on a machine."""
    lock = Path(tempfile.gettempdir()) / "coldsend-whole-cluster.lock"
    with exclusive(lock, "waiting for another whole cluster on this machine"):
        cgroups.remove_all()  # of boxes that were killed together with those who watched them
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
    made = [place for place in map(Path, PLACES) if not place.exists()]  # where the box mounts its own
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
    """At Ctrl-C a terminal tells all at once; what runs inside may say its last words, then it is killed."""
    if number == signal.SIGINT and sys.stdin.isatty():
        signal.signal(signal.SIGALRM, lambda _number, _frame: box.kill())
        signal.setitimer(signal.ITIMER_REAL, _LAST_WORDS_SECONDS)
    else:
        box.kill()


def _on_ending(handler: "signal._HANDLER") -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)
