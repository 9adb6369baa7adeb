"""Reads the annotations and the phase of namespaces, which the operator may only `get`."""

import asyncio
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress

from coldsend_operator.accounts.policy import namespace_settings
from coldsend_operator.core.model.policy import UNSET, NamespaceSettings, Policy
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import Forbidden, KubeError
from coldsend_operator.kube.paths import namespace_path
from coldsend_operator.logs import Event, Recurring, log
from coldsend_operator.tasks import Tasks

PERIOD = 10.0  # seconds between two reads of a namespace, more when there are very many
URGENT = 2.0  # of one with something that waits for approval, or that approves
MAX_PER_SECOND = 20.0
MAX_READS = 8  # at once
MIN_PAUSE = 0.05
TOGETHER_SECONDS = 0.1  # between two reads that objects ask for: those that arrive meanwhile share the second
FIRST_TRIES = (0.5, 1.0, 2.0)  # seconds between tries of a first read
WAITING = frozenset({Reason.DELETION_HELD, Reason.INVENTORY_IMPLAUSIBLE, Reason.SECRET_NOT_FOUND})


class NamespaceWatch:
    """Keeps `policy.namespaces` up to date for the namespaces with objects; a missing one was not read yet.

    `names` are the namespaces with objects, `waiting` those with something that waits for approval. `on_change` is
    called for each that changed, when one is read for the first time, and when a first read keeps failing; then
    `policy.unread_namespaces` says why.
    """

    def __init__(
        self,
        kube: KubeClient,
        policy: Policy,
        clock: Callable[[], float],
        names: Callable[[], Iterable[str]],
        waiting: Callable[[], set[str]],
        on_change: Callable[[str], None],
    ) -> None:
        self._kube = kube
        self._policy = policy
        self._clock = clock
        self._names = names
        self._waiting = waiting
        self._on_change = on_change
        self._due: dict[str, float] = {}
        self._failures: dict[str, int] = {}  # in a row
        self._troubles: dict[str, Recurring] = {}
        self._urgent: set[str] = set()
        self._urgent_at = float("-inf")
        self._wake = asyncio.Event()
        self._next: dict[str, asyncio.Task[None]] = {}
        self._begun: dict[str, float] = {}  # of the last reads that were asked for, by the clock of the loop
        self._reads = Tasks(operation="read_namespace")
        self._closed = False

    def wake(self) -> None:
        """Call this when an object arrives whose namespace was not read yet."""
        self._wake.set()

    @property
    def complete(self) -> bool:
        """Whether every namespace with objects was read, or its objects say that it cannot be read."""
        known = self._policy.namespaces.keys() | self._policy.unread_namespaces.keys()
        return all(name in known for name in self._names())

    async def run(self) -> None:
        while True:
            self._wake.clear()
            self._update_schedule()
            now = self._clock()
            await self._read_all([name for name, due in self._due.items() if due <= now])
            pause = min(self._due.values(), default=now + URGENT) - self._clock()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), min(max(pause, MIN_PAUSE), URGENT))

    async def read_again(self) -> None:
        """Read all of them now, as this process becomes the leader."""
        self._update_schedule()
        await self._read_all(list(self._due))

    async def read_since(self, name: str) -> None:
        """Wait for a read that starts after this call: the annotations may be as new as an object that arrives now.

        Returns at once for a namespace that was not read yet, as its objects wait for that anyway.
        """
        if self._closed or name not in self._policy.namespaces:
            return
        if name not in self._next:
            self._next[name] = self._reads.start(self._read_soon(name))
        await asyncio.wait({self._next[name]})

    async def _read_soon(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._begun.get(name, float("-inf")) + TOGETHER_SECONDS - loop.time())
        del self._next[name]  # later callers need a later read
        self._begun[name] = loop.time()
        await self._read_all([name])

    def close(self) -> None:
        """End the reads that were asked for: the connection to the API server is about to close."""
        self._closed = True
        self._reads.cancel()

    def _update_schedule(self) -> None:
        """Drop namespaces without objects, and read new and urgent ones sooner."""
        names, now = set(self._names()), self._clock()
        for name in self._due.keys() - names:
            del self._due[name]
            self._failures.pop(name, None)
            self._troubles.pop(name, None)
            self._begun.pop(name, None)
            self._policy.namespaces.pop(name, None)
            self._policy.unread_namespaces.pop(name, None)
        for name in names - self._due.keys():
            self._due[name] = now
        if now >= self._urgent_at + URGENT:  # it visits every account
            approving = {name for name in names if self._policy.of_namespace(name).approves}
            self._urgent, self._urgent_at = approving | self._waiting(), now
        for name in self._urgent & names - self._failures.keys():
            self._due[name] = min(self._due[name], now + URGENT)

    async def _read_all(self, names: list[str]) -> None:
        slots = asyncio.Semaphore(MAX_READS)

        async def read(name: str) -> None:
            async with slots:
                await self._read(name)

        results = await asyncio.gather(*map(read, names), return_exceptions=True)
        for name, failure in zip(names, results, strict=True):
            if isinstance(failure, Exception):  # a fault affects that namespace alone (rule 38)
                log.error(Event.LOOP_FAILED, operation="read_namespace", namespace=name, exc_info=failure)
                self._failed(name, failure)

    async def _read(self, name: str) -> None:
        try:
            found = await self._kube.find(namespace_path(name))
        except KubeError as error:
            self._failed(name, error)
            return
        self._failures.pop(name, None)
        if name in self._troubles:
            self._troubles.pop(name).ended()
        self._plan(name, self._period(name))
        self._use(name, namespace_settings(found))

    def _failed(self, name: str, error: Exception) -> None:
        """The last read stays in effect. The objects of a never-read namespace wait, as it may name another API key.

        One that the operator may not read counts as without annotations after some tries.
        """
        tries = self._failures[name] = self._failures.get(name, 0) + 1
        known, forbidden = name in self._policy.namespaces, isinstance(error, Forbidden)
        if not known and tries <= len(FIRST_TRIES):
            self._plan(name, FIRST_TRIES[tries - 1])
            return
        effect = "it is treated as one without annotations" if forbidden else "its objects wait until it can be read"
        effect = "its annotations stay in force as last read" if known else effect
        trouble = self._troubles.setdefault(name, Recurring(Event.CALL_FAILED, operation="read_namespace"))
        trouble.failed(f"namespace {name} cannot be read ({error}); {effect}")
        self._plan(name, self._period(name))
        if not known and forbidden:
            self._use(name, UNSET)
        elif not known:
            self._explain(name, error)

    def _explain(self, name: str, error: Exception) -> None:
        """Let the objects of a namespace that was never read say why they wait."""
        answer = f" (Kubernetes {error.answer})" if isinstance(error, KubeError) else ""
        message = (
            f"The operator cannot read the namespace {name}{answer}, which may set another API key or "
            "policy for this object, so nothing is done for it; it is retried automatically."
        )
        if self._policy.unread_namespaces.get(name) != message:
            self._policy.unread_namespaces[name] = message
            self._on_change(name)

    def _plan(self, name: str, pause: float) -> None:
        if name in self._due:
            self._due[name] = self._clock() + pause

    def _period(self, name: str) -> float:
        """Spread out, so that not all namespaces are read at the same time."""
        share = zlib.crc32(name.encode()) % 1000 / 1000
        return max(PERIOD, len(self._due) / MAX_PER_SECOND) * (0.8 + 0.2 * share)

    def _use(self, name: str, settings: NamespaceSettings) -> None:
        before = self._policy.of_namespace(name)
        for note in settings.notes:
            if note not in before.notes:
                log.warning(Event.SETTING_NOTICE, namespace=name, message=note)
        self._policy.unread_namespaces.pop(name, None)
        if self._policy.namespaces.get(name) != settings:
            self._policy.namespaces[name] = settings
            self._on_change(name)


def waiting_namespaces(workspaces: Iterable[Workspace]) -> set[str]:
    """The namespaces with something that waits for approval."""
    return {
        workspace.accounts[uid].desired.namespace
        for workspace in workspaces
        for uid, decision in workspace.decisions.items()
        if decision.reason in WAITING and uid in workspace.accounts
    }
