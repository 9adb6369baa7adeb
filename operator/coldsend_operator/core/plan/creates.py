"""Creates: a lone one by the single endpoint, several in bulks."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import Call, Lane, Operation, Scope
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import Candidate, by_deadline, exclusions, in_turn, plenty
from coldsend_operator.core.plan.probes import newest_under_way
from coldsend_operator.core.workspace.jobs import idle
from coldsend_operator.core.workspace.queues import CallKind, Queue
from coldsend_operator.core.workspace.workspace import Workspace


def creates(workspace: Workspace, now: float) -> Iterator[Candidate]:
    """The halves of a failed bulk come before the rest of their namespaces, but after all others (rule 41)."""
    without = workspace.budget.exhausted_by(now, probes=False)
    splits: dict[CallKind, tuple[str, ...]] = {}  # the first of each kind
    halved: dict[CallKind, frozenset[str]] = {}
    for split in workspace.splits[Scope.CREATE]:
        for kind, uids in workspace.queues.still_waiting(split, Action.CREATE).items():
            halved[kind] = halved.get(kind, frozenset()) | workspace.namespaces_of(uids)
            if having_turn := in_turn(workspace, uids, without):
                splits.setdefault(kind, having_turn)
    for kind, queue in workspace.queues.items():
        if kind.action is Action.CREATE and len(queue):
            left = without | halved.get(kind, frozenset())
            for left_out in exclusions(workspace, Operation.CREATE_SMTP, kind.key, queue, left, now):
                yield from _waiting(workspace, kind, queue, left_out, now)
    for kind, uids in splits.items():
        yield from _sent(workspace, kind, uids, workspace.queues[kind].since)


def _waiting(
    workspace: Workspace, kind: CallKind, queue: Queue, without: frozenset[str], now: float
) -> Iterator[Candidate]:
    if kind.group.startswith("single:"):
        yield from _sent(workspace, kind, queue.first(1, without), queue.since)
    else:
        ready_at = queue.ready_at(now, workspace.policy.bulk, plenty=plenty(workspace, now))
        yield from _sent(workspace, kind, queue.first(_most(workspace, kind.group), without), ready_at)


def _sent(workspace: Workspace, kind: CallKind, uids: tuple[str, ...], ready_at: float) -> Iterator[Candidate]:
    if len(uids) == 1 or (uids and _bulk_free(workspace, kind.group)):
        domain_id = None if kind.group == "smtp" else kind.group.removeprefix("single:")
        call = Call(_operation(kind.group, len(uids)), Lane.CREATE, kind.key, uids, domain_id=domain_id)
        yield by_deadline(workspace, ready_at, call)


def _bulk_free(workspace: Workspace, group: str) -> bool:
    """Whether one more bulk of this kind may leave: only SMTP bulks have jobs to wait for."""
    operation = _operation(group, 2)
    busy = sum(1 for call in workspace.in_flight.values() if call.operation is operation)
    if operation is Operation.CREATE_SMTP_BULK:
        busy += sum(1 for job in workspace.jobs.values() if job.operation == "Create" and not idle(job))
    return busy < workspace.parallel["Create"] and not newest_under_way(workspace)


def _operation(group: str, count: int) -> Operation:
    if group == "smtp":
        return Operation.CREATE_SMTP_BULK if count > 1 else Operation.CREATE_SMTP
    return Operation.CREATE_NATIVE_BULK if count > 1 else Operation.CREATE_NATIVE


def _most(workspace: Workspace, group: str) -> int:
    """A bulk carries 100 accounts, and of native inboxes no more than fit into the domain."""
    domain, most = None if group == "smtp" else workspace.domains.by_id(group), workspace.policy.bulk
    return most if domain is None else max(0, min(most, workspace.domains.free(domain)))
