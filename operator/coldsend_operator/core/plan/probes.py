"""Probes: by search, by GET, by the newest rows, or left to a whole list."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import BULK, Call, Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import MAX_IN_FLIGHT, Alone, Candidate, by_deadline, in_turn
from coldsend_operator.core.plan.probe_choice import FEW_PROBES, Probe, Waiting, Why, list_serves, probe_for
from coldsend_operator.core.workspace.workspace import Workspace

MAX_FRESH = 50 * BULK  # native bulks are answered at once: this many are made in a minute
WORKED_OFF = 30.0  # seconds; nobody waits for a job that takes longer
NEWEST_FULL = 25 * BULK
NEWEST_LINGER = 50.0  # seconds in which that many inboxes are made at the default limits
KINDS = (
    (Why.ADDRESS, Action.SEARCH, Operation.SEARCH_ACCOUNTS),
    (Why.INBOX, Action.GET, Operation.GET_ACCOUNT),
)


@dataclass(frozen=True, slots=True)
class Waiters:
    """Who waits for a probe: how many, and those that need another one than the rest."""

    counts: Waiting = field(default_factory=Waiting)
    just_made: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()

    @property
    def listed(self) -> bool:
        """Whether a whole list serves best what waits."""
        return list_serves(self.counts)


def who_waits(workspace: Workspace, now: float, alone: Alone) -> Waiters:
    """Those in the queues of searches and GETs."""
    just_made = _just_made(workspace, now, alone)
    missing = _missing(workspace, alone)
    counts = Waiting(
        workspace.queues.count(Action.SEARCH),
        workspace.queues.count(Action.GET),
        len(just_made),
        len(missing),
        pages_of(workspace),
        listed=workspace.inventory.listed_at > 0,
        deleting=_deleting_flood(workspace, now),
        longest_get=now - min((queue.since for _, queue in workspace.queues.of(Action.GET)), default=now),
        unproven_lists=workspace.inventory.unproven_sweeps,
    )
    return Waiters(counts, just_made, missing)


def probes(workspace: Workspace, now: float, waiters: Waiters, alone: Alone) -> Iterator[Candidate]:
    """The next probe of each kind."""
    since = waiting_since(workspace, now)
    without = workspace.budget.exhausted_by(now, probes=True)
    yield from _key_checks(workspace, now)
    goes_on = workspace.newest.page > 0
    if not _newest_page_in_flight(workspace) and (goes_on or probe_for(Why.JUST_MADE, waiters.counts) is Probe.NEWEST):
        yield _newest(workspace, since)
    if waiters.listed:
        missing = _few_of_each_key(workspace, in_turn(workspace, waiters.missing, without))
        yield from alone.each(missing, partial(_probe, workspace, operation=Operation.GET_ACCOUNT, ready_at=since))
    for why, action, operation in KINDS:
        probe = probe_for(why, waiters.counts)
        if probe in {Probe.LIST, Probe.LATER}:
            continue
        most, served = (1, set(waiters.missing)) if probe is Probe.LIST_AND_ONE else (MAX_IN_FLIGHT, waiters.just_made)
        for _, queue in workspace.queues.of(action):
            uids = [uid for uid in queue.first(BULK, without) if uid not in served][:most]
            yield from alone.each(uids, partial(_probe, workspace, operation=operation, ready_at=since))


def _few_of_each_key(workspace: Workspace, uids: tuple[str, ...]) -> list[str]:
    """As many as may be under way at once: those of a key that ColdSend refuses keep no others waiting."""
    found: dict[str, list[str]] = {}
    for uid in uids:
        of_key = found.setdefault(workspace.accounts[uid].key, [])
        if len(of_key) < MAX_IN_FLIGHT:
            of_key.append(uid)
    return [uid for few in found.values() for uid in few]


def _missing(workspace: Workspace, alone: Alone) -> tuple[str, ...]:
    """Accounts whose inbox is missing from a list: a re-creation needs the 404 of a GET (rule 16).

    A list that proves nothing may have skipped them, for example while others are deleted: the next one shows them.
    """
    if workspace.inventory.listed_at == 0:
        return ()
    waiting = workspace.queues.waiting(Action.GET)
    return tuple(alone.those(waiting, lambda uid: _is_missing(workspace, workspace.accounts[uid])))


def _is_missing(workspace: Workspace, account: Account) -> bool:
    deleting = account.delete is not None and account.delete.answered
    return not deleting and account.stored.inbox_id not in workspace.inventory.rows


def _just_made(workspace: Workspace, now: float, alone: Alone) -> frozenset[str]:
    """Those that wait to see an inbox just made: a page of the newest rows shows up to 100 of them.

    Fewer than FEW_PROBES are looked at one by one: then there are none.
    """
    uids = (uid for _, queue in workspace.queues.of(Action.SEARCH, Action.GET) for uid in queue.first(MAX_FRESH))
    fresh = frozenset(alone.those(uids, lambda uid: is_just_made(workspace, uid, now)))
    return fresh if len(fresh) >= FEW_PROBES else frozenset()


def is_just_made(workspace: Workspace, uid: str, now: float) -> bool:
    """Whether the page of the newest rows may show what the account waits for."""
    account = workspace.accounts[uid]
    unknown = account.unknown_create
    # The newest page did not show it: probe once in another way, then that page again.
    probed_once = account.probe_count == 1
    if unknown is None:
        listed = workspace.inventory.swept_at > account.wrote_at  # and not shown: no newest page will show it
        waits = account.desired.deleting is None and account.probe_at is not None and account.stored.held
        return waits and not listed and not probed_once
    waits = now < workspace.lost_creates.last_evidence(account) + workspace.policy.lost_seconds
    return unknown.hint is None and waits and not probed_once and unknown.left_at is not None


def _deleting_flood(workspace: Workspace, now: float) -> bool:
    """Whether more deletions are to leave, or are worked off."""
    waits = any(len(queue) > 1 for _, queue in workspace.queues.of(Action.DELETE))
    return waits or any(job.operation == "Delete" and now < job.begun + WORKED_OFF for job in workspace.jobs.values())


def pages_of(workspace: Workspace) -> int:
    """List pages that one sweep takes."""
    return max(1, -(-len(workspace.inventory.rows) // BULK))


def _key_checks(workspace: Workspace, now: float) -> Iterator[Candidate]:
    """A read of the newest page with a key that ColdSend has refused: the sweeps of the others do not try it."""
    key = workspace.keys.to_be_checked(now)
    if key is not None and not _newest_page_in_flight(workspace):
        yield by_deadline(workspace, now, Call(Operation.LIST_ACCOUNTS, Lane.PROBE, key, newest=True))


def _newest(workspace: Workspace, since: float) -> Candidate:
    """The next page of the newest rows, for inboxes just created."""
    key, page = workspace.keys.for_list(Operation.LIST_ACCOUNTS), max(1, workspace.newest.page)
    call = Call(Operation.LIST_ACCOUNTS, Lane.PROBE, key, page=page, newest=True)
    if workspace.newest.page:  # it continues first: inboxes created meanwhile move the rows to later pages
        return Candidate(workspace.newest.after, 0.0, call)
    return by_deadline(workspace, max(_newest_due(workspace), since), call)


def _newest_page_in_flight(workspace: Workspace) -> bool:
    return any(call.newest for call in workspace.in_flight.values())


def newest_under_way(workspace: Workspace) -> bool:
    """Whether the newest rows are being read: inboxes created meanwhile move them to later pages."""
    goes_on = workspace.newest.page > 0 and workspace.keys.works(Operation.LIST_ACCOUNTS)
    return goes_on or _newest_page_in_flight(workspace)


def _newest_due(workspace: Workspace) -> float:
    """When to read the newest rows. In a burst one read serves many bulks.

    Each read wastes some pages: those of running bulks, of which only some rows exist yet.
    """
    waiting = workspace.queues.count(Action.SEARCH, Action.GET)
    lingers = more_bulks_wait(workspace) and not workspace.newest.page and waiting < NEWEST_FULL
    return workspace.newest.after + (NEWEST_LINGER if lingers else 0.0)


def more_bulks_wait(workspace: Workspace) -> bool:
    """Whether a whole bulk of creates still waits."""
    return any(len(queue) >= BULK for _, queue in workspace.queues.of(Action.CREATE))


def waiting_since(workspace: Workspace, now: float) -> float:
    """Since when an account has waited for a probe."""
    return min((queue.since for _, queue in workspace.queues.of(Action.SEARCH, Action.GET)), default=now)


def _probe(workspace: Workspace, uid: str, operation: Operation, ready_at: float) -> Candidate:
    account = workspace.accounts[uid]
    if operation is Operation.SEARCH_ACCOUNTS:
        page = workspace.searches[uid].page if uid in workspace.searches else 1
        call = Call(operation, Lane.PROBE, account.key, (uid,), address=account.address, page=page)
    else:
        inbox_ids = (workspace.inventory.spelled(account.stored.inbox_id or ""),)
        call = Call(operation, Lane.PROBE, account.key, (uid,), inbox_ids)
    return by_deadline(workspace, ready_at, call)
