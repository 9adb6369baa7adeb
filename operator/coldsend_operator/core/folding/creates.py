"""Answers to creates: an inbox, a refusal, or an outcome that only a look can tell."""

from coldsend_operator.core import jobs
from coldsend_operator.core.answers import BulkAnswer, Created, Failure, FailureKind, Row
from coldsend_operator.core.breaker import of_domain
from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.folding.jobs import answered_at_once, begin_job, finish_members
from coldsend_operator.core.folding.looks import FIRST_LOOK, show
from coldsend_operator.core.folding.pieces import (
    UNKNOWN,
    WORKSPACE,
    create_lost,
    halve,
    members_of,
    outcome_unknown,
    refusal_reason,
    says_exists,
    set_back,
    too_many_jobs,
)
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account, Lost
from coldsend_operator.core.steps.differences import shows_spec
from coldsend_operator.core.steps.step import LATEST, made_before, may_be_of


def created(ledger: Ledger, call: Call, answer: Created, now: float) -> None:
    """An answer without an inbox, or with that of another address, does not say which one is ours: a look does."""
    for account in members_of(ledger, call):
        account.wrote_at = now
        if answer.row is None or account.address not in {None, answer.row.address}:
            account.lost = Lost(f"call-{call.id}", now, call.begun, answered=True)
            account.look_at = None
            continue
        if _was_there_before(ledger, account, answer.row, call):
            ledger.inventory.revive(answer.row.inbox_id)
            show(ledger, (answer.row,), now)
            continue
        if call.domain_id is not None:
            ledger.domains.use(call.domain_id, 1)
        show(ledger, (answer.row,), now)
        ledger.take(account, answer.row.inbox_id, "Created", now)
        account.look_at = now + FIRST_LOOK


def _was_there_before(ledger: Ledger, account: Account, row: Row, call: Call) -> bool:
    """An upsert answers 2xx with an inbox that exists (contract row 7): adoptionPolicy decides about it.

    A clear 2xx is ours unless the inbox was known (rule 39). Clocks, which may differ within ColdSend too, decide for
    themselves only about what a look showed that had begun before the call left; of an inbox that nobody knew they are
    believed when it shows other values than those that were sent.
    """
    inventory = ledger.inventory
    if inventory.is_buried(row.inbox_id) or ledger.claims.holders(row.inbox_id, account.uid):
        return True
    as_sent = may_be_of(row, account.desired.spec.inbox_type) and shows_spec(account, row)
    doubtful = inventory.shown_before(row.inbox_id, call.begun) or not as_sent
    return doubtful and made_before(account, row, ledger)


def created_in_bulk(ledger: Ledger, call: Call, answer: BulkAnswer, now: float) -> None:
    members = members_of(ledger, call)
    if call.domain_id is not None:
        ledger.domains.use(call.domain_id, len(members))
    if answer.job_id is not None and call.operation is Operation.CREATE_SMTP_BULK:
        begin_job(ledger, call, answer.job_id, members, now)
        return
    ledger.parallel["Create"] = 4
    answered_at_once(ledger, call, "Create", answer, now)
    finish_members(ledger, f"call-{call.id}", members, jobs.failures(answer.results), now, left_at=call.begun)


def create_failed(ledger: Ledger, call: Call, failure: Failure, now: float) -> None:
    members = members_of(ledger, call)
    if failure.kind in UNKNOWN:
        single = call.operation is Operation.CREATE_SMTP
        earliest = call.begun + ledger.policy.check_timeout if single else 0.0
        for account in members:
            create_lost(account, call, now, earliest)
        outcome_unknown(ledger, call.operation, call.uids, now)
        return
    if failure.kind is FailureKind.PLAN_LIMIT and of_domain(call.operation, failure):
        ledger.domains.doubted = True
        for account in members:
            set_back(ledger, account, Reason.PLAN_LIMIT, f"ColdSend refused the inbox: {failure.message}", now)
        return
    if failure.kind in WORKSPACE:
        if failure.kind is FailureKind.PLAN_LIMIT:
            _beyond_plan(ledger, call, members, failure, now)
        return
    for account in members:
        account.unknowns = 0
    if failure.status is not None and failure.status < 300:  # `success: false` does not say that nothing was done
        for account in members:
            account.lost = Lost(f"call-{call.id}", now, call.begun, failure.message)
            account.wrote_at, account.look_at, account.looks = now, None, 0
        return
    if len(call.uids) > 1:
        _bulk_refused(ledger, call, members, failure, now)
        return
    for account in members:
        _refused(ledger, account, failure, now)


