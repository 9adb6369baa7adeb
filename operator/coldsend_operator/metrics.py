"""Metrics for Prometheus. Names and labels are an interface; no address, key or message stands in a label.

What happens is counted when it happens (`Metrics.request` and its like); what is there is taken from a snapshot when
Prometheus asks, so that ten thousand accounts cost nothing in between.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, Protocol

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from coldsend_operator import http
from coldsend_operator.setting_values import Address


@dataclass(frozen=True, slots=True)
class Metric:
    """One name of the interface."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str

    def gauge(self, values: Iterable[tuple[tuple[str, ...], float]]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(self.name, self.meaning)
        family.samples = _Samples(self, values)
        return family


class _Samples(list[Sample]):
    """Samples that are made when they are written, as those of ten thousand accounts take 6 MB; read once."""

    def __init__(self, metric: Metric, values: Iterable[tuple[tuple[str, ...], float]]) -> None:
        super().__init__()
        self._metric = metric
        self._values = values

    def __iter__(self) -> Iterator[Sample]:
        for labels, value in self._values:
            yield Sample(self._metric.name, dict(zip(self._metric.labels, labels, strict=True)), value)


REQUESTS = Metric(
    "coldsend_api_requests_total",
    "counter",
    ("workspace", "operation", "code"),
    "Requests to ColdSend; code is the HTTP status, or none when no answer came.",
)
REQUEST_SECONDS = Metric(
    "coldsend_api_request_seconds", "histogram", ("workspace", "operation"), "Time from a request to its answer."
)
BUDGET_REMAINING = Metric(
    "coldsend_api_budget_remaining",
    "gauge",
    ("workspace", "window"),
    "Requests that the operator may still send in the window (minute or hour), the reserve taken off.",
)
BUDGET_LIMIT = Metric(
    "coldsend_api_budget_limit",
    "gauge",
    ("workspace", "window"),
    "Requests that the operator grants itself in the window (minute or hour), the reserve taken off.",
)
KEY_REFUSED = Metric(
    "coldsend_api_key_refused", "gauge", ("workspace",), "1 while ColdSend refuses the API key (401), else 0."
)
ACCOUNTS = Metric(
    "coldsend_accounts",
    "gauge",
    ("namespace", "inbox_type", "state"),
    "SenderAccounts; state is the reason of their condition Ready.",
)
CONDITIONS = Metric(
    "coldsend_account_conditions",
    "gauge",
    ("namespace", "type", "status", "reason"),
    "SenderAccounts whose condition of this type has this status and reason.",
)
INBOXES = Metric(
    "coldsend_inboxes",
    "gauge",
    ("workspace", "managed"),
    "Inboxes that ColdSend shows; managed is true for those that an object created or adopted.",
)
HEALTH_SCORE = Metric(
    "coldsend_account_health_score",
    "gauge",
    ("namespace", "name"),
    "Health score of an account as ColdSend last showed it; COLDSEND_ACCOUNT_METRICS=off leaves it out.",
)
DOMAIN_INBOXES = Metric(
    "coldsend_domain_inboxes",
    "gauge",
    ("workspace", "domain", "status"),
    "Inboxes of the domain that ColdSend shows, by status (ACTIVE, PAUSED, DISABLED, PENDING, OTHER); "
    "only with COLDSEND_DOMAIN_METRICS=on, as the other metrics by domain.",
)
DOMAIN_HEALTH = Metric(
    "coldsend_domain_health_score",
    "gauge",
    ("workspace", "domain", "stat"),
    "Lowest (min) and mean health score of the inboxes of the domain.",
)
DOMAIN_SENT = Metric(
    "coldsend_domain_sent_today",
    "gauge",
    ("workspace", "domain"),
    "E-mails that the inboxes of the domain have sent today, as ColdSend last showed it.",
)
DOMAIN_LIMIT = Metric(
    "coldsend_domain_daily_limit",
    "gauge",
    ("workspace", "domain"),
    "E-mails that the inboxes of the domain may send in a day, as ColdSend last showed it.",
)
READY_SECONDS = Metric(
    "coldsend_account_ready_seconds", "histogram", (), "Time from the creation of a SenderAccount to its first Ready."
)
JOBS = Metric("coldsend_jobs", "gauge", ("operation", "state"), "Bulk jobs that the operator keeps track of.")
JOBS_FINISHED = Metric(
    "coldsend_jobs_finished_total",
    "counter",
    ("operation", "state"),
    "Bulk jobs that have ended: Completed, Failed (no progress for ten minutes) or Lost (ColdSend knows it no more).",
)
QUEUE_LENGTH = Metric(
    "coldsend_queue_length",
    "gauge",
    ("workspace", "lane"),
    "Accounts that wait for a call, by lane: edit, delete, create, look, mail; in the lane poll bulk jobs under way.",
)
QUEUE_OLDEST = Metric(
    "coldsend_queue_oldest_seconds",
    "gauge",
    ("workspace", "lane"),
    "How long the longest waiting in the lane has waited; no series for a lane in which nobody waits.",
)
SWEEP_PERIOD = Metric(
    "coldsend_sweep_period_seconds",
    "gauge",
    ("workspace", "period"),
    "Time between two looks at all inboxes: wanted is COLDSEND_SWEEP_SECONDS, allowed what the budget lets be.",
)
SWEEP_AGE = Metric(
    "coldsend_sweep_age_seconds", "gauge", ("workspace",), "Age of the last complete look at all inboxes."
)
DELETIONS_HELD = Metric(
    "coldsend_deletions_held", "gauge", ("workspace",), "Deletions that the brake holds until they are approved."
)
INVENTORY_IMPLAUSIBLE = Metric(
    "coldsend_inventory_implausible",
    "gauge",
    ("workspace",),
    "1 while so many known inboxes are missing at once that the operator does not trust the list, else 0.",
)
OBJECTS_SET_ASIDE = Metric(
    "coldsend_objects_set_aside",
    "gauge",
    ("kind",),
    "Objects that the operator fails to read, decide or write, so that nothing is done for them; the log names them.",
)
PLAN_SECONDS = Metric("coldsend_plan_seconds", "histogram", (), "Time of one round of planning.")
WRITES = Metric(
    "coldsend_kubernetes_writes_total", "counter", ("kind", "verb"), "Requests to Kubernetes that change something."
)
WATCH_SILENCE = Metric(
    "coldsend_watch_silence_seconds",
    "gauge",
    ("kind",),
    "Time since something came on the watch of the kind; the API server sends a bookmark each minute.",
)
WATCHES_SILENT = Metric(
    "coldsend_watches_silent_total",
    "counter",
    ("kind",),
    "Watches that were opened again because nothing came any more, not even a bookmark.",
)
CRD_OUTDATED = Metric(
    "coldsend_crd_outdated",
    "gauge",
    (),
    "1 while a CRD is older than the operator, so that the API server drops fields of status, else 0.",
)
FROZEN = Metric(
    "coldsend_frozen", "gauge", (), "1 while COLDSEND_FREEZE keeps the operator from writing to ColdSend, else 0."
)
LEADER = Metric("coldsend_leader", "gauge", (), "1 while this replica works, 0 while it stands by.")
BUILD = Metric("coldsend_build_info", "gauge", ("version", "commit"), "Always 1; the labels say what runs.")

METRICS = (
    REQUESTS,
    REQUEST_SECONDS,
    BUDGET_REMAINING,
    BUDGET_LIMIT,
    KEY_REFUSED,
    ACCOUNTS,
    CONDITIONS,
    INBOXES,
    HEALTH_SCORE,
    DOMAIN_INBOXES,
    DOMAIN_HEALTH,
    DOMAIN_SENT,
    DOMAIN_LIMIT,
    READY_SECONDS,
    JOBS,
    JOBS_FINISHED,
    QUEUE_LENGTH,
    QUEUE_OLDEST,
    SWEEP_PERIOD,
    SWEEP_AGE,
    DELETIONS_HELD,
    INVENTORY_IMPLAUSIBLE,
    OBJECTS_SET_ASIDE,
    PLAN_SECONDS,
    WRITES,
    WATCH_SILENCE,
    WATCHES_SILENT,
    CRD_OUTDATED,
    FROZEN,
    LEADER,
    BUILD,
)
"""Every metric of the operator, in the order of the docs; those of the process and of Python come beside."""

_REQUEST_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_READY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14_400, 43_200)
_JOB_OPERATIONS = ("Create", "Delete")
_JOB_STATES = ("Completed", "Failed", "Lost")
_PLAN_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class DomainFigures(Protocol):
    """What the inboxes of one domain come to; scores are None where ColdSend shows none."""

    @property
    def inboxes(self) -> Mapping[str, int]: ...  # by status

    @property
    def lowest_score(self) -> float | None: ...

    @property
    def mean_score(self) -> float | None: ...

    @property
    def sent_today(self) -> int: ...

    @property
    def daily_limit(self) -> int: ...


