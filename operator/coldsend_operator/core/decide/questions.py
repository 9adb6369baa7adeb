"""Questions that several kinds of decisions share."""

from dataclasses import replace

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import INBOX_TYPES, Row, name_key
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.pauses import PAUSES
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored import Former
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.workspace.workspace import Workspace

CLOCK_SLACK = 5.0  # seconds that created_at may be before our create mark (rule 6)
APPROVE = "set the annotation coldsend.pro/approve-deletion: 'true'"
KEEP = "set deletionPolicy: Orphan, or the annotation coldsend.pro/force-orphan: 'true'"
LATEST = 3600.0  # seconds after which no inbox is matched with a lost create
IMPLAUSIBLE_AT = 10  # known inboxes that must be missing at once before a list is not trusted


def ours(account: Account, row: Row, workspace: Workspace) -> bool:
    """Whether a row can only be from the lost create of this account (rules 6 and 39).

    Clocks decide for lost responses only: if ColdSend accepted the create and reported no failure, the inbox
    is ours, also one that ColdSend shows without a name. No call leaves while an inbox is known at its address, so only
    an earlier probe is ambiguous.
    """
    unknown = account.unknown_create
    if unknown is None or not unknown.matches:
        return False
    spec = account.desired.spec
    if not may_be_of(row, spec.inbox_type):
        return False
    sent_name = unknown.sent.display_name if unknown.sent is not None else None
    names = {name_key(name) for name in (spec.display_name, sent_name or spec.display_name)}
    named = name_key(row.display_name) in names
    left_at = unknown.left_at if unknown.answered and unknown.hint is None else None
    done = left_at is not None and not workspace.inventory.shown_before(row.inbox_id, left_at)
    if done and (named or row.display_name is None):
        return True
    if not named and not (done and unknown.sent is None):  # the name that an earlier run sent may be another
        return False
    made = _made(row, workspace)
    if made is None or unknown.mark is None or made_before(account, row, workspace):
        return False
    marked = unknown.mark - workspace.kube_offset
    return made <= (max(unknown.at, marked) if unknown.answered else marked) + LATEST


def made_before(account: Account, row: Row, workspace: Workspace) -> bool:
    """Whether an inbox existed before our create, and before the lost one that it repeats."""
    made, marked = _made(row, workspace), _first_marked(account, workspace)
    return made is not None and marked is not None and made < marked - CLOCK_SLACK


def _made(row: Row, workspace: Workspace) -> float | None:
    """When ColdSend made the inbox, by our clock."""
    created = unix_of(row.created_at)
    return None if created is None else created - workspace.server_offset


def _first_marked(account: Account, workspace: Workspace) -> float | None:
    """When the create was marked, or the lost one that it repeats, by our clock."""
    marked, repeated = account.marked_at, account.repeated_mark
    if marked is None:
        return None
    first = marked if repeated is None or repeated <= marked - LATEST else min(marked, repeated)
    return first - workspace.kube_offset


def may_be_of(row: Row, inbox_type: str) -> bool:
    """Whether a row has this type, or an unknown one (contract row 33)."""
    return row.inbox_type == inbox_type or row.inbox_type not in INBOX_TYPES


def under_way(account: Account, workspace: Workspace) -> Decision:
    """A call or a job carries the account."""
    call = workspace.in_flight.get(account.busy or 0)
    deletes = account.delete_job is not None or (call is not None and call.operation.deletes)
    if account.stored.held and not (deletes and account.desired.spec.observe):
        return Decision(quiet=True)
    if deletes:
        message = "ColdSend is deleting the inbox; the deletion began before this object changed to Observe."
        return Decision(reason=Reason.DELETING, message=message, quiet=True)
    return Decision(reason=Reason.PROVISIONING, message="ColdSend is creating the inbox.", quiet=True)


def wait_without_call(account: Account, reason: Reason, message: str, due: float | None = None) -> Decision:
    """Wait without a call; stale finalizers are removed first."""
    if account.desired.finalizers and not account.stored.held and not account.create_pending:
        return Decision(Action.REMOVE_FINALIZER, reason, message, due)
    return Decision(Action.WAIT, reason, message, due)


def once_finalized(account: Account, decision: Decision) -> Decision:
    """What comes after our finalizer: an object that holds an inbox must not vanish without us (rule 4)."""
    return decision if account.desired.finalized else Decision(Action.ADD_FINALIZER, quiet=True)


def paced(account: Account, now: float, probe: Decision) -> Decision:
    """A GET of the inbox or a search of its address: at once, then with growing pauses."""
    if account.probe_at is not None and now < account.probe_at:
        return replace(probe, action=Action.WAIT, due=account.probe_at)
    return probe


def asked_without_answer(account: Account, probe: Decision) -> Decision:
    """The GET of an inbox that no list shows; once ColdSend has long told nothing, it says so and names the ways out.

    It refuses an id that somebody wrote into status by hand, and only a 404 says that an inbox is gone.
    """
    if account.probe_count < len(PAUSES):
        return probe
    release = "set the annotation coldsend.pro/force-orphan: 'true', which releases this object and keeps the inbox"
    if account.desired.deleting is None:
        release = (
            "delete this object with the annotation coldsend.pro/force-orphan: 'true', which keeps the inbox, and "
            "create it again with adoptionPolicy: Adopt"
        )
    message = (
        f"ColdSend neither shows the inbox of status.inboxID ({(account.stored.inbox_id or '')[:40]}) nor says that it "
        f"is gone; the operator goes on asking. If somebody has edited the status, restore it; or {release}."
    )
    return replace(probe, reason=Reason.UNKNOWN_STATUS, message=message, quiet=False)


def read_at(account: Account, workspace: Workspace) -> float:
    """When the last read began that shows whether the address is free: a list or a search."""
    return max(workspace.inventory.listed_at, account.searched_at)


