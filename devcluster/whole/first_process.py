"""The first process of a box: `python -m devcluster.whole.first_process COMMAND...`.

It mounts the private places, runs the command, and reaps orphaned processes.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from devcluster.whole.box import FOLDER, PLACES


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _make_private_places(Path(os.environ[FOLDER]))
    _do("ip", "link", "set", "lo", "up")
    command = subprocess.Popen(sys.argv[1:], preexec_fn=_listen_to_signals)  # noqa: PLW1509 - we have one thread
    while True:
        pid, status = os.wait()
        if pid == command.pid:
            return os.waitstatus_to_exitcode(status) % 256


def _make_private_places(folder: Path) -> None:
    for place in PLACES:
        _do("mount", "-t", "tmpfs", "-o", "mode=755", "none", place)
    temporary = folder / "tmp"  # /tmp itself stays visible: the checkout may be there
    temporary.mkdir()
    os.environ["TMPDIR"] = str(temporary)


def _listen_to_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _do(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
