"""Writes the audit log: one JSON object per line, to stdout or to a file that may be rotated."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

STDOUT, OFF = "stdout", "off"


class AuditLog:
    """`target` is `stdout`, `off` or the path of a file. `write` returns after the system has the lines.

    The file is reopened when its path refers to another file, as after a rotation. `closed`: nobody reads stdout any
    more, which only a new process can change.
    """

    def __init__(self, target: str = OFF) -> None:
        self.closed = False
        self._target = target
        self._file: int | None = None

    @property
    def off(self) -> bool:
        return self._target == OFF

    def write(self, lines: Iterable[Mapping[str, object]], now: float) -> None:
        """Write these lines. Raises OSError on failure."""
        if self.off:
            return
        time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = "".join(json.dumps({"time": time, **line}, ensure_ascii=False) + "\n" for line in lines)
        if not text:
            return
        if self._target == STDOUT:
            try:
                sys.stdout.write(text)
                sys.stdout.flush()
            except BrokenPipeError:
                self.closed = True
                raise
            return
        left = text.encode()
        while left:
            left = left[os.write(self._opened(), left) :]

    def _opened(self) -> int:
        path = Path(self._target)
        if self._file is not None:
            there, ours = path.stat() if path.exists() else None, os.fstat(self._file)
            if there is not None and (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                return self._file
            os.close(self._file)
            self._file = None
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return self._file
