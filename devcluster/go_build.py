"""One run of `go build` with its progress, estimated by the size of the source files to compile."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.progress import clock, wait_showing

_TAIL_LINES = 25
_LINKED_SHARE = 0.04  # of the time: linking, which prints nothing
_FIRST_SHARE = 0.03  # below this share an estimate would jump
_FIRST_SECONDS = 10.0  # minimum time of compiling before an estimate
_LISTED = '{{if .Stale}}{{.ImportPath}} {{.Dir}} {{join .GoFiles " "}}{{end}}'


@dataclass(frozen=True)
class GoBuild:
    """Builds `packages` with `flags` into `folder`; go names the programs."""

    go: Path
    module: Path
    environment: dict[str, str]
    flags: Sequence[str]
    packages: Sequence[str]
    folder: Path

    def run(self, title: str) -> None:
        """Build and show the progress. Raises DevclusterError with the last lines of go's output."""
        log = self.folder / "build.log"
        command = [str(self.go), "build", "-v", *self.flags, "-o", f"{self.folder}{os.sep}", *self.packages]
        with (
            log.open("wb") as output,
            subprocess.Popen(
                command,
                cwd=self.module,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as go,
        ):
            progress = Progress(log)
            threading.Thread(target=self._weigh, args=(progress,), daemon=True).start()
            try:
                code = wait_showing(title, lambda seconds: _code(go, seconds), progress.text)
            finally:
                if go.poll() is None:
                    go.terminate()  # go then removes its work folder
        if code != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
            raise DevclusterError(f"{title} failed; the last lines of go build:\n{tail}")
        log.unlink()

    def _weigh(self, progress: "Progress") -> None:
        """Set the size of each package that go will compile. Errors are ignored: the build will report them."""
        command = [str(self.go), "list", "-deps", *self.flags, "-f", _LISTED, *self.packages]
        listed = subprocess.run(
            command, cwd=self.module, env=self.environment, capture_output=True, text=True, check=False
        )
        weights: dict[str, int] = {}
        for line in listed.stdout.splitlines():
            if line:
                package, folder, *files = line.split(" ")
                weights[package] = sum(_size(Path(folder, file)) for file in files)
        progress.weights = weights


@dataclass
class Progress:
    """The progress of a build, by its log."""

    log: Path
    weights: dict[str, int] = field(default_factory=dict)
    """Source bytes by package; empty until known."""
    now: Callable[[], float] = time.monotonic
    _compiling_since: float = 0.0

    def text(self) -> str:
        """The progress. `go build -v` prints each package that it begins to compile, and each module it downloads."""
        lines = self.log.read_text(errors="replace").splitlines()
        compiled = [line for line in lines if not line.startswith("go: ")]
        if not compiled:
            return f"{len(lines)} modules downloaded" if lines else ""
        self._compiling_since = self._compiling_since or self.now()
        taken = self.now() - self._compiling_since
        share = self._share(compiled)
        if share < _FIRST_SHARE or taken < _FIRST_SECONDS:
            return f"{len(compiled)} packages compiled"
        left = taken * (1 - share) / share
        return f"{share:.0%}, about {clock(left)} left"

    def _share(self, compiled: list[str]) -> float:
        total = sum(self.weights.values())
        done = sum(self.weights.get(package, 0) for package in compiled)
        return done / total * (1 - _LINKED_SHARE) if total else 0.0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # generated during the build
        return 0


def _code(go: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return go.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
