"""What to do next for one account: a pure reading of what is known, in the order of safety.md.

`next_step` only reads. Each function below it answers one question and returns None when it has nothing to say.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from coldsend_operator.core.answers import Row
from coldsend_operator.core.brake import Brake
from coldsend_operator.core.claims import Claims
from coldsend_operator.core.domains import Domains
from coldsend_operator.core.hashes import hidden_part, visible_part
from coldsend_operator.core.inventory import Inventory
from coldsend_operator.core.policy import Policy
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account

CLOCK_SLACK = 5.0  # seconds that created_at may lie before our mark (safety.md, 6)
GET_BACKOFF = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


class Move(StrEnum):
    """What a step asks for. The first group are calls to ColdSend, the second writes to Kubernetes, the third only
    changes what this run knows."""

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


class View(Protocol):
    """What a step may look at beside its account."""

    policy: Policy
    inventory: Inventory
    claims: Claims
    domains: Domains
    brake: Brake
    group: str
    digests: frozenset[str]
    implausible: str | None
    kube_offset: float
    server_offset: float

    @property
    def unproven(self) -> bool: ...

    def sign(self, account: Account) -> float: ...

    def recreate_slot(self, account: Account) -> bool: ...

    def may_adopt(self, account: Account) -> bool: ...

    def approved_recreation(self, account: Account) -> bool: ...

    def approved_deletion(self, account: Account) -> bool: ...


def next_step(account: Account, view: View, now: float) -> Step:
    """The one decision: what this account needs now."""
    if account.desired.deleting is not None:
        return _deletion(account, view, now)
    if account.busy is not None:
        return _under_way(account)
    for stop in (_invalid, _paused, _twins):
        step = stop(account, view)
        if step is not None:
            return step
    if account.desired.spec.observe:
        return _observing(account, view, now)
    if account.facts.held:
        return _holding(account, view, now)
    return _wanting(account, view, now)


def ours(account: Account, row: Row, view: View) -> bool:
    """Whether a row can only come from our own create (safety.md, 6)."""
    if account.mark is None or row.created_at is None:
        return False
    created = unix_of(row.created_at)
    if created is None:
        return False
    since = account.mark - view.kube_offset
    spec = account.desired.spec
    return (
        created - view.server_offset >= since - CLOCK_SLACK
        and (row.inbox_type or spec.inbox_type) == spec.inbox_type
        and (row.display_name or "").strip() == (spec.display_name or "").strip()
    )


# -- what stops everything else


def _under_way(account: Account) -> Step:
    if account.facts.held:
        return Step(quiet=True)
    return Step(reason=Reason.PROVISIONING, message="ColdSend is creating the inbox.", quiet=True)


def _invalid(account: Account, view: View) -> Step | None:
    if not account.desired.problems:
        return None
    return _at_rest(account, Reason.INVALID_SPEC, " ".join(account.desired.problems), view)


def _paused(account: Account, view: View) -> Step | None:
    if not account.desired.paused:
        return None
    return Step(
        reason=Reason.RECONCILIATION_PAUSED,
        message="Reconciliation is paused by the annotation coldsend.pro/paused; remove it to go on.",
    )


def _twins(account: Account, view: View) -> Step | None:
    twins = view.claims.twins(account)
    if not twins:
        return None
    return Step(
        reason=Reason.ADDRESS_CONFLICT,
        message=f"{_name_of(twins[0], account)} shows the same inboxID; keep one of the two objects "
        "and delete the other (the inbox stays).",
    )


def _at_rest(account: Account, reason: Reason, message: str, view: View, due: float | None = None) -> Step:
    """Nothing is called for this reason. A mark that stands for nothing is taken off first."""
    if account.marked and not account.facts.held and account.lost is None and account.job is None:
        return Step(Move.UNMARK, reason, message, due)
    return Step(Move.REST, reason, message, due)


# -- an account that has its inbox


def _holding(account: Account, view: View, now: float) -> Step:
    if account.key_problem is not None:
        return Step(Move.REST, *account.key_problem)
    step = _other_workspace(account, view, now)
    if step is not None:
        return step
    if account.mark is None:
        return Step(Move.MARK, quiet=True)
    row = view.inventory.rows.get(account.facts.inbox_id or "")
    if account.deleted_at is not None:
        return _replacing(account, view, now)
    if row is None:
        return _vanished(account, view, now)
    if account.address is not None and row.address != account.address:
        return Step(
            reason=Reason.ADDRESS_CONFLICT,
            message="The inboxID in status belongs to another address in ColdSend; nothing is done with it. "
            "Restore the status or delete the object.",
        )
    return _recreation(account, row, view, now) or _mail(account, row) or _look(account, now) or Step()


def _other_workspace(account: Account, view: View, now: float) -> Step | None:
    """safety.md, 15: another workspace is believed only when the object's own inboxID is seen there."""
    bound = account.facts.applied.workspace if account.facts.applied else None
    if bound is None or bound in view.digests:
        return None
    if account.facts.inbox_id in view.inventory.rows:
        return Step(Move.REBIND)
    if view.approved_recreation(account):
        return None
    if view.inventory.listed_at == 0 and account.gone_at is None:
        return _get(account, now, quiet=True)
    return Step(
        reason=Reason.INVENTORY_IMPLAUSIBLE,
        message="The API key belongs to a workspace that does not show this inbox; nothing is created or forgotten. "
        "Give the right key, or set the annotation coldsend.pro/approve-recreation: 'true'.",
    )


