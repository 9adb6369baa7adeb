"""Says that something slow is alive: a spinner on a terminal, else a line every ten seconds."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console

T = TypeVar("T")

LINE_SECONDS = 10.0
SPINNER_SECONDS = 0.25


def say(line: str) -> None:
    """Writes to stderr: stdout belongs to what callers read, such as KUBECONFIG=..."""
    print(line, file=sys.stderr, flush=True)


def wait_showing(title: str, poll: Callable[[float], T | None], detail: Callable[[], str] = str) -> T:
    """Calls `poll(seconds)`, which waits at most that long, until it returns something."""
    started = time.monotonic()

    def line() -> str:
        more = detail()
        return f"{title}: {_clock(time.monotonic() - started)}" + (f", {more}" if more else "")

    console = Console(stderr=True)
    if not console.is_terminal:
        say(title)
        while (result := poll(LINE_SECONDS)) is None:
            say(line())
        return result
    with console.status(title) as status:
        while (result := poll(SPINNER_SECONDS)) is None:
            status.update(line())
    return result


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
