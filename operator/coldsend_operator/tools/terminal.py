"""Terminal output that is redrawn: progress bars and live views."""

import io
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich import progress
    from rich.console import ScreenContext

QUICK = 2.0  # seconds before the progress appears


class Progress:
    """Shows the progress of what takes longer than two seconds, on standard error and only on a terminal."""

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._began = clock()
        self._bar: progress.Progress | None = None
        self._task: progress.TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def show(self, done: int, total: int | None) -> None:
        """`total` None: unknown."""
        if self._bar is None and sys.stderr.isatty() and self._clock() >= self._began + QUICK:
            self._bar = _bar()
            self._task = self._bar.add_task(self._what, total=total)
            self._bar.start()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> "progress.Progress":
    from rich import progress  # noqa: PLC0415 - most commands show none
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    return progress.Progress(*columns, console=Console(stderr=True), transient=True)


class LiveView:
    """Redraws a view on the alternate screen of a terminal; the last view stays at the end.

    Without a terminal, one view follows the other.
    """

    def __init__(self) -> None:
        self._end = ExitStack()
        self._screen: ScreenContext | None = None
        self._last = ""

    def __enter__(self) -> Self:
        if sys.stdout.isatty():
            from rich.console import Console  # noqa: PLC0415 - as above

            self._screen = self._end.enter_context(Console().screen(hide_cursor=True))
        return self

    def draw(self, write: Callable[[], None], head: str = "") -> None:
        """Show what `write` writes to standard output; `head` is the first line, while it is live."""
        if self._screen is None:
            write()
            sys.stdout.flush()
            return
        from rich.text import Text  # noqa: PLC0415 - as above

        page = _Page()
        with redirect_stdout(page):
            write()
        self._last = page.getvalue()
        self._screen.update(Text.from_ansi(f"{head}\n{self._last}", no_wrap=True, overflow="crop"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.close()
        sys.stdout.write(self._last)


class _Page(io.StringIO):
    """Takes what is meant for the terminal."""

    def isatty(self) -> bool:
        return True
