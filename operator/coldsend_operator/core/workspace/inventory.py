"""The inboxes of one workspace, as far as the responses of this run show them."""

from dataclasses import dataclass, field, replace

from coldsend_operator.core.model.answers import Page, Row, inbox_key

SPARE_PAGES = 5
PAGES_IF_TOTAL_UNKNOWN = 10_000
MAY_BE_MISSING = (
    "display_name",
    "inbox_type",
    "overall_status",
    "daily_limit",
    "emails_sent_today",
    "created_at",
)  # in a response: not `health_score`, which may truly be null (contract row 38)
FREED_FOR = 3600.0  # so long after our own delete a refusal of its address counts as passing (contract row 24)
MAX_PAGES_WITHOUT_NEW_ROWS = 3  # in a row: they end a sweep


@dataclass(slots=True)
class Sweep:
    """A full list under way: pages of 100 sorted by address, one after the other."""

    begun: float
    page: int = 1
    ids: set[str] = field(default_factory=set)
    total: int | None = None
    steady: bool = True  # `total` was the same on all pages
    most: int = 1  # pages, by what the first one told
    pages_without_new_rows: int = 0  # in a row


@dataclass(frozen=True, slots=True)
class Search:
    """A search that continues on a further page."""

    begun: float
    most: int
    page: int = 1
    shown: frozenset[str] = frozenset()  # ids on the page before


@dataclass(slots=True)
class NewestRead:
    """A read of the newest rows, page by page: it shows new inboxes and proves no absence."""

    page: int = 0  # the next one; 0: none is under way
    begun: float = 0.0
    most: int = 1
    after: float = 0.0  # the next read leaves after that


