"""Result rows of bulks, in one of several shapes (row 2: their fields are undocumented)."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from coldsend_emulator.switches import Switches


@dataclass(frozen=True, slots=True)
class Result:
    outcome: str  # created, deleted, failed, skipped, queued
    email_address: str | None
    inbox_id: str | None = None
    message: str = ""

    @property
    def succeeded(self) -> bool:
        return self.outcome in {"created", "deleted"}


@dataclass(frozen=True)
class Counts:
    succeeded: int
    failed: int
    skipped: int


def count(results: Sequence[Result]) -> Counts:
    succeeded = sum(result.succeeded for result in results)
    skipped = sum(result.outcome == "skipped" for result in results)
    return Counts(succeeded, len(results) - succeeded - skipped, skipped)


def members(results: Sequence[Result], switches: Switches) -> dict[str, Any]:
    """The `results` field of a response; empty if it is left out."""
    shape = switches.choice("result_rows")
    if shape == "absent":
        return {}
    if shape == "null":
        return {"results": None}
    skipped = switches.choice("skipped_rows")
    shown = [result for result in results if result.outcome != "skipped" or skipped != "absent"]
    if shape == "other_names":
        return {"results": [_other_names(result) for result in shown]}
    if shape == "strings":
        return {"results": [f"{result.email_address}: {result.outcome}" for result in shown]}
    rows = [_row(result, with_reason=skipped == "reasoned") for result in shown]
    return {"results": _ARRANGEMENTS[shape](rows)}


_ARRANGEMENTS: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "full": lambda rows: rows,
    "empty": lambda _rows: [],
    "shuffled": lambda rows: random.sample(rows, len(rows)),
    "doubled": lambda rows: rows + rows,
    "gaps": lambda rows: [row for place, row in enumerate(rows) if place % 3 != 1],
    "failures_only": lambda rows: [row for row in rows if not row["success"]],
    "without_ids": lambda rows: [{name: row[name] for name in row if name != "inbox_id"} for row in rows],
}


def _row(result: Result, *, with_reason: bool) -> dict[str, Any]:
    told = with_reason or result.outcome != "skipped"
    return {
        "email_address": result.email_address,
        "inbox_id": result.inbox_id,
        "success": None if result.outcome == "queued" else result.succeeded,
        "status": result.outcome,
        "message": result.message if told else None,
        "error": result.message if result.outcome == "failed" else None,
    }


def _other_names(result: Result) -> dict[str, Any]:
    return {
        "email": result.email_address,
        "id": result.inbox_id,
        "ok": result.succeeded,
        "state": result.outcome,
        "reason": result.message,
    }
