"""What a command says: data on standard output, remarks on standard error."""

import sys


def remark(line: str) -> None:
    """A line for people that is not the data."""
    sys.stderr.write(f"{line}\n")


def counted(number: int, one: str, many: str) -> str:
    """`1 batch`, `2,000 batches`."""
    return f"{number:,} {one if number == 1 else many}"