def most_pages(first: Page) -> int:
    """The maximum number of pages, by the total on the first page (rule 42).

    Inboxes created meanwhile may add some. Without a total only the end of the list ends it.
    """
    if first.total is None:
        return PAGES_IF_TOTAL_UNKNOWN
    return 2 * -(-first.total // max(1, len(first.rows))) + SPARE_PAGES


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The result of a finished sweep. `proven`: its distinct ids equal an unchanged total (rule 16)."""

    begun: float
    proven: bool
    gone: tuple[Row, ...] = ()  # known rows that a proven sweep no longer shows


class Inventory:
    """Rows by id and by address, and how far absence is proven."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._by_address: dict[str, tuple[str, ...]] = {}
        self._put_at: dict[str, float] = {}
        self._first_at: dict[str, float] = {}  # start of the first read that showed a row
        self._tombstones: dict[str, float] = {}  # ids that a GET did not find, and until when lists may lag behind
        self._spelled: dict[str, str] = {}  # ids as ColdSend spells them, if they differ from the compared form
        self._shown_despite_tombstone: dict[str, float] = {}  # when a read showed one of them nevertheless
        self.listed_at = 0.0  # begin of the last proven sweep
        self.swept_at = 0.0  # begin of the last finished sweep, proven or not
        self.unproven_sweeps = 0  # finished sweeps in a row that were not proven
        self.sweep: Sweep | None = None
        self._freed: dict[str, float] = {}  # addresses that our deletes freed lately
        self._missed: dict[str, int] = {}  # ids of rows, and how many of these sweeps did not show them

    def known(self, row: Row) -> Row:
        """The row with its id in the compared form; `spelled` returns ColdSend's own form."""
        key = inbox_key(row.inbox_id)
        if key == row.inbox_id:
            return row
        self._spelled[key] = row.inbox_id
        return replace(row, inbox_id=key)

    def spelled(self, inbox_id: str) -> str:
        """The id as ColdSend spells it, for requests."""
        return self._spelled.get(inbox_id, inbox_id)

    def row(self, inbox_id: str | None) -> Row | None:
        return self.rows.get(inbox_id or "")

    def at(self, address: str) -> tuple[Row, ...]:
        """The rows of an address (lower case). There should be only one, but may be more (rule 9)."""
        return tuple(self.rows[inbox_id] for inbox_id in self._by_address.get(address, ()))

    def seen_at(self, inbox_id: str) -> float:
        """When the last read that showed the inbox started, or its create was answered."""
        return self._put_at.get(inbox_id, 0.0)

    def shown_before(self, inbox_id: str, when: float) -> bool:
        """Whether a read that started before that time showed the inbox."""
        return self._first_at.get(inbox_id, when) < when

    def has_tombstone(self, inbox_id: str) -> bool:
        """Whether a GET recently did not find the inbox."""
        return inbox_id in self._tombstones

    def put(self, row: Row, when: float) -> bool:
        """Add a row. Returns True if something changed. Fields missing from the response keep their last value.

        `when` is the start of the read: an older response cannot know later changes.
        """
        if when < self._tombstones.get(row.inbox_id, 0.0):
            self._shown_despite_tombstone[row.inbox_id] = max(when, self.shown_despite_tombstone_at(row.inbox_id))
            return False
        self._put_at[row.inbox_id] = max(when, self._put_at.get(row.inbox_id, 0.0))
        self._first_at[row.inbox_id] = min(when, self._first_at.get(row.inbox_id, when))
        old = self.rows.get(row.inbox_id)
        if old == row:
            return False
        if old is None:
            self._link(row)
        else:
            row = _filled(row, old)
            if row == old:
                return False
            if row.address != old.address:
                self._unlink(old)
                self._link(row)
        self.rows[row.inbox_id] = row
        return True

    def absorb(self, other: "Inventory") -> None:
        """Take in what another key of the workspace has shown."""
        for inbox_id, until in other._tombstones.items():  # noqa: SLF001 - an inventory like this one
            if inbox_id not in self.rows:
                self._tombstones[inbox_id] = max(until, self._tombstones.get(inbox_id, 0.0))
        for inbox_id, row in other.rows.items():
            seen = other.seen_at(inbox_id)
            if seen > (self.seen_at(inbox_id) if inbox_id in self.rows else self.listed_at):
                self.put(row, other._first_at.get(inbox_id, seen))  # noqa: SLF001 - likewise
                self.put(row, seen)
        self._spelled = other._spelled | self._spelled  # noqa: SLF001 - likewise

    def drop(self, inbox_id: str) -> Row | None:
        """The inbox is known to be gone."""
        row = self.rows.pop(inbox_id, None)
        self._put_at.pop(inbox_id, None)
        self._spelled.pop(inbox_id, None)
        self._first_at.pop(inbox_id, None)
        if row is not None:
            self._unlink(row)
        return row

    def tombstone(self, inbox_id: str, until: float) -> Row | None:
        """A GET did not find the inbox: until then, lists that still show it are not trusted."""
        self._tombstones[inbox_id] = until
        return self.drop(inbox_id)

    def shown_despite_tombstone_at(self, inbox_id: str) -> float:
        """Start of the last read that showed the inbox although a GET had not found it; 0 for none."""
        return self._shown_despite_tombstone.get(inbox_id, 0.0)

    def clear_tombstone(self, inbox_id: str) -> None:
        """A GET found the inbox."""
        self._tombstones.pop(inbox_id, None)

    def address_freed(self, address: str | None, now: float) -> None:
        """A delete of ours freed the address: ColdSend may keep it for a while (contract row 24)."""
        if address is None:
            return
        self._freed.pop(address, None)
        self._freed[address] = now
        while now - next(iter(self._freed.values())) >= FREED_FOR:  # the oldest come first
            del self._freed[next(iter(self._freed))]

    def is_freed(self, address: str | None, now: float) -> bool:
        """Whether a delete of ours freed the address lately."""
        freed = self._freed.get(address or "")
        return freed is not None and now - freed < FREED_FOR

    def begin(self, now: float) -> None:
        """The first page of a sweep leaves."""
        self.sweep = Sweep(begun=now)

    def fold(self, page: Page, begun: float) -> tuple[list[str], SweepResult | None]:
        """Add one page of the sweep. Returns the ids of changed rows, and the result after the last page."""
        sweep = self.sweep
        changed = [row.inbox_id for row in page.rows if self.put(row, begun)]
        if sweep is None:
            return changed, None
        before = len(sweep.ids)
        sweep.ids.update(row.inbox_id for row in page.rows)
        sweep.pages_without_new_rows = sweep.pages_without_new_rows + 1 if len(sweep.ids) == before else 0
        if sweep.page == 1:
            sweep.most = most_pages(page)
        if page.total is None or (sweep.total is not None and sweep.total != page.total):
            sweep.steady = False
        sweep.total = page.total
        if page.has_next and page.rows and not _endless(sweep):
            sweep.page += 1
            return changed, None
        return changed, self._finish(sweep)

    def abandon(self) -> None:
        """A page failed for good: the sweep proves nothing."""
        self.sweep = None

    def _finish(self, sweep: Sweep) -> SweepResult:
        self.sweep = None
        self.swept_at = sweep.begun
        self._tombstones = {inbox_id: until for inbox_id, until in self._tombstones.items() if until > sweep.begun}
        self._shown_despite_tombstone = {
            inbox_id: at for inbox_id, at in self._shown_despite_tombstone.items() if inbox_id in self._tombstones
        }
        missing = [
            inbox_id for inbox_id, seen in self._put_at.items() if inbox_id not in sweep.ids and seen < sweep.begun
        ]
        if not (sweep.steady and sweep.total == len(sweep.ids)):
            self.unproven_sweeps += 1
            self._missed = {inbox_id: self._missed.get(inbox_id, 0) + 1 for inbox_id in missing}
            return SweepResult(sweep.begun, proven=False)
        self.unproven_sweeps, self._missed = 0, {}
        self.listed_at = sweep.begun
        gone = tuple(row for inbox_id in missing if (row := self.drop(inbox_id)) is not None)
        return SweepResult(sweep.begun, proven=True, gone=gone)

    def most_missed(self, count: int) -> list[str]:
        """Ids that at least two unproven sweeps did not show; the most missed first."""
        missed = [inbox_id for inbox_id, times in self._missed.items() if times >= 2]
        return sorted(missed, key=lambda inbox_id: (-self._missed[inbox_id], inbox_id))[:count]

    def _link(self, row: Row) -> None:
        self._by_address[row.address] = (*self._by_address.get(row.address, ()), row.inbox_id)

    def _unlink(self, row: Row) -> None:
        ids = tuple(inbox_id for inbox_id in self._by_address.pop(row.address, ()) if inbox_id != row.inbox_id)
        if ids:
            self._by_address[row.address] = ids


def _endless(sweep: Sweep) -> bool:
    """Whether the list is complete although the server still announces another page."""
    complete = sweep.total is not None and len(sweep.ids) >= sweep.total
    return (
        sweep.page >= sweep.most
        or sweep.pages_without_new_rows >= MAX_PAGES_WITHOUT_NEW_ROWS
        or (complete and sweep.pages_without_new_rows > 0)
    )


def _filled(new: Row, old: Row) -> Row:
    """`new`, with what it misses from `old`."""
    missing = {name: getattr(old, name) for name in MAY_BE_MISSING if getattr(new, name) is None}
    return replace(new, **missing) if missing else new