def _vanished(account: Account, view: View, now: float) -> Step:
    """The inbox we hold is not in the inventory: believe it late, and only with a 404 of its id."""
    if account.gone_at is not None:
        if view.implausible is not None and not view.approved_recreation(account):
            return Step(reason=Reason.INVENTORY_IMPLAUSIBLE, message=view.implausible)
        return Step(
            Move.FORGET,
            Reason.NOT_FOUND,
            "The inbox was removed in ColdSend; it is made again because this object still asks for it.",
        )
    if view.inventory.swept_at == 0:
        return Step(quiet=True)
    if view.implausible is not None and not view.approved_recreation(account):
        return Step(reason=Reason.INVENTORY_IMPLAUSIBLE, message=view.implausible)
    settled = account.wrote_at + view.policy.lost_seconds
    if now < settled and account.looks >= len(GET_BACKOFF):
        return Step(quiet=True, due=settled)
    return _get(account, now, quiet=True)


def _get(account: Account, now: float, *, quiet: bool, reason: Reason | None = None, message: str = "") -> Step:
    """A GET of the inbox, paced: at once, then ever more slowly."""
    if account.look_at is not None and now < account.look_at:
        return Step(Move.REST, reason, message, due=account.look_at, quiet=quiet)
    return Step(Move.GET, reason, message, quiet=quiet)


def _recreation(account: Account, row: Row, view: View, now: float) -> Step | None:
    """safety.md, 21 and 22."""
    if not account.desired.spec.recreate or not needs_recreation(account, row):
        return None
    if account.credentials is not None and account.credentials.reason is not None:
        return None
    if account.desired.spec.smtp is not None and account.credentials is None:
        return Step(quiet=True)
    if account.refused_delete is not None and now < account.refused_delete.retry_at:
        refused = account.refused_delete
        return Step(Move.REST, refused.reason, refused.message, refused.retry_at)
    if not view.recreate_slot(account):
        return Step(reason=Reason.RECREATING, message="Waits for its turn to be replaced (maxUnavailable).")
    if view.brake.holds(account.uid) and not view.approved_deletion(account):
        return Step(reason=Reason.DELETION_HELD, message=view.brake.message)
    return Step(Move.DELETE, Reason.RECREATING, "The inbox is deleted and created again with the present spec.")


def needs_recreation(account: Account, row: Row) -> bool:
    """Whether spec or a Secret differs from what was last sent. What only ColdSend changed never counts."""
    return spec_changed(account, row) or secret_changed(account)


def spec_changed(account: Account, row: Row) -> bool:
    applied = account.facts.applied
    spec = account.desired.spec
    if applied is None or applied.spec_hash is None:
        return False
    if hidden_part(applied.spec_hash) != hidden_part(spec.hash):
        return True
    return visible_part(applied.spec_hash) != visible_part(spec.hash) and not shows_spec(account, row)