def probed_since_change(account: Account, workspace: Workspace) -> bool:
    """Whether the address was probed since the object last changed: its inbox may be newer than the last list."""
    return read_at(account, workspace) >= account.unchanged_since


def wanted_get(account: Account, now: float) -> Decision | None:
    """The GET of the inbox that is wanted, if one is."""
    return None if account.probe_at is None else paced(account, now, Decision(Action.GET))


def beside_wanted_get(account: Account, now: float, decision: Decision) -> Decision:
    """The decision. If it waits, a wanted GET is still sent, for example to answer coldsend.pro/reconcile."""
    probe = wanted_get(account, now) if decision.action is Action.WAIT else None
    if probe is None:
        return decision
    due = min((each for each in (decision.due, probe.due) if each is not None), default=None)
    return replace(decision, action=probe.action, due=due)


def name_of(other: Account, asking: Account) -> str:
    """The object's name; objects of other namespaces are not named, as they may belong to another tenant."""
    if other.desired.namespace == asking.desired.namespace:
        return f"SenderAccount {other.desired.name}"
    return "an object of another namespace"


def unknown_origin(account: Account) -> Decision | None:
    """A newer version wrote an unknown origin: what it allows is unknown, so nothing is done with the inbox."""
    if not account.stored.origin_unknown:
        return None
    return Decision(
        reason=Reason.UNKNOWN_STATUS,
        message=f"status.origin is {(account.stored.origin or '')[:40]!r}, which this version of the operator does not "
        "know, so the inbox is left alone. Go back to the version that wrote it; to delete the object without the "
        "inbox, set the annotation coldsend.pro/force-orphan: 'true'.",
    )


def came_from(account: Account, other: Account) -> bool:
    """Whether the account took its inbox over from the other one, which is in deletion."""
    former, desired = account.stored.handed_over_from, other.desired
    return desired.deleting is not None and former == Former(desired.namespace, desired.name)


def shared_inbox(account: Account, workspace: Workspace) -> Decision | None:
    others = workspace.claims.same_inbox(account)
    if not others:
        return None
    if all(came_from(account, each) for each in others):  # it releases the inbox without a call
        return Decision(quiet=True)
    return Decision(
        reason=Reason.ADDRESS_CONFLICT,
        message=f"The same inboxID is in the status of {name_of(others[0], account)}; keep one of the two objects and "
        "delete the other (the inbox stays).",
    )


def other_workspace(account: Account, workspace: Workspace, now: float) -> Decision | None:
    """Rule 15: another workspace is trusted only if the object's own inboxID is seen there."""
    bound = account.stored.applied.workspace if account.stored.applied else None
    if bound is None or bound == account.key:
        return None
    if account.stored.inbox_id in workspace.inventory.rows:
        return Decision(Action.REBIND)
    if bound in workspace.digests:
        return None
    if workspace.policy.recreation_approved(account.desired) and account.desired.deleting is None:
        return None
    if workspace.inventory.listed_at == 0 and account.not_found_at is None:
        return paced(account, now, Decision(Action.GET, quiet=True))
    # approve-recreation never applies to objects in deletion (rule 19)
    way_out = "approve-recreation" if account.desired.deleting is None else "force-orphan"
    return Decision(
        reason=Reason.INVENTORY_IMPLAUSIBLE,
        message="The API key leads to a workspace that does not have this inbox; nothing is created or forgotten. "
        f"Provide the right key, or set the annotation coldsend.pro/{way_out}: 'true'.",
    )


def unconfirmed_404(account: Account, workspace: Workspace, now: float) -> Decision | None:
    """A 404 without a delete of ours may come from a wrong route that returns 404 for everything.

    A later successful probe of the address must confirm it.
    """
    if account.not_found_at is None or account.deleted_at is not None or account.address is None:
        return None
    shown_at = workspace.inventory.shown_despite_tombstone_at(account.stored.inbox_id or "")
    address_read_at = read_at(account, workspace)
    if address_read_at >= account.not_found_at and address_read_at > shown_at:
        return None
    return paced(account, now, Decision(Action.SEARCH, quiet=True))


def on_hold(account: Account, workspace: Workspace) -> str | None:
    """Why the inbox must not be deleted now, with both options; None if it may be deleted."""
    batch = "" if account.desired.batch is None else ", its SenderAccountBatch"
    if workspace.policy.protected(account.desired):
        why = "Deletion is on hold: deletionProtection is true."
        approve = f"set it to false, or {APPROVE} on this object{batch and ' or its SenderAccountBatch'}"
    elif workspace.policy.deletion_approved(account.desired):
        return None
    elif account.uid in workspace.brake.holds or workspace.policy.hold_deletions:
        why = workspace.brake.holds.message(account.uid)
        approve = f"{APPROVE} on this object{batch} or the namespace"
    else:
        return None
    keep = "set updatePolicy: Never" if account.desired.deleting is None else KEEP
    return f"{why} To approve: {approve}. To keep the inbox: {keep}; see docs/operations/deletion-brake.md."


def waits_for_crd(workspace: Workspace, *fields: str) -> str | None:
    """Why actions that need these fields of status wait: an older CRD drops them (rule 35); else None."""
    unknown = sorted(workspace.policy.lost_fields.intersection(fields))
    if not unknown:
        return None
    return f"Waiting for a CRD upgrade: the installed CRD drops status.{' and status.'.join(unknown)}."


def under_own_address(account: Account, row: Row) -> bool:
    """Whether the inbox has the object's own address (rule 20)."""
    native = account.desired.spec.native
    if native is not None and row.address.partition("@")[0] != native.prefix.lower():
        return False
    return account.address is None or row.address == account.address
