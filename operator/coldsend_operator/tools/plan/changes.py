"""The change of each object in a rehearsal, as one word."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Scope
from coldsend_operator.core.model.conditions import condition
from coldsend_operator.core.model.decision import Decision
from coldsend_operator.core.model.reasons import ConditionType, Reason
from coldsend_operator.core.model.stored_status import from_text
from coldsend_operator.core.status.projection import project
from coldsend_operator.resources.names import ACCOUNT_KIND
from coldsend_operator.tools.plan.children import RefusedInbox
from coldsend_operator.tools.plan.objects import World
from coldsend_operator.tools.plan.rehearsal import SECRET, Past, Rehearsal
from coldsend_operator.tools.plan.workspaces import UNKNOWN_NAME


class ChangeKind(StrEnum):
    """What would happen to an object and its inbox, in the order of the table."""

    RECREATE = "recreate"
    DELETE = "delete"
    HOLD = "hold"
    CONFLICT = "conflict"
    REFUSE = "refuse"
    CREATE = "create"
    ADOPT = "adopt"
    ORPHAN = "orphan"
    HAND_OVER = "hand-over"
    DRIFT = "drift"
    WAIT = "wait"
    NONE = "none"

    @property
    def changes(self) -> bool:
        """Whether something happens, or an impossible change was requested."""
        return self not in {ChangeKind.DRIFT, ChangeKind.WAIT, ChangeKind.NONE}


ORDER = {action: position for position, action in enumerate(ChangeKind)}
_CONFLICTS = frozenset({Reason.ADDRESS_CONFLICT, Reason.ALREADY_EXISTS})
_DIFFERENCES = frozenset({Reason.DRIFTED, Reason.UPDATE_NOT_SUPPORTED, Reason.SECRET_CHANGED})


UNREADABLE = "The object cannot be read ({why}): the operator skips it and does not touch its inbox."


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the plan."""

    action: ChangeKind
    kind: str
    namespace: str
    name: str
    address: str
    reason: str
    message: str
    new: bool = False  # the object does not exist yet

    @property
    def changes(self) -> bool:
        """Whether the plan counts it as a change: a new object does, also while it waits."""
        return self.action.changes or (self.action is ChangeKind.WAIT and self.new)

    def to_json(self) -> dict[str, str]:
        return {
            "action": self.action.value,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "address": self.address,
            "reason": self.reason,
            "message": self.message,
        }


def changes(rehearsals: Iterable[Rehearsal], world: World, refused: Iterable[RefusedInbox]) -> list[Change]:
    """All rows, destructive ones first."""
    accounts = (_readable(past, rehearsal) for rehearsal in rehearsals for past in rehearsal.pasts.values())
    found = [replace(row, new=(row.kind, row.namespace, row.name) in world.new) for row in accounts]
    found += [
        Change(ChangeKind.REFUSE, kind, namespace, name, "", Reason.INVALID_SPEC, UNREADABLE.format(why=why))
        for (kind, namespace, name), why in world.unreadable.items()
    ]
    found += [
        Change(ChangeKind.REFUSE, kind, namespace, name, address, Reason.INVALID_SPEC, str(problem))
        for (kind, namespace, name), address, problem in world.refused
    ]
    found += _of_batches(refused, found)
    return sorted(found, key=lambda each: (ORDER[each.action], each.namespace, each.kind, each.name, each.message))


def _of_batches(refused: Iterable[RefusedInbox], known: list[Change]) -> Iterator[Change]:
    told = {(each.namespace, each.name) for each in known if each.message.startswith("spec.inboxes[")}
    for each in refused:
        kind, namespace, name = each.batch
        conflict = each.refusal.reason is Reason.ADDRESS_CONFLICT
        if conflict or (namespace, name) not in told:
            action = ChangeKind.CONFLICT if conflict else ChangeKind.REFUSE
            yield Change(action, kind, namespace, name, each.address, each.refusal.reason, each.refusal.message)


def _readable(past: Past, rehearsal: Rehearsal) -> Change:
    """The row of an account; an account whose decision failed is refused (rule 38)."""
    error = rehearsal.workspace.undecided.get(past.account.uid)
    try:
        if error is None:
            return _change(past, rehearsal)
    except Exception as other:  # noqa: BLE001 - what goes wrong with one costs that one alone
        error = other
    desired, why = past.account.desired, UNREADABLE.format(why=type(error).__name__)
    return Change(ChangeKind.REFUSE, ACCOUNT_KIND, desired.namespace, desired.name, "", Reason.INVALID_SPEC, why)


