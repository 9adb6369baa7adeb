"""The operator process: clients, workspaces, watches, and the order of start and stop."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from random import random
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr

from coldsend_operator import __version__, http, metric_names, metrics
from coldsend_operator.accounts.bookings import UNGUARDED, Bookings, StoredReport
from coldsend_operator.accounts.clients import Clients
from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.accounts.policy import policy_of
from coldsend_operator.audit_log import AuditLog
from coldsend_operator.batches.controller import BatchController
from coldsend_operator.build import commit
from coldsend_operator.coldsend.client import ColdSendClient, OnAnswer
from coldsend_operator.core.model.create_marks import CreateMarks
from coldsend_operator.credentials.api_keys import KeyRing
from coldsend_operator.credentials.passwords import Hmac, SecretReader, load_hmac
from coldsend_operator.credentials.secret_watch import SecretWatch
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.clock import unix_seconds
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.leadership import Leadership, NoElection
from coldsend_operator.kube.lease import Election
from coldsend_operator.kube.paths import KINDS
from coldsend_operator.kube.secrets import read_secret
from coldsend_operator.kube.set_aside import SetAside
from coldsend_operator.kube.state import StateMap
from coldsend_operator.kube.status_writer import MAX_WRITES
from coldsend_operator.kube.throttle import Pauses
from coldsend_operator.kube.watches import Watches
from coldsend_operator.logs import Event, Recurring, log
from coldsend_operator.process.cache_sync import SYNC_PAUSE, CacheSync
from coldsend_operator.process.crd_guard import CrdGuard
from coldsend_operator.process.metrics_snapshot import snapshot
from coldsend_operator.process.namespaces import NamespaceWatch, waiting_namespaces
from coldsend_operator.process.reports import report_of
from coldsend_operator.settings import Settings
from coldsend_operator.tasks import end, report_end

HMAC_RETRY, MAX_RETRY = 2.0, 30.0
STALLED_SECONDS = 60.0
REPORT_PERIOD = 10.0  # seconds between two checks for a new report
NAMESPACES_TIMEOUT = 5.0  # seconds for the read of namespaces when this process becomes the leader
FROZEN = "COLDSEND_FREEZE is on: this operator reads ColdSend and updates status, but writes nothing to ColdSend"


class LeaseLost(Exception):  # noqa: N818 - an end, no error of ours
    """Another replica holds the Lease: this process ends and restarts as a standby."""


class Operator:
    """`async with Operator(settings) as operator`, then feed `cache_sync` with watch events and run `work`.

    Clock, API server, Lease and randomness (`jitter`, 0 to 1) can be replaced.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] | None = None,
        kube: KubeClient | None = None,
        leadership: Leadership | None = None,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._settings = settings
        self.clock = clock or unix_seconds
        self._jitter = jitter
        self.metrics = metrics.Metrics()
        self.metrics.build(__version__, commit())
        self._stack = AsyncExitStack()
        self._kube = kube or KubeClient(self.metrics.write)
        self._read_secret = partial(read_secret, self._kube)
        self.watches = Watches(self._kube.connection, self.metrics.watch_silent)
        self._leadership: Leadership = leadership or NoElection()
        self._background: list[asyncio.Task[None]] = []
        self._hmac: Hmac | None = None
        self.ready = False
        self._leading = False
        self._leader = socket.gethostname()
        self._progress = asyncio.Event()  # a namespace was read, or an account was assigned to a workspace

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._kube)
        state = StateMap(self._kube, self._settings.lease_namespace, self._settings.lease_name, UNGUARDED)
        self._bookings = Bookings(state, self.clock, lambda: self._kube.clock_offset)
        if self._settings.leader_election:
            election = Election(self._kube, self._settings.lease_namespace, self._settings.lease_name)
            self._leader = election.identity
            self._leadership = await self._stack.enter_async_context(election)
        kube = self._kube
        self._audit = AuditLog(self._settings.audit_log)
        self.set_aside = SetAside(kube, lambda: self._leading)
        clients = Clients(
            kube=kube,
            status_kube=kube.beside(MAX_WRITES),
            bookings=self._bookings,
            leadership=self._leadership,
            metrics=self.metrics,
            clock=self.clock,
            reader=self._reader,
            set_aside=self.set_aside,
            audit=self._audit,
            jitter=self._jitter,
            coldsend=self._client,
        )
        self.policy = policy_of(self._settings)
        ring = KeyRing(self._settings, self._read_secret, self.clock)
        self._bookings.make_report = self._report
        self.controller = AccountController(self.policy, ring, clients)
        self.batches = BatchController(self.controller, clients)
        self.namespaces = NamespaceWatch(
            self._kube,
            self.policy,
            self.clock,
            lambda: self.controller.namespaces | self.batches.children.namespaces,
            lambda: waiting_namespaces(self.controller.workspaces),
            self._namespace_changed,
        )
        self.controller.placement.on_unread = self.namespaces.wake
        self.controller.placement.on_placed = self._progress.set
        self.crds = CrdGuard(
            self._kube, self.policy, self.controller.decide_all_again, may_read=not self._settings.namespaces
        )
        self.cache_sync = CacheSync(
            self._kube, self._settings, self.controller, self.batches, self.clock, self.set_aside, self.crds
        )
        for site, address in (
            (metrics.site(self.metrics, self.figures), self._settings.metrics_address),
            (http.probes(lambda: self.alive, lambda: self.ready), self._settings.probes_address),
        ):
            await self._stack.enter_async_context(http.serving(site, address))
        log.info(Event.STARTED, version=__version__)
        if self.policy.freeze:
            log.warning(Event.FROZEN, message=FROZEN)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        log.info(Event.STOPPED)

    # -- the order of a start

    async def work(self) -> None:
        """Wait until all is known, then lead. Returns on stop, raises if the Lease is lost."""
        await self._load_hmac()
        self._begin(self.namespaces.run(), "namespaces")
        self._begin(self.controller.placement.watch_keys(), "keys")
        await self._cached()
        while not (self.namespaces.complete and self.controller.placement.complete):
            self._progress.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._progress.wait(), SYNC_PAUSE)
        self.ready = True
        await self._leadership.acquired()
        self._kube.write_guard.may_write = self._leadership.fresh
        await self._cached()  # the last writes of the previous leader too
        with suppress(TimeoutError):
            await asyncio.wait_for(self.namespaces.read_again(), NAMESPACES_TIMEOUT)
        await self._bookings.load()
        self._leading = True
        self._begin(self._secret_watch().run(), "secrets")
        self._begin(self.cache_sync.relist_missed(), "lists")
        self._begin(self._reports(), "report")
        self.batches.announce_all()
        self.controller.start()
        self._batches_work = asyncio.create_task(self.batches.run(), name="batches")
        self._batches_work.add_done_callback(report_end)
        await self._leadership.lost()
        raise LeaseLost("another replica holds the Lease; this process exits and is restarted")

    async def _cached(self) -> None:
        """Wait until all objects of both kinds have arrived."""
        for kind in KINDS:
            await self.cache_sync.wait(kind)

    async def stop(self) -> None:
        """Finish or record all work under way."""
        log.info(Event.STOPPING)
        self.ready = False
        await end(self._background)
        if self._leading:
            await self.batches.stop()
            await asyncio.gather(self._batches_work, return_exceptions=True)
            await self.controller.stop()
        self.crds.close()
        self.namespaces.close()

    @property
    def alive(self) -> bool:
        """Whether every loop ran recently, and none has ended (rule 38: an ended task fails the liveness probe).

        While nobody reads the audit log on stdout, nothing is written to ColdSend, and only a restart ends that.
        """
        if self._audit.closed or any(task.done() for task in self._background):
            return False
        if not self._leading:
            return True
        limit = self.clock() - STALLED_SECONDS
        if self._batches_work.done() or self.controller.loop_ended:
            return False
        rounds = (self.batches.last_round_at, *(loop.last_round_at for loop in self.controller.loops.values()))
        return all(last_round_at > limit for last_round_at in rounds)

    async def _load_hmac(self) -> None:
        trouble, pauses = Recurring(Event.CALL_FAILED, operation="load_hmac_key"), Pauses(HMAC_RETRY, MAX_RETRY)
        while self._hmac is None:
            try:
                self._hmac = await load_hmac(self._kube, self._settings.lease_namespace)
                self.policy.create_marks = CreateMarks(self._hmac.key.get_secret_value().encode())
            except KubeError as error:
                trouble.failed(str(error))
                await asyncio.sleep(pauses.next())
        trouble.ended()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(report_end)
        self._background.append(task)

    async def _reports(self) -> None:
        await asyncio.sleep(REPORT_PERIOD * self._jitter())
        while True:
            await asyncio.sleep(REPORT_PERIOD)
            await self._bookings.report()

    def _report(self) -> StoredReport | None:
        return report_of(self.controller, self._leader, self.clock()) if self._leading else None

    # -- parts

    @property
    def _loaded_hmac(self) -> Hmac:
        if self._hmac is None:
            raise RuntimeError("no Secret is read before the HMAC key")
        return self._hmac

    def _reader(self) -> SecretReader:
        return SecretReader(self._read_secret, self._loaded_hmac)

    def _secret_watch(self) -> SecretWatch:
        controller = self.controller
        watch = SecretWatch(
            self._settings.secret_check_seconds,
            self._loaded_hmac,
            self._reader,
            self.clock,
            lambda: controller.workspaces,
            lambda account: loop.workspace if (loop := controller.loop_of(account)) is not None else None,
            controller.wake,
        )
        for account in controller.accounts.values():
            watch.follow(account)
        controller.on_seen.append(watch.follow)
        controller.on_gone.append(watch.leave)
        controller.on_spec_change.append(watch.hasten)
        return watch

    def _namespace_changed(self, namespace: str) -> None:
        self._progress.set()
        self.controller.namespace_changed(namespace)
        self.batches.namespace_changed(namespace)

    def _client(self, key: SecretStr, on_answer: OnAnswer) -> ColdSendClient:
        return ColdSendClient(
            self._settings.api_url,
            key,
            on_answer=on_answer,
            check_timeout=self.policy.check_timeout,
            may_send=self._leadership.fresh,
            ca_file=self._settings.ca_file,
        )

    def figures(self) -> metrics.Snapshot:
        """The gauges now. A leader that cannot renew its Lease does nothing, so it does not count as one."""
        figures = snapshot(
            self.controller,
            self.set_aside.counts(),
            self.clock(),
            with_scores=self._settings.account_metrics,
            with_domains=self._settings.domain_metrics,
        )
        silence = self.watches.silent_seconds
        figures[metric_names.WATCH_SILENCE] = {(kind,): seconds for kind, seconds in silence.items()}
        figures[metric_names.CRD_OUTDATED] = {(): self._kube.pruning.outdated}
        figures[metric_names.FROZEN] = {(): self.policy.freeze}
        figures[metric_names.LEADER] = {(): self._leading and self._leadership.fresh()}
        return figures
