"""From what was found and what is asked for to what would happen. No I/O, and the time is given."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coldsend_operator.accounts.policy import namespace_settings
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.tools.manifests import Document
from coldsend_operator.tools.plan.changes import changes
from coldsend_operator.tools.plan.children import settle_batches
from coldsend_operator.tools.plan.objects import apply, prune
from coldsend_operator.tools.plan.rehearsal import Rehearsal
from coldsend_operator.tools.plan.report import Cost, Report
from coldsend_operator.tools.plan.sources import Found
from coldsend_operator.tools.plan.workspaces import Listed, PlannedWorkspace, Reading, workspaces
from coldsend_operator.tools.terminal import Progress


@dataclass(frozen=True, slots=True)
class Manifests:
    """What is to be applied. `namespace` is for those that name none; None as `selector`: nothing is pruned."""

    documents: Iterable[Document] = ()
    namespace: str = "default"
    selector: str | None = None
    pruned_namespace: str | None = None  # None: all of them


def decide(found: Found, manifests: Manifests, policy: Policy, listed: Listed | None, now: float) -> Report:
    """Apply the manifests, let the batches settle, and let the core go on until nothing is left to do."""
    world = found.world
    named = apply(world, manifests.documents, manifests.namespace, now)
    if manifests.selector is not None:
        prune(world, named, manifests.selector, manifests.pruned_namespace, now)
    policy.namespaces = {name: namespace_settings(raw) for name, raw in world.namespaces.items()}
    refused = settle_batches(world, policy, now)
    reading = workspaces(world, policy, listed, now)
    remaining = [_restore(planned, found, now) for planned in reading.workspaces]
    rehearsals = []
    with Progress("workspaces") as progress:
        for position, planned in enumerate(reading.workspaces, start=1):
            rehearsals.append(Rehearsal(planned.workspace, planned.coldsend, now))
            rehearsals[-1].run()
            progress.show(position, len(reading.workspaces))
    known = [left for left in remaining if left is not None]
    cost = Cost(
        sum(each.requests.total() for each in rehearsals),
        max((each.done_at - each.begun for each in rehearsals), default=0.0),
        sum(known) if known else None,
    )
    return Report(changes(rehearsals, world, refused), cost, [*found.remarks, *_warnings(reading, listed)])


def _restore(planned: PlannedWorkspace, found: Found, now: float) -> int | None:
    """Take in what the operator has stored of this workspace; the requests left of the hour."""
    workspace = planned.workspace
    stored = found.state.get(workspace.digest)
    if not isinstance(stored, dict):
        return None
    workspace.budget.load(stored.get("budget", {}), now)
    workspace.brake.load(stored.get("brake", {}), now)
    return workspace.budget.remaining(now)[1]


def _warnings(reading: Reading, listed: Listed | None) -> Iterator[str]:
    if reading.secrets_unread:
        yield (
            f"no Secret was read: of {reading.secrets_unread:,} objects with passwords a change that status does not "
            "show yet is not in this plan, nor whether a new one finds its Secret"
        )
    if listed is None:
        yield "ColdSend was not asked: inboxes that no object shows count as absent; --live asks"
    if reading.domains_unread:
        yield "the domains of new COLDSEND inboxes count as active, with room"
