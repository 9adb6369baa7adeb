"""Metrics for Prometheus: what was counted, and what is there.

Counters are updated when something happens (`Metrics.request` and others); gauges come from a snapshot when
Prometheus asks, so that ten thousand accounts cost nothing in between.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

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

from coldsend_operator import metric_names as names

_REQUEST_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_READY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14_400, 43_200)
_JOB_OPERATIONS = ("Create", "Delete")
_JOB_STATES = ("Completed", "Failed", "Lost")
_PLAN_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


@dataclass(frozen=True, slots=True)
class DomainFigures:
    """Sums over the inboxes of one domain. Scores are None where ColdSend shows none."""

    inboxes: Mapping[str, int]  # by status
    lowest_score: float | None
    mean_score: float | None
    sent_today: int
    daily_limit: int


@dataclass(frozen=True, slots=True)
class WorkspaceFigures:
    """The figures of one workspace.

    Budgets hold requests by window (`minute`, `hour`); the age of the sweep is None before the first.
    """

    budget_remaining: Mapping[str, float]
    budget_limit: Mapping[str, float]
    queue_lengths: Mapping[str, int]
    queue_ages: Mapping[str, float] = field(default_factory=dict)  # seconds, of the oldest entry by lane
    sweep_periods: Mapping[str, float] = field(default_factory=dict)  # seconds, wanted and allowed
    sweep_age: float | None = None
    inboxes: Mapping[bool, int] = field(default_factory=dict)  # managed or not; empty before the first sweep
    domains: Mapping[str, DomainFigures] = field(default_factory=dict)  # by name; empty unless asked for
    deletions_held: int = 0
    key_refused: bool = False
    implausible: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state when Prometheus asks. Immutable, as a thread renders it."""

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
    """The counters of one process. `workspace` is namespace/name of the Secret of the key, or `default`."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # carries no annotation
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._requests = self._counter(names.REQUESTS)
        self._request_seconds = self._histogram(names.REQUEST_SECONDS, _REQUEST_BUCKETS)
        self._ready_seconds = self._histogram(names.READY_SECONDS, _READY_BUCKETS)
        self._plan_seconds = self._histogram(names.PLAN_SECONDS, _PLAN_BUCKETS)
        self._jobs_finished = self._counter(names.JOBS_FINISHED)
        for operation, state in product(_JOB_OPERATIONS, _JOB_STATES):
            self._jobs_finished.labels(operation, state)  # present from the start, so that the first end is an increase
        self._writes = self._counter(names.WRITES)
        self._watches_silent = self._counter(names.WATCHES_SILENT)
        self._leader = self._gauge(names.LEADER)
        self._build = self._gauge(names.BUILD)

    def request(self, workspace: str, operation: str, code: int | None, seconds: float) -> None:
        """A request to ColdSend has ended; code is None without a response."""
        self._requests.labels(workspace, operation, "none" if code is None else str(code)).inc()
        self._request_seconds.labels(workspace, operation).observe(seconds)

    def forget_workspace(self, workspace: str) -> None:
        """The workspace is closed: drop its series, which would otherwise grow with every new key."""
        for metric in (self._requests, self._request_seconds):
            metric.remove_by_labels({"workspace": workspace})

    def write(self, kind: str, verb: str) -> None:
        """A write to Kubernetes is about to leave."""
        self._writes.labels(kind, verb).inc()

    def watch_silent(self, kind: str) -> None:
        """A watch was closed because it fell silent."""
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
        """The text for Prometheus and its content type, in the format of the Accept header."""
        encode, content_type = choose_encoder(accept)
        return encode(_Scrape(self.registry, snapshot)), content_type

    def _counter(self, metric: names.Metric) -> Counter:
        return Counter(metric.name, metric.meaning, metric.labels, registry=self.registry)

    def _gauge(self, metric: names.Metric) -> Gauge:
        return Gauge(metric.name, metric.meaning, metric.labels, registry=self.registry)

    def _histogram(self, metric: names.Metric, buckets: tuple[float, ...]) -> Histogram:
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
    yield names.BUDGET_REMAINING.gauge(
        ((name, window), left) for name, w in each for window, left in w.budget_remaining.items()
    )
    yield names.BUDGET_LIMIT.gauge(
        ((name, window), limit) for name, w in each for window, limit in w.budget_limit.items()
    )
    yield names.KEY_REFUSED.gauge(((name,), int(w.key_refused)) for name, w in each)
    yield names.QUEUE_LENGTH.gauge(
        ((name, lane), length) for name, w in each for lane, length in w.queue_lengths.items()
    )
    yield names.QUEUE_OLDEST.gauge(((name, lane), age) for name, w in each for lane, age in w.queue_ages.items())
    yield names.SWEEP_PERIOD.gauge(
        ((name, kind), period) for name, w in each for kind, period in w.sweep_periods.items()
    )
    yield names.SWEEP_AGE.gauge(((name,), w.sweep_age) for name, w in each if w.sweep_age is not None)
    yield names.DELETIONS_HELD.gauge(((name,), w.deletions_held) for name, w in each)
    yield names.INVENTORY_IMPLAUSIBLE.gauge(((name,), int(w.implausible)) for name, w in each)
    yield names.ACCOUNTS.gauge(snapshot.accounts.items())
    yield names.CONDITIONS.gauge(snapshot.conditions.items())
    yield names.INBOXES.gauge(
        ((name, str(kind).lower()), count) for name, w in each for kind, count in w.inboxes.items()
    )
    yield names.HEALTH_SCORE.gauge(((namespace, name), score) for namespace, name, score in snapshot.health_scores)
    yield from _domain_families(snapshot)
    yield names.JOBS.gauge(snapshot.jobs.items())
    yield names.OBJECTS_SET_ASIDE.gauge(((kind,), count) for kind, count in snapshot.set_aside.items())
    yield names.CRD_OUTDATED.gauge([((), int(snapshot.crd_outdated))])
    yield names.FROZEN.gauge([((), int(snapshot.frozen))])
    yield names.WATCH_SILENCE.gauge(((kind,), seconds) for kind, seconds in snapshot.watch_silence.items())


def _domain_families(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    each = [(name, domain, of) for name, w in snapshot.workspaces.items() for domain, of in w.domains.items()]
    yield names.DOMAIN_INBOXES.gauge(
        ((name, domain, status), count) for name, domain, of in each for status, count in of.inboxes.items()
    )
    yield names.DOMAIN_HEALTH.gauge(
        ((name, domain, stat), score)
        for name, domain, of in each
        for stat, score in (("min", of.lowest_score), ("mean", of.mean_score))
        if score is not None
    )
    yield names.DOMAIN_SENT.gauge(((name, domain), of.sent_today) for name, domain, of in each)
    yield names.DOMAIN_LIMIT.gauge(((name, domain), of.daily_limit) for name, domain, of in each)


def site(metrics: Metrics, snapshot: Callable[[], Snapshot]) -> web.Application:
    """`/metrics`. `snapshot` is called in the event loop, so it may read what the loop owns."""

    async def answer(request: web.Request) -> web.Response:
        body, content_type = await asyncio.to_thread(metrics.render, snapshot(), request.headers.get("Accept", ""))
        response = web.Response(body=body, headers={"Content-Type": content_type})
        response.enable_compression()
        return response

    made = web.Application()
    made.router.add_get("/metrics", answer)
    return made
