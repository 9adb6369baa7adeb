"""The next action for an account without an inbox: probe, then create, adopt or refuse."""

from dataclasses import replace

from coldsend_operator.core.decide.hand_over import conflict, taking_over
from coldsend_operator.core.decide.native_domain import unnamed_create, usable_domain
from coldsend_operator.core.decide.questions import (
    may_be_of,
    name_of,
    once_finalized,
    ours,
    paced,
    probed_since_change,
    read_at,
    under_own_address,
    under_way,
    wait_without_call,
    waits_for_crd,
)
from coldsend_operator.core.model.account import Account, Backoff
from coldsend_operator.core.model.answers import Row
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.desired import Server
from coldsend_operator.core.model.phases import UnknownCreate
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.workspace.trust import created_elsewhere, unproven
from coldsend_operator.core.workspace.workspace import Workspace

PROBES = frozenset({Action.SEARCH, Action.DOMAINS, Action.WAIT})
TRIED = " Tried: "
NEXT = " Next try at "


def decide_create(account: Account, workspace: Workspace, now: float) -> Decision:
    if account.moving:
        return _leaving(account, workspace, now)
    if account.key_problem is not None:
        return wait_without_call(account, *account.key_problem)
    if account.job is not None:
        return under_way(account, workspace)
    unknown = account.unknown_create
    sought = unknown is not None and account.address is not None  # a lost create, whatever its domain allows by now
    stop = (
        taking_over(account, workspace, now)
        or _found_again(account, workspace)
        or _refused_before(account, workspace, now)
        or _untrusted(account, workspace)
        or (None if sought else usable_domain(account, workspace, now))
        or _address_owned_by_other(account, workspace)
    )
    if stop is not None:
        return stop
    if unknown is not None:
        decision = decide_unknown_create(account, unknown, workspace, now)
        return decision if decision.action is not Action.CREATE else usable_domain(account, workspace, now) or decision
    if account.address is None:  # the domain cannot be read (rule 10: one create by the single endpoint)
        return _send_create(account)
    rows = workspace.inventory.at(account.address)
    if rows:
        return _existing(account, rows[0], workspace)
    adopts = workspace.policy.adopts(said=account.desired.spec.adopt)
    outdated = read_at(account, workspace) <= account.conflict_seen_at
    if outdated or (adopts and not probed_since_change(account, workspace)):
        return paced(account, now, Decision(Action.SEARCH, quiet=True))
    return _send_create(account)


def _refused_before(account: Account, workspace: Workspace, now: float) -> Decision | None:
    """What ColdSend refused is not tried before its time (rule 33: refusals are remembered)."""
    backoff, native = account.create_backoff, account.desired.spec.native
    if backoff is None or _appeared(account, workspace) is not None:
        return None
    if account.awaits_secret and now < backoff.retry_at:
        return Decision(quiet=True)
    until = backoff.waits(account.basis, now)
    if until is None:
        return None
    if native is not None and workspace.domains.find(native) is not None:
        domain = usable_domain(account, workspace, now)  # most likely why it was refused (contract row 27)
        if domain is not None:
            return domain
    return wait_without_call(account, backoff.reason, _refused(account, backoff, until), until)


def _refused(account: Account, backoff: Backoff, until: float) -> str:
    """The words of ColdSend with what a person needs beside them; the value of no Secret."""
    said = backoff.message.partition(TRIED)[0].partition(NEXT)[0]  # a message that status kept has its end already
    if backoff.reason is Reason.CONNECTION_FAILED:
        return (
            f"{said.rstrip('. ')}.{TRIED}{'; '.join(_tried(account, said))}.{NEXT}{rfc3339(until)}, or at once when "
            "the Secret or spec changes. Most providers ask for an app password and for IMAP to be switched on."
        )
    if backoff.reason is Reason.REJECTED:
        return f"{said.rstrip('. ')}.{NEXT}{rfc3339(until)}, or at once when spec or Secret changes."
    return backoff.message


