"""The plan: which calls leave now, in which lanes, and when to plan again. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import MOST_FLYING, Alone, Candidate, queues_of, score
from coldsend_operator.core.plan.creates import creates
from coldsend_operator.core.plan.deletes import deletes
from coldsend_operator.core.plan.probes import Waiters, pages_of, probes, who_waits
from coldsend_operator.core.plan.sweeps import sweep, sweep_period
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.core.workspace.workspace import Workspace

WITH_JOBS = frozenset({Operation.CREATE_SMTP_BULK, Operation.DELETE_ACCOUNTS})
NEXT_ROUND = 0.02

__all__ = ["Candidate", "Plan", "make_plan", "pages_of", "sweep_period"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls that leave now, and when to plan again without an event."""

    calls: tuple[Candidate, ...]
    wake_at: float | None
    booking: bool  # a call may leave, but its request is not booked yet
    # Lanes and accounts (by UID) that could not be planned (rule 38: a fault costs that object alone).
    faults: tuple[Exception, ...] = ()
    unplanned: Mapping[str, Exception] = field(default_factory=dict)


def make_plan(workspace: Workspace, now: float) -> Plan:
    """Choose the calls that leave now, by lane and budget."""
    calls: list[Candidate] = []
    wake_at = workspace.timers.first
    booking = False
    faults: list[Exception] = []
    alone = Alone()
    available = workspace.budget.available(now)
    trying = set[str]()  # keys with which one call goes alone
    for candidate in sorted(_candidates(workspace, now, faults, alone), key=lambda candidate: candidate.score):
        if candidate.key in trying:
            continue
        free_at = _free_at(workspace, candidate, now, len(calls))
        if free_at > now:
            wake_at = free_at if wake_at is None else min(wake_at, free_at)
            continue
        if any(call.operation is candidate.operation for call in calls) and candidate.operation in WITH_JOBS:
            wake_at = now + NEXT_ROUND  # perhaps one job too many: the next round counts this one
            continue
        if len(calls) >= available or len(workspace.in_flight) + len(calls) >= MOST_FLYING:
            continue
        if len(calls) >= workspace.budget.booked:
            booking = True
            break
        calls.append(candidate)
        breaker, namespaces = workspace.keys.breaker(candidate.key), workspace.namespaces_of(candidate.uids)
        if breaker.block_of(candidate.operation, namespaces) is not None:
            trying.add(candidate.key)
    return Plan(tuple(calls), wake_at, booking, tuple(faults), alone.faults)


def _free_at(workspace: Workspace, candidate: Candidate, now: float, ahead: int) -> float:
    """When the candidate may leave: by its own time, the breaker, and the budget with the reserve of its lane."""
    breaker, namespaces = workspace.keys.breaker(candidate.key), workspace.namespaces_of(candidate.uids)
    at = max(candidate.ready_at, breaker.free_at(candidate.operation, namespaces))
    if at <= now and not breaker.allows(candidate.operation, now, namespaces):
        return now + 0.5  # a probe is under way; its response wakes the loop anyway
    if at > now:
        return at
    lane = candidate.lane
    share = candidate.hour_share
    if workspace.budget.available(now, lane.reserved, share) <= ahead:
        free_at = now if ahead else workspace.budget.free_at(now, lane.reserved, share)
        return max(now + NEXT_ROUND, free_at)
    return now


def _candidates(workspace: Workspace, now: float, faults: list[Exception], alone: Alone) -> Iterator[Candidate]:
    """One candidate for each lane and group: its next call."""
    try:
        waiters = who_waits(workspace, now, alone)
    except Exception as fault:  # noqa: BLE001 - whatever goes wrong in one lane costs that lane alone
        faults.append(fault)
        waiters = Waiters()
    lanes: tuple[Callable[[], Iterator[Candidate]], ...] = (
        partial(creates, workspace, now),
        partial(deletes, workspace, now, alone),
        partial(polls, workspace),
        partial(probes, workspace, now, waiters, alone),
        partial(mails, workspace, now, alone),
        partial(domains, workspace),
        partial(sweep, workspace, now, listed=waiters.listed),
    )
    for lane in lanes:
        try:
            yield from tuple(lane())
        except Exception as fault:  # noqa: BLE001 - likewise
            faults.append(fault)


def mails(workspace: Workspace, now: float, alone: Alone) -> Iterator[Candidate]:
    budget = workspace.budget  # shared by the keys of one workspace, like the share of test mails (rule 45)
    without, free_at = budget.exhausted_by(now, probes=False), None
    for key, queue in queues_of(workspace, Action.MAIL):
        uids = queue.first(1, without)
        found = alone.each(uids, lambda uid: workspace.accounts[uid].stored.inbox_id or "")
        if not found:
            continue
        if free_at is None:
            free_at = budget.mails.free_at(now, budget.minute_limit, budget.hour_limit)
        ready_at = max(queue.since, free_at)
        yield Candidate(
            ready_at=ready_at,
            score=score(workspace, Lane.MAIL, key, ready_at),
            operation=Operation.SEND_TEST_EMAIL,
            lane=Lane.MAIL,
            key=key,
            uids=uids,
            inbox_ids=(workspace.inventory.spelled(found[0]),),
        )


STORED_WITHIN = 300.0  # rule 8: the job id is stored before the first poll


def polls(workspace: Workspace) -> Iterator[Candidate]:
    for job in workspace.jobs.values():
        if job.in_flight or job.next_poll is None:
            continue
        create = job.operation == "Create"
        # An object whose status cannot be written must not block the others; its create mark records the create.
        ready_at = max(job.next_poll, job.begun + STORED_WITHIN) if job.unstored else job.next_poll
        key = _key_of(workspace, job)
        yield Candidate(
            ready_at=ready_at,
            score=score(workspace, Lane.POLL, key, ready_at),
            operation=Operation.POLL_CREATE_JOB if create else Operation.POLL_DELETE_JOB,
            lane=Lane.POLL,
            key=key,
            job=job.id,
        )


def _key_of(workspace: Workspace, job: Job) -> str:
    """The key of its members: a poll of their own may name them."""
    members = (workspace.accounts.get(uid) for uid in sorted(job.members))
    found = (account.key for account in members if account is not None)
    return next(found, None) or workspace.keys.for_list(Operation.POLL_CREATE_JOB)


def domains(workspace: Workspace) -> Iterator[Candidate]:
    waiting = [queue for _, queue in queues_of(workspace, Action.DOMAINS)]
    flying = any(call.operation is Operation.LIST_DOMAINS for call in workspace.in_flight.values())
    if not waiting or flying:
        return
    since = min(queue.since for queue in waiting)
    yield Candidate(
        ready_at=max(since, workspace.domains.free_at),
        score=since + Lane.CREATE.may_wait,
        operation=Operation.LIST_DOMAINS,
        lane=Lane.PROBE,
        key=workspace.keys.for_list(Operation.LIST_DOMAINS),
        page=workspace.domains.page,
    )
