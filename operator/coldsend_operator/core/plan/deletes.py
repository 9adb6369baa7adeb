"""Deletes, those of replacements first."""

from collections.abc import Iterator
from itertools import islice

from coldsend_operator.core.model.calls import BULK, Call, Lane, Operation, Scope
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import Alone, Candidate, by_deadline, exclusions, in_turn, plenty
from coldsend_operator.core.workspace.jobs import idle
from coldsend_operator.core.workspace.workspace import Workspace


def deletes(workspace: Workspace, now: float, alone: Alone) -> Iterator[Candidate]:
    """The halves of a failed bulk come before the rest of their namespaces and delay no other (rule 41)."""
    busy = sum(1 for call in workspace.in_flight.values() if call.operation is Operation.DELETE_ACCOUNTS)
    jobs = sum(1 for job in workspace.jobs.values() if job.operation == "Delete" and not idle(job))
    without = workspace.budget.exhausted_by(now, probes=False)
    splits = [
        (kind.key, uids)
        for split in workspace.splits[Scope.DELETE]
        for kind, uids in workspace.queues.still_waiting(split, Action.DELETE).items()
    ]
    halved = frozenset[str]().union(*(workspace.namespaces_of(uids) for _, uids in splits))
    for kind, queue in workspace.queues.items():
        if kind.action is not Action.DELETE:
            continue
        for left_out in exclusions(workspace, Operation.DELETE_ACCOUNTS, kind.key, queue, without | halved, now):
            uids = queue.first(BULK, left_out)
            if not uids or (len(uids) > 1 and busy + jobs >= workspace.parallel["Delete"]):
                continue
            ready_at = queue.ready_at(now, BULK, plenty=plenty(workspace, now))
            if kind.lane is Lane.DELETE:
                ready_at = max(ready_at, workspace.brake.leaves_at(uids))
            yield from _delete(workspace, kind.key, uids, kind.lane, ready_at, alone)
    having_turn = ((key, uids) for key, split in splits if (uids := in_turn(workspace, split, without)))
    for key, uids in islice(having_turn, 1):
        yield from _delete(workspace, key, uids, Lane.DELETE, now, alone)


def _delete(
    workspace: Workspace, key: str, uids: tuple[str, ...], lane: Lane, ready_at: float, alone: Alone
) -> Iterator[Candidate]:
    found = alone.each(uids, lambda uid: (uid, workspace.accounts[uid].stored.inbox_id or ""))
    if not found:
        return
    operation = Operation.DELETE_ACCOUNTS if len(found) > 1 else Operation.DELETE_ACCOUNT
    inbox_ids = tuple(workspace.inventory.spelled(inbox_id) for _, inbox_id in found)
    yield by_deadline(workspace, ready_at, Call(operation, lane, key, tuple(uid for uid, _ in found), inbox_ids))
