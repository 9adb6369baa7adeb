"""Search, filters, order and pages of the list of inboxes."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain

from coldsend_emulator.clock import Clock
from coldsend_emulator.inboxes import SORT_KEYS, Inbox, InboxTable
from coldsend_emulator.switches import Switches

Candidates = Iterable[tuple[str, Inbox]]  # each inbox with its address in lower case

_DEFAULT_SORT = {
    "created_at_desc": ("created_at", True),
    "created_at_asc": ("created_at", False),
    "email_address": ("email_address", False),
}


@dataclass(frozen=True)
class Query:
    page: int = 1
    limit: int = 20
    inbox_type: str | None = None
    status: str | None = None
    search: str | None = None
    sort_by: str | None = None
    sort_order: str | None = None


def find(table: InboxTable, query: Query, switches: Switches, clock: Clock) -> tuple[list[Inbox], int]:
    """One page of inboxes, and the total on all pages."""
    sort_by, descending = _order(query, switches)
    start = (query.page - 1) * query.limit
    stop = start + query.limit
    newest = clock.now() - switches.amount("list_delay_seconds")
    _forget_departed(table, clock.now() - switches.amount("list_vanish_seconds"))
    shuffled = _is_shuffled(query, switches)
    delayed = newest < clock.now() - 1e-3
    if not (query.inbox_type or query.status or query.search or delayed or table.departed or shuffled):
        return table.slice(sort_by, start, stop, descending=descending), len(table)
    if query.search or table.departed:
        found = _search(table, query.search, switches) if query.search else [*table, *table.departed]
        rows = sorted(found, key=SORT_KEYS[sort_by], reverse=descending)
    else:
        rows = table.sorted(sort_by, descending=descending)
    if delayed:
        rows = [inbox for inbox in rows if inbox.created_on <= newest]
    if query.inbox_type:
        rows = [inbox for inbox in rows if inbox.inbox_type == query.inbox_type]
    if query.status:
        rows = [inbox for inbox in rows if inbox.overall_status == query.status]
    if shuffled:
        random.shuffle(rows)
    return rows[start:stop], len(rows)


def total_shown(table: InboxTable, total: int, switches: Switches) -> int:
    return total if switches.choice("list_total") == "exact" else max(total, table.most)


def _order(query: Query, switches: Switches) -> tuple[str, bool]:
    if query.sort_by is None:
        sort_by, descending = _DEFAULT_SORT[switches.choice("default_sort")]
        return sort_by, descending if query.sort_order is None else query.sort_order == "desc"
    return query.sort_by, (query.sort_order or switches.choice("default_order")) == "desc"


def _is_shuffled(query: Query, switches: Switches) -> bool:
    order = switches.choice("list_order")
    return order == "unstable" or (order == "unsorted_only" and query.sort_by is None)


def _forget_departed(table: InboxTable, latest: float) -> None:
    if table.departed:
        table.departed = [inbox for inbox in table.departed if (inbox.removed_on or 0) > latest]


def _search(table: InboxTable, text: str, switches: Switches) -> list[Inbox]:
    if switches.choice("search_plus") == "space":
        text = text.replace("+", " ")
    gone = ((inbox.natural_key, inbox) for inbox in table.departed)
    return _MATCHES[switches.choice("search_match")](chain(table.by_address(), gone), text)


def _like(candidates: Candidates, text: str) -> list[Inbox]:
    """Match as SQL does: % and _ are wildcards."""
    literal = text.lower().replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
    pattern = f"*{literal.replace('%', '*').replace('_', '?')}*"
    return [inbox for address, inbox in candidates if fnmatchcase(address, pattern)]


def _in_address(candidates: Candidates, text: str) -> list[Inbox]:
    lower = text.lower()
    return [inbox for address, inbox in candidates if lower in address]


def _in_address_or_name(candidates: Candidates, text: str) -> list[Inbox]:
    lower = text.lower()
    return [inbox for address, inbox in candidates if lower in address or lower in inbox.display_name.lower()]


_MATCHES: dict[str, Callable[[Candidates, str], list[Inbox]]] = {
    "partial": _in_address,
    "partial_case": lambda candidates, text: [inbox for _, inbox in candidates if text in inbox.email_address],
    "exact": lambda candidates, text: [inbox for address, inbox in candidates if address == text.lower()],
    "exact_case": lambda candidates, text: [inbox for _, inbox in candidates if inbox.email_address == text],
    "prefix": lambda candidates, text: [inbox for address, inbox in candidates if address.startswith(text.lower())],
    "with_name": _in_address_or_name,
    "sql_like": _like,
    "ignored": lambda candidates, _text: [inbox for _, inbox in candidates],
}