def shows_spec(account: Account, row: Row) -> bool:
    """Whether ColdSend shows the name and the limit that spec asks for."""
    spec = account.desired.spec
    named = spec.display_name is None or row.display_name is None or spec.display_name == row.display_name
    limited = spec.daily_limit is None or row.daily_limit is None or spec.daily_limit == row.daily_limit
    return named and limited


def secret_changed(account: Account) -> bool:
    applied = account.facts.applied
    sent = applied.credentials_hash if applied else None
    present = account.credentials.digest if account.credentials else None
    return sent is not None and present is not None and sent != present


def _replacing(account: Account, view: View, now: float) -> Step:
    """Our delete for a replacement was accepted: wait until the inbox is known to be gone."""
    message = "The inbox is deleted and created again with the present spec."
    if account.job is not None:
        return Step(Move.REST, Reason.RECREATING, message)
    if _confirmed_gone(account, view):
        return Step(Move.FORGET, Reason.RECREATING, message)
    return _get(account, now, quiet=False, reason=Reason.RECREATING, message=message)


def _confirmed_gone(account: Account, view: View) -> bool:
    """One 404, or one proven list begun after ColdSend accepted the delete (settled.md)."""
    if account.gone_at is not None:
        return True
    accepted = account.deleted_at
    absent = account.facts.inbox_id not in view.inventory.rows
    return accepted is not None and absent and view.inventory.listed_at > accepted


def _mail(account: Account, row: Row) -> Step | None:
    """safety.md, 28: the intent is stored before the call; begun without an answer is never sent again."""
    spec, mail = account.desired.spec, account.facts.mail
    if spec.mail_request is None or spec.mail_recipient is None or row.overall_status != "ACTIVE":
        return None
    if mail is None or mail.request_id != spec.mail_request:
        return Step(Move.BEGIN_MAIL)
    if mail.settled:
        return None
    if account.mail_begun != mail.request_id:
        return Step(Move.GIVE_UP_MAIL)
    if account.recorded.mail != mail:
        return Step(quiet=True)
    return Step(Move.MAIL)


def _look(account: Account, now: float) -> Step | None:
    if account.look_at is None:
        return None
    return Step(Move.GET) if now >= account.look_at else Step(due=account.look_at)


# -- an account that wants an inbox


def _wanting(account: Account, view: View, now: float) -> Step:
    if account.key_problem is not None:
        return _at_rest(account, *account.key_problem, view)
    setback = account.setback
    if setback is not None and setback.basis == account.basis and now < setback.retry_at:
        return _at_rest(account, setback.reason, setback.message, view, setback.retry_at)
    if account.job is not None:
        return _under_way(account)
    if (view.implausible is not None or view.unproven) and not view.approved_recreation(account):
        return _unbelieved(account, view)
    step = _domain(account, view, now) or _rival(account, view)
    if step is not None:
        return step
    if account.address is None:  # the domain cannot be read: safety.md, 10
        return _unnamed(account, view)
    if account.lost is not None:
        return _lost(account, view, now)
    rows = view.inventory.at(account.address)
    if rows:
        return _existing(account, rows[0], view)
    if max(view.inventory.listed_at, account.searched_at) <= account.unsure_at:
        return Step(Move.SEARCH, quiet=True)
    return _create(account)


def _unbelieved(account: Account, view: View) -> Step:
    if view.implausible is None and view.inventory.listed_at == 0:
        return Step(quiet=True)
    message = view.implausible or (
        "The API key belongs to a workspace that shows none of the inboxes known with it; nothing is created. "
        "Give the right key, or set the annotation coldsend.pro/approve-recreation: 'true'."
    )
    return Step(reason=Reason.INVENTORY_IMPLAUSIBLE, message=message)


def _rival(account: Account, view: View) -> Step | None:
    rival = view.claims.rival(account, view.group)
    if rival is None:
        return None
    message = f"The address belongs to {_name_of(rival, account)}; delete one of the two objects."
    return _at_rest(account, Reason.ADDRESS_CONFLICT, message, view)


def _name_of(other: Account, asking: Account) -> str:
    """Another namespace's object is not named: it may be another tenant's."""
    if other.desired.namespace == asking.desired.namespace:
        return f"SenderAccount {other.desired.name}"
    return "an object of another namespace"


