"""Rereads each referenced Secret periodically, by name."""

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable, Iterable

from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.work_queue import WorkQueue
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.passwords import Hmac, SecretReader, secret_names
from coldsend_operator.logs import Event, log
from coldsend_operator.tasks import Tasks

TROUBLE_FIRST, TROUBLE_LONGEST = 1.0, 10.0  # a corrected Secret is picked up within 15 s
# Reads per second of missing or broken Secrets, per namespace and in total: thousands of them neither flood the API
# server nor delay others.
TROUBLE_READS, MAX_TROUBLE_READS = 20.0, 200.0
MAX_READS = 8  # at once: a slow read does not delay others
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
        workspaces: Callable[[], Iterable[Workspace]],
        workspace_of: Callable[[Account], Workspace | None],
        wake: Callable[[Account], None],
    ) -> None:
        self._period = period
        self._hmac = hmac
        self._reader = reader
        self._clock = clock
        self._workspaces = workspaces
        self._workspace_of = workspace_of
        self._wake = wake
        self._accounts: dict[SecretName, dict[str, Account]] = {}
        self._names_of: dict[str, tuple[SecretName, ...]] = {}
        # Namespaces take turns: thousands of Secrets in one keep nobody's single one waiting.
        self._queue = WorkQueue[SecretName](turn_of=lambda name: name[0])
        self._tries: dict[SecretName, int] = {}
        self._in_trouble: Counter[str] = Counter()  # Secrets, by namespace
        self._reads = Tasks(operation="read_secret")

    def follow(self, account: Account) -> None:
        """Update the schedule with the references of the account."""
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
                self._queue.drop(old)
                self._no_trouble(old)
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
        """The account's spec changed, or a person asked: read its Secrets now."""
        for name in self._names_of.get(account.uid, ()):
            self._queue.add(name)

    def _first(self, name: SecretName, account: Account) -> float:
        """After a restart the reads are spread over the period; a create reads its Secrets anyway."""
        share = zlib.crc32("/".join(name).encode()) % 1000 / 1000
        return self._clock() + self._period * (share if account.stored.held else 1.0)

    def _plan(self, name: SecretName, due: float) -> None:
        if name in self._accounts:
            self._queue.add_at(name, due)

    async def run(self) -> None:
        while True:
            for account in self._urgent():
                self.hasten(account)
            self._queue.wake(self._clock())
            while len(self._reads) < MAX_READS and (name := self._queue.take()) is not None:
                self._reads.start(self._check_one(name))
            due = self._queue.next_at
            pause = URGENT_PAUSE if due is None else min(max(due - self._clock(), 0.01), URGENT_PAUSE)
            if self._reads:
                await self._reads.wait_for_one(pause)
            else:
                await asyncio.sleep(pause)

    async def _check_one(self, name: SecretName) -> None:
        """Read one Secret; a fault affects that Secret alone (rule 38)."""
        try:
            await self._check(name)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one Secret costs that Secret alone
            log.error(Event.LOOP_FAILED, operation="read_secret", namespace=name[0], name=name[1], exc_info=error)
            self._plan(name, self._clock() + TROUBLE_LONGEST)
        finally:
            self._queue.done(name)

    def _urgent(self) -> list[Account]:
        """Accounts whose Secret blocks a create, or for which a person asked."""
        found = []
        for workspace in self._workspaces():
            for uid in list(workspace.stale_secrets):
                if uid in self._names_of and uid in workspace.accounts:
                    found.append(workspace.accounts[uid])
                else:
                    workspace.stale_secrets.discard(uid)
        return found

    async def _check(self, name: SecretName) -> None:
        reader = self._reader()
        trouble = False
        for turn, account in enumerate(list(self._accounts.get(name, {}).values())):
            if turn % SLICE == SLICE - 1:
                await asyncio.sleep(0)  # one Secret may serve thousands
            passwords = await reader.passwords(account)
            trouble = trouble or passwords.credentials.reason is not None or _login_failed(account)
            known = account.credentials if passwords.unread else None
            self._learn(account, known or passwords.credentials)
        if trouble and name in self._accounts:  # else nobody references it any more
            tries = self._tries.get(name, 0)
            self._in_trouble[name[0]] += not tries
            self._tries[name] = tries + 1
            theirs, all_of_them = self._in_trouble[name[0]] / TROUBLE_READS, len(self._tries) / MAX_TROUBLE_READS
            longest = max(TROUBLE_LONGEST, theirs, all_of_them)
            self._plan(name, self._clock() + doubled(TROUBLE_FIRST, tries, min(longest, self._period)))
        else:
            self._no_trouble(name)
            self._plan(name, self._clock() + self._period)

    def _no_trouble(self, name: SecretName) -> None:
        if self._tries.pop(name, 0):
            self._in_trouble[name[0]] -= 1
            self._in_trouble = +self._in_trouble

    def _learn(self, account: Account, credentials: Credentials) -> None:
        workspace = self._workspace_of(account)
        asked = workspace is not None and account.uid in workspace.stale_secrets
        if workspace is not None:
            workspace.stale_secrets.discard(account.uid)
        sent = account.stored.sent_credentials
        if sent is not None and credentials.digest is not None and not self._hmac.made(sent):
            # with another HMAC key, or without a salt: the Secret counts as current
            transitions.hash_renewed(account, credentials.digest)
        if asked or account.credentials != credentials:
            transitions.secret_read(account, credentials)
            if workspace is not None:
                workspace.touch(account.uid)
                self._wake(account)


def _login_failed(account: Account) -> bool:
    """Whether ColdSend most likely refused the account because of its Secret."""
    return account.create_backoff is not None and account.create_backoff.reason is Reason.CONNECTION_FAILED
