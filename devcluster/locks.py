"""File locks, which the operating system releases when their holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.progress import wait_showing

_RETRY_SECONDS = 0.2


@contextmanager
def exclusive(path: Path, waiting_title: str) -> Iterator[None]:
    """Hold the lock during the block; while another process holds it, show `waiting_title`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not try_lock(handle):
            wait_showing(waiting_title, lambda seconds: _try_for(handle, seconds))
        yield
    finally:
        os.close(handle)


def try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_for(handle: int, seconds: float) -> bool | None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if try_lock(handle):
            return True
        time.sleep(_RETRY_SECONDS)
    return None
