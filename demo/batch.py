"""The second part: 250 inboxes in one object, and its progress while they are made."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Batch:
    """A SenderAccountBatch as its status shows it."""

    name: str
    total: int
    succeeded: int
    failed: int
    ready: int
    progress: int
    jobs: tuple[str, ...]
    is_ready: bool

    @classmethod
    def from_object(cls, shown: dict[str, Any]) -> "Batch":
        status = shown.get("status", {})
        conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
        return cls(
            name=shown["metadata"]["name"],
            total=status.get("total", 0),
            succeeded=status.get("succeeded", 0),
            failed=status.get("failed", 0),
            ready=status.get("ready", 0),
            progress=status.get("progressPercentage", 0),
            jobs=tuple(
                f"{job['operation']} {job.get('processed', 0)}/{job.get('total', 0)} {job['state']}"
                for job in status.get("jobs", [])
            ),
            is_ready=conditions.get("Ready") == "True" and status.get("ready", 0) == status.get("total", -1),
        )


def follow(console: Console, read: Callable[[], Batch], patience: float, gone_wrong: Callable[[], bool]) -> Batch:
    """Show the progress until the batch is Ready, `patience` seconds have passed, or something has gone wrong."""
    began = time.monotonic()
    with Live(console=console, refresh_per_second=4, transient=not console.is_terminal) as live:
        line = ""
        while True:
            batch = read()
            if console.is_terminal:
                live.update(_table(batch))
            elif (said := _line(batch)) != line:
                line = said
                console.print(f"{time.monotonic() - began:5.1f} s  {line}")
            if batch.is_ready or time.monotonic() - began > patience or gone_wrong():
                return batch
            time.sleep(LOOK_SECONDS)


def _line(batch: Batch) -> str:
    jobs = ", ".join(batch.jobs) or "no job yet"
    return f"{batch.name}  {batch.progress:3} %  {batch.ready}/{batch.total} Ready, {batch.failed} failed  ({jobs})"


def _table(batch: Batch) -> Table:
    table = Table("BATCH", "PROGRESS", "READY", "FAILED", "JOBS")
    bar = "#" * (batch.progress // 5)
    ready = f"{batch.ready}/{batch.total}"
    table.add_row(batch.name, f"{bar:20} {batch.progress} %", ready, str(batch.failed), "\n".join(batch.jobs))
    return table
