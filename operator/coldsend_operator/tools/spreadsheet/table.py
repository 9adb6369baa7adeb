"""From the text of a CSV file to its rows, each with the number of the line on which it begins."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.spreadsheet.columns import of_one_name, recognise

DELIMITERS = (",", ";", "\t", "|")
HEADER_WITHIN = 50  # lines of titles and notes that may stand above the header
# A quoted cell from its delimiter on, and the spaces behind it, which the csv module refuses.
_QUOTED = re.compile(r'(\A|[,;\t|\r\n])([ \xa0]*"(?:[^"]|"")*")(?:[ \xa0]+(?=[,;\t|\r\n]|\Z))?')
_TEXT = re.compile(r'="(.*)"', re.DOTALL)  # how programs keep a spreadsheet from reading text as a number


@dataclass(frozen=True, slots=True)
class Record:
    """One row below the header. Cells are by field and without the spaces around them; empty ones are left out.

    `overflow`: it has more cells than the header, so a delimiter stands inside a cell and the rest is shifted.
    `unclear`: fields for which columns of one name hold different values.
    """

    line: int
    cells: Mapping[str, str] = field(repr=False)  # passwords among them
    overflow: bool = False
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a sheet, the fields for which it has columns, and the names of its other columns."""

    records: tuple[Record, ...]
    fields: frozenset[str]
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Header:
    row: int  # how many rows stand before it
    delimiter: str
    columns: Mapping[str, int]


def read_table(text: str, mapped: Mapping[str, str]) -> Table:
    """Find the delimiter and the header, and read the rows below. `mapped`: the column of a field, by name."""
    text = _QUOTED.sub(r"\1\2", text)
    header = _find_header(text, mapped)
    records: list[Record] = []
    columns: dict[str, list[int]] = {}
    width = 0
    unused: dict[str, None] = {}
    for number, (line, row) in enumerate(_rows(text, header.delimiter)):
        if number < header.row or not any(row):
            continue
        if number == header.row or _is_header(row, header.columns["email"], mapped):
            columns, width = of_one_name(row, recognise(row, mapped)), len(row)
            used = {at for found in columns.values() for at in found}
            unused |= dict.fromkeys(name for at, name in enumerate(row) if name and at not in used)
            continue
        values = {name: [row[at] for at in found if at < len(row) and row[at]] for name, found in columns.items()}
        cells = {name: told[0] for name, told in values.items() if told}
        unclear = tuple(name for name, told in values.items() if len(set(told)) > 1)
        records.append(Record(line, cells, overflow=any(row[width:]), unclear=unclear))
    return Table(tuple(records), frozenset(header.columns), tuple(unused))


def _is_header(row: list[str], email: int, mapped: Mapping[str, str]) -> bool:
    """Whether it is a repeated header, as in concatenated files."""
    return not (email < len(row) and "@" in row[email]) and "email" in recognise(row, mapped)


def _find_header(text: str, mapped: Mapping[str, str]) -> _Header:
    """The row that names the most fields, with its delimiter."""
    found: list[_Header] = []
    unreadable: list[CommandError] = []
    for delimiter in DELIMITERS:
        try:
            for number, (_, row) in enumerate(islice(_rows(text, delimiter), HEADER_WITHIN)):
                columns = recognise(row, mapped)
                if "email" in columns:
                    found.append(_Header(number, delimiter, columns))
        except CommandError as error:  # with another delimiter the quotation marks may be in place
            unreadable.append(error)
    if not found and len(unreadable) == len(DELIMITERS):
        raise unreadable[0]
    if not found and "email" in mapped:
        raise UsageError(f"--map email={mapped['email']}: no row has a column of this name; check its spelling")
    if not found:
        raise CommandError(
            "no row names a column with the e-mail address (such as email or from_email); "
            "add a header, or name the column with --map email=COLUMN"
        )
    best = max(found, key=lambda header: (len(header.columns), -header.row))
    _check_mapped(best, mapped)
    return best


def _check_mapped(header: _Header, mapped: Mapping[str, str]) -> None:
    for name, column in mapped.items():
        if name not in header.columns:
            raise UsageError(f"--map {name}={column}: the header has no column of this name; check its spelling")


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with its first line, counted from 1.

    Strict, as an open quotation mark would swallow the rows below it, and `"pw"x` would be read as another password.
    """
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True)
    line = 1
    try:
        for row in reader:
            yield line, [_text(cell.strip()) for cell in row]
            line = reader.line_num + 1
    except csv.Error:
        pass  # not chained: its frames hold the text, and with it passwords
    else:
        return
    raise CommandError(f"line {line}: the row cannot be read; is a quotation mark missing, or one too many?")


def _text(cell: str) -> str:
    """`="0123"` is the text 0123."""
    wrapped = _TEXT.fullmatch(cell)
    return wrapped[1].replace('""', '"') if wrapped else cell
