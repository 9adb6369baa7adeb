"""Pages of lists and searches: what they show, and when a sweep has ended."""

from dataclasses import replace

from coldsend_operator.core.answers import Failure, Page, Row
from coldsend_operator.core.belief import believe, missing
from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.folding.absence import judge_absence
from coldsend_operator.core.folding.pieces import BREAKER_PACES, HOLDS, back_off, look_again, still_there
from coldsend_operator.core.inventory import Search, SweepResult, most_pages
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.step import CLOCK_SLACK, Move
from coldsend_operator.core.times import unix_of

SWEEP_RETRY = 30.0
MISSED_AT_ONCE = 10  # of what unproven sweeps do not show: unstable pages may miss a third of all
FIRST_LOOK = 1.0  # after a create: what its answer does not show (health, counters) is there soon


def fold_page(ledger: Ledger, call: Call, page: Page, now: float) -> None:
    if call.operation is Operation.SEARCH_ACCOUNTS:
        _searched(ledger, call, page, now)
    elif call.newest:
        show(ledger, page.rows, call.begun)
        _looked_at(ledger, call, page, now)
        _newest_seen(ledger, call, page, now)
    else:
        page = replace(page, rows=tuple(_sharing(ledger, row) for row in page.rows))
        addresses = {row.inbox_id: row.address for row in page.rows}
        ledger.list_refusals = 0
        changed, result = ledger.inventory.fold(page, call.begun)
        _looked_at(ledger, call, page, now)
        for inbox_id in changed:
            _touch_row(ledger, inbox_id, addresses.get(inbox_id))
        if result is not None:
            _swept(ledger, result, now)


def _sharing(ledger: Ledger, row: Row) -> Row:
    """The row with the texts that its account holds: thousands of them are not to be twice in memory."""
    if row.inbox_id in ledger.inventory.rows:
        return row
    for uid in ledger.showing(row.inbox_id):
        account = ledger.accounts[uid]
        spec = account.desired.spec
        return replace(
            row,
            inbox_id=account.facts.inbox_id or row.inbox_id,
            email_address=account.address if account.address == row.email_address else row.email_address,
            display_name=spec.display_name if spec.display_name == row.display_name else row.display_name,
        )
    return row


def _touch_row(ledger: Ledger, inbox_id: str, address: str | None) -> None:
    for uid in ledger.showing(inbox_id):
        if inbox_id in ledger.inventory.rows:
            ledger.accounts[uid].gone_at = None  # a 404 that is refuted proves nothing any more
        ledger.touch(uid)
    if address is not None:
        ledger.touch_address(address)


def show(ledger: Ledger, rows: tuple[Row, ...], begun: float) -> None:
    """Take in what a look that began at `begun` shows."""
    for row in rows:
        if ledger.inventory.put(row, begun):
            _touch_row(ledger, row.inbox_id, row.address)


def _looked_at(ledger: Ledger, call: Call, page: Page, now: float) -> None:
    """Who waited for a GET of an inbox that a list shows has been served."""
    waiting = set(ledger.queued(Move.GET))
    if not waiting:
        return
    for row in page.rows:
        for uid in ledger.showing(row.inbox_id):
            account = ledger.accounts[uid]
            if account.deleted_at is None:
                account.look_at = None
                ledger.touch(uid)
            elif uid in waiting and call.begun > account.deleted_at:
                still_there(ledger, account, now, sure=False)
                ledger.touch(uid)


def _swept(ledger: Ledger, result: SweepResult, now: float) -> None:
    ledger.sweep_after = now + (1.0 if result.proven else SWEEP_RETRY)
    for row in result.gone:
        _touch_row(ledger, row.inbox_id, row.address)
    believe(ledger, missing(ledger))  # an unproven list proves no absence, but it too may be implausible
    if not ledger.first_sweep_done:
        ledger.first_sweep_done = True
        ledger.touch_everything()
    ledger.touch_all(ledger.queued(Move.SEARCH))
    ledger.touch_all(ledger.queued(Move.GET))
    _ask_for_missed(ledger, now)
    if result.proven:
        for account in ledger.accounts.values():
            if account.lost is not None or account.unsure_at:
                judge_absence(ledger, account, result.begun, now)
                ledger.touch(account.uid)


def _ask_for_missed(ledger: Ledger, now: float) -> None:
    """Lists that never prove absence may still be right: a GET tells of those that they go on not to show."""
    for inbox_id in ledger.inventory.most_missed(MISSED_AT_ONCE):
        for uid in ledger.showing(inbox_id):
            account = ledger.accounts[uid]
            if account.look_at is None and account.deleted_at is None and account.facts.inbox_id == inbox_id:
                account.look_at, account.looks = now, 0
                ledger.touch(uid)


def _searched(ledger: Ledger, call: Call, page: Page, now: float) -> None:
    uid = call.uids[0]
    show(ledger, page.rows, call.begun)
    account = ledger.accounts.get(uid)
    address = call.address or ""
    found = bool(ledger.inventory.at(address)) and any(row.address == address for row in page.rows)
    search = ledger.searches.pop(uid, None) or Search(call.begun, most_pages(page))
    goes_on = not found and page.has_next and bool(page.rows)
    if goes_on and page.page < search.most:
        ledger.searches[uid] = replace(search, page=page.page + 1)
        return
    if account is None:
        return
    if goes_on:  # it has no end, so it proves no absence
        look_again(ledger, call, now)
        return
    begun = search.begun
    account.searched_at = begun
    ledger.touch_address(address)
    if not found:
        judge_absence(ledger, account, begun, now)
    look_again(ledger, call, now)


def _newest_seen(ledger: Ledger, call: Call, page: Page, now: float) -> None:
    """Go on while the page is younger than what is waited for; those that it did not show look again later."""
    if call.page == 1:
        ledger.newest_begun, ledger.newest_most = call.begun, most_pages(page)
    waiting = [ledger.accounts[uid] for uid in ledger.queued(Move.SEARCH)]
    # What came later is shown by pages that were already turned.
    due = [account for account in waiting if account.lost is not None and account.lost.at <= ledger.newest_begun]
    unseen = [account for account in due if not ledger.inventory.at(account.address or "")]
    if unseen and page.has_next and call.page < ledger.newest_most and _younger(ledger, page, unseen):
        ledger.newest_page = call.page + 1
        return
    ledger.newest_page = 0
    ledger.newest_after = now + FIRST_LOOK
    for account in unseen:
        if account.lost is not None and account.lost.hint is None:
            back_off(account, now)
            ledger.touch(account.uid)


def _younger(ledger: Ledger, page: Page, waiting: list[Account]) -> bool:
    """Whether the last row of the page was made after the first mark of those that are waited for."""
    made = unix_of(page.rows[-1].created_at) if page.rows else None
    marks = [account.since for account in waiting if account.since is not None]
    if made is None or not marks:
        return False
    return made - ledger.server_offset >= min(marks) - ledger.kube_offset - CLOCK_SLACK


def list_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    """The page is asked for again. The breaker paces what goes on failing; what is refused waits ever longer."""
    if call.newest:
        ledger.newest_page, ledger.newest_after = 0, now + SWEEP_RETRY
        return
    ledger.list_refusals = 0 if failure.kind in BREAKER_PACES else ledger.list_refusals + 1
    ledger.sweep_after = now + HOLDS[min(ledger.list_refusals, len(HOLDS) - 1)]
