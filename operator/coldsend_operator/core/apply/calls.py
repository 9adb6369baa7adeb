"""A call leaves, and its accounts are busy until it ends; a write to Kubernetes has ended."""

from collections import Counter
from dataclasses import replace

from coldsend_operator.core.apply.common import members_of
from coldsend_operator.core.decide.questions import ours
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Call, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.pauses import POSTPONEMENTS
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
    """The call does not leave, without members or a fresh Lease: nothing was spent."""
    drop(workspace, call, set(call.uids))
    end(workspace, call)
    workspace.budget.cancel(probe=call.lane.probes)
    workspace.keys.breaker(call.key).end_probe(call.operation, call.namespaces)
    if call.sweeps:
        workspace.inventory.abandon()
        workspace.sweep_after = now + 1.0


def pause(workspace: Workspace, call: Call, now: float) -> None:
    """The call did not leave: only its own accounts wait a moment (rule 42)."""
    for account in members_of(workspace, call.uids):
        transitions.postponed(account, now)
        workspace.touch(account.uid)
    if call.job in workspace.jobs:
        workspace.jobs[call.job or ""].next_poll = now + POSTPONEMENTS[0]


def end(workspace: Workspace, call: Call) -> None:
    if workspace.in_flight.pop(call.id, None) is not None and call.operation is Operation.SEND_TEST_EMAIL:
        workspace.budget.mails.in_flight -= 1
    workspace.queues.end(call)
    if call.job in workspace.jobs:
        workspace.jobs[call.job or ""].in_flight = False


# -- writes to Kubernetes


def finalizers_added(workspace: Workspace, account: Account, finalizers: tuple[str, ...]) -> None:
    """The object has these finalizers of ours."""
    transitions.write_accepted(account)
    transitions.finalizers_shown(account, finalizers)
    workspace.patches.pop(account.uid, None)
    workspace.index(account)


def finalizers_removed(workspace: Workspace, account: Account) -> None:
    """Our finalizers are removed. For FORGET the id of the missing inbox is cleared too (rule 8)."""
    action = workspace.patches.pop(account.uid, None)
    transitions.write_accepted(account)
    transitions.finalizers_shown(account, ())
    _end_unknown_create(workspace, account)
    if action is Action.FORGET:
        transitions.forgotten(account)
    workspace.index(account)


def _end_unknown_create(workspace: Workspace, account: Account) -> None:
    """A lost create is over, unless its inbox has appeared just now."""
    unknown, rows = account.unknown_create, workspace.inventory.at(account.address or "")
    if any(ours(account, row, workspace) for row in rows):
        return
    transitions.create_over(account, repeatable=unknown is not None and unknown.matches and not rows)


def write_refused(workspace: Workspace, account: Account, why: str) -> None:
    """A policy or webhook of the cluster refused a write of our finalizers: status says so when it lasts."""
    transitions.write_refused(account, why)
    workspace.touch(account.uid)


def patch_failed(workspace: Workspace, account: Account) -> None:
    """A write to Kubernetes failed: decide again."""
    workspace.patches.pop(account.uid, None)
    workspace.touch(account.uid)
