"""Output of commands: data on standard output, remarks and progress on standard error."""

import csv
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

API_VERSION = "cli.coldsend.pro/v1"

Format = Literal["table", "json"]
Color = Literal["auto", "always", "never"]

_GOOD = frozenset({"managed", "True", "ACTIVE", "create", "adopt", "hand-over"})
_BAD = frozenset({"conflict", "no-inbox", "False", "DISABLED", "recreate", "delete", "refuse"})
_DOUBTFUL = frozenset({"unmanaged", "PAUSED", "PENDING", "hold", "orphan", "drift"})
_WIDEST = 100_000  # line length without a terminal: nothing is folded
_NARROWEST = 40  # minimum width of the last column, if it is that wide
_GAP = 2


def remark(line: str) -> None:
    """Print a line for people that is not data."""
    sys.stderr.write(f"{line}\n")


def write_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def write_json(kind: str, **fields: Any) -> None:
    """One JSON object, with the version of its form and its kind."""
    json.dump({"apiVersion": API_VERSION, "kind": kind, **fields}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def write_csv(records: Sequence[Mapping[str, Any]]) -> None:
    """Print CSV with a header; nothing without records."""
    if records:
        writer = csv.DictWriter(sys.stdout, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]], color: Color) -> None:
    """Print columns like kubectl; on a terminal, a wide last column is folded."""
    from rich.cells import cell_len  # noqa: PLC0415 - most commands print no table
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    terminal, colored = sys.stdout.isatty(), _colored(color)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    cells = [columns, *rows]
    *widths, last = (max(cell_len(row[position]) for row in cells) for position in range(len(columns)))
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1])
    for row in cells[1:]:
        table.add_row(*(Text(cell, _style(cell)) for cell in row))
    console = Console(force_terminal=colored, color_system="standard" if colored else None)
    least = sum(width + _GAP for width in widths) + min(last, _NARROWEST)  # no column but the last one is ever cut
    console.width = max(console.width, least) if terminal else _WIDEST
    with console.capture() as printed:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in printed.get().splitlines())


def write_styled(lines: Iterable[tuple[str, str]], color: Color) -> None:
    """Lines with the name of the colour of their first character."""
    codes = {"green": 32, "yellow": 33, "red": 31} if _colored(color) else {}
    for line, style in lines:
        code = codes.get(style)
        sys.stdout.write(f"{line}\n" if code is None else f"\x1b[{code}m{line[:1]}\x1b[0m{line[1:]}\n")


def _colored(color: Color) -> bool:
    return color == "always" or (color == "auto" and sys.stdout.isatty() and "NO_COLOR" not in os.environ)


def _style(cell: str) -> str:
    styles = ((_GOOD, "green"), (_BAD, "red"), (_DOUBTFUL, "yellow"))
    return next((style for words, style in styles if cell in words), "")


def counted(number: int, one: str, many: str) -> str:
    """`1 batch`, `2,000 batches`."""
    return f"{number:,} {one if number == 1 else many}"
