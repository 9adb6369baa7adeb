"""Runs the components as processes that end with the supervisor."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from devcluster.components import Component
from devcluster.errors import DevclusterError
from devcluster.run_folder import RunFolder

_PR_SET_PDEATHSIG = 1
_TAIL_LINES = 20
_MEMORY = {"GOGC": "400", "GOMEMLIMIT": "4GiB"}  # by default garbage collection takes a third of the API server's time


class Processes:
    """Starts components and kills them at the end of the block: they have no data to save."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._before_exec = dies_with_its_parent()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    def start(self, component: Component) -> None:
        with self._folder.log(component.name).open("wb") as log:
            self._running[component.name] = subprocess.Popen(
                component.command,
                cwd=self._folder.path,
                env={**_MEMORY, **os.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # no Ctrl-C
                preexec_fn=self._before_exec,  # noqa: PLW1509 - the supervisor has one thread
            )

    def check(self) -> None:
        """Raises DevclusterError if a component has ended."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise DevclusterError(f"{name} {_ending(code)}; {self.tail(name)}")

    def tail(self, name: str) -> str:
        lines = self._folder.log(name).read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "the last lines of its log:\n" + "\n".join(lines) if lines else "its log is empty"


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def dies_with_its_parent() -> Callable[[], None] | None:
    """A `preexec_fn` that makes the kernel kill the child when its parent dies; None on other systems than Linux."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    supervisor = os.getpid()

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:  # the parent died before prctl
            os._exit(1)

    return before_exec