@dataclass(frozen=True, slots=True)
class WorkspaceFigures:
    """What one workspace shows.

    Budgets hold requests by window (`minute`, `hour`); the age of the sweep is None before the first.
    """

    budget_remaining: Mapping[str, float]
    budget_limit: Mapping[str, float]
    queue_lengths: Mapping[str, int]
    queue_ages: Mapping[str, float] = field(default_factory=dict)  # seconds of the longest waiting, by lane
    sweep_periods: Mapping[str, float] = field(default_factory=dict)  # seconds, wanted and allowed
    sweep_age: float | None = None
    inboxes: Mapping[bool, int] = field(default_factory=dict)  # managed or not; empty before the first sweep
    domains: Mapping[str, DomainFigures] = field(default_factory=dict)  # by name; empty unless asked for
    deletions_held: int = 0
    key_refused: bool = False
    implausible: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is there when Prometheus asks. It must not change afterwards: it is rendered in a thread."""

    workspaces: Mapping[str, WorkspaceFigures] = field(default_factory=dict)
    accounts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)  # namespace, inbox type, state
    conditions: Mapping[tuple[str, str, str, str], int] = field(default_factory=dict)  # namespace, type, status, reason
    health_scores: tuple[tuple[str, str, float], ...] = ()  # namespace, name, score
    jobs: Mapping[tuple[str, str], int] = field(default_factory=dict)  # operation, state
    set_aside: Mapping[str, int] = field(default_factory=dict)  # kind
    watch_silence: Mapping[str, float] = field(default_factory=dict)  # seconds, by kind
    crd_outdated: bool = False
    frozen: bool = False


class Metrics:
    """Counts for one process. `workspace` is namespace/name of the Secret of the key, or `default`."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # carries no annotation
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = Counter(REQUESTS.name, REQUESTS.meaning, REQUESTS.labels, registry=self.registry)
        self._request_seconds = self._histogram(REQUEST_SECONDS, _REQUEST_BUCKETS)
        self._ready_seconds = self._histogram(READY_SECONDS, _READY_BUCKETS)
        self._plan_seconds = self._histogram(PLAN_SECONDS, _PLAN_BUCKETS)
        self._jobs_finished = Counter(
            JOBS_FINISHED.name, JOBS_FINISHED.meaning, JOBS_FINISHED.labels, registry=self.registry
        )
        for operation, state in product(_JOB_OPERATIONS, _JOB_STATES):
            self._jobs_finished.labels(operation, state)  # there from the start: the first to end is an increase, too
        self._writes = Counter(WRITES.name, WRITES.meaning, WRITES.labels, registry=self.registry)
        self._watches_silent = Counter(
            WATCHES_SILENT.name, WATCHES_SILENT.meaning, WATCHES_SILENT.labels, registry=self.registry
        )
        self._leader = Gauge(LEADER.name, LEADER.meaning, registry=self.registry)
        self._build = Gauge(BUILD.name, BUILD.meaning, BUILD.labels, registry=self.registry)

    def request(self, workspace: str, operation: str, code: int | None, seconds: float) -> None:
        """A request to ColdSend has ended; code is None when no answer came."""
        self._requests.labels(workspace, operation, "none" if code is None else str(code)).inc()
        self._request_seconds.labels(workspace, operation).observe(seconds)

    def forget_workspace(self, workspace: str) -> None:
        """The workspace is closed: its series end, as new keys would add some for ever."""
        for metric in (self._requests, self._request_seconds):
            metric.remove_by_labels({"workspace": workspace})

    def write(self, kind: str, verb: str) -> None:
        """A request to Kubernetes that changes something is about to leave."""
        self._writes.labels(kind, verb).inc()

    def watch_silent(self, kind: str) -> None:
        """A watch was given up because nothing came on it any more."""
        self._watches_silent.labels(kind).inc()

    def job_finished(self, operation: str, state: str) -> None:
        """A bulk job has ended: Completed, Failed or Lost."""
        self._jobs_finished.labels(operation, state).inc()

    def account_ready(self, seconds: float) -> None:
        self._ready_seconds.observe(seconds)

    def planned(self, seconds: float) -> None:
        self._plan_seconds.observe(seconds)

    def leader(self, *, leading: bool) -> None:
        self._leader.set(int(leading))

    def build(self, version: str, commit: str) -> None:
        self._build.labels(version, commit).set(1)

    def render(self, snapshot: Snapshot, accept: str = "") -> tuple[bytes, str]:
        """The text that Prometheus reads and its content type, in the format that the Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(_Scrape(self.registry, snapshot)), content_type

    def _histogram(self, metric: Metric, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(metric.name, metric.meaning, metric.labels, buckets=buckets, registry=self.registry)


class _Scrape(Collector):
    """The counters of the process and one snapshot, as one answer."""

    def __init__(self, registry: CollectorRegistry, snapshot: Snapshot) -> None:
        self._registry = registry
        self._snapshot = snapshot

    def collect(self) -> Iterator[Family]:
        yield from self._registry.collect()
        yield from _families(self._snapshot)


def _families(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    each = snapshot.workspaces.items()
    yield BUDGET_REMAINING.gauge(
        ((name, window), left) for name, w in each for window, left in w.budget_remaining.items()
    )
    yield BUDGET_LIMIT.gauge(((name, window), limit) for name, w in each for window, limit in w.budget_limit.items())
    yield KEY_REFUSED.gauge(((name,), int(w.key_refused)) for name, w in each)
    yield QUEUE_LENGTH.gauge(((name, lane), length) for name, w in each for lane, length in w.queue_lengths.items())
    yield QUEUE_OLDEST.gauge(((name, lane), age) for name, w in each for lane, age in w.queue_ages.items())
    yield SWEEP_PERIOD.gauge(((name, kind), period) for name, w in each for kind, period in w.sweep_periods.items())
    yield SWEEP_AGE.gauge(((name,), w.sweep_age) for name, w in each if w.sweep_age is not None)
    yield DELETIONS_HELD.gauge(((name,), w.deletions_held) for name, w in each)
    yield INVENTORY_IMPLAUSIBLE.gauge(((name,), int(w.implausible)) for name, w in each)
    yield ACCOUNTS.gauge(snapshot.accounts.items())
    yield CONDITIONS.gauge(snapshot.conditions.items())
    yield INBOXES.gauge(((name, str(kind).lower()), count) for name, w in each for kind, count in w.inboxes.items())
    yield HEALTH_SCORE.gauge(((namespace, name), score) for namespace, name, score in snapshot.health_scores)
    yield from _domain_families(snapshot)
    yield JOBS.gauge(snapshot.jobs.items())
    yield OBJECTS_SET_ASIDE.gauge(((kind,), count) for kind, count in snapshot.set_aside.items())
    yield CRD_OUTDATED.gauge([((), int(snapshot.crd_outdated))])
    yield FROZEN.gauge([((), int(snapshot.frozen))])
    yield WATCH_SILENCE.gauge(((kind,), seconds) for kind, seconds in snapshot.watch_silence.items())


def _domain_families(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    each = [(name, domain, of) for name, w in snapshot.workspaces.items() for domain, of in w.domains.items()]
    yield DOMAIN_INBOXES.gauge(
        ((name, domain, status), count) for name, domain, of in each for status, count in of.inboxes.items()
    )
    yield DOMAIN_HEALTH.gauge(
        ((name, domain, stat), score)
        for name, domain, of in each
        for stat, score in (("min", of.lowest_score), ("mean", of.mean_score))
        if score is not None
    )
    yield DOMAIN_SENT.gauge(((name, domain), of.sent_today) for name, domain, of in each)
    yield DOMAIN_LIMIT.gauge(((name, domain), of.daily_limit) for name, domain, of in each)


@asynccontextmanager
async def serving(
    metrics: Metrics, snapshot: Callable[[], Snapshot], address: Address | None
) -> AsyncIterator[Address | None]:
    """Serve `/metrics` while the context is open; yields the address with the port that was taken, None when off.

    `snapshot` is called in the event loop, so it may read what the loop owns.

    Raises:
        OSError: the address cannot be used.
    """
    if address is None:
        yield None
        return

    async def answer(request: web.Request) -> web.Response:
        body, content_type = await asyncio.to_thread(metrics.render, snapshot(), request.headers.get("Accept", ""))
        response = web.Response(body=body, headers={"Content-Type": content_type})
        response.enable_compression()
        return response

    site = web.Application()
    site.router.add_get("/metrics", answer)
    async with http.serving(site, address) as taken:
        yield taken
