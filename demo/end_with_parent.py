"""Runs a command and ends it when standard input closes: `python -m demo.end_with_parent COMMAND...`.

The kernel closes the pipe even if the process at its other end is killed, so the command never outlives that one.
"""

import os
import signal
import subprocess
import sys
import threading

_STOP_SECONDS = 30  # as long as the chart gives a pod


def main() -> int:
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_stdin, args=(command,), daemon=True).start()
    return command.wait()


def _end_with_stdin(command: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    command.send_signal(signal.SIGTERM)
    try:
        command.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        command.kill()


if __name__ == "__main__":
    sys.exit(main())
