"""What a command says: data on standard output, remarks on standard error."""

import json
import sys
from collections.abc import Iterable
from typing import Any, Literal

API_VERSION = "cli.coldsend.pro/v1"

Format = Literal["table", "json"]


def remark(line: str) -> None:
    """A line for people that is not the data."""
    sys.stderr.write(f"{line}\n")


def write_lines(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def write_json(kind: str, **fields: Any) -> None:
    """One JSON object, with the version of its form and its kind."""
    json.dump({"apiVersion": API_VERSION, "kind": kind, **fields}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def counted(number: int, one: str, many: str) -> str:
    """`1 batch`, `2,000 batches`."""
    return f"{number:,} {one if number == 1 else many}"
