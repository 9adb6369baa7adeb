"""Runs commands of `coldsend-operator` and prints them with their output."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from rich.console import Console
from rich.live import Live
from rich.text import Text

_NAME = "coldsend-operator"
_REDRAWS_PER_SECOND = 4


class CommandFailedError(Exception):
    """A command failed; the text is its message."""


@dataclass(frozen=True)
class Product:
    """The commands, with the environment variables that name the cluster and ColdSend."""

    console: Console
    environment: Mapping[str, str]

    def show(self, *arguments: str, good: tuple[int, ...] = (0,), longest: int = 100) -> None:
        """Print the command and its output; of more than `longest` lines only the first and the last."""
        self.console.print(f"$ {_NAME} {' '.join(arguments)}", style="bold")
        with self._started(*arguments) as process:
            said, remarks = process.communicate()
        if process.returncode not in good:
            raise CommandFailedError(f"{_NAME} {arguments[0]}: {(remarks or said).strip()}")
        for line in _shortened(said.rstrip().splitlines(), longest):
            self.console.print(line)

    @contextmanager
    def wait(self, kind_and_name: str, namespace: str) -> Iterator["subprocess.Popen[str]"]:
        """Start `wait`, which ends with 0 when the object is Ready."""
        with self._started("wait", kind_and_name, "-n", namespace) as process:
            yield process

    @contextmanager
    def watched(self, *arguments: str, row: str) -> Iterator[None]:
        """Run the command with --watch during the block: live on a terminal, else print each change of `row`."""
        self.console.print(f"$ {_NAME} {' '.join(arguments)} --watch", style="bold")
        with self._started(*arguments, "--watch") as process:
            show = self._draw if self.console.is_terminal else self._tell
            reader = Thread(target=show, args=(process.stdout or (), row), daemon=True)
            reader.start()
            try:
                yield
            finally:
                process.terminate()
                reader.join()

    def _draw(self, output: Iterable[str], _row: str) -> None:
        with Live(console=self.console, refresh_per_second=_REDRAWS_PER_SECOND, transient=True) as live:
            for frame in _frames(output):
                live.update(Text(frame))

    def _tell(self, output: Iterable[str], row: str) -> None:
        began, told = time.monotonic(), ""
        for line in output:
            if row in line and line != told:
                told = line
                self.console.print(f"{time.monotonic() - began:5.1f} s  {line.rstrip()}")

    @contextmanager
    def _started(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        command = [sys.executable, "-m", "coldsend_operator", *arguments]
        with subprocess.Popen(
            command,
            env={**os.environ, **self.environment, "COLUMNS": str(self.console.width)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.terminate()


def _frames(output: Iterable[str]) -> Iterator[str]:
    """Split the output of `status --watch`: each frame begins with the title of the first table."""
    frame = ""
    for line in output:
        if line.startswith("WORKSPACE") and frame:
            yield frame.rstrip()
            frame = ""
        frame += line


def _shortened(lines: list[str], longest: int) -> list[str]:
    if len(lines) <= longest:
        return lines
    half = longest // 2
    return [*lines[:half], f"... {len(lines) - 2 * half} more lines ...", *lines[-half:]]
