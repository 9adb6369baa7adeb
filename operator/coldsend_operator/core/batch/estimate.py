"""When a batch is expected to be done within the budget (`status.estimatedCompletionTime`)."""

from coldsend_operator.core.model.calls import BULK, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.times import rfc3339, unix_of
from coldsend_operator.core.workspace.wait_estimate import REQUESTS_PER_BULK
from coldsend_operator.core.workspace.workspace import Workspace

MOVED_SHARE = 0.1  # of the time left
MOVED_LEAST = 30.0


def completion(workspace: Workspace, key: str, namespace: str, left: int, now: float) -> float | None:
    """When `left` inboxes and all others that wait in the workspace are done; None while no creates are possible.

    All waiting inboxes count, as the order of their turns is not known.
    """
    if workspace.keys.breaker(key).block_of(Operation.CREATE_SMTP, frozenset({namespace})) is not None:
        return None
    waiting = sum(
        len(queue) for kind, queue in workspace.queues.items() if kind.action in {Action.CREATE, Action.DELETE}
    )
    carried = sum(len(job.members) for job in workspace.jobs.values())
    calls = -(-max(left - carried, waiting, 0) // BULK)
    return (
        workspace.budget.done_at(now, REQUESTS_PER_BULK * calls + len(workspace.jobs)) + workspace.policy.poll_seconds
    )


def told(before: str | None, at: float | None, now: float) -> str | None:
    """The time for status: the previous one, as long as it is about right."""
    if at is None:
        return None
    if before is not None:
        known = unix_of(before) or 0.0
        if known > now and abs(known - at) <= max(MOVED_LEAST, MOVED_SHARE * (at - now)):
            return before
    return rfc3339(at)
