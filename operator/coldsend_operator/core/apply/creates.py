"""Responses to creates: an inbox, a refusal, or an outcome that only a probe can tell."""

from coldsend_operator.core.apply.common import (
    UNKNOWN,
    WORKSPACE,
    back_off_create,
    halve,
    members_of,
    outcome_unknown,
    refusal_reason,
    repeated_create,
    says_exists,
    too_many_jobs,
)
from coldsend_operator.core.apply.jobs import answered_at_once, begin_job, finish_members
from coldsend_operator.core.apply.lists import show
from coldsend_operator.core.decide.questions import made_before, may_be_of
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import BulkAnswer, Created, Failure, FailureKind, Row
from coldsend_operator.core.model.calls import Call, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.differences import drift
from coldsend_operator.core.model.pauses import FIRST_PROBE
from coldsend_operator.core.model.phases import UnknownCreate
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace import jobs
from coldsend_operator.core.workspace.breaker import beyond_plan, of_domain
from coldsend_operator.core.workspace.holding import acquire
from coldsend_operator.core.workspace.workspace import Workspace


def created(workspace: Workspace, call: Call, answer: Created, now: float) -> None:
    """A response without an inbox, or with one of another address, does not tell which is ours: a probe does."""
    for account in members_of(workspace, call.uids):
        transitions.address_written(account, now)
        if answer.row is None or account.address not in {None, answer.row.address}:
            unknown = UnknownCreate(f"call-{call.id}", now, call.begun, answered=True)
            transitions.inbox_unnamed(account, unknown)
            continue
        if _was_there_before(workspace, account, answer.row, call):
            workspace.inventory.clear_tombstone(answer.row.inbox_id)
            show(workspace, (answer.row,), now)
            continue
        if call.domain_id is not None:
            _room_taken(workspace, call.domain_id, 1)
        show(workspace, (answer.row,), now)
        acquire(workspace, account, answer.row.inbox_id, "Created", now)
        transitions.probe_wanted(account, now + FIRST_PROBE)


def _room_taken(workspace: Workspace, domain_id: str, count: int) -> None:
    """Inboxes were created in a domain. If it is full now, those that wait for their create are told at once."""
    workspace.domains.use(domain_id, count)
    domain = workspace.domains.by_id(domain_id)
    if domain is not None and workspace.domains.free(domain) <= 0:
        workspace.touch_all(workspace.queues.waiting(Action.CREATE))


def _was_there_before(workspace: Workspace, account: Account, row: Row, call: Call) -> bool:
    """An upsert returns 2xx with an existing inbox (contract row 7): adoptionPolicy decides about it.

    A clear 2xx is ours unless the inbox was known (rule 39). Clocks, which may differ within ColdSend too, decide by
    themselves only about inboxes that a probe started before the call showed; for an unknown inbox they are
    trusted when it shows other values than those that were sent.
    """
    inventory = workspace.inventory
    if inventory.has_tombstone(row.inbox_id) or workspace.claims.inbox_owners(row.inbox_id, account.uid):
        return True
    as_sent = may_be_of(row, account.desired.spec.inbox_type) and not drift(account, row)
    doubtful = inventory.shown_before(row.inbox_id, call.begun) or not as_sent
    return doubtful and made_before(account, row, workspace)


def created_in_bulk(workspace: Workspace, call: Call, answer: BulkAnswer, now: float) -> None:
    members = members_of(workspace, call.uids)
    if call.domain_id is not None:
        _room_taken(workspace, call.domain_id, len(members))
    if answer.job_id is not None and call.operation is Operation.CREATE_SMTP_BULK:
        begin_job(workspace, call, answer.job_id, members, now)
        return
    answered_at_once(workspace, call, answer, now)
    finish_members(workspace, f"call-{call.id}", members, jobs.failures(answer.results), now, left_at=call.begun)


def create_failed(workspace: Workspace, call: Call, failure: Failure, now: float) -> None:
    members = members_of(workspace, call.uids)
    if failure.kind in UNKNOWN:
        single = call.operation is Operation.CREATE_SMTP
        earliest = call.begun + workspace.policy.check_timeout if single else 0.0
        for account in members:
            _create_unknown(account, call, now, earliest=earliest)
        outcome_unknown(workspace, call.key, call.operation, call.uids, now)
        return
    if failure.kind in WORKSPACE:
        if failure.kind is FailureKind.PLAN_LIMIT:
            _beyond_plan(workspace, call, members, failure, now)
        return
    for account in members:
        transitions.outcome_known(account)
    if failure.status is not None and failure.status < 300:  # `success: false` does not say that nothing was done
        for account in members:
            _create_unknown(account, call, now, hint=failure.message)
        return
    if len(call.uids) > 1:
        _bulk_refused(workspace, call, members, failure, now)
        return
    for account in members:
        _refused(workspace, account, failure, now)