def _tried(account: Account, said: str) -> list[str]:
    """Both servers, or the one that the words of ColdSend name."""
    spec, lowered = account.desired.spec, said.lower()
    forms = account.credentials.forms if account.credentials is not None else ()
    sides = [("SMTP", spec.smtp, "imap"), ("IMAP", spec.imap, "smtp")]
    found = []
    for at, (protocol, server, other) in enumerate(sides):
        if server is not None and (other not in lowered or protocol.lower() in lowered):
            found.append(_login(protocol, server, forms[at] if at < len(forms) else ""))
    return found


def _login(protocol: str, server: Server, form: str) -> str:
    value = f" (its value has {form})" if form else ""
    return (
        f"{protocol} {server.host}:{server.port} as {server.username} with key {server.password.key} of Secret "
        f"{server.password.name}{value}"
    )


def _leaving(account: Account, workspace: Workspace, now: float) -> Decision:
    """Its key leads to another workspace: here only probe for a create that left (rule 40).

    An inbox that appears is acquired; after the wait the account may move.
    """
    if account.job is not None:
        return under_way(account, workspace)
    unknown = account.unknown_create
    if unknown is None or created_elsewhere(workspace, account):
        message = "The object moves to the workspace of its API key."
        return Decision(Action.WAIT, Reason.PROVISIONING, message, quiet=True)
    decision = await_unknown_create(account, unknown, workspace, now)
    if decision.action in PROBES and account.key_problem is not None:
        return replace(decision, reason=account.key_problem[0], message=account.key_problem[1], quiet=False)
    return decision


def _untrusted(account: Account, workspace: Workspace) -> Decision | None:
    """Nothing is created where inboxes are missing, or with a key that shows none of those it should (rule 40)."""
    doubtful = workspace.implausible is not None or unproven(workspace, account)
    if not doubtful or workspace.policy.recreation_approved(account.desired):
        return None
    if workspace.implausible is None and workspace.inventory.listed_at == 0:
        return Decision(quiet=True)
    message = workspace.implausible or (
        "The API key leads to a workspace that has none of the inboxes known for this key; nothing is created. "
        "Provide the right key, or set the annotation coldsend.pro/approve-recreation: 'true'."
    )
    return Decision(reason=Reason.INVENTORY_IMPLAUSIBLE, message=message)


def _address_owned_by_other(account: Account, workspace: Workspace) -> Decision | None:
    owner = workspace.claims.address_owner(account, workspace.id)
    if owner is not None:
        return wait_without_call(account, Reason.ADDRESS_CONFLICT, conflict(account, owner, workspace))
    if workspace.claims.may_be_overtaking(account):
        message = "An older object claims the same address; this one waits until the API key of the older one is known."
        return Decision(Action.WAIT, Reason.PROVISIONING, message, quiet=True)
    return None


def _send_create(account: Account) -> Decision:
    credentials = account.credentials
    if credentials is not None and credentials.reason is not None:
        return Decision(Action.WAIT, credentials.reason, credentials.message)
    # rule 8: status holds no old inboxID and no job before an inbox is created again
    cleared = account.confirmed.inbox_id is None and account.confirmed.job is None
    action = Action.CREATE if cleared else Action.WAIT
    return Decision(action, Reason.PROVISIONING, "The inbox is about to be created in ColdSend.", quiet=True)


def _found_again(account: Account, workspace: Workspace) -> Decision | None:
    """The inbox that was missed is shown again, as after a read from a lagging copy: its id says that it is ours."""
    if account.missed is None or account.create is not None:
        return None
    inbox_id, origin = account.missed
    row = workspace.inventory.row(inbox_id)
    if row is None or not under_own_address(account, row) or workspace.claims.inbox_owners(inbox_id, account.uid):
        return None
    return once_finalized(account, Decision(Action.ACQUIRE, inbox_id=inbox_id, origin=origin))


