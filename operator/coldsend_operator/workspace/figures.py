"""What Prometheus is shown of the workspaces, taken when it asks."""

from collections import Counter
from collections.abc import Mapping

from coldsend_operator.core.calls import Lane
from coldsend_operator.core.domain_figures import domain_figures
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.reasons import Condition, Progress, Reason
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps import Move
from coldsend_operator.metrics import Snapshot, WorkspaceFigures
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from coldsend_operator.workspace.registry import Registry
from coldsend_operator.workspace.runner import Runner

LANES = {
    Move.CREATE: Lane.CREATE,
    Move.DELETE: Lane.DELETE,
    Move.SEARCH: Lane.LOOK,
    Move.GET: Lane.LOOK,
    Move.DOMAINS: Lane.LOOK,
    Move.MAIL: Lane.MAIL,
}


KINDS = frozenset({*Condition, *Progress})
REASONS = frozenset(Reason)


def snapshot(
    registry: Registry, set_aside: Mapping[str, int], now: float, *, with_scores: bool, with_domains: bool
) -> Snapshot:
    """The figures of this moment; series for each account, and for each domain, only when asked for."""
    states: Counter[tuple[str, str, str]] = Counter()
    conditions: Counter[tuple[str, str, str, str]] = Counter()
    scores = []
    for account in registry.accounts.values():
        desired = account.desired
        states[desired.namespace, desired.spec.inbox_type, account.ready_reason or Reason.PROVISIONING.value] += 1
        for kind, status, reason in account.said:  # status is untrusted input: no other word becomes a label
            if kind in KINDS and reason in REASONS:
                conditions[desired.namespace, kind, status, reason] += 1
        score = _score(registry, account)
        if with_scores and score is not None:
            scores.append((desired.namespace, desired.name, score))
    jobs: Counter[tuple[str, str]] = Counter({("Create", "Running"): 0, ("Delete", "Running"): 0})
    for runner in registry.runners.values():
        for job in runner.ledger.jobs.values():
            jobs[job.operation, "Running"] += 1
    working = [runner for runner in registry.runners.values() if runner.client is not None]
    working.sort(key=lambda runner: len(runner.ledger.accounts))  # of keys that one Secret held in turn, that in use
    return Snapshot(
        workspaces={runner.label: _figures(runner, now, with_domains=with_domains) for runner in working},
        accounts=dict(states),
        conditions=dict(conditions),
        health_scores=tuple(scores),
        jobs=dict(jobs),
        set_aside={ACCOUNT_KIND: 0, BATCH_KIND: 0, **set_aside},
    )


def _figures(runner: Runner, now: float, *, with_domains: bool) -> WorkspaceFigures:
    ledger = runner.ledger
    minute, hour = ledger.budget.remaining(now)
    lengths = Counter({Lane.CREATE: 0, Lane.POLL: len(ledger.jobs)})
    for (move, group), queue in ledger.queues.items():
        lengths[Lane.EDIT if group == Lane.EDIT else LANES[move]] += len(queue)
    used = bool(ledger.accounts)  # else nobody looks any more, and what was last found would stand for ever
    refused = any(block.reason is Reason.UNAUTHORIZED for block in ledger.breaker.blocks.values())
    return WorkspaceFigures(
        budget_remaining={"minute": minute, "hour": hour},
        budget_limit={"minute": ledger.budget.minute_limit, "hour": ledger.budget.hour_limit},
        queue_lengths={lane.value: length for lane, length in lengths.items()},
        sweep_age=now - ledger.inventory.swept_at if used and ledger.inventory.swept_at else None,
        inboxes=_inboxes(ledger) if used and ledger.inventory.swept_at else {},
        domains=domain_figures(ledger.inventory.rows.values()) if used and with_domains else {},
        deletions_held=ledger.brake.held,
        key_refused=used and refused,
        implausible=used and (ledger.implausible is not None or ledger.doubted),
    )


def _inboxes(ledger: Ledger) -> dict[bool, int]:
    held = {each.facts.inbox_id for kin in ledger.kin for each in kin.accounts.values() if each.facts.held}
    managed = sum(inbox_id in held for inbox_id in ledger.inventory.rows)
    return {True: managed, False: len(ledger.inventory.rows) - managed}


def _score(registry: Registry, account: Account) -> float | None:
    runner = registry.runners.get(account.ledger_digest)
    row = runner.ledger.inventory.rows.get(account.facts.inbox_id or "") if runner else None
    return row.health_score if row else None
