"""Takes what happened into the ledger: a call that leaves, the answer that comes, a write to Kubernetes that is done.

Every answer ends in one of three ways for an account: it has an inbox, it is known to have none, or the outcome is
unknown (`Lost`) and only a look decides.
"""

from dataclasses import replace

from coldsend_operator.core import jobs
from coldsend_operator.core.answers import (
    Answer,
    BulkAnswer,
    Created,
    Deleted,
    DomainPage,
    Failure,
    FailureKind,
    JobProgress,
    MailSent,
    Page,
    Row,
)
from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.inventory import SweepResult
from coldsend_operator.core.jobs import Job
from coldsend_operator.core.ledger import Ledger, rfc3339
from coldsend_operator.core.planning import Candidate
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account, JobRef, Lost, Setback
from coldsend_operator.core.steps.step import CLOCK_SLACK, GET_BACKOFF, Move, unix_of

UNKNOWN = frozenset({FailureKind.LOST, FailureKind.UNAVAILABLE})
WORKSPACE = frozenset(
    {
        FailureKind.NOT_SENT,
        FailureKind.RATE_LIMITED,
        FailureKind.UNAUTHORIZED,
        FailureKind.FORBIDDEN,
        FailureKind.PLAN_LIMIT,
    }
)
"""Failures that say nothing about the accounts of a call: they wait in their queue until the workspace may go on."""

RETRY_FIRST, RETRY_LONGEST = 300.0, 6 * 3600.0
IN_USE_FIRST, IN_USE_LONGEST = 5.0, 600.0
AFTER_DELETE_FIRST, AFTER_DELETE_LONGEST = 15.0, 600.0
FREED_FOR = 3600.0  # so long after our own delete a refusal of its address counts as passing (contract row 24)
SWEEP_RETRY = 30.0
DELETE_PATIENCE = 120.0  # an inbox that stays visible for so long after its delete is deleted again
FIRST_LOOK = 1.0  # after a create: what its answer does not show (health, counters) is there soon
CONNECTION_WORDS = ("connect", "authent", "login", "smtp", "imap", "credential", "password", "timed out", "timeout")


# -- calls leave


def launch(ledger: Ledger, candidate: Candidate, now: float) -> Call:
    """The candidate leaves its queue: from here on its accounts are busy."""
    call = Call(
        id=ledger.next_call_id(),
        operation=candidate.operation,
        lane=candidate.lane,
        uids=candidate.uids,
        inbox_ids=candidate.inbox_ids,
        domain_id=candidate.domain_id,
        address=candidate.address,
        job=candidate.job,
        page=candidate.page,
        newest=candidate.newest,
        begun=now,
    )
    taken = set(call.uids)
    ledger.splits = [split for split in ledger.splits if not taken.intersection(split)]
    ledger.delete_splits = [split for split in ledger.delete_splits if not taken.intersection(split)]
    _leave_queue(ledger, call, now)
    for uid in call.uids:
        ledger.accounts[uid].busy = call.id
    if call.job is not None:
        ledger.jobs[call.job].flying = True
    if call.operation is Operation.LIST_ACCOUNTS and not call.newest and ledger.inventory.sweep is None:
        ledger.inventory.begin(now)
    if call.operation is Operation.LIST_DOMAINS:
        ledger.domains.begin(now)
    ledger.flying[call.id] = call
    ledger.last_served[f"{call.lane}{_group(call)}"] = now
    ledger.budget.start()
    ledger.breaker.start(call.operation)
    return call


def _group(call: Call) -> str:
    if call.operation in {Operation.CREATE_SMTP, Operation.CREATE_SMTP_BULK}:
        return "smtp"
    return call.domain_id or ""


def _leave_queue(ledger: Ledger, call: Call, now: float) -> None:
    for key, queue in ledger.queues.items():
        if call.uids and call.uids[0] in queue:
            queue.launch(call.uids, now)
            ledger.queue_of_call[call.id] = key
    for uid in call.uids:
        ledger.unqueue(uid)


