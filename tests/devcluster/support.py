"""What the tests do to a control plane, and how they see what it left."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devcluster import Cluster
from devcluster.paths import CHECKOUT

PATIENCE_SECONDS = 90.0


class Kubectl:
    """Calls kubectl as the user of one kubeconfig."""

    def __init__(self, cluster: Cluster, token: str | None = None) -> None:
        config = cluster.kubeconfig if token is None else cluster.kubeconfig_for(token)
        self._command = [str(cluster.kubectl), "--kubeconfig", str(config)]

    def __call__(self, *arguments: str, manifest: dict[str, Any] | None = None) -> str:
        """What it printed; raises CalledProcessError when it failed."""
        text = json.dumps(manifest) if manifest else None
        done = subprocess.run([*self._command, *arguments], input=text, capture_output=True, text=True, check=True)
        return done.stdout

    def apply(self, manifest: dict[str, Any]) -> str:
        return self("apply", "--server-side", "-f", "-", manifest=manifest)

    def succeeds(self, *arguments: str) -> bool:
        return subprocess.run([*self._command, *arguments], capture_output=True, check=False).returncode == 0

    def refusal(self, *arguments: str, manifest: dict[str, Any] | None = None) -> str:
        with pytest.raises(subprocess.CalledProcessError) as refused:
            self(*arguments, manifest=manifest)
        return str(refused.value.stderr)


class CommandLine:
    """`python -m devcluster`, whose runs have their folders in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def started(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        inherited = {name: value for name, value in os.environ.items() if name != "CLUSTER"}
        with subprocess.Popen(
            [sys.executable, "-m", "devcluster", *arguments],
            cwd=CHECKOUT,
            env={**inherited, "TMPDIR": str(self.folder), **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            try:
                yield running
            finally:
                running.terminate()

    def finished(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        with self.started(*arguments, **environment) as running:
            out, err = running.communicate()
        return running.returncode, out, err

    def folders(self) -> list[Path]:
        return list(self.folder.iterdir())


def read_line(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def descendants(pid: int) -> set[int]:
    parents = _living()
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def wait_until(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def none_lives(pids: set[int]) -> bool:
    return not pids & _living().keys()


def _living() -> dict[int, int]:
    """Each process that is no zombie, with its parent."""
    command = ["ps", "-axo", "pid=,ppid=,stat="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}