def _change(past: Past, rehearsal: Rehearsal) -> Change:
    account = past.account
    desired = account.desired
    decision = rehearsal.workspace.decisions.get(account.uid, Decision())
    of_end = desired.deleting is not None
    action, reason, message = _end(past, decision) if of_end else _life(past, decision, rehearsal)
    address = account.address or desired.spec.email_address or ""
    return Change(action, ACCOUNT_KIND, desired.namespace, desired.name, address, str(reason), message)


Said = tuple[ChangeKind, str, str]


def _end(past: Past, decision: Decision) -> Said:
    """The change of an object in deletion."""
    had = past.at_first.held
    if past.gone and past.taken_over_by is not None and had:
        other = past.taken_over_by.desired
        message = f"The inbox goes to {other.namespace}/{other.name} and stays in ColdSend."
        return ChangeKind.HAND_OVER, Reason.HANDED_OVER, message
    if past.gone and Scope.DELETE in past.called_for:
        return ChangeKind.DELETE, Reason.DELETING, "The object is deleted together with its inbox in ColdSend."
    if past.gone and had and past.account.not_found_at is None:
        return ChangeKind.ORPHAN, Reason.DELETING, "The object is deleted; its inbox stays in ColdSend."
    if past.gone:
        return ChangeKind.NONE, Reason.DELETING, "The object is deleted; it has no inbox."
    if decision.reason is Reason.DELETION_HELD:
        return ChangeKind.HOLD, decision.reason, decision.message
    if decision.reason in _CONFLICTS:
        return ChangeKind.CONFLICT, decision.reason, decision.message
    return ChangeKind.WAIT, decision.reason or Reason.DELETING, decision.message


def _life(past: Past, decision: Decision, rehearsal: Rehearsal) -> Said:
    """The change of an object that stays."""
    account, first = past.account, past.at_first
    if account.desired.problems:
        return ChangeKind.REFUSE, Reason.INVALID_SPEC, " ".join(account.desired.problems)
    if Scope.DELETE in past.called_for:
        what = "Its Secret has" if past.difference == SECRET else "Its spec has"
        return (
            ChangeKind.RECREATE,
            Reason.RECREATING,
            f"{what} changed: the inbox is deleted and created again with a new id.",
        )
    if decision.reason is Reason.DELETION_HELD:
        return ChangeKind.HOLD, decision.reason, decision.message
    if Scope.CREATE in past.called_for:
        again = " again, as it was removed in ColdSend" if first.held else ""
        return ChangeKind.CREATE, Reason.PROVISIONING, f"The inbox is created{again}."
    if account.stored.held and not first.held:
        if account.stored.handed_over_from is not None:
            former, said = account.stored.handed_over_from, _state(account, decision, rehearsal)
            message = f"The object takes over the inbox of {former.namespace}/{former.name}."
            return said if said[0] is ChangeKind.DRIFT else (ChangeKind.NONE, Reason.HANDED_OVER, message)
        return ChangeKind.ADOPT, Reason.ADOPTED, "The inbox already exists in ColdSend; the object adopts it."
    if decision.reason in _CONFLICTS:
        return ChangeKind.CONFLICT, decision.reason, decision.message
    return _state(account, decision, rehearsal)


def _state(account: Account, decision: Decision, rehearsal: Rehearsal) -> Said:
    status = project(account, rehearsal.workspace, rehearsal.now) or {}
    synced = condition(status, ConditionType.SYNCED)
    if synced.get("reason") in _DIFFERENCES:
        reason, message = synced["reason"], synced["message"]
        if UNKNOWN_NAME in message:
            message = _told(account, ConditionType.SYNCED, reason, message)
        return ChangeKind.DRIFT, reason, message
    if decision.reason is not None:
        message = _told(account, ConditionType.READY, decision.reason, decision.message)
        return ChangeKind.WAIT, decision.reason, message
    return ChangeKind.NONE, Reason.IN_SYNC, ""


def _told(account: Account, kind: ConditionType, reason: str, message: str) -> str:
    """The message of status if it has this reason: the operator knows names and times that the rehearsal does not."""
    stored = condition(from_text(account.raw_status), kind)
    same = (stored.get("reason"), stored.get("observedGeneration")) == (reason, account.desired.generation)
    return str(stored.get("message") or message) if same else message
