"""The next step of an account that wants an inbox: look, then create, adopt or refuse."""

from dataclasses import replace

from coldsend_operator.core.answers import Row
from coldsend_operator.core.reasons import Reason
from coldsend_operator.core.records import Account
from coldsend_operator.core.steps.hand_over import conflict, taking_over
from coldsend_operator.core.steps.native import domain_step, usable_domain
from coldsend_operator.core.steps.refused import refusal_message
from coldsend_operator.core.steps.step import (
    Move,
    Step,
    View,
    at_rest,
    looked_at_as_is,
    may_be_of,
    name_of,
    ours,
    paced_search,
    under_way,
    waits_for_crd,
)

LOOKS = frozenset({Move.SEARCH, Move.DOMAINS, Move.REST})


def wanting(account: Account, view: View, now: float) -> Step:
    if account.leaving:
        return _leaving(account, view, now)
    if account.key_problem is not None:
        return at_rest(account, *account.key_problem)
    step = taking_over(account, view, now)
    if step is not None and account.job is None:
        return step
    setback = account.setback
    if setback is not None and account.awaits_secret and now < setback.retry_at:
        return Step(quiet=True)
    until = setback.waits(account.basis, now) if setback is not None else None
    if setback is not None and until is not None:
        refused = at_rest(account, setback.reason, refusal_message(account, setback, until), until)
        return _of_domain(account, view, now) or refused
    if account.job is not None:
        return under_way(account)
    if (view.implausible is not None or view.unproven(account)) and not view.approved_recreation(account):
        return _unbelieved(view)
    step = domain_step(account, view, now) or _rival(account, view)
    if step is not None:
        return step
    if account.address is None:  # the domain cannot be read: safety.md, 10
        return unnamed(account, view, now)
    if account.lost is not None:
        step = lost(account, view, now)
        return step if step.move is not Move.CREATE else usable_domain(account, view, now) or step
    rows = view.inventory.at(account.address)
    if rows:
        return _existing(account, rows[0], view)
    if max(view.inventory.listed_at, account.searched_at) <= account.unsure_at:
        return paced_search(account, now)
    if _adopts(account, view) and not looked_at_as_is(account, view):
        return paced_search(account, now)
    return _create(account)


def _leaving(account: Account, view: View, now: float) -> Step:
    """Its key leads to another workspace: here a create that left may only be looked for (rule 40).

    What appears is taken; when the wait is over the account is free to move.
    """
    if account.job is not None:
        return under_way(account)
    if account.lost is None:
        return Step(Move.REST, Reason.PROVISIONING, "The object moves to the workspace of its API key.", quiet=True)
    step = unnamed(account, view, now) if account.address is None else lost(account, view, now)
    if step.origin == "Created":
        return step
    if step.move not in LOOKS or step.reason not in {Reason.PROVISIONING, Reason.MISSING_SCOPES}:
        return Step(Move.UNMARK, quiet=True)
    if account.key_problem is not None:
        return replace(step, reason=account.key_problem[0], message=account.key_problem[1], quiet=False)
    return step


def _of_domain(account: Account, view: View, now: float) -> Step | None:
    """What a refused native inbox waits for may be its domain (contract row 27)."""
    native = account.desired.spec.native
    if native is None or view.domains.find(native) is None:
        return None
    return usable_domain(account, view, now)


def _unbelieved(view: View) -> Step:
    if view.implausible is None and view.inventory.listed_at == 0:
        return Step(quiet=True)
    message = view.implausible or (
        "The API key belongs to a workspace that shows none of the inboxes known with it; nothing is created. "
        "Give the right key, or set the annotation coldsend.pro/approve-recreation: 'true'."
    )
    return Step(reason=Reason.INVENTORY_IMPLAUSIBLE, message=message)


def _rival(account: Account, view: View) -> Step | None:
    rival = view.claims.rival(account, view.group)
    if rival is not None:
        return at_rest(account, Reason.ADDRESS_CONFLICT, conflict(account, rival, view))
    if view.claims.may_be_overtaking(account):
        message = "An older object asks for the same address; this one waits until its API key is known."
        return Step(Move.REST, Reason.PROVISIONING, message, quiet=True)
    return None


def _create(account: Account) -> Step:
    credentials = account.credentials
    if credentials is not None and credentials.reason is not None:
        return Step(Move.REST, credentials.reason, credentials.message)
    if account.recorded.inbox_id is not None or account.recorded.job is not None:  # safety.md, 8
        return Step(Move.REST, Reason.PROVISIONING, "The inbox is about to be created in ColdSend.", quiet=True)
    return Step(Move.CREATE, Reason.PROVISIONING, "The inbox is about to be created in ColdSend.", quiet=True)


