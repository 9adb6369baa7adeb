"""A call leaves: its accounts leave their queues and are busy until it has ended."""

from collections import Counter
from dataclasses import replace

from coldsend_operator.core.calls import Call, Operation
from coldsend_operator.core.folding.pieces import HOLDS, hold, members_of
from coldsend_operator.core.ledger import Ledger
from coldsend_operator.core.planning import Candidate
from coldsend_operator.core.records import Account


def launch(ledger: Ledger, candidate: Candidate, now: float) -> Call:
    """The candidate leaves its queue: from here on its accounts are busy."""
    call = Call(
        id=ledger.next_call_id(),
        operation=candidate.operation,
        lane=candidate.lane,
        uids=candidate.uids,
        namespaces=ledger.namespaces_of(candidate.uids),
        inbox_ids=candidate.inbox_ids,
        domain_id=candidate.domain_id,
        address=candidate.address,
        job=candidate.job,
        page=candidate.page,
        newest=candidate.newest,
        begun=now,
    )
    taken = set(call.uids)
    if call.operation.creates:
        ledger.splits = [split for split in ledger.splits if not taken.intersection(split)]
    elif call.operation.deletes:
        ledger.delete_splits = [split for split in ledger.delete_splits if not taken.intersection(split)]
    _leave_queue(ledger, call, now)
    for uid in call.uids:
        account = ledger.accounts[uid]
        account.busy = call.id
        if call.operation.creates:
            if account.lost is not None:  # it goes again with its half: "exists" most likely speaks of the lost one
                account.repeats = account.since
            account.creating, account.since, account.lost = True, None, None
            ledger.index(account)
    if call.job is not None:
        ledger.jobs[call.job].flying = True
    if call.operation is Operation.LIST_ACCOUNTS and not call.newest and ledger.inventory.sweep is None:
        ledger.inventory.begin(now)
    if call.operation is Operation.LIST_DOMAINS:
        ledger.domains.begin(now)
    ledger.flying[call.id] = call
    ledger.last_served[f"{call.lane}{_group(call)}"] = now
    ledger.budget.start(look=call.lane.looks)
    if call.uids:
        namespaces = Counter(ledger.accounts[uid].desired.namespace for uid in call.uids)
        ledger.budget.shares.charge(namespaces.most_common(1)[0][0], now)
    if call.operation is Operation.SEND_TEST_EMAIL:
        ledger.budget.mails.flying += 1
    ledger.breaker.start(call.operation, call.namespaces)
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
            release(account)
            ledger.index(account)
    kept = [index for index, uid in enumerate(call.uids) if uid not in members]
    smaller = replace(
        call,
        uids=tuple(call.uids[index] for index in kept),
        inbox_ids=tuple(call.inbox_ids[index] for index in kept) if call.inbox_ids else (),
    )
    ledger.flying[call.id] = smaller
    return smaller


def leave(ledger: Ledger, call: Call, now: float) -> Call:
    """The call is prepared and leaves now."""
    call = replace(call, begun=now)
    ledger.flying[call.id] = call
    return call


def release(account: Account) -> None:
    """No call carries the account any more."""
    account.busy = None
    account.creating = False


def cancel(ledger: Ledger, call: Call, now: float) -> None:
    """The call does not leave (no member left, or the Lease is not fresh): nothing was spent."""
    drop(ledger, call, set(call.uids))
    end(ledger, call)
    ledger.budget.cancel(look=call.lane.looks)
    ledger.breaker.cancel(call.operation, call.namespaces)
    if call.operation is Operation.LIST_ACCOUNTS and not call.newest:
        ledger.inventory.abandon()
        ledger.sweep_after = now + 1.0


def pause(ledger: Ledger, call: Call, now: float) -> None:
    """The call did not leave: what it was for waits a moment, and nothing else does (rule 42)."""
    for account in members_of(ledger, call):
        hold(account, now)
        ledger.touch(account.uid)
    if call.job in ledger.jobs:
        ledger.jobs[call.job or ""].next_poll = now + HOLDS[0]


def end(ledger: Ledger, call: Call) -> None:
    if ledger.flying.pop(call.id, None) is not None and call.operation is Operation.SEND_TEST_EMAIL:
        ledger.budget.mails.flying -= 1
    key = ledger.queue_of_call.pop(call.id, None)
    if key is not None and key in ledger.queues:
        ledger.queues[key].flying -= 1
    if call.job in ledger.jobs:
        ledger.jobs[call.job or ""].flying = False
