"""The plan: which calls leave now, in which lanes, and when to plan again. It reads the ledger and changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from coldsend_operator.core.calls import BULK, Lane, Operation
from coldsend_operator.core.ledger import RESTART, Ledger
from coldsend_operator.core.queues import Queue
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps import Move

FEW_LOOKS = 3  # from so many on, a list page is cheaper than one look for each account
SWEEP_SHARE = 0.5  # of the hour that sweeps may take
MOST_FLYING = 8
MOST_FRESH = 10 * BULK
NEWEST_FULL = 4 * BULK
NEWEST_LINGER = 9.0  # seconds in which so many inboxes are made at the default limits
STORED_WITHIN = 300.0  # the id of a job stands in the status of its members before it is polled (safety.md, 8)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that could leave from `ready_at` on. The smallest `score` goes first."""

    ready_at: float
    score: float
    operation: Operation
    lane: Lane
    uids: tuple[str, ...] = ()
    inbox_ids: tuple[str, ...] = ()
    domain_id: str | None = None
    address: str | None = None
    job: str | None = None
    page: int = 1
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What leaves now, and when to wake without an event."""

    calls: tuple[Candidate, ...]
    wake_at: float | None
    booking: bool  # a call could leave, but its request is not booked yet


def make_plan(ledger: Ledger, now: float) -> Plan:
    """Choose calls by lane and budget."""
    calls: list[Candidate] = []
    wake_at = ledger.timers[0][0] if ledger.timers else None
    booking = False
    room = ledger.budget.room(now)
    for candidate in sorted(candidates(ledger, now), key=lambda candidate: candidate.score):
        free_at = _free_at(ledger, candidate, now, len(calls))
        if free_at > now:
            wake_at = free_at if wake_at is None else min(wake_at, free_at)
            continue
        if len(calls) >= room or len(ledger.flying) + len(calls) >= MOST_FLYING:
            continue
        if len(calls) >= ledger.budget.booked:
            booking = True
            break
        calls.append(candidate)
        if ledger.breaker.block_of(candidate.operation) is not None:
            break  # a probe goes alone
    return Plan(tuple(calls), wake_at, booking)


def _free_at(ledger: Ledger, candidate: Candidate, now: float, ahead: int) -> float:
    """When the candidate may leave: its own time, the breaker's, and the budget's with the headroom of its lane."""
    breaker = ledger.breaker
    at = max(candidate.ready_at, breaker.free_at(candidate.operation))
    if at <= now and not breaker.allows(candidate.operation, now):
        return now + 0.5  # a probe is under way; its answer wakes the loop anyway
    if at > now:
        return at
    lane = candidate.lane
    if ledger.budget.room(now, lane.headroom) <= ahead:
        return max(now + 0.02, ledger.budget.free_at(now, lane.headroom)) if not ahead else now + 0.02
    return now


def candidates(ledger: Ledger, now: float) -> Iterator[Candidate]:
    """One candidate for each lane and group: the next call that it would make."""
    yield from _creates(ledger, now)
    yield from _deletes(ledger, now)
    yield from _polls(ledger)
    yield from _looks(ledger, now)
    yield from _mails(ledger, now)
    yield from _domains(ledger)
    yield from _sweep(ledger, now)


def score(ledger: Ledger, lane: Lane, ready_at: float, group: str = "") -> float:
    """Earliest deadline first. A lane that was just served stands behind those that were not: nobody starves."""
    return max(ready_at, ledger.last_served.get(f"{lane}{group}", 0.0)) + lane.patience


# -- creations


def _creates(ledger: Ledger, now: float) -> Iterator[Candidate]:
    busy = sum(1 for call in ledger.flying.values() if call.operation.creates and len(call.uids) > 1)
    jobs = sum(1 for job in ledger.jobs.values() if job.operation == "Create")
    bulk_free = busy + jobs < ledger.parallel["Create"]
    for split in ledger.splits:
        uids = ledger.still_queued(split)
        if uids and bulk_free:
            yield _create(ledger, uids, _group_of(ledger, uids[0]), now)
            return
    for (move, group), queue in ledger.queues.items():
        if move is not Move.CREATE or not len(queue):
            continue
        if group.startswith("single:"):
            uids = queue.take(1)
            ready_at = now
        else:
            ready_at = queue.ready_at(now, BULK, ample=_ample(ledger, now))
            uids = queue.take(_most(ledger, group))
        if len(uids) > 1 and not bulk_free:
            continue
        if uids:
            yield _create(ledger, uids, group, ready_at)


def _ample(ledger: Ledger, now: float) -> bool:
    return ledger.budget.room(now) >= 0.6 * ledger.budget.minute_limit


def _most(ledger: Ledger, group: str) -> int:
    """A bulk carries 100, and of native inboxes no more than the domain has room for."""
    domain = None if group == "smtp" else ledger.domains.by_id(group)
    return BULK if domain is None else max(0, min(BULK, ledger.domains.free(domain)))


def _group_of(ledger: Ledger, uid: str) -> str:
    native = ledger.accounts[uid].desired.spec.native if uid in ledger.accounts else None
    if native is None:
        return "smtp"
    domain = ledger.domains.find(native)
    return domain.domain_id if domain else f"single:{native.domain_id}"


def _create(ledger: Ledger, uids: tuple[str, ...], group: str, ready_at: float) -> Candidate:
    smtp = group == "smtp"
    if len(uids) > 1:
        operation = Operation.CREATE_SMTP_BULK if smtp else Operation.CREATE_NATIVE_BULK
    else:
        operation = Operation.CREATE_SMTP if smtp else Operation.CREATE_NATIVE
    return Candidate(
        ready_at=ready_at,
        score=score(ledger, Lane.CREATE, ready_at, group),
        operation=operation,
        lane=Lane.CREATE,
        uids=uids,
        domain_id=None if smtp else group.removeprefix("single:"),
    )


# -- deletions


def _deletes(ledger: Ledger, now: float) -> Iterator[Candidate]:
    busy = sum(1 for call in ledger.flying.values() if call.operation is Operation.DELETE_ACCOUNTS)
    jobs = sum(1 for job in ledger.jobs.values() if job.operation == "Delete")
    for split in ledger.delete_splits:
        uids = ledger.still_queued(split)
        if uids:
            yield _delete(ledger, uids, Lane.DELETE, now)
            return
    for group, lane in (("edit", Lane.EDIT), ("delete", Lane.DELETE)):
        queue = ledger.queues.get((Move.DELETE, group))
        if queue is None or not len(queue):
            continue
        uids = queue.take(BULK)
        if len(uids) > 1 and busy + jobs >= ledger.parallel["Delete"]:
            continue
        ready_at = queue.ready_at(now, BULK, ample=_ample(ledger, now))
        yield _delete(ledger, uids, lane, ready_at)


def _delete(ledger: Ledger, uids: tuple[str, ...], lane: Lane, ready_at: float) -> Candidate:
    return Candidate(
        ready_at=ready_at,
        score=score(ledger, lane, ready_at),
        operation=Operation.DELETE_ACCOUNTS if len(uids) > 1 else Operation.DELETE_ACCOUNT,
        lane=lane,
        uids=uids,
        inbox_ids=tuple(ledger.accounts[uid].facts.inbox_id or "" for uid in uids),
    )


# -- jobs, looks, mails, domains


def _polls(ledger: Ledger) -> Iterator[Candidate]:
    for job in ledger.jobs.values():
        if job.flying or job.next_poll is None:
            continue
        create = job.operation == "Create"
        # One object whose status cannot be written must not keep the others waiting; its mark tells of the create.
        ready_at = max(job.next_poll, job.begun + STORED_WITHIN) if job.unstored else job.next_poll
        yield Candidate(
            ready_at=ready_at,
            score=ready_at + Lane.POLL.patience,
            operation=Operation.POLL_CREATE_JOB if create else Operation.POLL_DELETE_JOB,
            lane=Lane.POLL,
            job=job.id,
        )


def _looks(ledger: Ledger, now: float) -> Iterator[Candidate]:
    if wants_list(ledger, now):
        for uid in _beyond_lists(ledger)[:MOST_FLYING]:
            yield _look(ledger, uid, Operation.GET_ACCOUNT, now)
        if ledger.inventory.in_vain >= 2:
            yield from _looks_beside_lists(ledger, now)
        return
    fresh = _fresh(ledger, now)
    if len(fresh) >= FEW_LOOKS:
        if not any(call.newest for call in ledger.flying.values()):
            yield _newest(ledger, max(now, _newest_due(ledger)))
    else:
        fresh = frozenset()
    for move, operation in ((Move.SEARCH, Operation.SEARCH_ACCOUNTS), (Move.GET, Operation.GET_ACCOUNT)):
        queue = _queue(ledger, move)
        if move is Move.GET and len(queue) >= FEW_LOOKS and _deleting_flood(ledger):
            continue
        for uid in [uid for uid in queue.take(BULK) if uid not in fresh][:MOST_FLYING]:
            yield _look(ledger, uid, operation, now)


def _looks_beside_lists(ledger: Ledger, now: float) -> Iterator[Candidate]:
    """Lists go on to prove nothing (contract row 35): a few at a time are looked at one by one."""
    beyond = set(_beyond_lists(ledger))
    for move, operation in ((Move.SEARCH, Operation.SEARCH_ACCOUNTS), (Move.GET, Operation.GET_ACCOUNT)):
        for uid in [uid for uid in _queue(ledger, move).take(BULK) if uid not in beyond][:1]:
            yield _look(ledger, uid, operation, now)


def wants_list(ledger: Ledger, now: float) -> bool:
    """Whether what waits for a look is served best by a whole list."""
    count = len(_queue(ledger, Move.SEARCH)) + len(_queue(ledger, Move.GET)) - len(_beyond_lists(ledger))
    if ledger.inventory.listed_at == 0:
        return count > 1
    fresh = len(_fresh(ledger, now))
    count -= fresh if fresh >= FEW_LOOKS else 0
    return count >= FEW_LOOKS and count >= pages_of(ledger) * (5 if _deleting_flood(ledger) else 1)


def _beyond_lists(ledger: Ledger) -> list[str]:
    """Those whose inbox a list has shown to be absent: to make it again needs the 404 of a GET (safety.md, 16).

    A list that proves nothing may have passed them over, as while others are deleted: the next one shows them.
    """
    if ledger.inventory.listed_at == 0:
        return []
    return [uid for uid in _queue(ledger, Move.GET) if _is_missing(ledger, ledger.accounts[uid])]


def _is_missing(ledger: Ledger, account: Account) -> bool:
    return (account.deleted_at is None or account.unheard) and account.facts.inbox_id not in ledger.inventory.rows


def _fresh(ledger: Ledger, now: float) -> frozenset[str]:
    """Those that wait for the look at an inbox just made: a page of the newest shows up to 100 of them."""
    uids = _queue(ledger, Move.SEARCH).take(MOST_FRESH) + _queue(ledger, Move.GET).take(MOST_FRESH)
    return frozenset(uid for uid in uids if _just_made(ledger, uid, now))


def _just_made(ledger: Ledger, uid: str, now: float) -> bool:
    account = ledger.accounts[uid]
    if account.lost is None:
        listed = ledger.inventory.swept_at > account.wrote_at  # and not shown: no page of the newest ever will
        return account.desired.deleting is None and account.look_at is not None and account.facts.held and not listed
    waits = now < ledger.sign(account) + ledger.policy.lost_seconds
    in_vain = account.looks == 1  # the newest page did not show it: one look of another kind, then that page again
    return account.lost.hint is None and waits and not in_vain and account.lost.call != RESTART


def _deleting_flood(ledger: Ledger) -> bool:
    """More deletions are to leave: to confirm those before them by a list now would list the rest in vain."""
    return any(len(queue) > 1 for (move, _), queue in ledger.queues.items() if move is Move.DELETE)


def _queue(ledger: Ledger, move: Move) -> Queue:
    return ledger.queues.get((move, "")) or Queue()


def pages_of(ledger: Ledger) -> int:
    """List pages that one sweep takes."""
    return max(1, -(-len(ledger.inventory.rows) // BULK))


def _newest_due(ledger: Ledger) -> float:
    """When to look through the newest rows: the last page of each look shows rows that are known as well.

    So in a flood one look serves several bulks.
    """
    waiting = len(_queue(ledger, Move.SEARCH)) + len(_queue(ledger, Move.GET))
    more = any(move is Move.CREATE and len(queue) >= BULK for (move, _), queue in ledger.queues.items())
    lingers = more and not ledger.newest_page and waiting < NEWEST_FULL
    return ledger.newest_after + (NEWEST_LINGER if lingers else 0.0)


def _newest(ledger: Ledger, ready_at: float) -> Candidate:
    return Candidate(
        ready_at=ready_at,
        # A look that has begun goes on first: what is made meanwhile moves the rows to further pages.
        score=0.0 if ledger.newest_page else score(ledger, Lane.LOOK, ready_at),
        operation=Operation.LIST_ACCOUNTS,
        lane=Lane.LOOK,
        page=max(1, ledger.newest_page),
        newest=True,
    )


def _look(ledger: Ledger, uid: str, operation: Operation, ready_at: float) -> Candidate:
    account = ledger.accounts[uid]
    search = operation is Operation.SEARCH_ACCOUNTS
    return Candidate(
        ready_at=ready_at,
        score=score(ledger, Lane.LOOK, ready_at),
        operation=operation,
        lane=Lane.LOOK,
        uids=(uid,),
        address=account.address if search else None,
        inbox_ids=() if search else (account.facts.inbox_id or "",),
        page=ledger.search_pages.get(uid, 1) if search else 1,
    )


def _mails(ledger: Ledger, now: float) -> Iterator[Candidate]:
    queue = _queue(ledger, Move.MAIL)
    if not len(queue):
        return
    (uid,) = queue.take(1)
    ready_at = max(queue.since, ledger.mail_free_at(now))
    yield Candidate(
        ready_at=ready_at,
        score=score(ledger, Lane.MAIL, ready_at),
        operation=Operation.SEND_TEST_EMAIL,
        lane=Lane.MAIL,
        uids=(uid,),
        inbox_ids=(ledger.accounts[uid].facts.inbox_id or "",),
    )


def _domains(ledger: Ledger) -> Iterator[Candidate]:
    queue = _queue(ledger, Move.DOMAINS)
    flying = any(call.operation is Operation.LIST_DOMAINS for call in ledger.flying.values())
    if not len(queue) or flying:
        return
    yield Candidate(
        ready_at=queue.since,
        score=queue.since + Lane.CREATE.patience,
        operation=Operation.LIST_DOMAINS,
        lane=Lane.LOOK,
        page=ledger.domains.page,
    )


# -- sweeps


def _sweep(ledger: Ledger, now: float) -> Iterator[Candidate]:
    listing = any(call.operation is Operation.LIST_ACCOUNTS and not call.newest for call in ledger.flying.values())
    if not ledger.accounts or listing:
        return
    urgent = wants_list(ledger, now) and now >= ledger.sweep_after
    lane = Lane.LOOK if urgent else Lane.SWEEP
    ready_at = now if urgent else sweep_due(ledger, now)
    sweep = ledger.inventory.sweep
    yield Candidate(
        ready_at=ready_at,
        score=score(ledger, lane, ready_at),
        operation=Operation.LIST_ACCOUNTS,
        lane=lane,
        page=sweep.page if sweep is not None else 1,
    )


def sweep_due(ledger: Ledger, now: float) -> float:
    """When the next page of a sweep is due: at once while one is under way, else by the period."""
    inventory = ledger.inventory
    if inventory.sweep is not None:
        return max(now, ledger.sweep_after)
    if inventory.swept_at == 0:
        return max(ledger.begun, ledger.sweep_after)
    return max(inventory.swept_at + sweep_period(ledger), ledger.sweep_after)


def sweep_period(ledger: Ledger) -> float:
    """`COLDSEND_SWEEP_SECONDS` when there is room; slower when the pages would take too much of the hour."""
    return max(ledger.policy.sweep_seconds, pages_of(ledger) * 3600.0 / (SWEEP_SHARE * ledger.budget.hour_limit))