def _adopts(account: Account, view: View) -> bool:
    adopts = account.desired.spec.adopt
    return adopts if adopts is not None else view.policy.adopt_by_default


def _existing(account: Account, row: Row, view: View) -> Step:
    """The address exists and is not from our create: adoptionPolicy decides (safety.md, 6, 12, 13)."""
    holders = view.claims.holders(row.inbox_id, account.uid)
    if holders:
        message = (
            f"The inbox belongs to {name_of(holders[0], account)}. Delete this object to leave all as it is; if the "
            "other one is deleted, its inbox goes with it, and this object may create a new one."
        )
        return at_rest(account, Reason.ADDRESS_CONFLICT, message)
    spec = account.desired.spec
    if not _adopts(account, view):
        message = (
            "The address already exists in ColdSend; set adoptionPolicy: Adopt to adopt the inbox, or delete it in "
            "ColdSend."
        )
        return _drop_lost(account, Reason.ALREADY_EXISTS, message)
    if not view.may_adopt(account):
        message = (
            "The address already exists in ColdSend, and this namespace may not adopt inboxes with the operator's "
            "key; use apiKeySecretRef, or ask the administrator (COLDSEND_ADOPT_NAMESPACES)."
        )
        return _drop_lost(account, Reason.ALREADY_EXISTS, message)
    if not may_be_of(row, spec.inbox_type):
        message = (
            f"The address exists in ColdSend with type {row.inbox_type}; to adopt it, create this object again with "
            "that inboxType."
        )
        return _drop_lost(account, Reason.ALREADY_EXISTS, message)
    waits = waits_for_crd(view, "lastApplied", "origin", "inboxID")
    if waits is not None:
        return _drop_lost(account, Reason.ALREADY_EXISTS, waits)
    if not account.desired.finalized:
        return Step(Move.MARK, quiet=True)
    return Step(Move.TAKE, inbox_id=row.inbox_id, origin="Adopted")


def _drop_lost(account: Account, reason: Reason, message: str) -> Step:
    """Somebody else's inbox has the address, so no create of ours can be under way there any more."""
    if account.desired.finalizers:
        return Step(Move.UNMARK, reason, message)
    return at_rest(account, reason, message)


def lost(account: Account, view: View, now: float) -> Step:
    """A create without an answer: look, wait, look, and only then it is over and may be repeated (rules 6 and 7)."""
    rows = view.inventory.at(account.address or "")
    mine = next((row for row in rows if ours(account, row, view)), None)
    if mine is not None and not view.claims.holders(mine.inbox_id, account.uid):
        return Step(Move.TAKE, inbox_id=mine.inbox_id, origin="Created")
    over = view.over(account)
    others = [row for row in rows if view.inventory.seen_at(row.inbox_id) >= _decisive(account, over)]
    if others:
        return _existing(account, others[0], view)
    looked = max(view.inventory.listed_at, account.searched_at)
    if now >= over and looked >= over:
        if view.goes_again(account) and (step := _create(account)).move is Move.CREATE:
            return step
        return Step(Move.UNMARK, Reason.PROVISIONING, "The create came to nothing; it is repeated.", quiet=True)
    quiet = account.lost is not None and account.lost.answered
    message = (
        "ColdSend has taken the create; the inbox is looked up."
        if quiet
        else "ColdSend's answer to the create was lost; the address is watched before anything is repeated."
    )
    if account.look_at is not None and now < account.look_at:
        return Step(Move.REST, Reason.PROVISIONING, message, due=account.look_at, quiet=quiet)
    return Step(Move.SEARCH, Reason.PROVISIONING, message, quiet=quiet)


def _decisive(account: Account, over: float) -> float:
    """From when on a look shows whose the address is: an older one may show what was there before our create."""
    lost = account.lost
    return lost.at if lost is not None and lost.answered else over


def unnamed(account: Account, view: View, now: float) -> Step:
    """A native inbox whose address cannot be known: one create, never repeated or matched (safety.md, 10)."""
    if account.lost is None:
        return _create(account)
    message = (
        "ColdSend's answer to the create was lost and the API key may not read domains, so the inbox cannot be found; "
        f"grant {view.domains.missing_scopes or 'the scope of the domain endpoints'} or make the object again with "
        "spec.native.domainName."
    )
    if now >= view.domains.retry_at:
        return Step(Move.DOMAINS, Reason.MISSING_SCOPES, message)
    return Step(Move.REST, Reason.MISSING_SCOPES, message, due=view.domains.retry_at)
