"""A ColdSend that fails for some items and for unknown keys, as a tenant may cause."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.model.answers import (
    BulkAnswer,
    Created,
    Deleted,
    Failure,
    FailureKind,
    JobProgress,
    Page,
    Row,
    address_key,
)
from tests.support.remote import FakeColdSend, Fault, Item

DOWN = Failure(FailureKind.UNAVAILABLE, "internal server error", 500)
POISON = {
    "p500": DOWN,
    "p403": Failure(FailureKind.PLAN_LIMIT, "forbidden", 403),
    "p402": Failure(FailureKind.PLAN_LIMIT, "payment required", 402),
    "lost": Failure(FailureKind.LOST, "response not understood"),
}
"""By prefix of an address: the outcome of a create, single or bulk, that contains it."""
STICKY = "sticky"  # a delete of inboxes with this prefix fails
SOUR = "sour"  # searches and GETs of addresses with this prefix fail


@dataclass
class PoisonedColdSend(FakeColdSend):
    """A call with a poisoned item fails completely, without effect."""

    repeated: set[str] = field(default_factory=set)  # addresses with another create sent after a lost one

    def sent(self, addresses: Iterable[str]) -> None:
        addresses = list(addresses)
        self.repeated |= self.unanswered.keys() & set(map(address_key, addresses))
        super().sent(addresses)

    def was_lost(self, address: str) -> bool:
        """Whether the outcome of a create for the address was ever unknown."""
        return address in self.unanswered or address in self.repeated

    def progress(self, job_id: str) -> JobProgress | Failure:
        found = super().progress(job_id)
        if isinstance(found, JobProgress):
            self.heard(row.email_address for row in found.results if row.success and row.email_address)
        return found

    def create(self, item: Item, now: float) -> Created | Failure:
        return _poison([item]) or super().create(item, now)

    def create_bulk(  # type: ignore[override] # the whole bulk may fail
        self, items: Sequence[Item], now: float, fault: Fault = Fault.NONE
    ) -> BulkAnswer | Failure:
        return _poison(items) or super().create_bulk(items, now, fault)

    def delete(self, inbox_id: str, now: float) -> Deleted | Failure:
        return DOWN if self._is(STICKY, inbox_id) else super().delete(inbox_id, now)

    def delete_bulk(  # type: ignore[override] # the whole bulk may fail
        self, inbox_ids: Sequence[str], now: float, fault: Fault = Fault.NONE
    ) -> BulkAnswer | Failure:
        if any(self._is(STICKY, inbox_id) for inbox_id in inbox_ids):
            return DOWN
        return super().delete_bulk(inbox_ids, now, fault)

    def look(self, inbox_id: str) -> Row | Failure:
        return DOWN if self._is(SOUR, inbox_id) else super().look(inbox_id)

    def page(  # type: ignore[override] # a search may fail
        self, page: int, *, search: str | None = None, newest: bool = False
    ) -> Page | Failure:
        if search is not None and search.startswith(SOUR):
            return DOWN
        return super().page(page, search=search, newest=newest)

    def _is(self, word: str, inbox_id: str) -> bool:
        inbox = self.inboxes.get(inbox_id)
        return inbox is not None and inbox.address.startswith(word)


@dataclass
class RefusingColdSend(FakeColdSend):
    """ColdSend's answers to an unknown key."""

    def arrive(self, key: str = "") -> Failure | None:
        super().arrive(key)
        return Failure(FailureKind.UNAUTHORIZED, "invalid API key", 401)


class Remotes(dict[str, FakeColdSend]):
    """Workspaces by key; an unknown key is refused."""

    def __init__(self, known: dict[str, FakeColdSend], refusing: FakeColdSend) -> None:
        super().__init__(known)
        self._refusing = refusing

    def __missing__(self, key: str) -> FakeColdSend:
        return self._refusing


def _poison(items: Sequence[Any]) -> Failure | None:
    return next((POISON[word] for item in items for word in POISON if item.address.startswith(word)), None)
