"""Quick looks: by search, by GET, by the newest rows, or left to a whole list."""

from collections.abc import Iterator
from functools import partial

from coldsend_operator.core.calls import BULK, Lane, Operation
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning.candidate import MOST_FLYING, Alone, Candidate, queue_of, score
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps import Move

FEW_LOOKS = 3  # from so many on, a list page is cheaper than one look for each account
MOST_FRESH = 50 * BULK  # native bulks are answered at once: so many are made in a minute
FEW_PAGES = 5
UNCONFIRMED = BULK // 2  # deletions for each page of a list
LONGEST_UNCONFIRMED = 300.0
WORKED_OFF = 30.0  # seconds; a job that takes longer keeps nobody waiting
NEWEST_FULL = 25 * BULK
NEWEST_LINGER = 50.0  # seconds in which so many inboxes are made at the default limits


def looks(ledger: Ledger, now: float, fresh: frozenset[str], alone: Alone, *, listed: bool) -> Iterator[Candidate]:
    """`fresh` as in just_made; `listed`: a whole list serves what waits best, see wants_list."""
    since = waiting_since(ledger, now)
    without = ledger.budget.exhausted_by(now, looks=True)
    if not _page_flies(ledger) and (ledger.newest_page or (fresh and not listed)):
        yield _newest(ledger, since)
    if listed:
        missing = ledger.in_turn(_beyond_lists(ledger, alone), without)[:MOST_FLYING]
        yield from alone.each(missing, lambda uid: _look(ledger, uid, Operation.GET_ACCOUNT, since))
        if ledger.inventory.in_vain >= 2:
            yield from _looks_beside_lists(ledger, since, without, alone)
        return
    for move, operation in ((Move.SEARCH, Operation.SEARCH_ACCOUNTS), (Move.GET, Operation.GET_ACCOUNT)):
        queue = queue_of(ledger, move)
        if move is Move.GET and len(queue) >= FEW_LOOKS and _deleting_flood(ledger, now):
            continue
        uids = [uid for uid in queue.take(BULK, without) if uid not in fresh][:MOST_FLYING]
        yield from alone.each(uids, partial(_look, ledger, operation=operation, ready_at=since))


def _looks_beside_lists(ledger: Ledger, since: float, without: frozenset[str], alone: Alone) -> Iterator[Candidate]:
    """Lists go on to prove nothing (contract row 35): a few at a time are looked at one by one."""
    beyond = set(_beyond_lists(ledger, alone))
    for move, operation in ((Move.SEARCH, Operation.SEARCH_ACCOUNTS), (Move.GET, Operation.GET_ACCOUNT)):
        uids = [uid for uid in queue_of(ledger, move).take(BULK, without) if uid not in beyond][:1]
        yield from alone.each(uids, partial(_look, ledger, operation=operation, ready_at=since))


def wants_list(ledger: Ledger, now: float, fresh: frozenset[str], alone: Alone) -> bool:
    """Whether what waits for a look is served best by a whole list."""
    count = len(queue_of(ledger, Move.SEARCH)) + len(queue_of(ledger, Move.GET)) - len(_beyond_lists(ledger, alone))
    if ledger.inventory.listed_at == 0:
        return count > 1
    count -= len(fresh)
    pages = pages_of(ledger)
    if not _deleting_flood(ledger, now):
        return count >= FEW_LOOKS and count >= pages
    # A list is shorter after the flood: a long one, before that, must be to confirm many that have waited for long.
    patient = pages > FEW_PAGES and now < queue_of(ledger, Move.GET).since + LONGEST_UNCONFIRMED
    return not patient and count >= pages * min(UNCONFIRMED, 5 * pages)


def _beyond_lists(ledger: Ledger, alone: Alone) -> list[str]:
    """Those whose inbox a list has shown to be absent: to make it again needs the 404 of a GET (safety.md, 16).

    A list that proves nothing may have passed them over, as while others are deleted: the next one shows them.
    """
    if ledger.inventory.listed_at == 0:
        return []
    return alone.those(queue_of(ledger, Move.GET), lambda uid: _is_missing(ledger, ledger.accounts[uid]))


