"""One line of `doctor`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    """The result of a check. A warning is something that could not be checked, or is unusual but works."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


MARKS = {Result.OK: "✔", Result.WARNING: "!", Result.FAILED: "✘"}
STYLES = {Result.OK: "green", Result.WARNING: "yellow", Result.FAILED: "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """`assumption`: the row of docs/contributing/api-assumptions.md that the check settles for this ColdSend."""

    area: str
    result: Result
    message: str
    assumption: int | None = None

    def __str__(self) -> str:
        row = f" [row {self.assumption}]" if self.assumption is not None else ""
        return f"{MARKS[self.result]} {self.area}: {self.message}{row}"

    def to_json(self) -> dict[str, Any]:
        return {
            "area": self.area,
            "result": self.result.value,
            "message": self.message,
            "assumption": self.assumption,
        }


def good(area: str, message: str, row: int | None = None) -> Check:
    return Check(area, Result.OK, message, row)


def doubtful(area: str, message: str, row: int | None = None) -> Check:
    return Check(area, Result.WARNING, message, row)


def bad(area: str, message: str, row: int | None = None) -> Check:
    return Check(area, Result.FAILED, message, row)


def summary(checks: Iterable[Check]) -> dict[str, int]:
    counts = Counter(check.result for check in checks)
    return {result.value: counts[result] for result in Result}
