"""The plan: which calls leave now, in which lanes, and when to plan again. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from coldsend_operator.core.model.calls import Call, Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import MOST_FLYING, Alone, Candidate, by_deadline, queues_of
from coldsend_operator.core.plan.creates import creates
from coldsend_operator.core.plan.deletes import deletes
from coldsend_operator.core.plan.probes import Waiters, pages_of, probes, who_waits
from coldsend_operator.core.plan.sweeps import sweep, sweep_period
from coldsend_operator.core.workspace.jobs import Job
from coldsend_operator.core.workspace.workspace import Workspace

WITH_JOBS = frozenset({Operation.CREATE_SMTP_BULK, Operation.DELETE_ACCOUNTS})
NEXT_ROUND = 0.02

__all__ = ["Plan", "make_plan", "pages_of", "sweep_period"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls that leave now, and when to plan again without an event."""

    calls: tuple[Call, ...]
    wake_at: float | None
    booking: bool  # a call may leave, but its request is not booked yet
    # Lanes and accounts (by UID) that could not be planned (rule 38: a fault costs that object alone).
    faults: tuple[Exception, ...] = ()
    unplanned: Mapping[str, Exception] = field(default_factory=dict)


def make_plan(workspace: Workspace, now: float) -> Plan:
    """Choose the calls that leave now, by lane and budget."""
    calls: list[Call] = []
    wake_at = workspace.timers.first
    booking = False
    faults: list[Exception] = []
    alone = Alone()
    available = workspace.budget.available(now)
    trying = set[str]()  # keys with which one call goes alone
    for candidate in sorted(_candidates(workspace, now, faults, alone), key=lambda candidate: candidate.score):
        call = candidate.call
        if call.key in trying:
            continue
        free_at = _free_at(workspace, candidate, now, len(calls))
        if free_at > now:
            wake_at = free_at if wake_at is None else min(wake_at, free_at)
            continue
        if call.operation in WITH_JOBS and any(other.operation is call.operation for other in calls):
            wake_at = now + NEXT_ROUND  # perhaps one job too many: the next round counts this one
            continue
        if len(calls) >= available or len(workspace.in_flight) + len(calls) >= MOST_FLYING:
            continue
        if len(calls) >= workspace.budget.booked:
            booking = True
            break
        calls.append(call)
        breaker, namespaces = workspace.keys.breaker(call.key), workspace.namespaces_of(call.uids)
        if breaker.block_of(call.operation, namespaces) is not None:
            trying.add(call.key)
    return Plan(tuple(calls), wake_at, booking, tuple(faults), alone.faults)


def _free_at(workspace: Workspace, candidate: Candidate, now: float, ahead: int) -> float:
    """When the candidate may leave: by its own time, the breaker, and the budget with the reserve of its lane."""
    call = candidate.call
    breaker, namespaces = workspace.keys.breaker(call.key), workspace.namespaces_of(call.uids)
    at = max(candidate.ready_at, breaker.free_at(call.operation, namespaces))
    if at <= now and not breaker.allows(call.operation, now, namespaces):
        return now + 0.5  # a probe is under way; its response wakes the loop anyway
    if at > now:
        return at
    reserved, share = call.lane.reserved, call.hour_share
    if workspace.budget.available(now, reserved, share) <= ahead:
        free_at = now if ahead else workspace.budget.free_at(now, reserved, share)
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
        inbox_ids = (workspace.inventory.spelled(found[0]),)
        call = Call(Operation.SEND_TEST_EMAIL, Lane.MAIL, key, uids, inbox_ids)
        yield by_deadline(workspace, max(queue.since, free_at), call)


STORED_WITHIN = 300.0  # rule 8: the job id is stored before the first poll


def polls(workspace: Workspace) -> Iterator[Candidate]:
    for job in workspace.jobs.values():
        if job.in_flight or job.next_poll is None:
            continue
        operation = Operation.POLL_CREATE_JOB if job.operation == "Create" else Operation.POLL_DELETE_JOB
        # An object whose status cannot be written must not block the others; its create mark records the create.
        ready_at = max(job.next_poll, job.begun + STORED_WITHIN) if job.unstored else job.next_poll
        yield by_deadline(workspace, ready_at, Call(operation, Lane.POLL, _key_of(workspace, job), job=job.id))


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
    key = workspace.keys.for_list(Operation.LIST_DOMAINS)
    call = Call(Operation.LIST_DOMAINS, Lane.PROBE, key, page=workspace.domains.page)
    yield Candidate(max(since, workspace.domains.free_at), since + Lane.CREATE.may_wait, call)
