"""The domains of a workspace: names, state and limit of native inboxes (contract, section 3)."""

from coldsend_operator.core.model.answers import Domain, DomainPage
from coldsend_operator.core.model.desired import Native
from coldsend_operator.core.model.pauses import PAUSES, nth

LIST_PAUSES = (0.0, *PAUSES[2:])  # the list may be long
FREQUENT_SECONDS = 300.0
NEW_NAME = 10.0  # seconds: the maximum age of the list for a domain that nobody asked for before
UNLIMITED = 1_000_000


class Domains:
    """The last result of GET /domains. `listed_at` is the start of the last full list, 0 before the first."""

    def __init__(self) -> None:
        self._by_id: dict[str, Domain] = {}
        self._by_name: dict[str, Domain] = {}
        self._fresh: dict[str, Domain] = {}
        self._used: dict[str, int] = {}
        self.listed_at = 0.0
        self.begun = 0.0
        self.page = 1
        self.forbidden = False
        self.missing_scopes = ""
        self.refusal = ""
        self.retry_at = 0.0
        self.sought: frozenset[str] = frozenset()  # names and ids that were wanted when the list was read
        self.trouble = ""  # why the list cannot be read
        self.refusals = 0  # failed reads in a row
        self.unchanged_reads = 0  # frequent reads that showed nothing new
        self.outdated = False  # ColdSend has refused an inbox: the domain may have changed since

    def find(self, native: Native) -> Domain | None:
        if native.domain_id is not None:
            return self._by_id.get(native.domain_id.lower())
        return self._by_name.get((native.domain_name or "").lower())

    def by_id(self, domain_id: str) -> Domain | None:
        return self._by_id.get(domain_id.lower())

    def free(self, domain: Domain) -> int:
        """Inboxes that still fit, counting those created since the last list."""
        if domain.max_inboxes is None or domain.current_inboxes is None:
            return UNLIMITED
        return domain.max_inboxes - domain.current_inboxes - self._used.get(domain.domain_id.lower(), 0)

    def use(self, domain_id: str, count: int) -> None:
        """Inboxes requested since the last list; negative if they were refused."""
        key = domain_id.lower()
        self._used[key] = max(0, self._used.get(key, 0) + count)

    def begin(self, now: float) -> None:
        if self.page == 1:
            self.begun = now
            self._fresh = {}

    def fold(self, page: DomainPage) -> bool:
        """Add a page. Returns True if it was the last one."""
        before = len(self._fresh)
        for domain in page.domains:
            self._fresh[domain.domain_id.lower()] = domain
        if page.has_next and len(self._fresh) > before:
            self.page += 1
            return False
        quick = self.begun - self.listed_at < FREQUENT_SECONDS
        self.unchanged_reads = self.unchanged_reads + 1 if quick and self._fresh == self._by_id else 0
        self.trouble, self.refusals = "", 0
        self._by_id = self._fresh
        # of several with one name, as after a failed set-up was begun again, the one that can be used
        usable_last = sorted(self._fresh.values(), key=Domain.is_active)
        self._by_name = {domain.domain_name.lower(): domain for domain in usable_last}
        self._fresh, self._used, self.page = {}, {}, 1
        self.listed_at = self.begun
        self.forbidden = self.outdated = False
        return True

    @property
    def free_at(self) -> float:
        """When the list may be read again: with growing pauses while it shows nothing new or is refused."""
        if self.page > 1:
            return 0.0
        return max(self.begun + nth(LIST_PAUSES, self.unchanged_reads), self.retry_at)

    def doubt(self, now: float) -> None:
        """A person says that the domains changed."""
        self.listed_at = 0.0
        if self.forbidden:
            self.retry_at = min(self.retry_at, max(now, self.begun + NEW_NAME))

    def refuse(self, said: str, now: float) -> None:
        """The list was refused: it is retried with growing pauses."""
        self.page = 1
        self.trouble = said
        self.refusals += 1
        self.retry_at = now + nth(LIST_PAUSES, self.refusals)

    def forbid(self, scopes: tuple[str, ...], said: str, retry_at: float) -> None:
        """The key may not read domains; all other calls continue. `said`: the message of ColdSend."""
        self.forbidden = True
        self.missing_scopes = ", ".join(scopes)
        self.refusal = f"missing {self.missing_scopes}" if scopes else said
        self.retry_at = retry_at
        self.page = 1
