"""A person at a terminal: runs the installed program, and no run may show a secret anywhere."""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

CHECK_SECONDS = 0.05
SHORTEST = 8  # characters of a spelling that is no accident


@dataclass(frozen=True)
class Run:
    """What a command did. `processes` are the command lines that were seen of it and of its children."""

    code: int
    out: str
    err: str
    processes: frozenset[str]


class Canaries:
    """Values that may stand in no output, however they are spelled there."""

    def __init__(self, *values: str) -> None:
        self._spellings = {*values, *(each for value in values for each in _spellings(value) if len(each) >= SHORTEST)}

    def found_in(self, text: str) -> list[str]:
        return sorted(spelling for spelling in self._spellings if spelling in text)


def _spellings(value: str) -> Iterator[str]:
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield quote(value)
    for start in range(3):  # within a longer text the letters of base64 begin at any of three places
        encoded = base64.b64encode(b"\0" * start + value.encode()).decode()
        yield encoded[4 if start else 0 : -4]


@dataclass
class Person:
    """`folder` is where they are; `environment` is all that the program is given."""

    program: Path
    folder: Path
    environment: dict[str, str]
    canaries: Canaries
    secret_files: set[str] = field(default_factory=set)  # those that they named for passwords

    def run(self, *arguments: object, given: str = "", environment: Mapping[str, str] | None = None) -> Run:
        """One run of the program, checked for secrets."""
        process = subprocess.Popen(
            [str(self.program), *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        seen: set[str] = set()
        watch = threading.Thread(target=_watch, args=(process, seen))
        watch.start()
        out, err = process.communicate(given)
        watch.join()
        run = Run(process.returncode, out, err, frozenset(seen))
        self._search(run)
        return run

    def fails(self, *arguments: object, code: int = 1, environment: Mapping[str, str] | None = None) -> Run:
        """A run that ends with this code, one sentence on standard error, and no traceback."""
        run = self.run(*arguments, environment=environment)
        assert run.code == code, run.out + run.err
        assert "Traceback" not in run.err
        assert run.err.strip()
        return run

    def succeeds(self, *arguments: object, code: int = 0, environment: Mapping[str, str] | None = None) -> Run:
        run = self.run(*arguments, environment=environment)
        assert run.code == code, run.out + run.err
        return run

    def _search(self, run: Run) -> None:
        places = {"stdout": run.out, "stderr": run.err, "a command line": "\n".join(run.processes)}
        for path in _files(self.folder):
            if str(path.relative_to(self.folder)) not in self.secret_files:
                places[str(path)] = path.read_bytes().decode(errors="replace")
        leaks = {place: found for place, text in places.items() if (found := self.canaries.found_in(text))}
        assert not leaks, f"a secret stands in {leaks}"


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _watch(process: "subprocess.Popen[str]", seen: set[str]) -> None:
    """The command lines of a process and of all below it, while it runs."""
    while process.poll() is None:
        for pid in _family(process.pid):
            try:
                seen.add(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:  # it has ended
                continue
        time.sleep(CHECK_SECONDS)


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
    except OSError:
        return