def drop(ledger: Ledger, call: Call, members: set[str]) -> Call:
    """These members do not take part after all (their mark was refused, their Secret is missing)."""
    for uid in members:
        account = ledger.accounts.get(uid)
        if account is not None and account.busy == call.id:
            account.busy = None
            ledger.touch(uid)
    kept = [index for index, uid in enumerate(call.uids) if uid not in members]
    smaller = replace(
        call,
        uids=tuple(call.uids[index] for index in kept),
        inbox_ids=tuple(call.inbox_ids[index] for index in kept) if call.inbox_ids else (),
    )
    ledger.flying[call.id] = smaller
    return smaller


def cancel(ledger: Ledger, call: Call, now: float) -> None:
    """The call does not leave (no member left, or the Lease is not fresh): nothing was spent."""
    drop(ledger, call, set(call.uids))
    _end(ledger, call)
    ledger.budget.cancel()
    if call.operation is Operation.LIST_ACCOUNTS and not call.newest:
        ledger.inventory.abandon()
        ledger.sweep_after = now + 1.0


def _end(ledger: Ledger, call: Call) -> None:
    ledger.flying.pop(call.id, None)
    key = ledger.queue_of_call.pop(call.id, None)
    if key is not None and key in ledger.queues:
        ledger.queues[key].flying -= 1
    if call.job in ledger.jobs:
        ledger.jobs[call.job or ""].flying = False


# -- answers come


def fold(ledger: Ledger, call: Call, outcome: Answer | Failure, now: float) -> None:
    """Take an answer, or the lack of one, into the ledger."""
    call = ledger.flying.get(call.id, call)
    _end(ledger, call)
    ledger.budget.end(now)
    for account in _members(ledger, call):
        account.busy = None
    if isinstance(outcome, Failure):
        _fold_failure(ledger, call, outcome, now)
    else:
        ledger.budget.answered()
        if ledger.breaker.succeed(call.operation):
            ledger.touch_everything()
        _fold_answer(ledger, call, outcome, now)
    ledger.touch_all(call.uids)


def _members(ledger: Ledger, call: Call) -> list[Account]:
    found = (ledger.accounts.get(uid) for uid in call.uids)
    return [account for account in found if account is not None]


def _fold_answer(ledger: Ledger, call: Call, answer: Answer, now: float) -> None:
    match answer:
        case Page():
            _fold_page(ledger, call, answer, now)
        case Row():
            _found(ledger, call, answer, now)
        case Created():
            _created(ledger, call, answer, now)
        case BulkAnswer() if call.operation is Operation.DELETE_ACCOUNTS:
            _deleted_in_bulk(ledger, call, answer, now)
        case BulkAnswer():
            _created_in_bulk(ledger, call, answer, now)
        case JobProgress():
            _progressed(ledger, call, answer, now)
        case Deleted():
            for account in _members(ledger, call):
                _accepted_delete(ledger, account, now)
        case MailSent():
            for account in _members(ledger, call):
                _mailed(ledger, account, answer, now)
        case DomainPage():
            if ledger.domains.fold(answer):
                _rename_natives(ledger)


