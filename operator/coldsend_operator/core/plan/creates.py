"""Creates: a lone one by the single endpoint, several in bulks."""

from collections.abc import Iterator

from coldsend_operator.core.model.calls import BULK, Lane, Operation
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.plan.candidate import Alone, Candidate, parts, plenty, score
from coldsend_operator.core.plan.probes import newest_under_way
from coldsend_operator.core.workspace.jobs import idle
from coldsend_operator.core.workspace.queues import Queue
from coldsend_operator.core.workspace.workspace import Workspace


def creates(workspace: Workspace, now: float, alone: Alone) -> Iterator[Candidate]:
    """The halves of a failed bulk come before the rest of their namespaces, but after all others (rule 41)."""
    without = workspace.budget.exhausted_by(now, probes=False)
    splits: dict[str, tuple[str, ...]] = {}  # the first of each group
    halved: dict[str, frozenset[str]] = {}
    for split in workspace.splits:
        uids = workspace.still_queued(split, Action.CREATE)
        (group,) = alone.each(uids[:1], lambda uid: workspace.create_group(workspace.accounts[uid])) or ("",)
        halved[group] = halved.get(group, frozenset()) | workspace.namespaces_of(uids)
        if in_turn := workspace.in_turn(uids, without):
            splits.setdefault(group, in_turn)
    for (action, group), queue in workspace.queues.items():
        if action is Action.CREATE and len(queue):
            for left_out in parts(
                workspace, Operation.CREATE_SMTP, queue, without | halved.get(group, frozenset()), now
            ):
                yield from _waiting(workspace, group, queue, left_out, now)
    for group, uids in splits.items():
        yield from _sent(workspace, group, uids, _since(workspace, group, now))


def _waiting(
    workspace: Workspace, group: str, queue: Queue, without: frozenset[str], now: float
) -> Iterator[Candidate]:
    if group.startswith("single:"):
        yield from _sent(workspace, group, queue.first(1, without), queue.since)
    else:
        ready_at = queue.ready_at(now, BULK, plenty=plenty(workspace, now))
        yield from _sent(workspace, group, queue.first(_most(workspace, group), without), ready_at)


def _sent(workspace: Workspace, group: str, uids: tuple[str, ...], ready_at: float) -> Iterator[Candidate]:
    if len(uids) == 1 or (uids and _bulk_free(workspace, group)):
        yield _create(workspace, uids, group, ready_at)


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


def _since(workspace: Workspace, group: str, now: float) -> float:
    queue = workspace.queues.get((Action.CREATE, group))
    return queue.since if queue else now


def _most(workspace: Workspace, group: str) -> int:
    """A bulk carries 100 accounts, and of native inboxes no more than fit into the domain."""
    domain = None if group == "smtp" else workspace.domains.by_id(group)
    return BULK if domain is None else max(0, min(BULK, workspace.domains.free(domain)))


def _create(workspace: Workspace, uids: tuple[str, ...], group: str, ready_at: float) -> Candidate:
    return Candidate(
        ready_at=ready_at,
        score=score(workspace, Lane.CREATE, ready_at, group),
        operation=_operation(group, len(uids)),
        lane=Lane.CREATE,
        uids=uids,
        domain_id=None if group == "smtp" else group.removeprefix("single:"),
    )
