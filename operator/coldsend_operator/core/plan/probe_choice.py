"""Which probe serves those that wait for one: a search, a GET, pages of the newest rows, or a whole list."""

from dataclasses import dataclass
from enum import Enum, auto

from coldsend_operator.core.model.calls import BULK

FEW_PROBES = 3  # from so many on, a list page is cheaper than one probe for each account
FEW_PAGES = 5
UNCONFIRMED = BULK // 2  # deletions for each page of a list
MAX_UNCONFIRMED_SECONDS = 300.0
MAX_UNPROVEN_LISTS = 2  # lists in a row that proved nothing (contract row 35)


class Why(Enum):
    """What an account waits to see."""

    JUST_MADE = auto()  # an inbox just made, for the first time
    MISSING = auto()  # a 404 for an inbox that a list did not show (rule 16: to make it again needs that)
    ADDRESS = auto()  # which inbox has an address
    INBOX = auto()  # how an inbox is, or that it was deleted


class Probe(Enum):
    """What shows it."""

    EACH = auto()  # a search or a GET for each account
    NEWEST = auto()  # pages of the newest rows
    LIST = auto()  # a whole list
    LIST_AND_ONE = auto()  # the same, and a search or a GET for one account at a time
    LATER = auto()  # nothing yet


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many accounts wait for a search and for a GET, and how many of them for a reason of their own."""

    searches: int = 0
    gets: int = 0
    just_made: int = 0
    missing: int = 0
    pages: int = 1  # of a whole list
    listed: bool = False  # whether a list was ever complete
    deleting: bool = False  # more deletions are to leave, or are worked off
    longest_get: float = 0.0  # seconds that the first GET has waited
    unproven_lists: int = 0  # lists in a row that proved nothing


def probe_for(why: Why, waiting: Waiting) -> Probe:
    """The table.

    | why | a list serves best | 3 GETs or more, deletions go on | else |
    |---|---|---|---|
    | just made, 3 or more | list | newest rows | newest rows |
    | missing | each | later | each |
    | address | list | each | each |
    | inbox | list | later | each |
    """
    if list_serves(waiting):
        if why is Why.MISSING:
            return Probe.EACH
        beside = waiting.unproven_lists >= MAX_UNPROVEN_LISTS and why is not Why.JUST_MADE
        return Probe.LIST_AND_ONE if beside else Probe.LIST
    if why is Why.JUST_MADE and waiting.just_made >= FEW_PROBES:
        return Probe.NEWEST
    if why in {Why.MISSING, Why.INBOX} and waiting.gets >= FEW_PROBES and waiting.deleting:
        return Probe.LATER  # to confirm those before by a list would list the rest
    return Probe.EACH


def list_serves(waiting: Waiting) -> bool:
    """Whether a whole list serves best what waits. Before the first one a lone object is looked up by search."""
    count = waiting.searches + waiting.gets - waiting.missing
    if not waiting.listed:
        return count > 1
    if waiting.just_made >= FEW_PROBES:
        count -= waiting.just_made
    if not waiting.deleting:
        return count >= FEW_PROBES and count >= waiting.pages
    # After the burst the list is shorter: before, a long list is worth it only to confirm many old deletions.
    patient = waiting.gets > 0 and waiting.pages > FEW_PAGES and waiting.longest_get < MAX_UNCONFIRMED_SECONDS
    return not patient and count >= waiting.pages * min(UNCONFIRMED, 5 * waiting.pages)