def _existing(account: Account, row: Row, workspace: Workspace) -> Decision:
    """The address exists, but not by our create: adoptionPolicy decides (rule 6), if nobody holds it (rule 13)."""
    holders = workspace.claims.inbox_owners(row.inbox_id, account.uid)
    if holders:
        message = (
            f"The inbox belongs to {name_of(holders[0], account)}. To keep everything as it is, delete this object; "
            "if you delete the other one instead, its inbox is deleted with it, and this object may create a new one."
        )
        return wait_without_call(account, Reason.ADDRESS_CONFLICT, message)
    refusal = _refuses_adoption(account, row, workspace)
    if refusal is not None:  # another inbox has the address, so no create of ours can be under way there
        action = Action.REMOVE_FINALIZER if account.desired.finalizers else Action.WAIT
        return Decision(action, Reason.ALREADY_EXISTS, refusal)
    return once_finalized(account, Decision(Action.ACQUIRE, inbox_id=row.inbox_id, origin="Adopted"))


def _refuses_adoption(account: Account, row: Row, workspace: Workspace) -> str | None:
    """Why the object does not adopt the inbox; None if it does."""
    spec, policy = account.desired.spec, workspace.policy
    if not policy.adopts(said=spec.adopt):
        return (
            "The address already exists in ColdSend; set adoptionPolicy: Adopt to adopt the inbox, or delete it in "
            "ColdSend."
        )
    if not policy.may_adopt(account.desired):
        return (
            "The address already exists in ColdSend, and this namespace may not adopt inboxes with the operator's "
            "key; use apiKeySecretRef, or ask the administrator (COLDSEND_ADOPT_NAMESPACES)."
        )
    if not may_be_of(row, spec.inbox_type):
        return (
            f"The address exists in ColdSend with type {row.inbox_type}; to adopt it, create this object again with "
            "that inboxType."
        )
    return waits_for_crd(workspace, "lastApplied", "origin", "inboxID")


def await_unknown_create(account: Account, unknown: UnknownCreate, workspace: Workspace, now: float) -> Decision:
    """A create without a response that is not repeated: probe until its inbox appears or the wait is over (rule 18)."""
    decision = decide_unknown_create(account, unknown, workspace, now)
    waits = decision.action in PROBES and decision.reason in {Reason.PROVISIONING, Reason.MISSING_SCOPES}
    return decision if waits or decision.origin == "Created" else Decision(Action.REMOVE_FINALIZER, quiet=True)


def _appeared(account: Account, workspace: Workspace) -> Row | None:
    """The inbox of the lost create, once ColdSend shows it (rule 6)."""
    rows = workspace.inventory.at(account.address) if account.address is not None else ()
    mine = next((row for row in rows if ours(account, row, workspace)), None)
    return None if mine is None or workspace.claims.inbox_owners(mine.inbox_id, account.uid) else mine


def decide_unknown_create(account: Account, unknown: UnknownCreate, workspace: Workspace, now: float) -> Decision:
    """A create without a response: probe, wait, probe, and only then repeat it (rules 6 and 7)."""
    if account.address is None:
        return unnamed_create(account, workspace, now)
    mine = _appeared(account, workspace)
    if mine is not None:
        return Decision(Action.ACQUIRE, inbox_id=mine.inbox_id, origin="Created")
    rows = workspace.inventory.at(account.address)
    over = workspace.wait_until(account)
    decisive = unknown.at if unknown.answered else over  # an older read may show the state before our create
    others = [row for row in rows if workspace.inventory.seen_at(row.inbox_id) >= decisive]
    if others:
        return _existing(account, others[0], workspace)
    if now >= over and read_at(account, workspace) >= over:
        if workspace.goes_again(account) and (decision := _send_create(account)).action is Action.CREATE:
            return decision
        message = "The create had no effect; the operator repeats it."
        return Decision(Action.REMOVE_FINALIZER, Reason.PROVISIONING, message, quiet=True)
    message = "ColdSend's response to the create was lost; the operator watches the address before it repeats it."
    if unknown.answered:
        message = "ColdSend accepted the create; the operator looks up the inbox."
    return paced(account, now, Decision(Action.SEARCH, Reason.PROVISIONING, message, quiet=unknown.answered))
