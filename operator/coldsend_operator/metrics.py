"""Metrics for Prometheus: what was counted, and what is there.

Counters are updated when something happens (`Metrics.request` and others); gauges come from a snapshot when
Prometheus asks, so that ten thousand accounts cost nothing in between.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
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
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from coldsend_operator import metric_names as names

_REQUEST_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_READY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14_400, 43_200)
_JOB_OPERATIONS = ("Create", "Delete")
_JOB_STATES = ("Completed", "Failed", "Lost")
_PLAN_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


Snapshot = Mapping[names.Metric, Mapping[tuple[str, ...], float]]
"""The gauges when Prometheus asks, by the values of their labels. Nobody changes it, as a thread renders it."""


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
        """An account became Ready for the first time, this long after it was created."""
        self._ready_seconds.observe(seconds)

    def planned(self, seconds: float) -> None:
        """A round of planning took this long."""
        self._plan_seconds.observe(seconds)

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
        for metric in names.METRICS:
            if metric.kind == "gauge" and metric is not names.BUILD:
                yield metric.gauge(self._snapshot.get(metric, {}).items())


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
