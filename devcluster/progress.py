"""Shows the progress of slow work: one changing line on a terminal, else a line every ten seconds."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LINE_SECONDS = 10.0
TERMINAL_SECONDS = 0.5
_CLEAR = "\r\x1b[2K"


def say(line: str) -> None:
    """Write to stderr: callers read stdout (KUBECONFIG=...)."""
    print(line, file=sys.stderr, flush=True)


def wait_showing(title: str, poll: Callable[[float], T | None], detail: Callable[[], str] = str) -> T:
    """Call `poll(seconds)`, which waits at most that long, until it returns a value. Returns the value."""
    started = time.monotonic()
    on_terminal = sys.stderr.isatty()

    def line() -> str:
        more = detail()
        return f"{title}: {clock(time.monotonic() - started)}" + (f", {more}" if more else "")

    if not on_terminal:
        say(title)
    while (result := poll(TERMINAL_SECONDS if on_terminal else LINE_SECONDS)) is None:
        if on_terminal:
            print(_CLEAR + line(), end="", file=sys.stderr, flush=True)
        else:
            say(line())
    if on_terminal:
        print(_CLEAR, end="", file=sys.stderr, flush=True)
    return result


def clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
