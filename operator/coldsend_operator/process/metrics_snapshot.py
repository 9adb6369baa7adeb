"""The metrics of the workspaces, taken when Prometheus asks."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from coldsend_operator.accounts.controller import AccountController
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import STATUSES, Row
from coldsend_operator.core.model.reasons import ConditionType, KstatusType, Reason
from coldsend_operator.core.plan import sweep_period
from coldsend_operator.core.report import inboxes_by_holder, waiting_by_lane
from coldsend_operator.core.workspace.trust import lacks_trust
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.metrics import DomainFigures, Snapshot, WorkspaceFigures
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND

KINDS = frozenset({*ConditionType, *KstatusType})
REASONS = frozenset(Reason)
OTHER = "OTHER"  # any unknown status, so that new words of ColdSend add no series


def snapshot(
    controller: AccountController, set_aside: Mapping[str, int], now: float, *, with_scores: bool, with_domains: bool
) -> Snapshot:
    """The current figures; series per account and per domain only if enabled."""
    states: Counter[tuple[str, str, str]] = Counter()
    conditions: Counter[tuple[str, str, str, str]] = Counter()
    scores = []
    for account in controller.accounts.values():
        desired = account.desired
        states[desired.namespace, desired.spec.inbox_type, account.ready_reason or Reason.PROVISIONING.value] += 1
        for kind, status, reason in account.said:  # status is untrusted input: only known words become labels
            if kind in KINDS and reason in REASONS:
                conditions[desired.namespace, kind, status, reason] += 1
        score = _score(controller, account)
        if with_scores and score is not None:
            scores.append((desired.namespace, desired.name, score))
    jobs: Counter[tuple[str, str]] = Counter({("Create", "Running"): 0, ("Delete", "Running"): 0})
    for loop in controller.loops.values():
        for job in loop.workspace.jobs.values():
            jobs[job.operation, "Running"] += 1
    working = [(loop.workspace, digest, key) for loop in controller.loops.values() for digest, key in loop.keys.items()]
    working.sort(key=lambda each: each[0].keys.count(each[1]))  # of all keys that one Secret had, the current one
    return Snapshot(
        workspaces={
            key.label: _workspace_figures(workspace, digest, now, with_domains=with_domains)
            for workspace, digest, key in working
        },
        accounts=dict(states),
        conditions=dict(conditions),
        health_scores=tuple(scores),
        jobs=dict(jobs),
        set_aside={ACCOUNT_KIND: 0, BATCH_KIND: 0, **set_aside},
    )


def _workspace_figures(workspace: Workspace, digest: str, now: float, *, with_domains: bool) -> WorkspaceFigures:
    """Of one API key. Keys of one workspace differ in what ColdSend refuses to them, and in who waits."""
    minute, hour = workspace.budget.remaining(now)
    waiting = waiting_by_lane(workspace, digest)
    used = bool(workspace.keys.count(digest))  # an unused workspace is no longer read, and its last values would stay
    return WorkspaceFigures(
        budget_remaining={"minute": minute, "hour": hour},
        budget_limit={"minute": workspace.budget.minute_limit, "hour": workspace.budget.hour_limit},
        queue_lengths={lane.value: each.count for lane, each in waiting.items()},
        queue_ages={lane.value: now - each.oldest for lane, each in waiting.items() if each.oldest is not None},
        sweep_periods={"wanted": workspace.policy.sweep_seconds, "allowed": sweep_period(workspace)} if used else {},
        sweep_age=now - workspace.inventory.swept_at if used and workspace.inventory.swept_at else None,
        inboxes=inboxes_by_holder(workspace) if used else {},
        domains=domain_figures(workspace.inventory.rows.values()) if used and with_domains else {},
        deletions_held=len(workspace.brake.holds),
        key_refused=used and workspace.keys.refused(digest),
        implausible=used and (workspace.implausible is not None or lacks_trust(workspace)),
    )


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
