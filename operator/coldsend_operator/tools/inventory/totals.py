"""Totals over the lines of an inventory: the weekly report."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from coldsend_operator.tools.errors import UsageError
from coldsend_operator.tools.inventory.lines import InventoryLine

LABEL = "label="

_NAMES: dict[str, Callable[[InventoryLine], str]] = {
    "domain": lambda line: line.domain,
    "type": lambda line: line.inbox_type,
    "namespace": lambda line: line.namespace,
    "batch": lambda line: f"{line.namespace}/{line.batch}" if line.batch else "",
    "status": lambda line: line.status,
}


@dataclass(frozen=True, slots=True)
class Total:
    """The totals of the lines with one name. `name` is empty for lines without one."""

    name: str
    count: int
    ready: int
    disabled: int
    paused: int
    health_min: float | None
    health_mean: float | None
    sent: int
    limit: int

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "count": self.count,
            "ready": self.ready,
            "disabled": self.disabled,
            "paused": self.paused,
            "healthScore": {"min": self.health_min, "mean": self.health_mean},
            "emailsSentToday": self.sent,
            "dailyLimit": self.limit,
        }


def read_by(text: str) -> str:
    """One of the names, or `label=KEY`. Raises UsageError."""
    if text in _NAMES or (text.startswith(LABEL) and text != LABEL):
        return text
    raise UsageError(f"--by {text}: give {', '.join(_NAMES)} or label=KEY")


def totals(lines: Iterable[InventoryLine], by: str) -> list[Total]:
    """One total for each name, in the order of the names; `by` as `read_by` takes it."""
    name_of = _NAMES.get(by) or (lambda line: line.labels.get(by.removeprefix(LABEL), ""))
    found: dict[str, list[InventoryLine]] = defaultdict(list)
    for line in lines:
        found[name_of(line)].append(line)
    return [total(found[name], name) for name in sorted(found)]


def total(lines: Sequence[InventoryLine], name: str = "") -> Total:
    """The total of these lines."""
    scores = [line.health for line in lines if line.health is not None]
    return Total(
        name=name,
        count=len(lines),
        ready=sum(line.ready for line in lines),
        disabled=sum(line.status == "DISABLED" for line in lines),
        paused=sum(line.status == "PAUSED" for line in lines),
        health_min=min(scores, default=None),
        health_mean=round(fmean(scores), 1) if scores else None,
        sent=sum(line.sent or 0 for line in lines),
        limit=sum(line.limit or 0 for line in lines),
    )
