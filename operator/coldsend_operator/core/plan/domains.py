"""The domains of native inboxes."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import Candidate, queues_of
from coldsend_operator.core.workspace.workspace import Workspace


def domains(workspace: Workspace) -> Iterator[Candidate]:
    waiting = [queue for _, queue in queues_of(workspace, Action.DOMAINS)]
    flying = any(call.operation is Operation.LIST_DOMAINS for call in workspace.in_flight.values())
    if not waiting or flying:
        return
    since = min(queue.since for queue in waiting)
    yield Candidate(
        ready_at=max(since, workspace.domains.free_at),
        score=since + Lane.CREATE.may_wait,
        operation=Operation.LIST_DOMAINS,
        lane=Lane.PROBE,
        key=workspace.keys.for_list(Operation.LIST_DOMAINS),
        page=workspace.domains.page,
    )
