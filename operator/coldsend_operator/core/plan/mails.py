"""Test mails."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import Alone, Candidate, queues_of, score
from coldsend_operator.core.workspace.workspace import Workspace


def mails(workspace: Workspace, now: float, alone: Alone) -> Iterator[Candidate]:
    budget = workspace.budget  # shared by the keys of one workspace, like the share of test mails (rule 45)
    without, free_at = budget.exhausted_by(now, probes=False), None
    for key, queue in queues_of(workspace, Action.MAIL):
        uids = queue.first(1, without)
        found = alone.each(uids, lambda uid: workspace.accounts[uid].stored.inbox_id or "")
        if not found:
            continue
        if free_at is None:
            free_at = budget.mails.free_at(now, budget.minute_limit, budget.hour_limit)
        ready_at = max(queue.since, free_at)
        yield Candidate(
            ready_at=ready_at,
            score=score(workspace, Lane.MAIL, key, ready_at),
            operation=Operation.SEND_TEST_EMAIL,
            lane=Lane.MAIL,
            key=key,
            uids=uids,
            inbox_ids=(workspace.inventory.spelled(found[0]),),
        )