def not_taken_in(ledger: Ledger, call: Call, now: float) -> None:
    """Taking in the answer to a create failed: for whom nothing is known of it, its outcome is unknown (rule 39)."""
    for account in members_of(ledger, call):
        if not account.facts.held and account.lost is None and account.job is None:
            create_lost(account, call, now)


def _beyond_plan(ledger: Ledger, call: Call, members: list[Account], failure: Failure, now: float) -> None:
    """The plan may have room for some of a bulk, and of native inboxes it may be the domain that is full.

    The account that is refused alone waits alone, so the next one to try is another (rule 41).
    """
    if call.domain_id is not None:
        ledger.domains.doubted = True
    if len(call.uids) > 1:
        halve(ledger, ledger.splits, call.uids)
        return
    for account in members:
        message = f"The ColdSend plan of this workspace does not allow it: {failure.message}"
        set_back(ledger, account, Reason.PLAN_LIMIT, message, now)


def _refused(ledger: Ledger, account: Account, failure: Failure, now: float) -> None:
    """ColdSend refused one account."""
    native = account.desired.spec.native
    if failure.kind is FailureKind.CONFLICT or _says_exists(failure):
        account.unsure_at = now
        account.look_at, account.looks = None, 0
        since = account.repeats
        if since is not None and now < since - ledger.kube_offset + LATEST:
            # Most likely the lost create, which this one repeats, has done its work: it is looked for.
            account.since, account.lost = since, Lost(f"uid-{account.uid}", now)
        if native is not None:
            ledger.domains.doubted = True  # a full or inactive domain may answer so too (contract row 27)
        return
    if native is not None:
        ledger.domains.doubted = True
        if failure.kind is FailureKind.NOT_FOUND:
            message = "ColdSend does not know the domain of this inbox; add it, or create this object with another one."
            set_back(ledger, account, Reason.DOMAIN_NOT_FOUND, message, now)
            return
    message = failure.faults[0].message if failure.faults and not failure.message else failure.message
    reason = Reason.REJECTED if failure.faults else refusal_reason(message)
    set_back(ledger, account, reason, f"ColdSend refused the inbox: {message}", now)


def _says_exists(failure: Failure) -> bool:
    """A refusal of another code in the words of "exists" gets a look before it is believed."""
    return failure.kind is FailureKind.REFUSED and not failure.faults and says_exists(failure.message)


def _bulk_refused(ledger: Ledger, call: Call, members: list[Account], failure: Failure, now: float) -> None:
    """One bad item costs one item: by `loc` if it names one, else by halves (contract row 6)."""
    named = {fault.index: fault for fault in failure.faults if fault.index is not None}
    bad = {call.uids[index]: fault for index, fault in named.items() if 0 <= index < len(call.uids)}
    if not bad and too_many_jobs(ledger, "Create", Operation.CREATE_SMTP_BULK, failure):
        ledger.parallel["Create"] = 1  # perhaps too many jobs at once (contract row 43): they go again one by one
        return
    if bad and failure.kind is not FailureKind.TOO_LARGE:
        for account in members:
            fault = bad.get(account.uid)
            if fault is not None:
                message = f"ColdSend refused the inbox: {fault.field or 'request'}: {fault.message}"
                set_back(ledger, account, Reason.REJECTED, message, now)
        return
    halve(ledger, ledger.splits, call.uids)
