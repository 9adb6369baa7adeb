"""Responses to lists, searches and GETs: which inboxes ColdSend shows."""

from dataclasses import replace

from coldsend_operator.core.apply.absence import judge_absence, judge_plausibility
from coldsend_operator.core.apply.common import BREAKER_PACES, fails_alone, members_of, not_found, probe_again
from coldsend_operator.core.decide.questions import CLOCK_SLACK
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Failure, FailureKind, Page, Row
from coldsend_operator.core.model.calls import Call, Operation, Scope
from coldsend_operator.core.model.decision import IN_SYNC, Action
from coldsend_operator.core.model.pauses import FIRST_PROBE, POSTPONEMENTS, nth
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.plan.probes import is_just_made, more_bulks_wait
from coldsend_operator.core.workspace.inventory import Search, SweepResult, most_pages
from coldsend_operator.core.workspace.workspace import Workspace

SWEEP_RETRY = 30.0
LAGGING_PROBES = 4  # this many probes of lagging lists do not prove that a delete was refused
FAILS_ON_DELETE = "ColdSend fails to delete this particular inbox; the operator retries automatically."
MISSED_AT_ONCE = 10  # of rows that unproven sweeps do not show: unstable pages may miss a third of all


def fold_page(workspace: Workspace, call: Call, page: Page, now: float) -> None:
    if call.operation is Operation.SEARCH_ACCOUNTS:
        _searched(workspace, call, page, now)
    elif call.newest:
        show(workspace, page.rows, call.begun)
        _serve_gets(workspace, call, page, now)
        _newest_seen(workspace, call, page, now)
    else:
        page = replace(page, rows=tuple(_sharing(workspace, row) for row in page.rows))
        addresses = {row.inbox_id: row.address for row in page.rows}
        workspace.list_refusals = 0
        changed, result = workspace.inventory.fold(page, call.begun)
        _serve_gets(workspace, call, page, now)
        for inbox_id in changed:
            _touch_row(workspace, inbox_id, addresses.get(inbox_id))
        if result is not None:
            _swept(workspace, result, now)


def _sharing(workspace: Workspace, row: Row) -> Row:
    """The row with the strings of its account, to keep thousands of them in memory only once."""
    if row.inbox_id in workspace.inventory.rows:
        return row
    for uid in workspace.members.showing(row.inbox_id):
        account = workspace.accounts[uid]
        spec = account.desired.spec
        return replace(
            row,
            inbox_id=account.stored.inbox_id or row.inbox_id,
            email_address=account.address if account.address == row.email_address else row.email_address,
            display_name=spec.display_name if spec.display_name == row.display_name else row.display_name,
        )
    return row


def _touch_row(workspace: Workspace, inbox_id: str, address: str | None) -> None:
    for uid in workspace.members.showing(inbox_id):
        account = workspace.accounts[uid]
        if inbox_id in workspace.inventory.rows:
            transitions.found(account)
        if account.address is None:  # of a native inbox whose domain has no name yet; others may claim it by name
            workspace.name_address(account)
            workspace.index(account)
        workspace.touch(uid)
    if address is not None:
        workspace.touch_address(address)


def show(workspace: Workspace, rows: tuple[Row, ...], begun: float) -> None:
    """Apply the result of a probe that started at `begun`."""
    for row in rows:
        if workspace.inventory.put(row, begun):
            _touch_row(workspace, row.inbox_id, row.address)


def _serve_gets(workspace: Workspace, call: Call, page: Page, now: float) -> None:
    """Accounts that waited for a GET of an inbox in the list are done."""
    waiting = set(workspace.queues.waiting(Action.GET))
    if not waiting:
        return
    for row in page.rows:
        for uid in workspace.members.showing(row.inbox_id):
            account = workspace.accounts[uid]
            if account.deleted_at is None:
                _answer_probe(account, call)
                workspace.touch(uid)
            elif uid in waiting and call.begun > account.deleted_at:
                _still_there(workspace, account, now, sure=False)
                workspace.touch(uid)


def _answer_probe(account: Account, call: Call) -> None:
    """A read from before a person asked for one does not answer that."""
    if call.begun >= account.reconciled_at:
        transitions.probe_answered(account)


def _swept(workspace: Workspace, result: SweepResult, now: float) -> None:
    workspace.sweep_after = now + (1.0 if result.proven else SWEEP_RETRY)
    for row in result.gone:
        _touch_row(workspace, row.inbox_id, row.address)
    judge_plausibility(workspace)  # an unproven list proves no absence, but it too may be implausible
    if not workspace.first_sweep_done:
        workspace.first_sweep_done = True
        # an inbox in sync was shown: the end of the list tells nothing new of it
        workspace.touch_all(uid for uid in workspace.accounts if workspace.decisions.get(uid) is not IN_SYNC)
    else:
        workspace.first_period = 1.0
    workspace.touch_all(workspace.queues.waiting(Action.SEARCH, Action.GET))
    _ask_for_missed(workspace, now)
    if result.proven:
        for account in workspace.accounts.values():
            if account.unknown_create is not None or account.conflict_seen_at:
                judge_absence(workspace, account, result.begun, now)
                workspace.touch(account.uid)


def _ask_for_missed(workspace: Workspace, now: float) -> None:
    """Lists that never prove absence may still be right: GET the inboxes that they keep missing."""
    for inbox_id in workspace.inventory.most_missed(MISSED_AT_ONCE):
        for uid in workspace.members.showing(inbox_id):
            account = workspace.accounts[uid]
            if account.probe_at is None and account.deleted_at is None and account.stored.inbox_id == inbox_id:
                transitions.probe_wanted(account, now)
                workspace.touch(uid)


