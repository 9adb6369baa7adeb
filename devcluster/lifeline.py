"""Tells the supervisor that its parent has ended, in whatever way."""

import os
import select
import signal
import socket
from types import FrameType


class ParentGoneError(Exception):
    """The parent has ended: stop everything. This is not a failure."""


class Lifeline:
    """A socket whose other end the parent holds; the kernel closes that end even if the parent is killed."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        for number in _SIGNALS:
            signal.signal(number, _stop)

    def read_line(self) -> bytes:
        """Read the only line that the parent sends."""
        with self._connection.makefile("rb") as lines:
            line = lines.readline()
        if not line.endswith(b"\n"):
            raise ParentGoneError
        return line

    def write_line(self, line: bytes) -> None:
        try:
            self._connection.sendall(line)
        except OSError as error:
            raise ParentGoneError from error

    def wait(self, seconds: float, parent: int) -> None:
        """Wait for this time; raises ParentGoneError as soon as the parent has ended."""
        readable, _, _ = select.select([self._connection], [], [], seconds)
        # A fork of the parent may keep its end open; then our parent's PID changes.
        if readable or os.getppid() != parent:
            raise ParentGoneError


_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # the cleanup has begun, and is short
    raise ParentGoneError
