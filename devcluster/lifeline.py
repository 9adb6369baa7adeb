"""How the supervisor learns that the one who asked for it is gone, however that one ended."""

import os
import select
import signal
import socket
from types import FrameType


class ParentGoneError(Exception):
    """Not a failure: it is time to tear down."""


class Lifeline:
    """A socket whose other end the parent holds; that end closes also when the parent is killed."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        for number in _SIGNALS:
            signal.signal(number, _stop)

    def read_line(self) -> bytes:
        """The one line that the parent sends."""
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
        """Returns after that time; raises ParentGoneError as soon as the parent let go."""
        readable, _, _ = select.select([self._connection], [], [], seconds)
        # A fork of the parent may hold its end open after it; then only the change of our own parent tells.
        if readable or os.getppid() != parent:
            raise ParentGoneError


_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # tearing down is under way, and is short
    raise ParentGoneError