def _searched(workspace: Workspace, call: Call, page: Page, now: float) -> None:
    show(workspace, page.rows, call.begun)
    uid, address = call.uids[0], call.address or ""
    account, search = workspace.accounts.get(uid), workspace.searches.pop(uid, None)
    if account is None:
        return
    search = search or Search(call.begun, most_pages(page))
    shown = bool(workspace.inventory.at(address)) and any(row.address == address for row in page.rows)
    goes_on = not shown and page.has_next and bool(page.rows)
    ids = frozenset(row.inbox_id for row in page.rows)
    if goes_on and search.page < search.most and ids != search.shown:
        workspace.searches[uid] = replace(search, page=search.page + 1, shown=ids)
        return
    if not goes_on:  # without an end it proves no absence
        transitions.searched(account, search.begun)
        workspace.touch_address(address)
        if not shown:
            judge_absence(workspace, account, search.begun, now)
    probe_again(workspace, call, now)


def _newest_seen(workspace: Workspace, call: Call, page: Page, now: float) -> None:
    """Continue while the page is newer than the awaited inboxes; accounts not shown are probed again later."""
    if call.page == 1:
        workspace.newest.begun, workspace.newest.most = call.begun, most_pages(page)
    waiting = [workspace.accounts[uid] for uid in workspace.queues.waiting(Action.SEARCH)]
    # Newer inboxes are on pages that were already read.
    due = [
        account
        for account in waiting
        if account.unknown_create is not None and account.unknown_create.at <= workspace.newest.begun
    ]
    unseen = [account for account in due if not workspace.inventory.at(account.address or "")]
    if unseen and page.has_next and call.page < workspace.newest.most and _younger(workspace, page, unseen):
        workspace.newest.page = call.page + 1
        return
    workspace.newest.page = 0
    workspace.newest.after = now + FIRST_PROBE
    for account in unseen:
        if account.unknown_create is not None and account.unknown_create.hint is None:
            transitions.probe_put_off(account, now)
            workspace.touch(account.uid)
    if not more_bulks_wait(workspace):  # else their pages show them
        _put_off_those_passed_over(workspace, now)


def _put_off_those_passed_over(workspace: Workspace, now: float) -> None:
    """Inboxes just made whose rows are on later pages, as after more than one page of creates."""
    for uid in workspace.queues.waiting(Action.GET):
        account = workspace.accounts[uid]
        if is_just_made(workspace, uid, now) and account.wrote_at <= workspace.newest.begun:
            transitions.probe_put_off(account, now)
            workspace.touch(uid)


def _younger(workspace: Workspace, page: Page, waiting: list[Account]) -> bool:
    """Whether the last row of the page was created after the first create mark of the awaited accounts."""
    made = unix_of(page.rows[-1].created_at) if page.rows else None
    marks = [account.marked_at for account in waiting if account.marked_at is not None]
    if made is None or not marks:
        return False
    return made - workspace.server_offset >= min(marks) - workspace.kube_offset - CLOCK_SLACK


def list_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    """Repeat the page. The breaker paces failures; refusals wait with growing pauses."""
    keys, operation = workspace.keys, call.operation
    if keys.breaker(call.key).block_of(operation) is not None and keys.works(operation):
        return  # another key shows the same, and need not wait
    if call.newest:
        workspace.newest.page, workspace.newest.after = 0, now + SWEEP_RETRY
        return
    sweep = workspace.inventory.sweep
    if call.page > 1 and failure.kind is FailureKind.REFUSED and sweep is not None:
        end = Page((), call.page, sweep.total, None, has_next=False)  # of a list that has become shorter meanwhile
        fold_page(workspace, call, end, now)
        return
    workspace.list_refusals = 0 if failure.kind in BREAKER_PACES else workspace.list_refusals + 1
    workspace.sweep_after = now + nth(POSTPONEMENTS, workspace.list_refusals)


def found(workspace: Workspace, call: Call, row: Row, now: float) -> None:
    """A GET answered 200."""
    for account in members_of(workspace, call.uids):
        transitions.found(account)
        _answer_probe(account, call)
        if account.deleted_at is not None:
            _still_there(workspace, account, now, sure=True)
    workspace.inventory.clear_tombstone(row.inbox_id)
    show(workspace, (row,), call.begun)
    for account in members_of(workspace, call.uids):
        if account.stored.inbox_id not in workspace.inventory.rows:
            # What it showed is not what was asked for: to ask again at once shows no more.
            transitions.probe_put_off(account, now)


def get_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    if failure.kind is not FailureKind.NOT_FOUND:
        probe_again(workspace, call, now)
        return
    for account in members_of(workspace, call.uids):
        young = now < account.wrote_at + workspace.policy.lost_seconds
        if young and account.deleted_at is None:
            transitions.probe_put_off(account, now)  # it may lag behind our own create (contract row 35)
            continue
        not_found(workspace, account, now)


def _still_there(workspace: Workspace, account: Account, now: float, *, sure: bool) -> None:
    """The inbox is visible after its delete: skipped, in use, or not deleted yet (contract rows 20, 22, 23).

    A list is not `sure`, as it may lag behind (row 35).
    """
    over = now - (account.deleted_at or now) > workspace.policy.lost_seconds
    if account.delete_partial and (sure or over or account.probe_count >= LAGGING_PROBES):
        transitions.delete_had_no_effect(account)
        said = "ColdSend did not delete the inbox; most likely a campaign uses it."
        transitions.delete_refused_in_use(account, said, now)
    elif over:
        transitions.delete_had_no_effect(account)  # lost or forgotten by now; by its id it may be asked for again
        if fails_alone(workspace, account, Scope.DELETE):
            transitions.delete_failed(account, Reason.API_UNAVAILABLE, FAILS_ON_DELETE, now)
    else:
        transitions.probe_put_off(account, now)
