"""The domains of a workspace: names, state and room for native inboxes (contract section 3)."""

from coldsend_operator.core.answers import Domain, DomainPage
from coldsend_operator.core.records import Native

UNLIMITED = 1_000_000


class Domains:
    """What GET /domains last showed. `listed_at` is the begin of the last whole list, 0 before the first."""

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
        self.doubted = False  # ColdSend has refused an inbox: the domain may have changed since

    def find(self, native: Native) -> Domain | None:
        if native.domain_id is not None:
            return self._by_id.get(native.domain_id.lower())
        return self._by_name.get((native.domain_name or "").lower())

    def by_id(self, domain_id: str) -> Domain | None:
        return self._by_id.get(domain_id.lower())

    def free(self, domain: Domain) -> int:
        """Inboxes that still fit, those counted in that this run has created since the last list."""
        if domain.max_inboxes is None or domain.current_inboxes is None:
            return UNLIMITED
        return domain.max_inboxes - domain.current_inboxes - self._used.get(domain.domain_id.lower(), 0)

    def use(self, domain_id: str, count: int) -> None:
        """Inboxes that this run has asked for since the last list; negative when they were refused."""
        key = domain_id.lower()
        self._used[key] = max(0, self._used.get(key, 0) + count)

    def begin(self, now: float) -> None:
        if self.page == 1:
            self.begun = now
            self._fresh = {}

    def fold(self, page: DomainPage) -> bool:
        """Take a page in; True when it was the last one."""
        for domain in page.domains:
            self._fresh[domain.domain_id.lower()] = domain
        if page.has_next and page.domains:
            self.page += 1
            return False
        self._by_id = self._fresh
        self._by_name = {domain.domain_name.lower(): domain for domain in self._fresh.values()}
        self._fresh, self._used, self.page = {}, {}, 1
        self.listed_at = self.begun
        self.forbidden = self.doubted = False
        return True

    def forbid(self, scopes: tuple[str, ...], said: str, retry_at: float) -> None:
        """The key may not read domains; everything else goes on (settled.md). `said`: ColdSend's own words."""
        self.forbidden = True
        self.missing_scopes = ", ".join(scopes)
        self.refusal = f"missing {self.missing_scopes}" if scopes else said
        self.retry_at = retry_at
        self.page = 1
