"""What a step is, what it may look at, and the questions that several kinds of accounts share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from coldsend_operator.core.answers import INBOX_TYPES, Row
from coldsend_operator.core.brake import Brake
from coldsend_operator.core.claims import Claims
from coldsend_operator.core.domains import Domains
from coldsend_operator.core.inventory import Inventory
from coldsend_operator.core.policy import Policy
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account, Former
from coldsend_operator.core.times import unix_of

CLOCK_SLACK = 5.0  # seconds that created_at may lie before our mark (safety.md, 6)
APPROVE = "set the annotation coldsend.pro/approve-deletion: 'true'"
KEEP = "set deletionPolicy: Orphan, or the annotation coldsend.pro/force-orphan: 'true'"
LATEST = 3600.0  # seconds after which nothing that appears is matched with a lost create any more
IMPLAUSIBLE_AT = 10  # known inboxes that must be missing at once before a list is not believed (settled.md)
GET_BACKOFF = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


class Move(StrEnum):
    """What a step asks for: calls to ColdSend, then writes to Kubernetes, then what only changes what is known."""

    CREATE = "create"
    DELETE = "delete"
    SEARCH = "search"
    GET = "get"
    MAIL = "mail"
    DOMAINS = "domains"

    MARK = "mark"
    UNMARK = "unmark"
    FORGET = "forget"  # the inbox is gone: take the mark off, then clear inboxID

    TAKE = "take"
    TAKE_OVER = "take-over"  # from an object in deletion, with all that is known of the inbox
    REBIND = "rebind"
    BEGIN_MAIL = "begin-mail"
    GIVE_UP_MAIL = "give-up-mail"

    REST = "rest"


@dataclass(frozen=True, slots=True)
class Step:
    """The next step of an account.

    `reason` and `message` say what stands between spec and ColdSend; None when nothing does. `due` is when to ask
    again without an event. A `quiet` step passes by itself and is written to status only when it lasts.
    """

    move: Move = Move.REST
    reason: Reason | None = None
    message: str = ""
    due: float | None = None
    quiet: bool = False
    inbox_id: str | None = None
    origin: str | None = None


AT_EASE = Step()  # thousands share it


class View(Protocol):
    """What a step may look at beside its account."""

    policy: Policy
    inventory: Inventory
    claims: Claims
    domains: Domains
    brake: Brake
    group: str
    digest: str
    digests: frozenset[str]
    implausible: str | None
    kube_offset: float
    server_offset: float

    @property
    def managed(self) -> Mapping[str, int]: ...

    def unproven(self, account: Account) -> bool: ...

    def over(self, account: Account) -> float: ...

    def goes_again(self, account: Account) -> bool: ...

    def recreate_slot(self, account: Account) -> bool: ...

    def may_adopt(self, account: Account) -> bool: ...

    def approved_recreation(self, account: Account) -> bool: ...

    def approved_deletion(self, account: Account) -> bool: ...

    def protected(self, account: Account) -> bool: ...


def ours(account: Account, row: Row, view: View) -> bool:
    """Whether a row can only come from the lost create of this account (rules 6 and 39).

    Clocks decide for lost answers only: where ColdSend has taken the create, and said nothing of a failure, the inbox
    is ours. No call leaves while an inbox is known at its address, so only a look that began earlier leaves a doubt.
    """
    lost = account.lost
    if lost is None or not lost.matches:
        return False
    spec = account.desired.spec
    names = {(name or "").strip() for name in (spec.display_name, account.sent_name or spec.display_name)}
    if not may_be_of(row, spec.inbox_type) or (row.display_name or "").strip() not in names:
        return False
    answered = lost.answered and lost.hint is None and lost.left_at is not None
    if answered and not view.inventory.shown_before(row.inbox_id, lost.left_at or 0.0):
        return True
    made, marked = _made(row, view), _marked(account, view)
    if made is None or marked is None:
        return False
    latest = max(lost.at, marked) if lost.answered else marked
    return marked - CLOCK_SLACK <= made <= latest + LATEST


def made_before(account: Account, row: Row, view: View) -> bool:
    """Whether an inbox shows that it was there before our create."""
    made, marked = _made(row, view), _marked(account, view)
    return made is not None and marked is not None and made < marked - CLOCK_SLACK


def _made(row: Row, view: View) -> float | None:
    """When ColdSend made the inbox, by our clock."""
    created = unix_of(row.created_at)
    return None if created is None else created - view.server_offset


def _marked(account: Account, view: View) -> float | None:
    """When the create was marked, by our clock."""
    return None if account.since is None else account.since - view.kube_offset


def may_be_of(row: Row, inbox_type: str) -> bool:
    """Whether a row is of a type, or of one whose name nobody knows (contract row 33)."""
    return row.inbox_type == inbox_type or row.inbox_type not in INBOX_TYPES


def under_way(account: Account) -> Step:
    if account.facts.held:
        return Step(quiet=True)
    return Step(reason=Reason.PROVISIONING, message="ColdSend is creating the inbox.", quiet=True)


def at_rest(account: Account, reason: Reason, message: str, due: float | None = None) -> Step:
    """Nothing is called for this reason. Finalizers that stand for nothing are taken off first."""
    if account.desired.finalizers and not account.facts.held and not account.create_unknown:
        return Step(Move.UNMARK, reason, message, due)
    return Step(Move.REST, reason, message, due)


def paced_get(account: Account, now: float, *, quiet: bool, reason: Reason | None = None, message: str = "") -> Step:
    """A GET of the inbox, paced: at once, then ever more slowly."""
    return _paced(account, now, Step(Move.GET, reason, message, quiet=quiet))


def paced_search(account: Account, now: float, reason: Reason | None = None, message: str = "") -> Step:
    """A search of the address, paced likewise."""
    return _paced(account, now, Step(Move.SEARCH, reason, message, quiet=True))


def _paced(account: Account, now: float, step: Step) -> Step:
    if account.look_at is not None and now < account.look_at:
        return replace(step, move=Move.REST, due=account.look_at)
    return step


def looked_at_as_is(account: Account, view: View) -> bool:
    """Whether the address was looked up since the object is as it is now: its inbox may be newer than the last list."""
    return max(view.inventory.listed_at, account.searched_at) >= account.as_is_since


def look(account: Account, now: float) -> Step | None:
    if account.look_at is None:
        return None
    return Step(Move.GET) if now >= account.look_at else Step(due=account.look_at)


def name_of(other: Account, asking: Account) -> str:
    """Another namespace's object is not named: it may be another tenant's."""
    if other.desired.namespace == asking.desired.namespace:
        return f"SenderAccount {other.desired.name}"
    return "an object of another namespace"


def unknown_origin(account: Account) -> Step | None:
    """A newer version wrote how the inbox came here: what that allows is not known, so nothing is done with it."""
    if not account.facts.origin_unknown:
        return None
    return Step(
        reason=Reason.UNKNOWN_STATUS,
        message=f"status.origin is {(account.facts.origin or '')[:40]!r}, which this version of the operator does not "
        "know, so the inbox is left alone. Go back to the version that wrote it; to delete the object without the "
        "inbox, set the annotation coldsend.pro/force-orphan: 'true'.",
    )


def came_from(account: Account, other: Account) -> bool:
    """Whether the account took its inbox over from the other one, which is in deletion."""
    former, desired = account.facts.handed_over_from, other.desired
    return desired.deleting is not None and former == Former(desired.namespace, desired.name)


def twins(account: Account, view: View) -> Step | None:
    twins = view.claims.twins(account)
    if not twins:
        return None
    if all(came_from(account, twin) for twin in twins):  # it lets the inbox go without a call
        return Step(quiet=True)
    return Step(
        reason=Reason.ADDRESS_CONFLICT,
        message=f"{name_of(twins[0], account)} shows the same inboxID; keep one of the two objects "
        "and delete the other (the inbox stays).",
    )


def other_workspace(account: Account, view: View, now: float) -> Step | None:
    """safety.md, 15: another workspace is believed only when the object's own inboxID is seen there."""
    bound = account.facts.applied.workspace if account.facts.applied else None
    if bound is None or bound == view.digest:
        return None
    if account.facts.inbox_id in view.inventory.rows:
        return Step(Move.REBIND)
    if bound in view.digests:
        return None
    if view.approved_recreation(account) and account.desired.deleting is None:
        return None
    if view.inventory.listed_at == 0 and account.gone_at is None:
        return paced_get(account, now, quiet=True)
    # approve-recreation never applies to objects in deletion (safety.md, 19)
    way_out = "approve-recreation" if account.desired.deleting is None else "force-orphan"
    return Step(
        reason=Reason.INVENTORY_IMPLAUSIBLE,
        message="The API key belongs to a workspace that does not show this inbox; nothing is created or forgotten. "
        f"Give the right key, or set the annotation coldsend.pro/{way_out}: 'true'.",
    )


