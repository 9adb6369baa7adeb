"""What a command says: data on standard output, remarks and progress on standard error."""

import json
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Literal, Self

API_VERSION = "cli.coldsend.pro/v1"
QUICK = 2.0  # seconds within which nobody wonders
PAUSE = 10.0  # seconds between two lines of progress where no terminal redraws them

Format = Literal["table", "json"]


def remark(line: str) -> None:
    """A line for people that is not the data."""
    sys.stderr.write(f"{line}\n")


def write_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def write_json(kind: str, **fields: Any) -> None:
    """One JSON object, with the version of its form and its kind."""
    json.dump({"apiVersion": API_VERSION, "kind": kind, **fields}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def counted(number: int, one: str, many: str) -> str:
    """`1 batch`, `2,000 batches`."""
    return f"{number:,} {one if number == 1 else many}"


class Progress:
    """How far something is that takes longer than two seconds.

    A terminal shows one line that is written again and again; elsewhere there is a line now and then.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._shown_at = self._began + QUICK - PAUSE
        self._open = False  # whether the cursor stands behind a line of ours

    def __enter__(self) -> Self:
        return self

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if done >= total or now < self._began + QUICK or (not terminal and now < self._shown_at + PAUSE):
            return
        self._shown_at = now
        left = (now - self._began) / done * (total - done)
        line = f"{done:,} of {total:,} {self._what}, about {left:.0f} s left"
        sys.stderr.write(f"\r\x1b[K{line}" if terminal else f"{line}\n")
        sys.stderr.flush()
        self._open = terminal

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            sys.stderr.write("\r\x1b[K")
