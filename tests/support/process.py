"""One process of the operator without kopf and network: real code on fake clients and fake time."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import SecretStr

from coldsend_operator.accounts.workspace_loop import WorkspaceLoop
from coldsend_operator.coldsend.client import OnAnswer
from coldsend_operator.credentials.passwords import HMAC_SECRET
from coldsend_operator.process.operator import Operator
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from coldsend_operator.settings import Settings
from tests.support.clients import SimulatedColdSendClient, SimulatedKubeClient, Traffic
from tests.support.clock import FakeClock, FakeLoop
from tests.support.cluster import FakeCluster, WatchEvent
from tests.support.remote import FakeColdSend

API_KEY = "cs_live_simulated"
KINDS = (ACCOUNT_KIND, BATCH_KIND)


class FakeLeadership:
    """The test grants and withdraws the Lease."""

    def __init__(self, loop: FakeLoop, *, leads: bool) -> None:
        self._acquired: asyncio.Future[None] = loop.create_future()
        self._lost: asyncio.Future[None] = loop.create_future()
        self.renewed = True
        if leads:
            self.give()

    def give(self) -> None:
        if not self._acquired.done():
            self._acquired.set_result(None)

    def fresh(self) -> bool:
        return self.renewed

    async def acquired(self) -> None:
        await self._acquired

    async def lost(self) -> None:
        await self._lost


class SimulatedOperator(Operator):
    """The operator with the model of ColdSend behind its client, whatever the key."""

    def __init__(
        self,
        settings: Settings,
        clock: FakeClock,
        kube: SimulatedKubeClient,
        leadership: FakeLeadership,
        traffic: Traffic,
    ) -> None:
        super().__init__(settings, clock=clock, kube=kube, leadership=leadership, jitter=lambda: 0.0)
        self._traffic = traffic
        self.remotes: dict[str, FakeColdSend] = {}
        self.on_delete: Callable[[Sequence[str]], None] = lambda inbox_ids: None
        self.on_leaving: Callable[[Sequence[str]], None] = lambda inbox_ids: None

    def _client(self, key: SecretStr, on_answer: OnAnswer) -> SimulatedColdSendClient:
        value = key.get_secret_value()
        return SimulatedColdSendClient(
            self.remotes[value], self._traffic, on_answer, self.on_delete, value, self.on_leaving
        )


class Process:
    """A process from its start to its end.

    `remotes` holds the workspace of each API key; `on_leaving` hears of deletions that leave, `on_delete` of those that
    arrive there.
    """

    def __init__(
        self,
        settings: Settings,
        clock: FakeClock,
        cluster: FakeCluster,
        remotes: dict[str, FakeColdSend],
        *,
        leads: bool = True,
        on_delete: Callable[["Process", Sequence[str]], None] = lambda process, inbox_ids: None,
        on_leaving: Callable[["Process", Sequence[str]], None] = lambda process, inbox_ids: None,
        guards_crds: bool = False,
    ) -> None:
        self._cluster = cluster
        self._guards_crds = guards_crds
        self._deliveries: dict[str, asyncio.Task[None]] = {}  # the last one, by UID
        self.loop = FakeLoop(clock)  # type: ignore[abstract] # no I/O: what it lacks is never asked for
        self.traffic = Traffic(self.loop)
        self.traffic.frozen = settings.freeze
        self.leadership = FakeLeadership(self.loop, leads=leads)
        self.operator = self._operator(settings, clock, SimulatedKubeClient(cluster, self.traffic))
        self.operator.remotes = remotes
        self.operator.on_delete = lambda inbox_ids: on_delete(self, inbox_ids)
        self.operator.on_leaving = lambda inbox_ids: on_leaving(self, inbox_ids)
        self.events: dict[str, list[WatchEvent]] = {kind: [] for kind in KINDS}  # each kind has its own watch
        for raw in cluster.objects.values():
            if raw["metadata"]["uid"] in cluster.hidden:
                continue
            self.events[raw["kind"]].append(WatchEvent("LISTED", raw))
        self._cursor = len(cluster.history)
        self._main = self.loop.create_task(self._work())
        self.run()

    def _operator(self, settings: Settings, clock: FakeClock, kube: SimulatedKubeClient) -> SimulatedOperator:
        return SimulatedOperator(settings, clock, kube, self.leadership, self.traffic)

    async def _work(self) -> None:
        async with self.operator:
            if self._guards_crds:
                self._guard = self.loop.create_task(self.operator.crds.run())
            await self.operator.work()

    def run(self) -> None:
        self.loop.run_ready()

    def see(self) -> None:
        """Queue the events of the API server."""
        for event in self._cluster.history[self._cursor :]:
            self.events[event.object["kind"]].append(event)
        self._cursor = len(self._cluster.history)

    def deliver(self, kind: str = ACCOUNT_KIND) -> None:
        """Deliver the oldest event. Like kopf, skip events that a newer one of the object follows already."""
        event = self.events[kind].pop(0)
        uid = event.object["metadata"]["uid"]
        if event.kind == "MODIFIED" and any(later.object["metadata"]["uid"] == uid for later in self.events[kind]):
            return
        hear = self.operator.cache_sync.account_event if kind == ACCOUNT_KIND else self.operator.cache_sync.batch_event

        def take() -> None:
            hear(None if event.kind == "LISTED" else event.kind, event.object)

        if self._guards_crds:
            self._deliveries[uid] = self.loop.create_task(self._deliver(event, take, self._deliveries.get(uid)))
            self.run()
        else:
            self.call(take)

    async def _deliver(self, event: WatchEvent, take: Callable[[], None], before: "asyncio.Task[None] | None") -> None:
        """Like the handlers: events of one object in order, after a check of the CRDs (rule 31)."""
        if before is not None:
            await before
        if "deletionTimestamp" in event.object["metadata"]:
            await self.operator.crds.check_again()
        take()

    def call(self, work: Any) -> None:
        self.loop.call_soon(work)
        self.run()

    def stop(self) -> "asyncio.Task[None]":
        """SIGTERM."""

        async def end() -> None:
            self._main.cancel()
            await self.operator.stop()

        task: asyncio.Task[None] = self.loop.create_task(end())
        self.run()
        return task

    @property
    def loops(self) -> list[WorkspaceLoop]:
        return list(self.operator.controller.loops.values())

    @property
    def failure(self) -> BaseException | None:
        """The error of a task that ended unexpectedly."""
        return self._main.exception() if self._main.done() and not self._main.cancelled() else None


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "api_key": API_KEY,
        "metrics_address": "off",
        "probes_address": "off",
        "reserve": 0.0,
        "audit_log": "off",
        "lease_namespace": "default",
    }
    return _shared_settings(**(given | changes))


_shared_settings = functools.cache(Settings)  # frozen; to read them takes a tenth of a search


def cluster(clock: FakeClock, offset: float = 0.0) -> FakeCluster:
    """A cluster that contains only the Secret that the operator creates at its first start."""
    made = FakeCluster(clock, offset)
    made.write_secret("default", HMAC_SECRET, {"key": "0011aabb.0123456789abcdef"})
    return made
