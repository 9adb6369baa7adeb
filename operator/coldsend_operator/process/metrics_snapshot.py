"""The metrics of the workspaces, taken when Prometheus asks."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from coldsend_operator import metric_names as names
from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import STATUSES, Row
from coldsend_operator.core.model.reasons import ConditionType, KstatusType, Reason
from coldsend_operator.core.plan import sweep_period
from coldsend_operator.core.report import inboxes_by_holder, waiting_by_lane
from coldsend_operator.core.workspace.trust import is_implausible
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.kube.paths import KINDS
from coldsend_operator.metric_names import Metric

Labels = tuple[str, ...]

CONDITION_TYPES = frozenset({*ConditionType, *KstatusType})
REASONS = frozenset(Reason)
OTHER = "OTHER"  # any unknown status, so that new words of ColdSend add no series


@dataclass(frozen=True, slots=True)
class DomainFigures:
    """Sums over the inboxes of one domain. Scores are None where ColdSend shows none."""

    inboxes: Mapping[str, int]  # by status
    lowest_score: float | None
    mean_score: float | None
    sent_today: int
    daily_limit: int


def snapshot(
    controller: AccountController, set_aside: Mapping[str, int], now: float, *, with_scores: bool, with_domains: bool
) -> dict[Metric, dict[Labels, float]]:
    """The current figures; series per account and per domain only if enabled."""
    states: Counter[Labels] = Counter()
    conditions: Counter[Labels] = Counter()
    scores: dict[Labels, float] = {}
    for account in controller.accounts.values():
        desired, state = account.desired, Reason.PROVISIONING.value
        for kind, status, reason in account.said:  # status is untrusted input: only known words become labels
            if kind in CONDITION_TYPES and reason in REASONS:
                conditions[desired.namespace, kind, status, reason] += 1
                state = reason if kind == ConditionType.READY else state
        states[desired.namespace, desired.spec.inbox_type, state] += 1
        score = _score(controller, account) if with_scores else None
        if score is not None:
            scores[desired.namespace, desired.name] = score
    jobs: Counter[Labels] = Counter({("Create", "Running"): 0, ("Delete", "Running"): 0})
    for loop in controller.loops.values():
        for job in loop.workspace.jobs.values():
            jobs[job.operation, "Running"] += 1
    found: dict[Metric, dict[Labels, float]] = {
        names.ACCOUNTS: dict(states),
        names.CONDITIONS: dict(conditions),
        names.HEALTH_SCORE: scores,
        names.JOBS: dict(jobs),
        names.OBJECTS_SET_ASIDE: {(kind,): set_aside.get(kind, 0) for kind in KINDS},
    }
    working = [(loop.workspace, digest, key) for loop in controller.loops.values() for digest, key in loop.keys.items()]
    working.sort(key=lambda each: each[0].keys.count(each[1]))
    current = {key.label: (workspace, digest) for workspace, digest, key in working}  # of all keys that a Secret had
    for label, (workspace, digest) in current.items():
        for metric, labels, value in _of_key(workspace, digest, now, with_domains=with_domains):
            found.setdefault(metric, {})[label, *labels] = value
    return found


def _of_key(
    workspace: Workspace, digest: str, now: float, *, with_domains: bool
) -> Iterator[tuple[Metric, Labels, float]]:
    """Of one API key. Keys of one workspace differ in what ColdSend refuses to them, and in who waits."""
    minute, hour = workspace.budget.remaining(now)
    yield names.BUDGET_REMAINING, ("minute",), minute
    yield names.BUDGET_REMAINING, ("hour",), hour
    yield names.BUDGET_LIMIT, ("minute",), workspace.budget.minute_limit
    yield names.BUDGET_LIMIT, ("hour",), workspace.budget.hour_limit
    for lane, waiting in waiting_by_lane(workspace, digest).items():
        yield names.QUEUE_LENGTH, (lane.value,), waiting.count
        if waiting.oldest is not None:
            yield names.QUEUE_OLDEST, (lane.value,), now - waiting.oldest
    used = bool(workspace.keys.count(digest))
    yield names.DELETIONS_HELD, (), len(workspace.brake.holds)
    yield names.KEY_REFUSED, (), used and workspace.keys.refused(digest)
    yield names.INVENTORY_IMPLAUSIBLE, (), used and is_implausible(workspace)
    if not used:
        return  # it is no longer read, and its last values would stay
    yield names.SWEEP_PERIOD, ("wanted",), workspace.policy.sweep_seconds
    yield names.SWEEP_PERIOD, ("allowed",), sweep_period(workspace)
    if workspace.inventory.swept_at:
        yield names.SWEEP_AGE, (), now - workspace.inventory.swept_at
    for managed, count in inboxes_by_holder(workspace).items():
        yield names.INBOXES, (str(managed).lower(),), count
    if with_domains:
        for domain, figures in domain_figures(workspace.inventory.rows.values()).items():
            yield from _of_domain(domain, figures)


def _of_domain(domain: str, figures: DomainFigures) -> Iterator[tuple[Metric, Labels, float]]:
    for status, count in figures.inboxes.items():
        yield names.DOMAIN_INBOXES, (domain, status), count
    for stat, score in (("min", figures.lowest_score), ("mean", figures.mean_score)):
        if score is not None:
            yield names.DOMAIN_HEALTH, (domain, stat), score
    yield names.DOMAIN_SENT, (domain,), figures.sent_today
    yield names.DOMAIN_LIMIT, (domain,), figures.daily_limit


def _score(controller: AccountController, account: Account) -> float | None:
    loop = controller.loop_of(account)
    row = loop.workspace.inventory.row(account.stored.inbox_id) if loop else None
    return row.health_score if row else None


def domain_figures(rows: Iterable[Row]) -> dict[str, DomainFigures]:
    """The figures of each domain, by its name."""
    by_domain: dict[str, list[Row]] = {}
    for row in rows:
        by_domain.setdefault(row.address.rpartition("@")[2], []).append(row)
    return {name: _sums(found) for name, found in sorted(by_domain.items())}


def _sums(rows: list[Row]) -> DomainFigures:
    scores = [row.health_score for row in rows if row.health_score is not None]
    return DomainFigures(
        inboxes=Counter(row.overall_status if row.overall_status in STATUSES else OTHER for row in rows),
        lowest_score=min(scores, default=None),
        mean_score=math.fsum(scores) / len(scores) if scores else None,
        sent_today=sum(row.emails_sent_today or 0 for row in rows),
        daily_limit=sum(row.daily_limit or 0 for row in rows),
    )
