"""Probes: by search, by GET, by the newest rows, or left to a whole list."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import BULK, Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import MOST_FLYING, Alone, Candidate, queue_of, score
from coldsend_operator.core.plan.probe_choice import FEW_PROBES, Probe, Waiting, Why, list_serves, probe_for
from coldsend_operator.core.workspace.workspace import Workspace

MOST_FRESH = 50 * BULK  # native bulks are answered at once: this many are made in a minute
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
    searches, gets = queue_of(workspace, Action.SEARCH), queue_of(workspace, Action.GET)
    just_made = _just_made(workspace, now, alone)
    missing = _missing(workspace, alone)
    counts = Waiting(
        len(searches),
        len(gets),
        len(just_made),
        len(missing),
        pages_of(workspace),
        listed=workspace.inventory.listed_at > 0,
        deleting=_deleting_flood(workspace, now),
        longest_get=now - gets.since,
        in_vain=workspace.inventory.in_vain,
    )
    return Waiters(counts, just_made, missing)


def probes(workspace: Workspace, now: float, waiters: Waiters, alone: Alone) -> Iterator[Candidate]:
    """The next probe of each kind."""
    since = waiting_since(workspace, now)
    without = workspace.budget.exhausted_by(now, probes=True)
    goes_on = workspace.newest_page > 0
    if not _newest_page_in_flight(workspace) and (goes_on or probe_for(Why.JUST_MADE, waiters.counts) is Probe.NEWEST):
        yield _newest(workspace, since)
    if waiters.listed:
        missing = workspace.in_turn(waiters.missing, without)[:MOST_FLYING]
        yield from alone.each(missing, lambda uid: _probe(workspace, uid, Operation.GET_ACCOUNT, since))
    for why, action, operation in KINDS:
        probe = probe_for(why, waiters.counts)
        if probe in {Probe.LIST, Probe.LATER}:
            continue
        most, served = (1, set(waiters.missing)) if probe is Probe.LIST_AND_ONE else (MOST_FLYING, waiters.just_made)
        uids = [uid for uid in queue_of(workspace, action).first(BULK, without) if uid not in served][:most]
        yield from alone.each(uids, partial(_probe, workspace, operation=operation, ready_at=since))


def _missing(workspace: Workspace, alone: Alone) -> tuple[str, ...]:
    """Accounts whose inbox is missing from a list: a re-creation needs the 404 of a GET (rule 16).

    A list that proves nothing may have skipped them, for example while others are deleted: the next one shows them.
    """
    if workspace.inventory.listed_at == 0:
        return ()
    waiting = queue_of(workspace, Action.GET)
    return tuple(alone.those(waiting, lambda uid: _is_missing(workspace, workspace.accounts[uid])))


def _is_missing(workspace: Workspace, account: Account) -> bool:
    return (
        account.deleted_at is None or account.delete_unanswered
    ) and account.stored.inbox_id not in workspace.inventory.rows


def _just_made(workspace: Workspace, now: float, alone: Alone) -> frozenset[str]:
    """Those that wait to see an inbox just made: a page of the newest rows shows up to 100 of them.

    Fewer than FEW_PROBES are looked at one by one: then there are none.
    """
    uids = queue_of(workspace, Action.SEARCH).first(MOST_FRESH) + queue_of(workspace, Action.GET).first(MOST_FRESH)
    fresh = frozenset(alone.those(uids, lambda uid: _is_just_made(workspace, uid, now)))
    return fresh if len(fresh) >= FEW_PROBES else frozenset()


def _is_just_made(workspace: Workspace, uid: str, now: float) -> bool:
    account = workspace.accounts[uid]
    if account.unknown_create is None:
        listed = workspace.inventory.swept_at > account.wrote_at  # and not shown: no newest page will show it
        return account.desired.deleting is None and account.probe_at is not None and account.stored.held and not listed
    waits = now < workspace.last_evidence(account) + workspace.policy.lost_seconds
    in_vain = (
        account.probe_count == 1
    )  # the newest page did not show it: probe once in another way, then that page again
    return account.unknown_create.hint is None and waits and not in_vain and account.unknown_create.left_at is not None


def _deleting_flood(workspace: Workspace, now: float) -> bool:
    """Whether more deletions are to leave, or are worked off."""
    waits = any(len(queue) > 1 for (action, _), queue in workspace.queues.items() if action is Action.DELETE)
    return waits or any(job.operation == "Delete" and now < job.begun + WORKED_OFF for job in workspace.jobs.values())


def pages_of(workspace: Workspace) -> int:
    """List pages that one sweep takes."""
    return max(1, -(-len(workspace.inventory.rows) // BULK))


def _newest(workspace: Workspace, since: float) -> Candidate:
    """The next page of the newest rows, for inboxes just created."""
    due = workspace.newest_after if workspace.newest_page else max(_newest_due(workspace), since)
    return Candidate(
        ready_at=due,
        # A started read continues first: inboxes created meanwhile move the rows to later pages.
        score=0.0 if workspace.newest_page else score(workspace, Lane.PROBE, due),
        operation=Operation.LIST_ACCOUNTS,
        lane=Lane.PROBE,
        page=max(1, workspace.newest_page),
        newest=True,
    )


def _newest_page_in_flight(workspace: Workspace) -> bool:
    return any(call.newest for call in workspace.in_flight.values())


def newest_under_way(workspace: Workspace) -> bool:
    """Whether the newest rows are being read: inboxes created meanwhile move them to later pages."""
    goes_on = workspace.newest_page > 0 and workspace.breaker.block_of(Operation.LIST_ACCOUNTS, frozenset()) is None
    return goes_on or _newest_page_in_flight(workspace)


def _newest_due(workspace: Workspace) -> float:
    """When to read the newest rows. In a burst one read serves many bulks.

    Each read wastes some pages: those of running bulks, of which only some rows exist yet.
    """
    waiting = len(queue_of(workspace, Action.SEARCH)) + len(queue_of(workspace, Action.GET))
    more = any(action is Action.CREATE and len(queue) >= BULK for (action, _), queue in workspace.queues.items())
    lingers = more and not workspace.newest_page and waiting < NEWEST_FULL
    return workspace.newest_after + (NEWEST_LINGER if lingers else 0.0)


def waiting_since(workspace: Workspace, now: float) -> float:
    """Since when an account has waited for a probe."""
    queues = [queue for action in (Action.SEARCH, Action.GET) if (queue := queue_of(workspace, action))]
    return min((queue.since for queue in queues), default=now)


def _probe(workspace: Workspace, uid: str, operation: Operation, ready_at: float) -> Candidate:
    account = workspace.accounts[uid]
    search = operation is Operation.SEARCH_ACCOUNTS
    return Candidate(
        ready_at=ready_at,
        score=score(workspace, Lane.PROBE, ready_at),
        operation=operation,
        lane=Lane.PROBE,
        uids=(uid,),
        address=account.address if search else None,
        inbox_ids=() if search else (workspace.inventory.spelled(account.stored.inbox_id or ""),),
        page=workspace.searches[uid].page if search and uid in workspace.searches else 1,
    )
