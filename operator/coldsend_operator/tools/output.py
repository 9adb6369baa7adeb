"""Output of commands: data on standard output, remarks and progress on standard error."""

import csv
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from coldsend_operator.tools.errors import CommandError

API_VERSION = "cli.coldsend.pro/v1"

Format = Literal["table", "json"]
Color = Literal["auto", "always", "never"]

_GREEN, _YELLOW, _RED, _BOLD = 32, 33, 31, 1  # codes of ECMA-48
_COLORS = {
    **dict.fromkeys(("managed", "True", "ACTIVE", "create", "adopt", "hand-over"), _GREEN),
    **dict.fromkeys(("conflict", "no-inbox", "False", "DISABLED", "recreate", "delete", "refuse"), _RED),
    **dict.fromkeys(("unmanaged", "PAUSED", "PENDING", "hold", "orphan", "drift"), _YELLOW),
}
_NARROWEST = 40  # minimum width of the last column, if it is that wide
_GAP = 2
# Messages may come from others: no control character reaches a terminal, where it could move the cursor.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | dict.fromkeys(map(ord, "\t\r\n"), " ")


def remark(line: str) -> None:
    """Print a line for people that is not data."""
    sys.stderr.write(f"{printable(line)}\n")


def confirm(question: str) -> None:
    """Ask for a confirmation. Raises CommandError without one."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CommandError("nothing was changed")


def write_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines)


def printable(line: str) -> str:
    """The line with control characters escaped."""
    return line.translate(_CONTROLS)


def write_json(kind: str, **fields: Any) -> None:
    """One JSON object, with the version of its form and its kind."""
    json.dump({"apiVersion": API_VERSION, "kind": kind, **fields}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def write_csv(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> None:
    """Print CSV with a header, also without records."""
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], color: Color) -> None:
    """Print columns like kubectl; on a terminal, a wide last column is folded."""
    from rich.cells import cell_len  # noqa: PLC0415 - most commands print no table

    head, *cells = ([printable(cell) for cell in row] for row in (columns, *rows))
    *widths, last = (max(map(cell_len, column)) for column in zip(head, *cells, strict=True))
    colors = _COLORS if _colored(color) else {}
    sys.stdout.write(f"{_line(head, widths, dict.fromkeys(head, _BOLD) if colors else {})}\n")
    at = sum(widths) + _GAP * len(widths)
    room = last
    if sys.stdout.isatty():
        room = max(shutil.get_terminal_size().columns - at, min(last, _NARROWEST))
    for *others, cell in cells:
        first, *more = _folded(cell, room) if cell_len(cell) > room else [cell]
        sys.stdout.write(f"{_line([*others, first], widths, colors)}\n")
        sys.stdout.writelines(f"{' ' * at}{line}\n" for line in more)


def _line(cells: Sequence[str], widths: Sequence[int], colors: Mapping[str, int]) -> str:
    """The cells side by side; all but the last are padded."""
    from rich.cells import cell_len  # noqa: PLC0415 - as above

    padded = [
        _painted(cell, colors) + " " * (width - cell_len(cell) + _GAP)
        for cell, width in zip(cells, widths, strict=False)
    ]
    return f"{''.join(padded)}{_painted(cells[-1], colors)}".rstrip()


def _painted(cell: str, colors: Mapping[str, int]) -> str:
    code = colors.get(cell)
    return cell if code is None else f"\x1b[{code}m{cell}\x1b[0m"


def _folded(text: str, width: int) -> list[str]:
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

    return [line.plain.rstrip() for line in Text(text).wrap(Console(), width)]


def write_styled(lines: Iterable[tuple[str, str]], color: Color) -> None:
    """Lines with the name of the colour of their first character."""
    codes = {"green": _GREEN, "yellow": _YELLOW, "red": _RED} if _colored(color) else {}
    for line, style in lines:
        shown = printable(line)
        first, code = shown[:1], codes.get(style)
        sys.stdout.write(f"{_painted(first, {first: code} if code else {})}{shown[1:]}\n")


def _colored(color: Color) -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return color == "always" or (color == "auto" and sys.stdout.isatty() and not plain)


def counted(number: int, one: str, many: str) -> str:
    """`1 batch`, `2,000 batches`."""
    return f"{number:,} {one if number == 1 else many}"


def few(words: Sequence[str], most: int = 5) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(words[:most])
    return f"{shown} and {len(words) - most} more" if len(words) > most else shown
