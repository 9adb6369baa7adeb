"""Builds the programs of a Go module once, into the cache of the checkout."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from devcluster import released
from devcluster.errors import DevclusterError
from devcluster.go_build import GoBuild
from devcluster.locks import exclusive
from devcluster.modules import GoModule
from devcluster.paths import CACHE
from devcluster.progress import say
from devcluster.toolchain import go_environment, go_program


def build(module: GoModule, programs: Iterable[str], cache: Path = CACHE) -> Path:
    """Returns the folder with `programs`; missing ones are downloaded, or else built from source.

    Concurrent builders wait for each other. A program appears in the folder only when it is complete.
    """
    folder = cache / "go" / f"{module.name}-{module.key}"
    wanted = tuple(programs)
    if not _missing(folder, wanted):
        return folder
    lock = folder.with_name(f"{module.name}.lock")
    with exclusive(lock, f"waiting for another build of {module.name}"):
        folder.mkdir(exist_ok=True)
        if module.is_released:
            released.fetch(module, _missing(folder, wanted), folder)
        if missing := _missing(folder, wanted):
            _build_all(module, missing, folder)
    return folder


def sources(module: GoModule) -> Path:
    """The source folder of `module.versioned_by`, downloaded if missing."""
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
    """One run of go for all programs, so that linking one overlaps with compiling another."""
    go = go_program(module.go_version)
    names = ", ".join(programs)
    say(f"building {names} {module.version} from source: some minutes, once; kept in {folder.parent}")
    prefix = f"partial-{module.name}-"
    for abandoned in folder.parent.glob(f"{prefix}*"):  # left by a killed builder, as we hold the lock
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as partial:
        packages, flags = [module.packages[program] for program in programs], (*module.flags, *module.sparing_flags)
        GoBuild(go, module.folder, go_environment(go), flags, packages, Path(partial)).run(f"building {names}")
        for program in programs:
            Path(partial, module.named_by_go(program)).rename(folder / program)
