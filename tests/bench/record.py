"""What `make bench` leaves in docs/benchmarks: the figures with commit, date and machine, and the page made of them."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.bench.figures import Figure

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "benchmarks"
ALLOWED = 1.1  # requests vary a little with what falls into one bulk call

Record = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """Where and when figures were measured."""

    commit: str
    date: str
    machine: str

    @classmethod
    def now(cls) -> Self:
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
        commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        return cls(commit or "unknown", f"{datetime.now(UTC):%Y-%m-%d}", machine())


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def write(figures: Sequence[Figure], run: Run, folder: Path = FOLDER) -> None:
    """Figures of cases that did not run stay as they were."""
    records = recorded(folder)
    for each in figures:
        records[each.name] = {**asdict(each), **asdict(run)}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(list(records.values()), indent=2, ensure_ascii=False)
    (folder / "measured.json").write_text(f"{text}\n", encoding="utf-8")
    (folder / "measured.md").write_text(_page(records), encoding="utf-8")


def recorded(folder: Path = FOLDER) -> dict[str, Record]:
    path = folder / "measured.json"
    records: list[Record] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return {each["name"]: each for each in records}


def regressions(figures: Sequence[Figure], before: Mapping[str, Record]) -> list[str]:
    """Counts that missed their goal or grew by more than a tenth. Times depend on the machine and are no regression."""
    found = []
    for each in figures:
        if each.count is None:
            continue
        was = before.get(each.name, {}).get("count")
        if not each.good:
            found.append(f"{each.name}: {each.measured}; the goal is {each.goal}")
        elif was is not None and each.count > was * ALLOWED:
            found.append(f"{each.name}: {each.count:g}; it was {was:g} at {before[each.name]['commit']}")
    return found


def _page(records: Mapping[str, Record]) -> str:
    lines = [
        "# Figures as measured",
        "",
        "Written by `make bench`. [Benchmarks](index.md) says what is measured, and how.",
        "",
        "| figure | goal | measured | good | commit | date | machine |",
        "|---|---|---|---|---|---|---|",
        *(_row(each) for each in records.values()),
    ]
    return "\n".join(lines) + "\n"


def _row(record: Record) -> str:
    good = "yes" if record["good"] else "**no**"
    cells = [record["name"], record["goal"], record["measured"], good, record["commit"], record["date"]]
    return f"| {' | '.join(cells)} | {record['machine']} |"