def _fold_failure(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    if failure.kind is FailureKind.RATE_LIMITED:
        ledger.budget.refuse(now, failure.retry_after)
        ledger.changed.update(ledger.waiting())
    elif failure.kind is not FailureKind.NOT_SENT:
        ledger.budget.answered()
    if ledger.breaker.fail(call.operation, failure, now):
        ledger.touch_everything()
    match call.operation:
        case Operation.LIST_ACCOUNTS:
            _list_failed(ledger, call, now)
        case Operation.SEARCH_ACCOUNTS:
            ledger.search_pages.pop(call.uids[0], None)
            _look_again(ledger, call, now)
        case Operation.GET_ACCOUNT:
            _get_failed(ledger, call, failure, now)
        case Operation.POLL_CREATE_JOB | Operation.POLL_DELETE_JOB:
            _poll_failed(ledger, call, failure, now)
        case Operation.DELETE_ACCOUNT | Operation.DELETE_ACCOUNTS:
            _delete_failed(ledger, call, failure, now)
        case Operation.SEND_TEST_EMAIL:
            _mail_failed(ledger, call, failure, now)
        case Operation.LIST_DOMAINS:
            _domains_failed(ledger, failure, now)
        case _:
            _create_failed(ledger, call, failure, now)


# -- looks


def _fold_page(ledger: Ledger, call: Call, page: Page, now: float) -> None:
    if call.operation is Operation.SEARCH_ACCOUNTS:
        _searched(ledger, call, page, now)
    elif call.newest:
        _show(ledger, page.rows, now)
        _looked_at(ledger, page)
        _newest_seen(ledger, call, page, now)
    else:
        addresses = {row.inbox_id: row.address for row in page.rows}
        changed, result = ledger.inventory.fold(page, now)
        _looked_at(ledger, page)
        for inbox_id in changed:
            _touch_row(ledger, inbox_id, addresses.get(inbox_id))
        if result is not None:
            _swept(ledger, result, now)


def _touch_row(ledger: Ledger, inbox_id: str, address: str | None) -> None:
    ledger.touch_all(ledger.showing(inbox_id))
    if address is not None:
        ledger.touch_address(address)


def _show(ledger: Ledger, rows: tuple[Row, ...], now: float) -> None:
    for row in rows:
        if ledger.inventory.put(row, now):
            _touch_row(ledger, row.inbox_id, row.address)


def _looked_at(ledger: Ledger, page: Page) -> None:
    """Who waited for a GET of an inbox that a list shows has been served."""
    if not ledger.queued(Move.GET):
        return
    for row in page.rows:
        for uid in ledger.showing(row.inbox_id):
            account = ledger.accounts[uid]
            if account.deleted_at is None:
                account.look_at = None
                ledger.touch(uid)


def _swept(ledger: Ledger, result: SweepResult, now: float) -> None:
    ledger.sweep_after = now + (1.0 if result.proven else SWEEP_RETRY)
    for row in result.gone:
        _touch_row(ledger, row.inbox_id, row.address)
    if result.proven:
        ledger.believe(ledger.missing())
    if not ledger.first_sweep_done:
        ledger.first_sweep_done = True
        ledger.touch_everything()
    ledger.touch_all(ledger.queued(Move.SEARCH))
    ledger.touch_all(ledger.queued(Move.GET))
    if result.proven:
        for account in ledger.accounts.values():
            if account.lost is not None or account.unsure_at:
                _judge_absence(ledger, account, result.begun, now)
                ledger.touch(account.uid)


def _searched(ledger: Ledger, call: Call, page: Page, now: float) -> None:
    uid = call.uids[0]
    _show(ledger, page.rows, now)
    account = ledger.accounts.get(uid)
    address = call.address or ""
    found = bool(ledger.inventory.at(address)) and any(row.address == address for row in page.rows)
    if not found and page.has_next and page.rows:
        ledger.search_pages[uid] = page.page + 1
        ledger.search_begun.setdefault(uid, call.begun)
        return
    ledger.search_pages.pop(uid, None)
    begun = ledger.search_begun.pop(uid, call.begun)
    if account is None:
        return
    account.searched_at = begun
    ledger.touch_address(address)
    if not found:
        _judge_absence(ledger, account, begun, now)
    _look_again(ledger, call, now)


def _judge_absence(ledger: Ledger, account: Account, begun: float, now: float) -> None:
    """A look begun at `begun` does not show the address: what a refusal hinted at is settled now."""
    if account.address is not None and ledger.inventory.at(account.address):
        return
    if account.lost is not None and account.lost.hint is not None and begun >= account.lost.at:
        reason = refusal_reason(account.lost.hint)
        _set_back(ledger, account, reason, account.lost.hint or "ColdSend refused the inbox.", now)
        account.lost = None
    elif account.unsure_at and account.lost is None and begun > account.unsure_at:
        _exists_elsewhere(ledger, account, now)


def _exists_elsewhere(ledger: Ledger, account: Account, now: float) -> None:
    """ColdSend says that the address exists, and this workspace does not show it (contract rows 9 and 24)."""
    freed = ledger.address_writes.get(account.address or "", 0.0)
    account.unsure_at = 0.0
    if freed and now - freed < FREED_FOR:
        message = "ColdSend still keeps the address after its deletion; the create is tried again by itself."
        _set_back(ledger, account, Reason.PROVISIONING, message, now, AFTER_DELETE_FIRST, AFTER_DELETE_LONGEST)
        return
    message = (
        "ColdSend says that the address exists, but not in this workspace; free it where it is, or use another address."
    )
    _set_back(ledger, account, Reason.ALREADY_EXISTS, message, now)


def _newest_seen(ledger: Ledger, call: Call, page: Page, now: float) -> None:
    """Go on while the page is younger than what is waited for; those that it did not show look again later."""
    waiting = [ledger.accounts[uid] for uid in ledger.queued(Move.SEARCH)]
    unseen = [account for account in waiting if not ledger.inventory.at(account.address or "")]
    if unseen and page.has_next and _younger(ledger, page, unseen):
        ledger.newest_page = call.page + 1
        return
    ledger.newest_page = 0
    ledger.newest_after = now + FIRST_LOOK
    for account in unseen:
        if account.lost is not None and account.lost.hint is None and account.lost.at <= call.begun:
            _back_off(ledger, account, now)
            ledger.touch(account.uid)


def _younger(ledger: Ledger, page: Page, waiting: list[Account]) -> bool:
    """Whether the last row of the page was made after the first mark of those that are waited for."""
    made = unix_of(page.rows[-1].created_at) if page.rows else None
    marks = [account.mark for account in waiting if account.mark is not None]
    if made is None or not marks:
        return False
    return made - ledger.server_offset >= min(marks) - ledger.kube_offset - CLOCK_SLACK


def _found(ledger: Ledger, call: Call, row: Row, now: float) -> None:
    """A GET answered 200."""
    for account in _members(ledger, call):
        account.gone_at = None
        account.look_at = None
        if account.deleted_at is not None:
            _still_there(ledger, account, now)
    _show(ledger, (row,), now)


def _still_there(ledger: Ledger, account: Account, now: float) -> None:
    """The inbox is visible after its delete: skipped, in use, or not yet gone (contract rows 20, 22, 23)."""
    if account.doubted:
        account.deleted_at = None
        _in_use(ledger, account, "ColdSend did not delete the inbox; most likely a campaign uses it.", now)
    elif now - (account.deleted_at or now) > DELETE_PATIENCE:
        account.deleted_at = None
    else:
        _back_off(ledger, account, now)


def _back_off(ledger: Ledger, account: Account, now: float) -> None:
    account.looks += 1
    account.look_at = now + GET_BACKOFF[min(account.looks, len(GET_BACKOFF) - 1)]


def _look_again(ledger: Ledger, call: Call, now: float) -> None:
    for account in _members(ledger, call):
        _back_off(ledger, account, now)


def _get_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    if failure.kind is not FailureKind.NOT_FOUND:
        _look_again(ledger, call, now)
        return
    for account in _members(ledger, call):
        young = now < account.wrote_at + ledger.policy.lost_seconds
        if young and account.deleted_at is None and account.desired.deleting is None:
            _back_off(ledger, account, now)  # a list may lag behind our own create (contract row 35)
            continue
        _gone(ledger, account, now)


def _gone(ledger: Ledger, account: Account, now: float) -> None:
    account.gone_at = now
    account.look_at = None
    if account.facts.inbox_id is not None:
        row = ledger.inventory.drop(account.facts.inbox_id)
        if row is not None:
            ledger.touch_address(row.address)


def _list_failed(ledger: Ledger, call: Call, now: float) -> None:
    if call.newest:
        ledger.newest_page, ledger.newest_after = 0, now + SWEEP_RETRY
        return
    ledger.sweep_after = now + 1.0  # the page is asked for again; the breaker paces what goes on failing


# -- creates


def _created(ledger: Ledger, call: Call, answer: Created, now: float) -> None:
    for account in _members(ledger, call):
        account.wrote_at = now
        if answer.row is None:
            account.lost = Lost(f"call-{call.id}", now, answered=True)
            account.look_at = None
            continue
        if call.domain_id is not None:
            ledger.domains.use(call.domain_id, 1)
        ledger.inventory.put(answer.row, now)
        ledger.take(account, answer.row.inbox_id, "Created", now)
        account.look_at = now + FIRST_LOOK


def _created_in_bulk(ledger: Ledger, call: Call, answer: BulkAnswer, now: float) -> None:
    members = _members(ledger, call)
    if call.domain_id is not None:
        ledger.domains.use(call.domain_id, len(members))
    if answer.job_id is not None and call.operation is Operation.CREATE_SMTP_BULK:
        _begin_job(ledger, call, answer.job_id, "Create", members, now)
        return
    ledger.parallel["Create"] = 4
    _finish_members(ledger, f"call-{call.id}", members, jobs.failures(answer.results), now)


def _begin_job(ledger: Ledger, call: Call, job_id: str, operation: str, members: list[Account], now: float) -> None:
    """The id is stored with every member before the first poll (safety.md, 8)."""
    uids = {account.uid for account in members}
    job = Job(job_id, operation, uids, begun=now, moved_at=now, size=len(uids))
    job.next_poll = ledger.pace.first_poll(job, ledger.policy.poll_seconds)
    ledger.jobs[job_id] = job
    for account in members:
        account.job = job_id
        account.wrote_at = now
        if operation == "Create":
            job.unstored.add(account.uid)
            account.facts = replace(account.facts, job=JobRef(job_id, operation))


def _finish_members(ledger: Ledger, name: str, members: list[Account], failures: dict[str, str], now: float) -> None:
    """A bulk create has ended: the list says who has an inbox now, its rows are hints (contract row 2)."""
    ledger.signs[name] = now
    for account in members:
        hint = failures.get(account.address or "")
        account.job = None
        account.wrote_at = now
        account.lost = Lost(name, now, hint, answered=True)
        account.look_at, account.looks = None, 0
        ledger.touch(account.uid)


def _create_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    members = _members(ledger, call)
    if failure.kind in UNKNOWN:
        for account in members:
            account.lost = Lost(f"call-{call.id}", now)
            account.wrote_at, account.look_at, account.looks = now, None, 0
        return
    if failure.kind in WORKSPACE:
        return
    if failure.status is not None and failure.status < 300:  # `success: false` does not say that nothing was done
        name = f"call-{call.id}"
        ledger.signs[name] = now
        for account in members:
            account.lost = Lost(name, now, failure.message)
            account.wrote_at, account.look_at, account.looks = now, None, 0
        return
    if len(call.uids) > 1:
        _bulk_refused(ledger, call, members, failure, now)
        return
    for account in members:
        _refused(ledger, account, failure, now)


def _refused(ledger: Ledger, account: Account, failure: Failure, now: float) -> None:
    """ColdSend refused one account."""
    native = account.desired.spec.native
    if failure.kind is FailureKind.CONFLICT or _says_exists(failure):
        account.unsure_at = now
        if native is not None:
            ledger.domains.listed_at = 0.0  # a full or inactive domain may answer so too (contract row 27)
        return
    if native is not None:
        ledger.domains.listed_at = min(ledger.domains.listed_at, now - ledger.policy.domain_seconds)
        if failure.kind is FailureKind.NOT_FOUND:
            message = "ColdSend does not know the domain of this inbox; correct spec.native or add the domain."
            _set_back(ledger, account, Reason.DOMAIN_NOT_FOUND, message, now)
            return
    message = failure.faults[0].message if failure.faults and not failure.message else failure.message
    reason = Reason.REJECTED if failure.faults else refusal_reason(message)
    _set_back(ledger, account, reason, f"ColdSend refused the inbox: {message}", now)


def _says_exists(failure: Failure) -> bool:
    """A refusal of another code in the words of "exists" gets a look before it is believed."""
    return failure.kind is FailureKind.REFUSED and not failure.faults and "already" in failure.message.lower()


def refusal_reason(message: str) -> Reason:
    """ConnectionFailed or Rejected: a hint for people only, nothing hangs on it."""
    lowered = message.lower()
    return Reason.CONNECTION_FAILED if any(word in lowered for word in CONNECTION_WORDS) else Reason.REJECTED


def _set_back(
    ledger: Ledger,
    account: Account,
    reason: Reason,
    message: str,
    now: float,
    first: float = RETRY_FIRST,
    longest: float = RETRY_LONGEST,
) -> None:
    before = account.setback
    again = before is not None and before.reason is reason and before.basis == account.basis
    tries = before.tries + 1 if again and before is not None else 1
    wait = min(first * 2 ** (tries - 1), longest)
    account.setback = Setback(reason, message, now, now + wait, account.basis, tries)
    account.unsure_at = 0.0
    ledger.touch(account.uid)


def _bulk_refused(ledger: Ledger, call: Call, members: list[Account], failure: Failure, now: float) -> None:
    """One bad item costs one item: by `loc` if it names one, else by halves (contract row 6)."""
    named = {fault.index: fault for fault in failure.faults if fault.index is not None}
    bad = {call.uids[index]: fault for index, fault in named.items() if 0 <= index < len(call.uids)}
    if failure.kind is FailureKind.CONFLICT and ledger.jobs:
        ledger.parallel["Create"] = 1  # perhaps too many jobs at once (contract row 43): they go again one by one
        return
    if bad and failure.kind is not FailureKind.TOO_LARGE:
        for account in members:
            fault = bad.get(account.uid)
            if fault is not None:
                message = f"ColdSend refused the inbox: {fault.field or 'request'}: {fault.message}"
                _set_back(ledger, account, Reason.REJECTED, message, now)
        return
    middle = len(call.uids) // 2
    halves = [half for half in (call.uids[:middle], call.uids[middle:]) if half]
    ledger.splits.extend(halves)


# -- jobs


def _progressed(ledger: Ledger, call: Call, progress: JobProgress, now: float) -> None:
    job = ledger.jobs.get(call.job or "")
    if job is None:
        return
    jobs.fold(job, progress, now)
    if jobs.ended(progress):
        ledger.pace.learn(job, now)
        ledger.parallel[job.operation] = 4
        _finish_job(ledger, job, "Completed", now)
    elif jobs.stuck(job, now):
        _finish_job(ledger, job, "Failed", now)
    else:
        job.next_poll = ledger.pace.next_poll(job, now, ledger.policy.poll_seconds)


def _poll_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    job = ledger.jobs.get(call.job or "")
    if job is None:
        return
    if failure.kind is FailureKind.NOT_FOUND:
        _finish_job(ledger, job, "Lost", now)
    elif jobs.stuck(job, now):
        _finish_job(ledger, job, "Failed", now)
    else:
        job.polls += 1
        job.next_poll = ledger.pace.next_poll(job, now, ledger.policy.poll_seconds)


def _finish_job(ledger: Ledger, job: Job, state: str, now: float) -> None:
    del ledger.jobs[job.id]
    ledger.finished_jobs.append((job, state, now))
    members = [account for uid in job.members if (account := ledger.accounts.get(uid)) is not None]
    results = job.progress.results if job.progress is not None else ()
    if job.operation == "Create":
        _finish_members(ledger, f"job-{job.id}", members, jobs.failures(results), now)
        return
    progress = job.progress
    doubted = progress is None or bool(progress.failed or progress.skipped) or state != "Completed"
    for account in members:
        account.job = None
        account.doubted = doubted
        account.look_at, account.looks = None, 0
        ledger.touch(account.uid)


# -- deletes


def _accepted_delete(ledger: Ledger, account: Account, now: float) -> None:
    account.deleted_at = now
    account.wrote_at = now
    account.refused_delete = None
    account.look_at, account.looks = None, 0
    if account.address is not None:
        ledger.address_writes[account.address] = now


def _deleted_in_bulk(ledger: Ledger, call: Call, answer: BulkAnswer, now: float) -> None:
    members = _members(ledger, call)
    for account in members:
        _accepted_delete(ledger, account, now)
        account.doubted = bool(answer.failed_count or answer.skipped_count)
    if answer.job_id is not None:
        _begin_job(ledger, call, answer.job_id, "Delete", members, now)
    else:
        ledger.parallel["Delete"] = 4


def _delete_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    members = _members(ledger, call)
    if failure.kind in WORKSPACE:
        return
    for account in members:
        if failure.kind in UNKNOWN:
            _accepted_delete(ledger, account, now)
            account.doubted = False
            account.look_at = now + FIRST_LOOK
        elif failure.kind is FailureKind.NOT_FOUND and len(call.uids) == 1:
            _gone(ledger, account, now)
        elif len(call.uids) == 1:
            _in_use(ledger, account, f"ColdSend refuses to delete the inbox ({failure.message})", now)
    if len(call.uids) > 1 and failure.kind not in UNKNOWN:
        if failure.kind is FailureKind.CONFLICT and ledger.jobs:
            ledger.parallel["Delete"] = 1
            return
        middle = len(call.uids) // 2
        ledger.delete_splits.extend((call.uids[:middle], call.uids[middle:]))


def _in_use(ledger: Ledger, account: Account, said: str, now: float) -> None:
    """contract row 20: most likely a campaign uses the inbox; asked again ever more slowly."""
    before = account.refused_delete
    tries = before.tries + 1 if before is not None and before.basis == account.basis else 1
    wait = min(IN_USE_FIRST * 2 ** (tries - 1), IN_USE_LONGEST)
    message = f"{said.rstrip('.')}; take it out of its campaigns, the deletion then goes on by itself."
    account.refused_delete = Setback(Reason.IN_USE_BY_CAMPAIGN, message, now, now + wait, account.basis, tries)
    account.look_at = None


# -- mails and domains


def _mailed(ledger: Ledger, account: Account, answer: MailSent, now: float) -> None:
    ledger.mails_minute.add(now)
    ledger.mails_hour.add(now)
    if account.facts.mail is not None:
        sent_at = answer.sent_at or rfc3339(now)
        mail = replace(account.facts.mail, sent_at=sent_at, message_id=answer.message_id)
        account.facts = replace(account.facts, mail=mail)


def _mail_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    if failure.kind in {FailureKind.NOT_SENT, FailureKind.RATE_LIMITED}:
        return
    ledger.mails_minute.add(now)
    ledger.mails_hour.add(now)
    error = f"ColdSend refused the test mail: {failure.message}"
    if failure.kind in UNKNOWN:
        error = "ColdSend's answer was lost; the mail may have left. A new requestID sends again."
    for account in _members(ledger, call):
        if account.facts.mail is not None:
            account.facts = replace(account.facts, mail=replace(account.facts.mail, error=error))


def _domains_failed(ledger: Ledger, failure: Failure, now: float) -> None:
    if failure.kind in {FailureKind.FORBIDDEN, FailureKind.PLAN_LIMIT}:
        ledger.domains.forbid(failure.required, now + RETRY_FIRST)
    else:
        ledger.domains.page = 1
    _rename_natives(ledger)


def _rename_natives(ledger: Ledger) -> None:
    for account in ledger.accounts.values():
        if account.desired.spec.native is not None and not account.facts.held:
            ledger.name_address(account)
            ledger.index(account)


# -- writes to Kubernetes


def marked(ledger: Ledger, account: Account, since: float) -> None:
    """Our finalizer stands on the object, put there at `since` (API server's clock)."""
    account.mark = since
    ledger.chores.pop(account.uid, None)
    ledger.index(account)


def unmarked(ledger: Ledger, account: Account) -> None:
    """Our finalizer is off. For FORGET the inbox that is gone is cleared too (safety.md, 8)."""
    move = ledger.chores.pop(account.uid, None)
    account.mark = None
    account.lost = None
    if move is Move.FORGET:
        account.facts = replace(account.facts, inbox_id=None, origin=None, job=None)
        account.gone_at = account.deleted_at = account.look_at = None
        account.looks, account.doubted = 0, False
    ledger.index(account)


def chore_failed(ledger: Ledger, account: Account) -> None:
    """A write to Kubernetes did not succeed: the step is taken again."""
    ledger.chores.pop(account.uid, None)
    ledger.touch(account.uid)
