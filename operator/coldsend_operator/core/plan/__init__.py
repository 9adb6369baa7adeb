"""The plan: which calls leave now, in which lanes, and when to plan again. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from coldsend_operator.core.model.calls import BULK, Call, Lane, Operation, Scope
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import MAX_IN_FLIGHT, Alone, Candidate, by_deadline, in_turn
from coldsend_operator.core.plan.probes import Waiters, newest_under_way, pages_of, probes, who_waits
from coldsend_operator.core.plan.sweeps import sweep, sweep_period
from coldsend_operator.core.workspace.jobs import Job, idle, job_operation
from coldsend_operator.core.workspace.queues import CallKind, Queue
from coldsend_operator.core.workspace.workspace import Workspace

WITH_JOBS = frozenset({Operation.CREATE_SMTP_BULK, Operation.DELETE_ACCOUNTS})
NEXT_ROUND = 0.02
PLENTY = 0.3  # of the minute: after a burst of 1,000 accounts more than that is left, so a single one need not wait
STORED_WITHIN = 300.0  # rule 8: the job id is stored before the first poll

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
        if len(workspace.in_flight) + len(calls) >= MAX_IN_FLIGHT:
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
    if at > now:
        return at
    if not breaker.allows(call.operation, now, namespaces):
        return now + 0.5  # a probe is under way; its response wakes the loop anyway
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


# -- creates and deletes: a lone one by the single endpoint, several in bulks


def creates(workspace: Workspace, now: float) -> Iterator[Candidate]:
    """The halves of a failed bulk come before the rest of their namespaces, but after all others (rule 41)."""
    without = workspace.budget.exhausted_by(now, probes=False)
    splits: dict[CallKind, tuple[str, ...]] = {}  # the first of each kind
    halved: dict[CallKind, frozenset[str]] = {}
    for split in workspace.splits[Scope.CREATE]:
        for kind, uids in workspace.queues.still_waiting(split, Action.CREATE).items():
            halved[kind] = halved.get(kind, frozenset()) | workspace.namespaces_of(uids)
            if having_turn := in_turn(workspace, uids, without):
                splits.setdefault(kind, having_turn)
    for kind, queue in workspace.queues.of(Action.CREATE):
        single = kind.group.startswith("single:")
        most = 1 if single else _most(workspace, kind.group)
        ready_at = queue.since if single else _ready_at(workspace, queue, workspace.policy.bulk, now)
        for left_out in _exclusions(workspace, kind, queue, without | halved.get(kind, frozenset()), now):
            yield from _create(workspace, kind, queue.first(most, left_out), ready_at)
    for kind, uids in splits.items():
        yield from _create(workspace, kind, uids, workspace.queues[kind].since)


def _create(workspace: Workspace, kind: CallKind, uids: tuple[str, ...], ready_at: float) -> Iterator[Candidate]:
    smtp, bulk = kind.group == "smtp", len(uids) > 1
    if smtp:
        operation = Operation.CREATE_SMTP_BULK if bulk else Operation.CREATE_SMTP
    else:
        operation = Operation.CREATE_NATIVE_BULK if bulk else Operation.CREATE_NATIVE
    if not uids or (bulk and (newest_under_way(workspace) or not _slot_free(workspace, operation))):
        return
    domain_id = None if smtp else kind.group.removeprefix("single:")
    yield by_deadline(workspace, ready_at, Call(operation, Lane.CREATE, kind.key, uids, domain_id=domain_id))


def _most(workspace: Workspace, group: str) -> int:
    """A bulk carries 100 accounts, and of native inboxes no more than fit into the domain."""
    domain, most = None if group == "smtp" else workspace.domains.by_id(group), workspace.policy.bulk
    return most if domain is None else max(0, min(most, workspace.domains.free(domain)))


def deletes(workspace: Workspace, now: float, alone: Alone) -> Iterator[Candidate]:
    """Those of replacements first. The halves of a failed bulk come before the rest of their namespaces (rule 41)."""
    slot_free = _slot_free(workspace, Operation.DELETE_ACCOUNTS)
    without = workspace.budget.exhausted_by(now, probes=False)
    splits = [
        (kind.key, uids)
        for split in workspace.splits[Scope.DELETE]
        for kind, uids in workspace.queues.still_waiting(split, Action.DELETE).items()
    ]
    halved = frozenset[str]().union(*(workspace.namespaces_of(uids) for _, uids in splits))
    for kind, queue in workspace.queues.of(Action.DELETE):
        for left_out in _exclusions(workspace, kind, queue, without | halved, now):
            uids = queue.first(BULK, left_out)
            if not uids or (len(uids) > 1 and not slot_free):
                continue
            ready_at = _ready_at(workspace, queue, BULK, now)
            if kind.lane is Lane.DELETE:
                ready_at = max(ready_at, workspace.brake.leaves_at(uids))
            yield from _delete(workspace, kind.key, uids, kind.lane, ready_at, alone)
    having_turn = ((key, uids) for key, split in splits if (uids := in_turn(workspace, split, without)))
    for key, uids in islice(having_turn, 1):
        yield from _delete(workspace, key, uids, Lane.DELETE, now, alone)


def _delete(
    workspace: Workspace, key: str, uids: tuple[str, ...], lane: Lane, ready_at: float, alone: Alone
) -> Iterator[Candidate]:
    found = alone.each(uids, lambda uid: (uid, workspace.accounts[uid].stored.inbox_id or ""))
    if not found:
        return
    operation = Operation.DELETE_ACCOUNTS if len(found) > 1 else Operation.DELETE_ACCOUNT
    inbox_ids = tuple(workspace.inventory.spelled(inbox_id) for _, inbox_id in found)
    yield by_deadline(workspace, ready_at, Call(operation, lane, key, tuple(uid for uid, _ in found), inbox_ids))


def _ready_at(workspace: Workspace, queue: Queue, full: int, now: float) -> float:
    plenty = workspace.budget.available(now) >= PLENTY * workspace.budget.minute_limit
    return queue.ready_at(now, full, plenty=plenty)


def _slot_free(workspace: Workspace, bulk: Operation) -> bool:
    """Whether one more bulk of this kind may leave; bulks that have jobs wait for these."""
    kind = job_operation(bulk)
    busy = sum(call.operation is bulk for call in workspace.in_flight.values())
    if bulk in WITH_JOBS:
        busy += sum(job.operation == kind and not idle(job) for job in workspace.jobs.values())
    return busy < workspace.parallel[kind]


def _exclusions(
    workspace: Workspace, kind: CallKind, queue: Queue, without: frozenset[str], now: float
) -> Iterator[frozenset[str]]:
    """The namespaces that each bulk leaves out: those whose calls fail share no bulk with others (rule 41)."""
    failing = {namespace for namespace, until in workspace.apart.items() if until > now}
    scope = Scope.CREATE if kind.action is Action.CREATE else Scope.DELETE
    apart = (workspace.keys.breaker(kind.key).held(scope) | failing) & queue.namespaces
    yield without | apart
    for namespace in sorted(apart):
        yield without | (queue.namespaces - {namespace})


# -- polls, test mails and domains


def mails(workspace: Workspace, now: float, alone: Alone) -> Iterator[Candidate]:
    budget = workspace.budget  # shared by the keys of one workspace, like the share of test mails (rule 45)
    without, free_at = budget.exhausted_by(now, probes=False), None
    for kind, queue in workspace.queues.of(Action.MAIL):
        uids = queue.first(1, without)
        found = alone.each(uids, lambda uid: workspace.accounts[uid].stored.inbox_id or "")
        if not found:
            continue
        if free_at is None:
            free_at = budget.mails.free_at(now, budget.minute_limit, budget.hour_limit)
        inbox_ids = (workspace.inventory.spelled(found[0]),)
        call = Call(Operation.SEND_TEST_EMAIL, Lane.MAIL, kind.key, uids, inbox_ids)
        yield by_deadline(workspace, max(queue.since, free_at), call)


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
    waiting = [queue for _, queue in workspace.queues.of(Action.DOMAINS)]
    if not waiting or any(call.operation is Operation.LIST_DOMAINS for call in workspace.in_flight.values()):
        return
    since = min(queue.since for queue in waiting)
    key = workspace.keys.for_list(Operation.LIST_DOMAINS)
    call = Call(Operation.LIST_DOMAINS, Lane.PROBE, key, page=workspace.domains.page)
    yield Candidate(max(since, workspace.domains.free_at), since + Lane.CREATE.may_wait, call)
