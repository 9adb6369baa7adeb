"""Runs the operator as a process, as in production apart from its addresses."""

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STOP_SECONDS = 30
_TAIL_LINES = 30


@dataclass(frozen=True)
class OperatorRun:
    """A running operator, with its log file and the URL of its metrics."""

    process: subprocess.Popen[bytes]
    log: Path
    metrics_url: str

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def log_tail(self) -> str:
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            return "".join(deque(lines, _TAIL_LINES)).rstrip()


@contextmanager
def running_operator(kubeconfig: Path, folder: Path, **settings: str) -> Iterator[OperatorRun]:
    """Run the operator until the end of the block. `settings` are fields of `Settings`."""
    metrics, probes = (f"127.0.0.1:{free_port()}" for _ in range(2))
    around = {name: value for name, value in os.environ.items() if not name.startswith("COLDSEND_")}
    ours = {f"COLDSEND_{name.upper()}": value for name, value in settings.items()}
    addresses = {"COLDSEND_METRICS_ADDRESS": metrics, "COLDSEND_PROBES_ADDRESS": probes}
    log = folder / "operator.log"
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.end_with_parent", sys.executable, "-m", "coldsend_operator", "run"],
            env={**around, **addresses, **ours, "KUBECONFIG": str(kubeconfig)},
            stdin=subprocess.PIPE,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # no Ctrl-C: the demo needs the operator for its cleanup
        )
    try:
        yield OperatorRun(process, log, f"http://{metrics}/metrics")
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(_STOP_SECONDS)


def free_port() -> int:
    """A TCP port that nobody listens on; another process may take it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