def not_taken_in(workspace: Workspace, call: Call, now: float) -> None:
    """Applying the response to a create failed: for all accounts without a known outcome it is unknown (rule 39)."""
    for account in members_of(workspace, call.uids):
        if not account.stored.held and account.unknown_create is None and account.job is None:
            _create_unknown(account, call, now)


def _create_unknown(
    account: Account, call: Call, now: float, *, hint: str | None = None, earliest: float = 0.0
) -> None:
    unknown = UnknownCreate(f"call-{call.id}", now, call.begun, hint, earliest=earliest)
    transitions.create_unknown(account, unknown, now)


def _beyond_plan(workspace: Workspace, call: Call, members: list[Account], failure: Failure, now: float) -> None:
    """The plan may allow part of a bulk, and for native inboxes the domain may be full.

    An account that is refused alone waits alone, so the next try is for another account (rule 41).
    """
    if call.domain_id is not None:
        workspace.domains.outdated = True
    if len(call.uids) > 1:
        halve(workspace, call.operation, call.uids)
        return
    refused = f"ColdSend refused the inbox: {failure.message}"
    message = refused if of_domain(call.operation, failure) else beyond_plan(failure)
    for account in members:
        back_off_create(workspace, account, Reason.PLAN_LIMIT, message, now)


def _refused(workspace: Workspace, account: Account, failure: Failure, now: float) -> None:
    """ColdSend refused one account."""
    native = account.desired.spec.native
    if failure.kind is FailureKind.CONFLICT or _says_exists(failure):
        if account.address is None:  # no probe can show whose it is
            _exists_unseen(workspace, account, now)
            return
        transitions.create_conflicted(account, now)
        lost = repeated_create(workspace, account, now)
        if lost is not None:
            transitions.repeated_create_unknown(account, lost, now)
        if native is not None:
            workspace.domains.outdated = True  # a full or inactive domain may cause this too (contract row 27)
        return
    if native is not None:
        workspace.domains.outdated = True
        if failure.kind is FailureKind.NOT_FOUND:
            message = (
                "The domain of this inbox is not in ColdSend; add it there, or recreate this object with another "
                "domain."
            )
            back_off_create(workspace, account, Reason.DOMAIN_NOT_FOUND, message, now)
            return
    message = failure.faults[0].message if failure.faults and not failure.message else failure.message
    reason = refusal_reason(failure.faults[0].message if failure.faults else message, of_field=bool(failure.faults))
    back_off_create(workspace, account, reason, f"ColdSend refused the inbox: {message}", now)


def _exists_unseen(workspace: Workspace, account: Account, now: float) -> None:
    """The address of a native inbox exists, and the API key may not read the name of its domain (rule 10)."""
    message = (
        "ColdSend says that the address exists. The API key may not read domains, so the inbox cannot be looked up; "
        f"grant {workspace.domains.missing_scopes or 'the scope of the domain endpoints'} or make the object again "
        "with spec.native.domainName."
    )
    back_off_create(workspace, account, Reason.ALREADY_EXISTS, message, now)


def _says_exists(failure: Failure) -> bool:
    """A refusal with another code whose message says "exists" is checked by a probe first."""
    return failure.kind is FailureKind.REFUSED and not failure.faults and says_exists(failure.message)


def _bulk_refused(workspace: Workspace, call: Call, members: list[Account], failure: Failure, now: float) -> None:
    """One bad item affects only itself: found by `loc` if given, else by halves (contract row 6)."""
    named = {fault.index: fault for fault in failure.faults if fault.index is not None}
    bad = {call.uids[index]: fault for index, fault in named.items() if 0 <= index < len(call.uids)}
    if not bad and too_many_jobs(workspace, Operation.CREATE_SMTP_BULK, failure):
        workspace.parallel["Create"] = 1  # perhaps too many jobs at once (contract row 43): repeat them one by one
        return
    if bad and failure.kind is not FailureKind.TOO_LARGE:
        for account in members:
            fault = bad.get(account.uid)
            if fault is not None:
                message = f"ColdSend refused the inbox: {fault.field or 'request'}: {fault.message}"
                back_off_create(workspace, account, refusal_reason(fault.message, of_field=True), message, now)
        return
    halve(workspace, call.operation, call.uids)
