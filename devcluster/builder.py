"""Builds the programs of a Go module once and keeps them in the checkout's cache."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.locks import exclusive
from devcluster.modules import GoModule
from devcluster.paths import CACHE
from devcluster.progress import say, wait_showing
from devcluster.toolchain import go_environment, go_program

_TAIL_LINES = 25


def build(module: GoModule, programs: Iterable[str], cache: Path = CACHE) -> Path:
    """The folder that holds `programs`; what is missing there is built from source first.

    Builders that run at the same time wait for each other; a program appears there whole or not at all.
    """
    folder = cache / "go" / f"{module.name}-{module.key}"
    wanted = tuple(programs)
    if not _missing(folder, wanted):
        return folder
    lock = folder.with_name(f"{module.name}.lock")
    with exclusive(lock, f"waiting for another build of {module.name}"):
        missing = _missing(folder, wanted)
        if missing:
            folder.mkdir(exist_ok=True)
            _build_all(module, missing, folder)
    return folder


def sources(module: GoModule) -> Path:
    """The folder of the module that `module` is versioned by, downloaded where it is missing."""
    go = go_program(module.go_version)
    command = [str(go), "mod", "download", "-json", module.versioned_by]
    done = subprocess.run(
        command, cwd=module.folder, env=go_environment(go), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise DevclusterError(f"downloading {module.versioned_by} failed: {done.stderr or done.stdout}")
    return Path(json.loads(done.stdout)["Dir"])


def _missing(folder: Path, programs: Iterable[str]) -> tuple[str, ...]:
    return tuple(program for program in programs if not (folder / program).is_file())


def _build_all(module: GoModule, programs: tuple[str, ...], folder: Path) -> None:
    go = go_program(module.go_version)
    environment = go_environment(go)
    say(f"building {', '.join(programs)} {module.version} from source: some minutes, once; kept in {folder.parent}")
    prefix = f"partial-{module.name}-"
    for abandoned in folder.parent.glob(f"{prefix}*"):  # by a builder that was killed: the lock is ours
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as partial:
        for program in programs:
            built = Path(partial) / program
            command = [str(go), "build", "-v", *module.flags, "-o", str(built), module.packages[program]]
            _run_go(command, module.folder, environment, built.with_suffix(".log"))
            built.rename(folder / program)


def _run_go(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> None:
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as go,
    ):
        try:
            code = wait_showing(f"building {log.stem}", lambda seconds: _code(go, seconds), lambda: _packages(log))
        finally:
            if go.poll() is None:
                go.terminate()  # go then removes its own work folder
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise DevclusterError(f"building {log.stem} failed; the last lines of go build:\n{tail}")


def _code(go: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return go.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None


def _packages(log: Path) -> str:
    """How far `go build -v` is: it names each package that it compiles and each module that it downloads."""
    lines = log.read_text(errors="replace").splitlines()
    if not lines or lines[-1].startswith("go: downloading"):
        return f"{len(lines)} modules downloaded" if lines else ""
    return f"{sum(not line.startswith('go: ') for line in lines)} packages compiled"
