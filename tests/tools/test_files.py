"""Files that commands write."""

import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.files import write_file

LIMIT = 10  # bytes that fit


@contextmanager
def full_disk() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_manifest_that_does_not_fit_on_the_disk_leaves_the_earlier_one_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text("before")
    with full_disk(), pytest.raises(CommandError, match=r"pool\.yaml cannot be written: File too large"):
        write_file(path, "x" * 2 * LIMIT)
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("pool.yaml", "before")]


def test_a_file_keeps_its_mode_and_a_link_leads_where_it_led(tmp_path: Path) -> None:
    path, link = tmp_path / "pool.yaml", tmp_path / "link.yaml"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    write_file(link, "after")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o640)


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_file(pipe, "through")
    reader.join()
    assert read == ["through"]