def _create(account: Account) -> Step:
    credentials = account.credentials
    if credentials is not None and credentials.reason is not None:
        return Step(Move.REST, credentials.reason, credentials.message)
    return Step(Move.CREATE, Reason.PROVISIONING, "The inbox is about to be created in ColdSend.", quiet=True)


def _existing(account: Account, row: Row, view: View) -> Step:
    """The address exists and is not from our create: adoptionPolicy decides (safety.md, 6, 12, 13)."""
    holders = view.claims.holders(row.inbox_id, account.uid)
    if holders:
        message = f"The inbox is held by {_name_of(holders[0], account)}; delete one of the two objects."
        return _at_rest(account, Reason.ADDRESS_CONFLICT, message, view)
    spec = account.desired.spec
    adopts = spec.adopt if spec.adopt is not None else view.policy.adopt_by_default
    if not adopts:
        message = (
            "The address already exists in ColdSend; set adoptionPolicy: Adopt to take the inbox over, "
            "or delete it in ColdSend."
        )
        return _drop_lost(account, Reason.ALREADY_EXISTS, message, view)
    if not view.may_adopt(account):
        message = (
            "The address already exists in ColdSend, and this namespace may not adopt inboxes with the operator's "
            "key; use apiKeySecretRef, or ask the administrator (COLDSEND_ADOPT_NAMESPACES)."
        )
        return _drop_lost(account, Reason.ALREADY_EXISTS, message, view)
    if row.inbox_type is not None and row.inbox_type != spec.inbox_type:
        message = f"The address exists in ColdSend with type {row.inbox_type}; correct inboxType to adopt it."
        return _drop_lost(account, Reason.ALREADY_EXISTS, message, view)
    if not account.marked:
        return Step(Move.MARK, quiet=True)
    return Step(Move.TAKE, inbox_id=row.inbox_id, origin="Adopted")


def _drop_lost(account: Account, reason: Reason, message: str, view: View) -> Step:
    """Somebody else's inbox has the address, so no create of ours can be under way there any more."""
    if account.marked:
        return Step(Move.UNMARK, reason, message)
    return _at_rest(account, reason, message, view)


def _lost(account: Account, view: View, now: float) -> Step:
    """A create without an answer: look, wait, look, and only then repeat (safety.md, 6 and 7)."""
    rows = view.inventory.at(account.address or "")
    mine = next((row for row in rows if ours(account, row, view)), None)
    if mine is not None and not view.claims.holders(mine.inbox_id, account.uid):
        return Step(Move.TAKE, inbox_id=mine.inbox_id, origin="Created")
    if rows:
        return _existing(account, rows[0], view)
    over = view.sign(account) + view.policy.lost_seconds
    looked = max(view.inventory.listed_at, account.searched_at)
    if now >= over and looked >= over:
        return _create(account)
    quiet = account.lost is not None and account.lost.answered
    message = (
        "ColdSend has taken the create; the inbox is looked up."
        if quiet
        else "ColdSend's answer to the create was lost; the address is watched before anything is repeated."
    )
    if account.look_at is not None and now < account.look_at:
        return Step(Move.REST, Reason.PROVISIONING, message, due=account.look_at, quiet=quiet)
    return Step(Move.SEARCH, Reason.PROVISIONING, message, quiet=quiet)


def _domain(account: Account, view: View, now: float) -> Step | None:
    """The domain of a native inbox must be known, ACTIVE and not full (contract row 27)."""
    native = account.desired.spec.native
    if native is None or account.lost is not None:
        return None
    domain = view.domains.find(native)
    if domain is None:
        return _unknown_domain(account, view, now)
    recheck = view.domains.listed_at + view.policy.domain_seconds
    if domain.status.upper() != "ACTIVE":
        reason = Reason.DOMAIN_NOT_ACTIVE
        message = f"Domain {domain.domain_name} is {domain.status} in ColdSend; the inbox is created once it is ACTIVE."
    elif view.domains.free(domain) <= 0:
        reason = Reason.DOMAIN_FULL
        message = (
            f"Domain {domain.domain_name} holds {domain.current_inboxes} of {domain.max_inboxes} inboxes; "
            "free one or use another domain."
        )
    else:
        return None
    if now >= recheck:
        return Step(Move.DOMAINS, reason, message)
    return _at_rest(account, reason, message, view, due=recheck)


