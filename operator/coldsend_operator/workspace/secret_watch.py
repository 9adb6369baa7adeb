"""How old the knowledge about Secrets may grow: each referenced Secret is read again now and then, by name."""

import asyncio
import heapq
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account, Credentials
from coldsend_operator.kube.client import KubeError
from coldsend_operator.workspace.credentials import Hmac, SecretReader, secret_names

TROUBLE_FIRST, TROUBLE_LONGEST = 1.0, 10.0  # a corrected Secret is picked up within 15 s
TROUBLE_READS = 20.0  # per second, of all Secrets in trouble: thousands of missing ones must not flood the API server
URGENT_PAUSE = 0.2
SLICE = 200
SecretName = tuple[str, str]


class SecretWatch:
    """A schedule by Secret, not by account: a Batch of 5,000 with one Secret costs one read."""

    def __init__(
        self,
        period: float,
        hmac: Hmac,
        reader: Callable[[], SecretReader],
        clock: Callable[[], float],
        ledgers: Callable[[], Iterable[Ledger]],
        ledger_of: Callable[[Account], Ledger | None],
        wake: Callable[[Account], None],
    ) -> None:
        self._period = period
        self._hmac = hmac
        self._reader = reader
        self._clock = clock
        self._ledgers = ledgers
        self._ledger_of = ledger_of
        self._wake = wake
        self._accounts: dict[SecretName, dict[str, Account]] = {}
        self._names_of: dict[str, tuple[SecretName, ...]] = {}
        self._due: list[tuple[float, SecretName]] = []
        self._next: dict[SecretName, float] = {}
        self._tries: dict[SecretName, int] = {}

    def follow(self, account: Account) -> None:
        """Keep the schedule in step with what the account references."""
        spec = account.desired.spec
        needless = spec.observe or spec.smtp is None or account.desired.deleting is not None
        names = () if needless else secret_names(account)
        self._reference(account, tuple((account.desired.namespace, name) for name in names))

    def leave(self, account: Account) -> None:
        """The object is gone."""
        self._reference(account, ())

    def _reference(self, account: Account, names: tuple[SecretName, ...]) -> None:
        for old in set(self._names_of.get(account.uid, ())).difference(names):
            self._accounts[old].pop(account.uid, None)
            if not self._accounts[old]:
                del self._accounts[old]
                self._next.pop(old, None)
                self._tries.pop(old, None)
        for name in names:
            new = name not in self._accounts
            self._accounts.setdefault(name, {})[account.uid] = account
            if new:
                self._plan(name, self._first(name, account))
        if names:
            self._names_of[account.uid] = names
        else:
            self._names_of.pop(account.uid, None)

    def hasten(self, account: Account) -> None:
        """The account's spec changed, or a person asked: look now."""
        for name in self._names_of.get(account.uid, ()):
            self._plan(name, self._clock())

    def _first(self, name: SecretName, account: Account) -> float:
        """After a restart the reads of many Secrets are spread over the period; a create reads its own anyway."""
        share = zlib.crc32("/".join(name).encode()) % 1000 / 1000
        return self._clock() + self._period * (share if account.facts.held else 1.0)

    def _plan(self, name: SecretName, due: float) -> None:
        if due < self._next.get(name, float("inf")):
            self._next[name] = due
            heapq.heappush(self._due, (due, name))

    async def run(self) -> None:
        while True:
            now = self._clock()
            for account in self._urgent():
                self.hasten(account)
            while self._due and self._due[0][0] <= now:
                due, name = heapq.heappop(self._due)
                if self._next.get(name) == due and name in self._accounts:
                    del self._next[name]
                    await self._check(name)
            pause = self._due[0][0] - self._clock() if self._due else URGENT_PAUSE
            await asyncio.sleep(min(max(pause, 0.01), URGENT_PAUSE))

    def _urgent(self) -> list[Account]:
        """Accounts whose Secret stands in the way of a create, or for which a person asked."""
        found = []
        for ledger in self._ledgers():
            for uid in list(ledger.stale_secrets):
                if uid in self._names_of and uid in ledger.accounts:
                    found.append(ledger.accounts[uid])
                else:
                    ledger.stale_secrets.discard(uid)
        return found

    async def _check(self, name: SecretName) -> None:
        reader = self._reader()
        trouble = False
        try:
            for turn, account in enumerate(list(self._accounts.get(name, {}).values())):
                if turn % SLICE == SLICE - 1:
                    await asyncio.sleep(0)  # one Secret may serve thousands
                credentials = (await reader.passwords(account)).credentials
                trouble = trouble or credentials.reason is not None or _login_failed(account)
                self._learn(account, credentials)
        except KubeError:
            self._plan(name, self._clock() + TROUBLE_FIRST)
            return
        if trouble:
            tries = self._tries.get(name, 0)
            self._tries[name] = tries + 1
            longest = max(TROUBLE_LONGEST, len(self._tries) / TROUBLE_READS)
            self._plan(name, self._clock() + min(TROUBLE_FIRST * 2 ** min(tries, 10), longest, self._period))
        else:
            self._tries.pop(name, None)
            self._plan(name, self._clock() + self._period)

    def _learn(self, account: Account, credentials: Credentials) -> None:
        ledger = self._ledger_of(account)
        asked = ledger is not None and account.uid in ledger.stale_secrets
        if ledger is not None:
            ledger.stale_secrets.discard(account.uid)
        applied = account.facts.applied
        sent = applied.credentials_hash if applied is not None else None
        if applied is not None and sent is not None and credentials.digest is not None and not self._hmac.made(sent):
            # made with another HMAC key, or without a salt: the present Secret counts as current
            account.facts = replace(account.facts, applied=replace(applied, credentials_hash=credentials.digest))
        if asked or account.credentials != credentials:
            same = sent is not None and sent == credentials.digest
            account.credentials = replace(credentials, digest=sent) if same else credentials  # not twice in memory
            if ledger is not None:
                ledger.touch(account.uid)
                self._wake(account)


def _login_failed(account: Account) -> bool:
    """Whether ColdSend refused the account for what most likely is its Secret."""
    return account.setback is not None and account.setback.reason is Reason.CONNECTION_FAILED
