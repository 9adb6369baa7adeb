"""The metrics for Prometheus by name. Names and labels are an interface: no address, key or message is in a label."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Metric:
    """The definition of one metric."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str

    def gauge(self, values: Iterable[tuple[tuple[str, ...], float]]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(self.name, self.meaning)
        family.samples = _Samples(self, values)
        return family


class _Samples(list[Sample]):
    """Samples generated while they are written, as those of ten thousand accounts take 6 MB; read once."""

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
    "Requests to ColdSend; code is the HTTP status, or none without a response.",
)
REQUEST_SECONDS = Metric(
    "coldsend_api_request_seconds", "histogram", ("workspace", "operation"), "Time from a request to its response."
)
BUDGET_REMAINING = Metric(
    "coldsend_api_budget_remaining",
    "gauge",
    ("workspace", "window"),
    "Requests that the operator may still send in the window (minute or hour), without the reserve.",
)
BUDGET_LIMIT = Metric(
    "coldsend_api_budget_limit",
    "gauge",
    ("workspace", "window"),
    "Requests that the operator may send in a window (minute or hour), without the reserve.",
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
    "Inboxes in ColdSend; managed is true for those that an object created or adopted.",
)
HEALTH_SCORE = Metric(
    "coldsend_account_health_score",
    "gauge",
    ("namespace", "name"),
    "Health score of an account as last seen; COLDSEND_ACCOUNT_METRICS=off leaves it out.",
)
DOMAIN_INBOXES = Metric(
    "coldsend_domain_inboxes",
    "gauge",
    ("workspace", "domain", "status"),
    "Inboxes of the domain in ColdSend, by status (ACTIVE, PAUSED, DISABLED, PENDING, OTHER); "
    "only with COLDSEND_DOMAIN_METRICS=on, like the other metrics by domain.",
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
    "E-mails that the inboxes of the domain have sent today, as last seen.",
)
DOMAIN_LIMIT = Metric(
    "coldsend_domain_daily_limit",
    "gauge",
    ("workspace", "domain"),
    "E-mails that the inboxes of the domain may send in a day, as last seen.",
)
READY_SECONDS = Metric(
    "coldsend_account_ready_seconds", "histogram", (), "Time from the creation of a SenderAccount to its first Ready."
)
JOBS = Metric("coldsend_jobs", "gauge", ("operation", "state"), "Bulk jobs that the operator tracks.")
JOBS_FINISHED = Metric(
    "coldsend_jobs_finished_total",
    "counter",
    ("operation", "state"),
    "Bulk jobs that ended: Completed, Failed (no progress for ten minutes) or Lost (ColdSend no longer knows the job).",
)
QUEUE_LENGTH = Metric(
    "coldsend_queue_length",
    "gauge",
    ("workspace", "lane"),
    "Accounts that wait for a call, by lane: edit, delete, create, probe, mail; in the lane poll, running bulk jobs.",
)
QUEUE_OLDEST = Metric(
    "coldsend_queue_oldest_seconds",
    "gauge",
    ("workspace", "lane"),
    "How long the oldest entry of the lane has waited; no series for an empty lane.",
)
SWEEP_PERIOD = Metric(
    "coldsend_sweep_period_seconds",
    "gauge",
    ("workspace", "period"),
    "Time between two sweeps (full lists): wanted is COLDSEND_SWEEP_SECONDS, allowed what the budget permits.",
)
SWEEP_AGE = Metric("coldsend_sweep_age_seconds", "gauge", ("workspace",), "Age of the last complete sweep (full list).")
DELETIONS_HELD = Metric(
    "coldsend_deletions_held", "gauge", ("workspace",), "Deletions that the brake holds until they are approved."
)
INVENTORY_IMPLAUSIBLE = Metric(
    "coldsend_inventory_implausible",
    "gauge",
    ("workspace",),
    "1 while so many known inboxes are missing that the operator does not trust the list, else 0.",
)
OBJECTS_SET_ASIDE = Metric(
    "coldsend_objects_set_aside",
    "gauge",
    ("kind",),
    "Objects that the operator fails to process, so that nothing is done for them; the log names them.",
)
PLAN_SECONDS = Metric("coldsend_plan_seconds", "histogram", (), "Time of one round of planning.")
WRITES = Metric(
    "coldsend_kubernetes_writes_total", "counter", ("kind", "verb"), "Requests to Kubernetes that change something."
)
WATCH_SILENCE = Metric(
    "coldsend_watch_silence_seconds",
    "gauge",
    ("kind",),
    "Time since the last event on the watch of the kind; the API server sends a bookmark each minute.",
)
WATCHES_SILENT = Metric(
    "coldsend_watches_silent_total",
    "counter",
    ("kind",),
    "Watches that were reopened because they fell silent, without even a bookmark.",
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
LEADER = Metric(
    "coldsend_leader",
    "gauge",
    (),
    "1 while this replica leads, 0 while it is a standby or cannot renew its Lease and therefore writes nothing.",
)
BUILD = Metric("coldsend_build_info", "gauge", ("version", "commit"), "Always 1; the labels identify the build.")

METRICS = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
"""Every metric of the operator, in the order of the docs."""