def _is_missing(ledger: Ledger, account: Account) -> bool:
    return (account.deleted_at is None or account.unheard) and account.facts.inbox_id not in ledger.inventory.rows


def just_made(ledger: Ledger, now: float, alone: Alone) -> frozenset[str]:
    """Those that wait for the look at an inbox just made: a page of the newest shows up to 100 of them.

    Fewer than FEW_LOOKS are looked at one by one: then there are none.
    """
    uids = queue_of(ledger, Move.SEARCH).take(MOST_FRESH) + queue_of(ledger, Move.GET).take(MOST_FRESH)
    fresh = frozenset(alone.those(uids, lambda uid: _just_made(ledger, uid, now)))
    return fresh if len(fresh) >= FEW_LOOKS else frozenset()


def _just_made(ledger: Ledger, uid: str, now: float) -> bool:
    account = ledger.accounts[uid]
    if account.lost is None:
        listed = ledger.inventory.swept_at > account.wrote_at  # and not shown: no page of the newest ever will
        return account.desired.deleting is None and account.look_at is not None and account.facts.held and not listed
    waits = now < ledger.sign(account) + ledger.policy.lost_seconds
    in_vain = account.looks == 1  # the newest page did not show it: one look of another kind, then that page again
    return account.lost.hint is None and waits and not in_vain and account.lost.left_at is not None


def _deleting_flood(ledger: Ledger, now: float) -> bool:
    """More deletions are to leave, or are worked off: to confirm those before them by a list would list the rest."""
    waits = any(len(queue) > 1 for (move, _), queue in ledger.queues.items() if move is Move.DELETE)
    return waits or any(job.operation == "Delete" and now < job.begun + WORKED_OFF for job in ledger.jobs.values())


def pages_of(ledger: Ledger) -> int:
    """List pages that one sweep takes."""
    return max(1, -(-len(ledger.inventory.rows) // BULK))


def _newest(ledger: Ledger, since: float) -> Candidate:
    """The next page of the newest rows, for inboxes just made."""
    due = ledger.newest_after if ledger.newest_page else max(_newest_due(ledger), since)
    return Candidate(
        ready_at=due,
        # A look that has begun goes on first: what is made meanwhile moves the rows to further pages.
        score=0.0 if ledger.newest_page else score(ledger, Lane.LOOK, due),
        operation=Operation.LIST_ACCOUNTS,
        lane=Lane.LOOK,
        page=max(1, ledger.newest_page),
        newest=True,
    )


def _page_flies(ledger: Ledger) -> bool:
    return any(call.newest for call in ledger.flying.values())


def looking(ledger: Ledger) -> bool:
    """Whether the newest rows are being looked through: what is made meanwhile moves them on to further pages."""
    goes_on = ledger.newest_page > 0 and ledger.breaker.block_of(Operation.LIST_ACCOUNTS, frozenset()) is None
    return goes_on or _page_flies(ledger)


def _newest_due(ledger: Ledger) -> float:
    """When to look for inboxes just made. In a flood one look serves many bulks.

    Each look turns some pages in vain: those of bulks under way, which show only a part of their rows so far.
    """
    waiting = len(queue_of(ledger, Move.SEARCH)) + len(queue_of(ledger, Move.GET))
    more = any(move is Move.CREATE and len(queue) >= BULK for (move, _), queue in ledger.queues.items())
    lingers = more and not ledger.newest_page and waiting < NEWEST_FULL
    return ledger.newest_after + (NEWEST_LINGER if lingers else 0.0)


def waiting_since(ledger: Ledger, now: float) -> float:
    """Since when an account has waited for a look."""
    queues = [queue for move in (Move.SEARCH, Move.GET) if (queue := queue_of(ledger, move))]
    return min((queue.since for queue in queues), default=now)


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
        inbox_ids=() if search else (ledger.inventory.spelled(account.facts.inbox_id or ""),),
        page=ledger.searches[uid].page if search and uid in ledger.searches else 1,
    )
