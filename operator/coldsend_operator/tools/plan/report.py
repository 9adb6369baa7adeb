"""The plan as a table, JSON, or Markdown for a comment on a pull request."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coldsend_operator.tools.output import Color, counted, remark, write_json, write_lines, write_table
from coldsend_operator.tools.plan.changes import Change, ChangeKind

COLUMNS = ("ACTION", "KIND", "NAMESPACE/NAME", "ADDRESS", "WHY")
FOLDED = 20  # rows from which on a comment hides them
MAX_CHARACTERS = 60_000  # characters of the rows of a comment: GitHub takes 65,536 in all
SHOWN = 160  # characters of a message in a comment


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of the plan. `remaining`: left in this hour in the workspaces that it uses, None if unknown."""

    requests: int
    seconds: float
    remaining: int | None

    def to_json(self) -> dict[str, Any]:
        return {"requests": self.requests, "seconds": round(self.seconds), "remainingThisHour": self.remaining}


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The content of a plan."""

    changes: Sequence[Change]
    cost: Cost
    warnings: Sequence[str]
    unsure: int = 0  # objects that stay as they are only if nobody has changed their Secrets, which were not read

    @property
    def counts(self) -> Counter[ChangeKind]:
        return Counter(change.action for change in self.changes)

    @property
    def rows(self) -> list[Change]:
        """The changes worth showing."""
        return [change for change in self.changes if change.action is not ChangeKind.NONE]

    def show(self, output: str, color: Color) -> None:
        """Write it to standard output."""
        if output == "json":
            self._show_json()
        elif output == "markdown":
            write_lines(self._markdown())
        else:
            if self.rows:
                write_table(COLUMNS, (_cells(change) for change in self.rows), color)
                write_lines([""])
            write_lines(self.sums())
            for warning in self.warnings:
                remark(f"Note: {warning}")

    def _show_json(self) -> None:
        counts = self.counts
        write_json(
            "Plan",
            summary={action.value: counts[action] for action in ChangeKind if counts[action]},
            changes=[change.to_json() for change in self.rows],
            cost=self.cost.to_json(),
            warnings=list(self.warnings),
        )

    # -- the paragraph of sums

    def sums(self) -> list[str]:
        """The number of changes by kind, losses, held deletions, and the cost."""
        counts = self.counts
        told = [f"{counts[action]:,} to {word}" for action, word in _WORDS.items() if counts[action]]
        nothing = "No change is known." if self.unsure else "Nothing changes."
        lines = [f"Plan: {', '.join(told)}." if told else nothing]
        lines += self._losses()
        if self.cost.requests:
            lines.append(f"It takes {counted(self.cost.requests, 'request', 'requests')}{self._time()}.")
        unchanged = counts[ChangeKind.NONE]
        if unchanged:
            stay = counted(unchanged, "object stays as it is", "objects stay as they are")
            doubt = f", {self.unsure:,} of them provided that their Secrets, which were not read, are unchanged"
            lines.append(f"{stay}{doubt if self.unsure else ''}.")
        return lines

    def _losses(self) -> Iterator[str]:
        counts = self.counts
        if counts[ChangeKind.RECREATE]:
            yield counted(
                counts[ChangeKind.RECREATE],
                "inbox gets a new id: it is removed from its campaigns, and its history in ColdSend is lost.",
                "inboxes get new ids: they are removed from their campaigns, and their history in ColdSend is lost.",
            )
        if counts[ChangeKind.HOLD]:
            held = counted(counts[ChangeKind.HOLD], "deletion is held", "deletions are held")
            yield f"{held} until approved; see docs/operations/deletion-brake.md."

    def _time(self) -> str:
        left = "" if self.cost.remaining is None else f" of the {self.cost.remaining:,} left in this hour"
        return f"{left} and, with the current budget, {_duration(self.cost.seconds)}"

    # -- Markdown

    def _markdown(self) -> Iterator[str]:
        yield "### ColdSend plan"
        yield ""
        yield " ".join(self.sums())
        rows = self.rows
        if rows:
            yield ""
            if len(rows) > FOLDED:
                yield f"<details><summary>{len(rows):,} rows</summary>"
                yield ""
            yield "| Action | Kind | Object | Address | Why |"
            yield "|---|---|---|---|---|"
            shown = _that_fit(f"| {' | '.join(map(_escaped, _cells(row)))} |" for row in rows)
            yield from shown
            if len(rows) > len(shown):
                yield ""
                yield f"{len(rows) - len(shown):,} more rows are not shown."
            if len(rows) > FOLDED:
                yield ""
                yield "</details>"
        if self.warnings:
            yield ""
            yield from (f"- {_escaped(warning)}" for warning in self.warnings)


_WORDS = {
    ChangeKind.CREATE: "create",
    ChangeKind.ADOPT: "adopt",
    ChangeKind.RECREATE: "recreate",
    ChangeKind.DELETE: "delete",
    ChangeKind.ORPHAN: "orphan",
    ChangeKind.HAND_OVER: "hand over",
    ChangeKind.HOLD: "hold",
    ChangeKind.CONFLICT: "resolve (conflict)",
    ChangeKind.REFUSE: "correct (refused)",
    ChangeKind.DRIFT: "check (drift)",
    ChangeKind.WAIT: "wait",
}


def _cells(change: Change) -> tuple[str, ...]:
    name = f"{change.namespace}/{change.name}"
    return (change.action.value, change.kind, name, change.address, _why(change))


def _why(change: Change) -> str:
    """The reason and the first sentence; JSON has the full message."""
    first, end, _ = change.message.partition(". ")
    return f"{change.reason}: {first}{end.strip()}" if first else change.reason


def _that_fit(lines: Iterable[str]) -> list[str]:
    """The first lines, as many as fit into a comment."""
    found: list[str] = []
    left = MAX_CHARACTERS
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            break
        found.append(line)
    return found


def _escaped(text: str) -> str:
    """Escape untrusted text for a table cell."""
    cut = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    for special, entity in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("`", "'"), ("@", "&#64;"), ("\n", " ")):
        cut = cut.replace(special, entity)
    return cut


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 2 * 3600:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"


def failing(changes: Iterable[Change], words: frozenset[str]) -> bool:
    """Whether an action occurs that the user does not want."""
    return any(change.action.value in words for change in changes)
