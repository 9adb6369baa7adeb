"""What people look at while the inboxes are made."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

_READY_STYLES = {"True": "bold green", "False": "red"}


@dataclass(frozen=True)
class Account:
    """One SenderAccount as its status shows it."""

    name: str
    inbox_type: str
    address: str
    inbox_status: str
    ready: str
    reason: str
    message: str

    @classmethod
    def from_object(cls, shown: dict[str, Any]) -> "Account":
        status = shown.get("status", {})
        ready: dict[str, Any] = next((each for each in status.get("conditions", []) if each["type"] == "Ready"), {})
        return cls(
            name=shown["metadata"]["name"],
            inbox_type=shown["spec"]["inboxType"],
            address=status.get("emailAddress") or shown["spec"].get("emailAddress", ""),
            inbox_status=status.get("overallStatus", ""),
            ready=ready.get("status", "Unknown"),
            reason=ready.get("reason", ""),
            message=ready.get("message", ""),
        )

    @property
    def is_ready(self) -> bool:
        return self.ready == "True"


class View(Protocol):
    """Shows the accounts as they are now."""

    def show(self, accounts: Iterable[Account]) -> None: ...


@contextmanager
def view(console: Console) -> Iterator[View]:
    """A live table on a terminal, else one line for each change."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, refresh_per_second=10) as live:
        yield _LiveTable(live)


class _LiveTable:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, accounts: Iterable[Account]) -> None:
        table = Table("NAME", "TYPE", "EMAIL", "STATUS", "READY", "REASON")
        for each in accounts:
            style = _READY_STYLES.get(each.ready, "yellow")
            table.add_row(
                each.name, each.inbox_type, each.address, each.inbox_status, each.ready, each.reason, style=style
            )
        self._live.update(table)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._shown: dict[str, Account] = {}

    def show(self, accounts: Iterable[Account]) -> None:
        for each in accounts:
            if self._shown.get(each.name) != each:
                self._shown[each.name] = each
                at = f"{time.monotonic() - self._began:5.1f} s"
                text = f"{at}  {each.name:8} {each.inbox_type:16} Ready={each.ready} {each.reason} {each.address}"
                self._console.print(text.rstrip(), soft_wrap=True, markup=False, highlight=False)