def _unknown_domain(account: Account, view: View, now: float) -> Step | None:
    native = account.desired.spec.native
    assert native is not None  # noqa: S101 - told to the type checker; _domain has looked
    if view.domains.forbidden:
        if native.domain_id is not None:
            return None
        message = (
            f"The API key may not read domains (missing {view.domains.missing_scopes}); "
            "grant the scope, or give spec.native.domainID instead of domainName."
        )
        return _at_rest(account, Reason.MISSING_SCOPES, message, view, due=view.domains.retry_at)
    recheck = view.domains.listed_at + view.policy.domain_seconds
    if view.domains.listed_at == 0 or now >= recheck:
        return Step(Move.DOMAINS, quiet=view.domains.listed_at == 0)
    wanted = native.domain_name or native.domain_id
    message = f"Domain {wanted} is not in this ColdSend workspace; add it there or correct spec.native."
    return _at_rest(account, Reason.DOMAIN_NOT_FOUND, message, view, due=recheck)


def _unnamed(account: Account, view: View) -> Step:
    """A native inbox whose address cannot be known: one create, never repeated or matched (safety.md, 10)."""
    if account.lost is None:
        return _create(account)
    message = (
        "ColdSend's answer to the create was lost and the API key may not read domains, so the inbox cannot be found; "
        f"grant {view.domains.missing_scopes or 'the scope of the domain endpoints'} or make the object again with "
        "spec.native.domainName."
    )
    return Step(Move.REST, Reason.MISSING_SCOPES, message, due=view.domains.retry_at)


# -- an account that only watches


def _observing(account: Account, view: View, now: float) -> Step:
    if account.key_problem is not None:
        return _at_rest(account, *account.key_problem, view)
    if not view.may_adopt(account):
        message = (
            "This namespace may not observe inboxes with the operator's key; use apiKeySecretRef, "
            "or ask the administrator (COLDSEND_ADOPT_NAMESPACES)."
        )
        return _at_rest(account, Reason.UNAUTHORIZED, message, view)
    if account.facts.held:
        return Step(Move.TAKE, inbox_id=account.facts.inbox_id, origin="Observed")
    if account.marked and account.lost is None:
        return Step(Move.UNMARK, quiet=True)
    if account.address is None and account.desired.spec.native is not None and account.facts.inbox_id is None:
        step = _domain(account, view, now)
        if step is not None and step.reason not in {Reason.DOMAIN_FULL, Reason.DOMAIN_NOT_ACTIVE}:
            return step
    known = account.facts.inbox_id
    if known is not None and known in view.inventory.rows:
        return _look(account, now) or Step()
    row = next(iter(view.inventory.at(account.address or "")), None)
    if row is not None:
        return Step(Move.TAKE, inbox_id=row.inbox_id, origin="Observed")
    message = "No inbox with this address is in ColdSend; it is shown here once it exists."
    if known is not None:
        return _observed_vanished(account, view, now, message)
    if max(view.inventory.listed_at, account.searched_at) == 0:
        return Step(Move.SEARCH, quiet=True)
    return Step(reason=Reason.NOT_FOUND, message=message)


def _observed_vanished(account: Account, view: View, now: float, message: str) -> Step:
    if account.gone_at is not None:
        return Step(reason=Reason.NOT_FOUND, message=message)
    if view.inventory.swept_at == 0:
        return Step(quiet=True)
    if view.implausible is not None:
        return Step(reason=Reason.INVENTORY_IMPLAUSIBLE, message=view.implausible)
    return _get(account, now, quiet=True)


# -- an object in deletion


def _deletion(account: Account, view: View, now: float) -> Step:
    desired = account.desired
    if not desired.finalized:
        return Step(quiet=True)
    if desired.force_orphan:
        return Step(Move.UNMARK, quiet=True)
    if account.busy is not None:
        return _deleting("A call for this inbox is under way; the deletion follows.", quiet=True)
    if desired.spec.orphan or desired.spec.observe or account.facts.origin == "Observed":
        return Step(Move.UNMARK, quiet=True)
    if account.job is not None and not account.facts.held:
        return _deleting("ColdSend is still creating the inbox; it is deleted as soon as that is finished.")
    if not account.facts.held:
        return _unborn(account, view, now)
    if view.claims.twins(account):
        return Step(Move.UNMARK, quiet=True)
    if account.key_problem is not None:
        reason, message = account.key_problem
        return Step(Move.REST, reason, f"{message} {_ways_out(view, account)}")
    step = _other_workspace(account, view, now)
    if step is not None:
        return step
    return _deleting_inbox(account, view, now)


