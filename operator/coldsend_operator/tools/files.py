"""Files that a user names, with one sentence for each error. `-` is standard input or output."""

import codecs
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from coldsend_operator.tools.errors import CommandError


def read_bytes(place: str) -> bytes:
    """Raises CommandError without the content, which may be a Secret."""
    try:
        return sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
    except OSError as error:
        raise CommandError(f"{place} cannot be read: {error.strerror or error}") from None


def read_text(place: str) -> str:
    """As `read_bytes`; the text must be UTF-8."""
    content = read_bytes(place)
    try:
        return content.decode()
    except UnicodeDecodeError:
        pass  # not chained: it holds the content
    what = "it is not UTF-8 text"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        what = "it is UTF-16, as `>` of Windows PowerShell writes it; write it again with `| Out-File -Encoding utf8`"
    raise CommandError(f"{place} cannot be read: {what}")


def write_file(path: Path, text: str) -> None:
    """Write the file as a whole or not at all: the first part of a manifest may be a valid one with fewer inboxes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path.resolve(), text.encode())  # what a link leads to
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from None


def write_new_files(texts: Mapping[Path, str], *, force: bool, instead: str) -> None:
    """Write them all, or none: without `force` a file that has other content, as people may have changed it, stays."""
    for path, text in texts.items():
        if not force and path.is_file() and path.read_bytes() != text.encode():
            raise CommandError(f"{path} exists and differs; {instead}, or give --force")
    for path, text in texts.items():
        write_file(path, text)


def _replace(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():  # a pipe
        path.write_bytes(content)
        return
    part = path.with_name(f".{path.name}.{token_hex(4)}")
    try:
        part.write_bytes(content)
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_secret_file(place: str, *, force: bool) -> None:
    """Refuse an existing file before anything is written."""
    if place != "-" and not force and Path(place).is_file():
        raise CommandError(f"{place} exists and may hold passwords, so it is not overwritten; move it, or give --force")


def write_secret_file(place: str, text: str, *, force: bool) -> None:
    """Write passwords where the user named: a new file with mode 0600, a pipe, or standard output (`-`)."""
    check_secret_file(place, force=force)
    if place == "-":
        sys.stdout.write(text)
        return
    write_private(place, text.encode(), replaces=force or _is_pipe(place))


def write_private(place: str, content: bytes, *, replaces: bool) -> None:
    """Write a file that only its owner can read; without `replaces` an existing file is an error."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replaces else os.O_EXCL)
    try:
        descriptor = os.open(place, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)  # otherwise an existing file keeps its mode
            file.write(content)
    except OSError as error:
        raise CommandError(f"{place} cannot be written: {error.strerror or error}") from None


def _is_pipe(place: str) -> bool:
    return Path(place).exists() and not Path(place).is_file()
