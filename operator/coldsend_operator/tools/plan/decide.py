"""From the current and the desired objects to the plan. No I/O; the time is a parameter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coldsend_operator.accounts.policy import namespace_settings
from coldsend_operator.core.model.policy import NamespaceSettings, Policy
from coldsend_operator.tools.manifests import Document
from coldsend_operator.tools.output import counted, few
from coldsend_operator.tools.plan.changes import Change, ChangeKind, changes
from coldsend_operator.tools.plan.children import settle_batches
from coldsend_operator.tools.plan.objects import apply, apply_namespaces, prune
from coldsend_operator.tools.plan.rehearsal import Rehearsal
from coldsend_operator.tools.plan.report import Cost, PlanReport
from coldsend_operator.tools.plan.sources import Found
from coldsend_operator.tools.plan.workspaces import ListedWorkspace, PlannedWorkspace, PlannedWorkspaces, workspaces
from coldsend_operator.tools.terminal import Progress


@dataclass(frozen=True, slots=True)
class Manifests:
    """The manifests to apply. `namespace` is for those without one; `selector` None: no pruning.

    `covered`: the namespaces that the plan is about; None: all of them.
    """

    documents: Iterable[Document] = ()
    namespace: str = "default"
    selector: str | None = None
    covered: frozenset[str] | None = None
    namespaces: Iterable[Document] = ()  # Namespaces among the manifests


def decide(
    found: Found, manifests: Manifests, policy: Policy, listed: ListedWorkspace | None, now: float
) -> PlanReport:
    """Apply the manifests, update the children of batches, and run the core until nothing is left to do."""
    world = found.world
    apply_namespaces(world, manifests.namespaces)
    named = apply(world, manifests.documents, manifests.namespace, now)
    if manifests.selector is not None:
        prune(world, named, manifests.selector, manifests.covered, now)
    policy.namespaces = dict(_namespaces(found))
    refused = settle_batches(world, policy, now)
    reading = workspaces(world, policy, listed, now, found.secrets)
    remaining = [_restore(planned, found, now) for planned in reading.workspaces]
    rehearsals = []
    with Progress("workspaces") as progress:
        for position, planned in enumerate(reading.workspaces, start=1):
            rehearsals.append(Rehearsal(planned.workspace, planned.coldsend, now))
            rehearsals[-1].run()
            progress.show(position, len(reading.workspaces))
    spending = [left for left, each in zip(remaining, rehearsals, strict=True) if each.requests] or remaining
    known = [left for left in spending if left is not None]
    cost = Cost(
        sum(each.requests.total() for each in rehearsals),
        max((each.done_at - each.begun for each in rehearsals), default=0.0),
        sum(known) if known else None,
    )
    covered = manifests.covered
    rows = [row for row in changes(rehearsals, world, refused) if covered is None or row.namespace in covered]
    warnings = [*found.remarks, *_warnings(reading, listed, found)]
    return PlanReport(rows, cost, warnings, unsure=_unsure(rows, reading))


def _unsure(rows: Iterable[Change], reading: PlannedWorkspaces) -> int:
    """The number of objects that stay as they are only if their Secrets are unchanged."""
    unknown = reading.secrets_unread | reading.uncompared
    return sum(row.action is ChangeKind.NONE and (row.namespace, row.name) in unknown for row in rows)


def _namespaces(found: Found) -> Iterator[tuple[str, NamespaceSettings]]:
    for name, raw in found.world.namespaces.items():
        try:
            yield name, namespace_settings(raw)
        except Exception:  # noqa: BLE001 - what is wrong with one costs that one alone (rule 38)
            found.remarks.append(f"namespace {name} cannot be read: the plan ignores its annotations")


def _restore(planned: PlannedWorkspace, found: Found, now: float) -> int | None:
    """Load the operator's stored state of this workspace. Returns the requests left of the hour."""
    workspace = planned.workspace
    stored = found.state.get(workspace.digest)
    if not isinstance(stored, dict):
        return None
    workspace.budget.load(stored.get("budget", {}), now)
    workspace.brake.load(stored.get("brake", {}), now)
    workspace.keys.load(stored.get("lackCreate", {}), now)
    return workspace.budget.remaining(now)[1]


def _warnings(reading: PlannedWorkspaces, listed: ListedWorkspace | None, found: Found) -> Iterator[str]:
    unread = reading.secrets_unread
    if unread and found.secrets is None:
        yield (
            f"no Secret was read: for {counted(len(unread), 'object', 'objects')} with passwords, the plan does not "
            "show whether their Secrets exist and changed"
        )
    elif unread:
        some = few(["/".join(place) for place in sorted(unread)])
        yield f"you may not read the Secrets of these objects, so the plan does not show their changes: {some}"
    if listed is None:
        yield "ColdSend was not queried: inboxes that no object shows count as absent; use --live to query it"
    if reading.domains_unread:
        yield "the domains of new COLDSEND inboxes are assumed to be active and not full"