def doubted_404(account: Account, view: View, now: float) -> Step | None:
    """A 404 that follows no delete of ours may come from a wrong route, which answers so to everything.

    A look at the address that succeeds after it must agree before anything hangs on it.
    """
    if account.gone_at is None or account.deleted_at is not None or account.address is None:
        return None
    looked = max(view.inventory.listed_at, account.searched_at)
    if looked >= account.gone_at and looked > view.inventory.shown_buried_at(account.facts.inbox_id or ""):
        return None
    if account.look_at is not None and now < account.look_at:
        return Step(due=account.look_at, quiet=True)
    return Step(Move.SEARCH, quiet=True)


def confirmed_gone(account: Account, view: View) -> bool:
    """One 404, or one proven list begun after ColdSend accepted the delete (settled.md).

    Where its answer was lost the inbox may be absent only because a list lags behind its creation.
    """
    if account.gone_at is not None:
        return True
    if account.deleted_at is None or account.facts.inbox_id in view.inventory.rows:
        return False
    return view.inventory.listed_at > account.deleted_at + (view.policy.lost_seconds if account.unheard else 0.0)


def on_hold(account: Account, view: View) -> str | None:
    """Why the inbox must not be deleted now, with both ways on; None when it may be."""
    batch = "" if account.desired.batch is None else ", its SenderAccountBatch"
    if view.protected(account):
        why = "Deletion is on hold: deletionProtection is true."
        approve = f"set it to false, or {APPROVE} on this object{batch and ' or its SenderAccountBatch'}"
    elif view.approved_deletion(account):
        return None
    elif view.brake.holds(account.uid) or view.policy.hold_deletions:
        why = view.brake.message(account.uid)
        approve = f"{APPROVE} on this object{batch} or the namespace"
    else:
        return None
    keep = "set updatePolicy: Never" if account.desired.deleting is None else KEEP
    return f"{why} To approve: {approve}. To keep the inbox: {keep}; see docs/operations/deletion-brake.md."


def waits_for_crd(view: View, *fields: str) -> str | None:
    """Why what depends on these fields of status waits: an older CRD drops them (rule 35). None when it need not."""
    lost = sorted(view.policy.lost_fields.intersection(fields))
    if not lost:
        return None
    return f"Waits for the CRD to be upgraded: the one that is installed drops status.{' and status.'.join(lost)}."


def under_own_address(account: Account, row: Row) -> bool:
    """Whether the inbox has the object's own address (safety.md, 20)."""
    native = account.desired.spec.native
    if native is not None and row.address.partition("@")[0] != native.prefix.lower():
        return False
    return account.address is None or row.address == account.address
