"""The domains of native inboxes."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import Candidate, queue_of
from coldsend_operator.core.workspace.workspace import Workspace


def domains(workspace: Workspace) -> Iterator[Candidate]:
    queue = queue_of(workspace, Action.DOMAINS)
    flying = any(call.operation is Operation.LIST_DOMAINS for call in workspace.in_flight.values())
    if not len(queue) or flying:
        return
    yield Candidate(
        ready_at=max(queue.since, workspace.domains.free_at),
        score=queue.since + Lane.CREATE.may_wait,
        operation=Operation.LIST_DOMAINS,
        lane=Lane.PROBE,
        page=workspace.domains.page,
    )
