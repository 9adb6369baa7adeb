"""A call from its launch to its answer, and what the answer changes in the workspace.

Every response ends in one of three ways for an account: it has an inbox, it is known to have none, or the outcome is
unknown (`UnknownCreate`) and only a probe decides.
"""

from collections import Counter
from dataclasses import replace

from coldsend_operator.core.apply.common import UNKNOWN, WORKSPACE, members_of, misrouted, probe_again, seen_as
from coldsend_operator.core.apply.creates import create_failed, created, created_in_bulk, not_taken_in
from coldsend_operator.core.apply.deletes import accepted_delete, delete_failed, deleted_in_bulk
from coldsend_operator.core.apply.jobs import poll_failed, progressed
from coldsend_operator.core.apply.lists import fold_page, found, get_failed, list_failed
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import RETRY_FIRST
from coldsend_operator.core.model.answers import (
    NOT_PROCESSED,
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
from coldsend_operator.core.model.calls import Call, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.pauses import POSTPONEMENTS
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.workspace.workspace import Workspace


def launch(workspace: Workspace, planned: Call, now: float) -> Call:
    """The planned call leaves its queue: its accounts are busy from now on."""
    namespaces = workspace.namespaces_of(planned.uids)
    call = replace(planned, id=next(workspace.call_ids), namespaces=namespaces, begun=now)
    taken, scope = set(call.uids), call.operation.scope
    if scope in workspace.splits:
        workspace.splits[scope] = [split for split in workspace.splits[scope] if not taken.intersection(split)]
    workspace.queues.launch(call, now)
    for uid in call.uids:
        account = workspace.accounts[uid]
        if call.operation.creates:
            transitions.create_started(account, call.id)
            workspace.index(account)
        else:
            transitions.call_started(account, call.id)
    if call.job is not None:
        workspace.jobs[call.job].in_flight = True
    if call.sweeps:
        workspace.keys.listing = call.key
        if workspace.inventory.sweep is None:
            workspace.inventory.begin(now)
    if call.operation is Operation.LIST_DOMAINS:
        workspace.domains.begin(now)
    workspace.in_flight[call.id] = call
    workspace.budget.start(probe=call.lane.probes)
    if call.uids:
        counts = Counter(workspace.accounts[uid].desired.namespace for uid in call.uids)
        workspace.budget.shares.charge(counts.most_common(1)[0][0], now)
    if call.operation is Operation.SEND_TEST_EMAIL:
        workspace.budget.mails.in_flight += 1
    workspace.keys.breaker(call.key).start(call.operation, call.namespaces)
    return call


def drop(workspace: Workspace, call: Call, members: set[str]) -> Call:
    """These members do not take part after all, as their create mark was refused or their Secret is missing."""
    for uid in members:
        account = workspace.accounts.get(uid)
        if account is not None and account.busy == call.id:
            transitions.create_call_ended(account)
            workspace.index(account)
    kept = [index for index, uid in enumerate(call.uids) if uid not in members]
    smaller = replace(
        call,
        uids=tuple(call.uids[index] for index in kept),
        inbox_ids=tuple(call.inbox_ids[index] for index in kept) if call.inbox_ids else (),
    )
    workspace.in_flight[call.id] = smaller
    return smaller


def leave(workspace: Workspace, call: Call, now: float) -> Call:
    """The prepared call leaves now."""
    call = replace(call, begun=now)
    workspace.in_flight[call.id] = call
    return call


def cancel(workspace: Workspace, call: Call, now: float) -> None:
    """The call does not leave: nothing was spent, and only its own accounts wait a moment (rule 42)."""
    drop(workspace, call, set(call.uids))
    _end(workspace, call)
    workspace.budget.cancel(probe=call.lane.probes)
    workspace.keys.breaker(call.key).end_probe(call.operation, call.namespaces)
    if call.sweeps:
        workspace.inventory.abandon()
        workspace.sweep_after = now + 1.0
    for account in members_of(workspace, call.uids):
        transitions.postponed(account, now)
        workspace.touch(account.uid)
    job = workspace.jobs.get(call.job or "")
    if job is not None:
        job.next_poll = now + POSTPONEMENTS[0]


def _end(workspace: Workspace, call: Call) -> None:
    if workspace.in_flight.pop(call.id, None) is not None and call.operation is Operation.SEND_TEST_EMAIL:
        workspace.budget.mails.in_flight -= 1
    workspace.queues.end(call)
    job = workspace.jobs.get(call.job or "")
    if job is not None:
        job.in_flight = False


def fold(workspace: Workspace, call: Call, outcome: Answer | Failure, now: float) -> None:
    """Apply a response, or the lack of one, to the workspace.

    An error in this counts as a lost response, and is raised once the state is consistent.
    """
    call, told = workspace.in_flight.get(call.id, call), len(workspace.audit.lines)
    _end(workspace, call)
    workspace.budget.end(now, probe=call.lane.probes)
    for account in members_of(workspace, call.uids):
        transitions.call_ended(account)
        if not isinstance(outcome, Failure):
            transitions.answered(account)
            if call.writes:
                transitions.api_reached(account)
    try:
        if isinstance(outcome, Failure):
            _fold_failure(workspace, call, outcome, now)
        else:
            workspace.budget.answered(now)
            if workspace.keys.breaker(call.key).succeed(call.operation):
                workspace.touch_everything()
            _fold_answer(workspace, call, outcome, now)
    except Exception:
        _not_taken_in(workspace, call, now)
        raise
    finally:
        for account in members_of(workspace, call.uids) if call.operation.creates else ():
            transitions.create_call_ended(account)
            workspace.index(account)  # accounts that claim the same address may continue now
        if call.writes:
            workspace.audit.answered(workspace, call, outcome, told)
        workspace.touch_all(call.uids)


def _not_taken_in(workspace: Workspace, call: Call, now: float) -> None:
    """Applying the response failed: no create is repeated, and no probe at once (rule 42: every probe is paced)."""
    if call.operation.creates:
        not_taken_in(workspace, call, now)
    else:
        _fold_failure(workspace, call, NOT_PROCESSED, now)


def _fold_answer(workspace: Workspace, call: Call, answer: Answer, now: float) -> None:
    answer = _with_known_ids(workspace, answer)
    match answer:
        case Page():
            fold_page(workspace, call, answer, now)
        case Row():
            found(workspace, call, answer, now)
        case Created():
            created(workspace, call, answer, now)
        case BulkAnswer() if call.operation is Operation.DELETE_ACCOUNTS:
            deleted_in_bulk(workspace, call, answer, now)
        case BulkAnswer():
            created_in_bulk(workspace, call, answer, now)
        case JobProgress():
            progressed(workspace, call, answer, now)
        case Deleted():
            for account in members_of(workspace, call.uids):
                accepted_delete(workspace, account, now)
                transitions.outcome_known(account)
        case MailSent():
            for account in members_of(workspace, call.uids):
                workspace.budget.mails.add(now)
                transitions.mail_sent(account, answer.sent_at or rfc3339(now), answer.message_id)
        case DomainPage():
            if workspace.domains.fold(answer):
                _domains_listed(workspace)


def _with_known_ids(workspace: Workspace, answer: Answer) -> Answer:
    """Ids of inboxes in the compared form."""
    match answer:
        case Page():
            return replace(answer, rows=tuple(workspace.inventory.known(row) for row in answer.rows))
        case Row():
            return workspace.inventory.known(answer)
        case Created() if answer.row is not None:
            return Created(workspace.inventory.known(answer.row))
    return answer


def _fold_failure(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    failure = seen_as(workspace, call, failure)
    if failure.kind is FailureKind.RATE_LIMITED:
        workspace.budget.refuse(now, failure.retry_after)
        workspace.changed.update(workspace.queues.waiting(Action.CREATE, Action.DELETE))
    elif failure.kind is not FailureKind.NOT_SENT:
        workspace.budget.answered(now)
    if failure.kind is FailureKind.MISROUTED:
        misrouted(workspace, call, failure.status or 0, now)
    elif call.writes and failure.kind is not FailureKind.NOT_SENT:
        for account in members_of(workspace, call.uids):
            transitions.api_reached(account)
    breaker = workspace.keys.breaker(call.key)
    if breaker.fail(call.operation, failure, now, frozenset(call.uids), call.namespaces):
        workspace.touch_everything()
    match call.operation:
        case Operation.LIST_ACCOUNTS:
            list_failed(workspace, call, failure, now)
        case Operation.SEARCH_ACCOUNTS:
            workspace.searches.pop(call.uids[0], None)
            probe_again(workspace, call, now)
        case Operation.GET_ACCOUNT:
            get_failed(workspace, call, failure, now)
        case Operation.POLL_CREATE_JOB | Operation.POLL_DELETE_JOB:
            poll_failed(workspace, call, failure, now)
        case Operation.DELETE_ACCOUNT | Operation.DELETE_ACCOUNTS:
            delete_failed(workspace, call, failure, now)
        case Operation.SEND_TEST_EMAIL:
            _mail_failed(workspace, call, failure, now)
        case Operation.LIST_DOMAINS:
            _domains_failed(workspace, call, failure, now)
        case _:
            create_failed(workspace, call, failure, now)


def _mail_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    if failure.kind in {FailureKind.NOT_SENT, FailureKind.RATE_LIMITED, FailureKind.MISROUTED}:
        return
    workspace.budget.mails.add(now)
    error = f"ColdSend refused the test mail: {failure.message}"
    if failure.required:
        error += f"; grant {', '.join(failure.required)} to the API key. To send again, set a new requestID."
    if failure.kind in UNKNOWN:
        error = "ColdSend's response was lost; the mail may have been sent. To send another, set a new requestID."
    for account in members_of(workspace, call.uids):
        transitions.mail_failed(account, error)


def _domains_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    """The list was refused. Where another key of the workspace may read domains it is asked with that one."""
    if failure.kind is FailureKind.FORBIDDEN and workspace.keys.works(call.operation):
        workspace.domains.page = 1
    elif failure.kind in {FailureKind.FORBIDDEN, FailureKind.PLAN_LIMIT}:
        workspace.domains.forbid(failure.required, failure.message, now + RETRY_FIRST)
    elif failure.kind in WORKSPACE:
        workspace.domains.page = 1
    else:
        workspace.domains.refuse(failure.message, now)
    _decide_natives_again(workspace)


def _domains_listed(workspace: Workspace) -> None:
    natives = (account.desired.spec.native for account in workspace.accounts.values())
    workspace.domains.sought = frozenset(native.domain for native in natives if native is not None)
    _decide_natives_again(workspace)


def _decide_natives_again(workspace: Workspace) -> None:
    workspace.touch_all(workspace.queues.waiting(Action.DOMAINS))  # also those that hold the inbox to be replaced
    for account in workspace.accounts.values():
        if account.desired.spec.native is not None and (account.address is None or not account.stored.held):
            workspace.name_address(account)
            workspace.index(account)