def _deleting(message: str, *, quiet: bool = False, due: float | None = None) -> Step:
    return Step(Move.REST, Reason.DELETING, message, due=due, quiet=quiet)


def _ways_out(view: View, account: Account) -> str:
    way = "set the annotation coldsend.pro/force-orphan: 'true' to let the object go without touching ColdSend"
    if view.policy.terminating(account.desired.namespace):
        return f"The namespace is terminating and takes no new Secrets: give the same key elsewhere, or {way}."
    return f"Give the key back, or {way}."


def _unborn(account: Account, view: View, now: float) -> Step:
    """No inbox is known. What a lost create may still bring is waited for and deleted (safety.md, 18)."""
    if account.lost is None:
        return Step(Move.UNMARK, quiet=True)
    if account.key_problem is not None:
        reason, message = account.key_problem
        return Step(Move.REST, reason, f"{message} {_ways_out(view, account)}")
    if account.address is None:
        step = _unnamed(account, view)
        return Step(step.move, step.reason, f"{step.message} {_ways_out(view, account)}", step.due)
    step = _lost(account, view, now)
    if step.move in {Move.CREATE, Move.UNMARK, Move.MARK} or step.origin == "Adopted":
        return Step(Move.UNMARK, quiet=True)
    if step.reason in {Reason.ALREADY_EXISTS, Reason.ADDRESS_CONFLICT} or step.reason is None:
        return step if step.move is Move.TAKE else Step(Move.UNMARK, quiet=True)
    message = "ColdSend's answer to the create was lost; the address is watched, and what appears is deleted."
    return Step(step.move, Reason.DELETING, message, step.due)


def _deleting_inbox(account: Account, view: View, now: float) -> Step:
    inbox_id = account.facts.inbox_id or ""
    if account.gone_at is not None or (account.job is None and _confirmed_gone(account, view)):
        return _gone(account, view)
    if account.job is not None:
        return _deleting("ColdSend is deleting the inbox.", quiet=True)
    if account.deleted_at is not None:
        return _get(account, now, quiet=True, reason=Reason.DELETING, message="ColdSend is deleting the inbox.")
    refused = account.refused_delete
    if refused is not None and now < refused.retry_at and refused.basis == account.basis:
        return Step(Move.REST, refused.reason, refused.message, refused.retry_at)
    if view.brake.holds(account.uid) and not view.approved_deletion(account):
        return Step(Move.REST, Reason.DELETION_HELD, view.brake.message)
    row = view.inventory.rows.get(inbox_id)
    if row is None:
        return _get(account, now, quiet=True, reason=Reason.DELETING, message="The inbox is looked for in ColdSend.")
    if account.address is not None and row.address != account.address:
        return Step(
            reason=Reason.ADDRESS_CONFLICT,
            message="The inboxID in status belongs to another address in ColdSend; it is not deleted. Set the "
            "annotation coldsend.pro/force-orphan: 'true' to let the object go.",
        )
    return Step(Move.DELETE, Reason.DELETING, "The inbox is being deleted in ColdSend.", quiet=True)


def _gone(account: Account, view: View) -> Step:
    """The id is gone; the address must be absent too, or not ours (safety.md, 17)."""
    if account.address is None:
        return Step(Move.UNMARK, quiet=True)
    if max(view.inventory.listed_at, account.searched_at) == 0:
        return Step(Move.SEARCH, Reason.DELETING, "The address is looked up once more.", quiet=True)
    for row in view.inventory.at(account.address):
        mine = row.inbox_id != account.facts.inbox_id and ours(account, row, view)
        if mine and not view.claims.holders(row.inbox_id, account.uid):
            return Step(Move.TAKE, inbox_id=row.inbox_id, origin="Created")
    return Step(Move.UNMARK, quiet=True)


def unix_of(text: str | None) -> float | None:
    """Unix seconds of a time as ColdSend sends it; None when it is not there or not readable."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
