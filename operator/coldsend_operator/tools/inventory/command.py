"""The steps of `inventory`, in order."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from coldsend_operator.core.model.times import unix_of
from coldsend_operator.resources.names import ACCOUNT_KIND
from coldsend_operator.tools.clients import coldsend_reader, key_place, kube_reader
from coldsend_operator.tools.cluster import objects
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.inventory.lines import InventoryLine, State, lines
from coldsend_operator.tools.inventory.totals import LABEL, Total, read_by, total, totals
from coldsend_operator.tools.listing import Listing, whole_list
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import Color, counted, remark, write_csv, write_json, write_table
from coldsend_operator.tools.senders import Sender, read_sender

_SECONDS = {"h": 3_600, "d": 86_400, "w": 604_800}
_COLUMNS = ("STATE", "ADDRESS", "TYPE", "OBJECT", "STATUS", "READY", "REASON", "HEALTH", "SENT", "LIMIT")
_TOTAL_COLUMNS = ("COUNT", "READY", "DISABLED", "PAUSED", "HEALTH MIN", "HEALTH MEAN", "SENT TODAY", "LIMIT")


@dataclass(frozen=True, slots=True)
class InventoryOptions:
    """The options of `inventory`. `namespace` None: all namespaces."""

    access: Access
    namespace: str | None
    live: bool
    unmanaged: bool
    domain: str
    older_than: str
    burned: bool
    by: str | None
    output: str
    color: Color


async def run(options: InventoryOptions) -> None:
    """Read the objects, and with --live the list; show lines or totals."""
    born_before = time.time() - read_age(options.older_than) if options.older_than else None
    by = read_by(options.by) if options.by is not None else None
    senders = await _senders(options)
    listing = await _listing(options) if options.live or options.unmanaged else None
    key = key_place(options.access, options.namespace or "default")
    found = lines(senders, None if listing is None else listing.rows, key)
    chosen = [line for line in found if _wanted(line, options, born_before)]
    if by is None:
        _show_lines(sorted(chosen, key=_worst_first) if options.burned else chosen, options)
    else:
        _show_totals(totals(chosen, by), options)
    if listing is not None and listing.missing:
        raise CommandError(f"The inventory is incomplete: {listing.missing}")


def read_age(text: str) -> float:
    """Seconds of `30d`, `12h` or `2w`."""
    match = re.fullmatch(r"(\d{1,5})([hdw])", text.strip(), re.ASCII)
    if match is None:
        raise UsageError(f"--older-than {text}: give a number and h, d or w, such as 30d")
    return int(match[1]) * _SECONDS[match[2]]


async def _senders(options: InventoryOptions) -> list[Sender]:
    """With the list, objects of all namespaces, so that their inboxes do not count as unmanaged."""
    everywhere = options.live or options.unmanaged
    async with kube_reader(options.access) as kube:
        raw = await objects(kube, ACCOUNT_KIND, None if everywhere else options.namespace)
    return [read_sender(each) for each in raw]


async def _listing(options: InventoryOptions) -> Listing:
    async with coldsend_reader(options.access, options.namespace or "default") as reader:
        return await whole_list(reader)


def _wanted(line: InventoryLine, options: InventoryOptions, born_before: float | None) -> bool:
    if options.unmanaged and line.state is not State.UNMANAGED:
        return False
    if options.namespace is not None and line.namespace not in {options.namespace, ""}:
        return False
    if options.burned and not line.unhealthy_since:
        return False
    if options.domain and line.domain != options.domain.lower():
        return False
    born = unix_of(line.created) if line.created else None
    return born_before is None or (born is not None and born < born_before)


def _show_lines(found: Sequence[InventoryLine], options: InventoryOptions) -> None:
    if options.output == "json":
        write_json("Inventory", inboxes=[line.to_json() for line in found])
    elif options.output == "csv":
        write_csv(_FIELDS, (line.to_json() for line in found))
    else:
        columns = (*_COLUMNS, "UNHEALTHY SINCE") if options.burned else _COLUMNS
        write_table(columns, (_cells(line, burned=options.burned) for line in found), options.color)
    states = ", ".join(f"{count} {state}" for state in State if (count := sum(line.state is state for line in found)))
    remark(f"{counted(len(found), 'line', 'lines')}{f': {states}' if states else ''}")


def _cells(line: InventoryLine, *, burned: bool) -> tuple[str, ...]:
    held = f"{line.namespace}/{line.name}" if line.name else ""
    ready = str(line.ready) if line.name else ""
    told = (line.state.value, line.address, line.inbox_type, held, line.status, ready, line.reason)
    since = (line.unhealthy_since,) if burned else ()
    return tuple(map(_cell, (*told, line.health, line.sent, line.limit, *since)))


def _worst_first(line: InventoryLine) -> tuple[float, str]:
    return (line.health if line.health is not None else 0.0, line.address)


def _show_totals(found: Sequence[Total], options: InventoryOptions) -> None:
    if options.output == "json":
        write_json("InventoryTotals", by=options.by, totals=[total.to_json() for total in found])
    elif options.output == "csv":
        write_csv(_TOTAL_FIELDS, map(_flat, found))
    else:
        columns = (str(options.by).removeprefix(LABEL).upper(), *_TOTAL_COLUMNS)
        write_table(columns, (tuple(map(_cell, _flat(total).values())) for total in found), options.color)


def _flat(total: Total) -> dict[str, object]:
    told = total.to_json()
    health = told.pop("healthScore")
    sent, limit = told.pop("emailsSentToday"), told.pop("dailyLimit")
    return {
        **told,
        "healthScoreMin": health["min"],
        "healthScoreMean": health["mean"],
        "emailsSentToday": sent,
        "dailyLimit": limit,
    }


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else f"{value:g}" if isinstance(value, float) else str(value)


_FIELDS = tuple(InventoryLine(State.MANAGED, "", "").to_json())
_TOTAL_FIELDS = tuple(_flat(total([])))
