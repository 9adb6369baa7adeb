"""Test mails."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import Alone, Candidate, queue_of, score
from coldsend_operator.core.workspace.workspace import Workspace


def mails(workspace: Workspace, now: float, alone: Alone) -> Iterator[Candidate]:
    queue = queue_of(workspace, Action.MAIL)
    if not len(queue):
        return
    uids = queue.first(1, workspace.budget.exhausted_by(now, probes=False))
    found = alone.each(uids, lambda uid: workspace.accounts[uid].stored.inbox_id or "")
    if not found:
        return
    budget = workspace.budget  # shared by the keys of one workspace, like the share of test mails (rule 45)
    ready_at = max(queue.since, budget.mails.free_at(now, budget.minute_limit, budget.hour_limit))
    yield Candidate(
        ready_at=ready_at,
        score=score(workspace, Lane.MAIL, ready_at),
        operation=Operation.SEND_TEST_EMAIL,
        lane=Lane.MAIL,
        uids=uids,
        inbox_ids=(workspace.inventory.spelled(found[0]),),
    )
