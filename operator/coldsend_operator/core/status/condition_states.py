"""What the conditions of an account say."""

from dataclasses import replace

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Row
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.conditions import SECRET_SECONDS, ConditionState, condition, progress, with_notes
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.differences import drift, spec_changed
from coldsend_operator.core.model.hashes import comparable, hidden_part
from coldsend_operator.core.model.reasons import AT_WORK, STALLING, ConditionType, KstatusType, Reason
from coldsend_operator.core.model.stored import Stored
from coldsend_operator.core.model.stored_status import Status
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.core.workspace.breaker import MISROUTED, BlockedCalls
from coldsend_operator.core.workspace.wait_estimate import ESTIMATED, TURN
from coldsend_operator.core.workspace.workspace import Workspace

LAST_SEEN = " (last seen)"  # appended to `overallStatus` of an inbox that ColdSend no longer lists
OPERATION_OF_ACTION = {
    Action.CREATE: Operation.CREATE_SMTP,
    Action.DELETE: Operation.DELETE_ACCOUNT,
    Action.MAIL: Operation.SEND_TEST_EMAIL,
    Action.DOMAINS: Operation.LIST_DOMAINS,
}
WITHOUT_INBOX = "To release the object without touching ColdSend, set the annotation coldsend.pro/force-orphan: 'true'."
WITHOUT_RESULT = ConditionState("False", Reason.PROVISIONING, "The inbox is being created in ColdSend.")
WITHOUT_STATE = ConditionState("False", Reason.PROVISIONING, "ColdSend has not reported the state of the inbox yet.")
WRITES_FINALIZERS = frozenset({Action.CREATE, Action.ADD_FINALIZER, Action.REMOVE_FINALIZER, Action.FORGET})
SINCE = " Since "
LASTING_REFUSALS = 2  # in a row: a webhook that restarts is not worth a write
REFUSED = (
    "The cluster refuses to change the finalizers of this object: {why}. The operator tries again automatically; to "
    "let it pass, exclude metadata.finalizers or the operator's ServiceAccount from the policy."
)
ROTATED = (
    "The Secret has changed, and ColdSend cannot update an inbox. Enter the new value in the ColdSend dashboard and "
    "set the annotation coldsend.pro/credentials-current, or set updatePolicy: Recreate."
)
ROTATED_TO_RECREATE = (
    "The Secret has changed, and ColdSend cannot update an inbox: updatePolicy is Recreate, so the inbox is replaced; "
    "the condition Synced says what that waits for. To keep the inbox, enter the new value in the ColdSend dashboard "
    "and set the annotation coldsend.pro/credentials-current."
)
STATE_OF_STATUS = {
    "PAUSED": (Reason.PAUSED, "The inbox is paused in ColdSend; resume it there."),
    "DISABLED": (
        Reason.DISABLED,
        "ColdSend has disabled the inbox and gives no reason; most often the credentials must be renewed.",
    ),
    "PENDING": (Reason.PENDING, "ColdSend is still checking the inbox."),
}


def condition_states(
    account: Account, workspace: Workspace, decision: Decision, status: Status, previous: Status, now: float
) -> dict[ConditionType | KstatusType, ConditionState]:
    """What each condition says; `status` is the new one without its conditions."""
    stands = _since_before(what_stands_in_the_way(account, workspace, decision), previous)
    credentials = _credentials(account, previous)
    synced = _synced(account, workspace, stands, credentials)
    says: dict[ConditionType | KstatusType, ConditionState] = {
        ConditionType.READY: _ready(account, stands, status),
        ConditionType.SYNCED: with_notes(synced, workspace.policy.notes(account.desired)),
    }
    if account.stored.inbox_id is not None:  # without an inbox there is no health
        says[ConditionType.HEALTHY] = _healthy(workspace, status, previous, now)
    if credentials is not None:
        says[ConditionType.CREDENTIALS_CURRENT] = credentials
    ready, synced = says[ConditionType.READY], says[ConditionType.SYNCED]
    working = (
        _changes(decision, synced)
        if ready.status == "True"
        else not _stalls(account, ready.reason, status, previous, now)
    )
    return says | progress(ready, synced, working=working)


def _changes(decision: Decision, synced: ConditionState) -> bool:
    """Whether the inbox of a Ready account is being changed, or queued for a change."""
    return synced.status == "False" and (synced.reason in AT_WORK or decision.action in {Action.CREATE, Action.DELETE})


def _stalls(account: Account, reason: str, status: Status, previous: Status, now: float) -> bool:
    """Whether waiting alone will not make the account Ready."""
    if "takesOverFrom" in status:
        return False  # the new object of a rename waits for the deletion of the old one
    if reason == Reason.SECRET_NOT_FOUND and condition(previous, KstatusType.STALLED).get("reason") != reason:
        return now >= (account.secret_missing_since or now) + SECRET_SECONDS
    return reason in STALLING or (reason == Reason.NOT_FOUND and account.desired.spec.observe)


def what_stands_in_the_way(account: Account, workspace: Workspace, decision: Decision) -> ConditionState | None:
    """The reason of the action, or of the workspace if the action waits for a blocked call."""
    if (refused := refused_write(account)) is not None and decision.action in WRITES_FINALIZERS:
        return refused
    if workspace.audit.trouble and decision.action in {Action.CREATE, Action.DELETE, Action.MAIL}:
        reason = Reason.PROVISIONING if account.desired.deleting is None else Reason.DELETING
        return ConditionState("False", reason, f"Waiting: {workspace.audit.trouble}.")
    block = block_of(account, workspace, decision)
    if block is not None and (decision.action in ESTIMATED or decision.action is Action.GET):
        return _blocked(block, account)
    if account.eta is not None and decision.action in ESTIMATED:
        message = TURN.format(at=rfc3339(account.eta), place=account.place)
        return ConditionState("False", Reason.RATE_LIMITED, message)
    if decision.reason is not None:
        return ConditionState("False", decision.reason, decision.message)
    if account.desired.deleting is not None:
        return ConditionState("False", Reason.DELETING, "The object is being deleted.")
    return None if block is None else _blocked(block, account)


def refused_write(account: Account) -> ConditionState | None:
    """What the cluster says to the writes of our finalizers if it refuses each of them."""
    times, why = account.refused_writes
    if times < LASTING_REFUSALS:
        return None
    reason = Reason.PROVISIONING if account.desired.deleting is None else Reason.DELETING
    return ConditionState("False", reason, REFUSED.format(why=why))


def block_of(account: Account, workspace: Workspace, decision: Decision) -> BlockedCalls | None:
    """What its next call waits for; also another server that answers the writes for it alone (rule 32)."""
    calls = OPERATION_OF_ACTION.get(decision.action, Operation.LIST_ACCOUNTS)
    block = workspace.keys.breaker(account.key).block_of(calls, frozenset({account.desired.namespace}))
    if block is None and account.misrouted is not None and decision.action in {Action.CREATE, Action.DELETE}:
        status, since = account.misrouted
        message = MISROUTED.format(status=status)
        return BlockedCalls(Reason.API_UNAVAILABLE, message, account.postponed_until, since)
    return block


def _blocked(block: BlockedCalls, account: Account) -> ConditionState:
    message = f"{block.message}{SINCE}{rfc3339(block.since)}."
    if account.desired.deleting is not None and block.reason is not Reason.API_UNAVAILABLE:
        message += f" {WITHOUT_INBOX}"
    return ConditionState("False", block.reason, message)


def _since_before(stands: ConditionState | None, previous: Status) -> ConditionState | None:
    """A block that status already reports: a restart does not know since when, and writes no status for it."""
    if stands is None or SINCE not in stands.message:
        return stands
    said = condition(previous, ConditionType.SYNCED).get("message", "")
    begin = stands.message.index(SINCE) + len(SINCE)
    end = begin + len(rfc3339(0.0))
    same = said[:begin] == stands.message[:begin]
    return replace(stands, message=said[:end] + stands.message[end:]) if same else stands


def _ready(account: Account, stands: ConditionState | None, status: Status) -> ConditionState:
    without_inbox = account.stored.inbox_id is None
    if stands is not None:
        gone = stands.reason is Reason.NOT_FOUND or (stands.reason is Reason.RECREATING and account.deleted_at)
        if without_inbox or gone or account.desired.deleting is not None:
            return stands
    if without_inbox:
        return WITHOUT_RESULT
    shown = seen_word(status["overallStatus"]) if "overallStatus" in status else None
    if shown == "ACTIVE":
        adopted = account.stored.origin == "Adopted"
        return ConditionState(
            "True", Reason.ADOPTED if adopted else Reason.ACTIVE, "The inbox exists in ColdSend and can send."
        )
    if shown in STATE_OF_STATUS:
        return ConditionState("False", *STATE_OF_STATUS[shown])
    if shown is None:  # what keeps the operator from looking keeps the object from becoming Ready
        return stands or WITHOUT_STATE
    return ConditionState(
        "False", Reason.UNKNOWN_STATUS, f"ColdSend reports a status that the operator does not know: {shown}."
    )


def _synced(
    account: Account, workspace: Workspace, stands: ConditionState | None, credentials: ConditionState | None
) -> ConditionState:
    if stands is not None:
        return stands
    if account.stored.inbox_id is None:
        return WITHOUT_RESULT
    row = workspace.inventory.row(account.stored.inbox_id)
    if row is not None and not account.desired.spec.observe:
        difference = _difference(account, workspace, row, credentials)
        if difference is not None:
            return difference
    return ConditionState("True", Reason.IN_SYNC, "ColdSend matches the spec.")


def _difference(
    account: Account, workspace: Workspace, row: Row, credentials: ConditionState | None
) -> ConditionState | None:
    second = next((other for other in workspace.inventory.at(row.address) if other.inbox_id != row.inbox_id), None)
    if second is not None:
        message = (
            f"ColdSend shows a second inbox of this address ({second.inbox_id}); this object keeps {row.inbox_id} and "
            "ignores the other. Delete the unneeded one in ColdSend."
        )
        return ConditionState("False", Reason.ADDRESS_CONFLICT, message)
    if spec_changed(account, row):
        changes = "; ".join(filter(None, (drift(account, row), _servers_changed(account))))
        message = (
            f"The spec differs from what was sent to ColdSend: {changes}. ColdSend cannot change an inbox: undo the "
            "change, or set updatePolicy: Recreate."
        )
        return ConditionState("False", Reason.UPDATE_NOT_SUPPORTED, message)
    differences = drift(account, row)
    if differences:
        return ConditionState("False", Reason.DRIFTED, f"ColdSend differs from the spec: {differences}.")
    if credentials is not None and credentials.reason == Reason.SECRET_CHANGED:
        return credentials  # after a start this holds until the Secret has been read
    return None


def _servers_changed(account: Account) -> str:
    """The mail servers of spec, if they differ from what was sent; ColdSend never returns its own."""
    spec, applied = account.desired.spec, account.stored.applied
    if applied is None or hidden_part(applied.spec_hash) == hidden_part(spec.hash):
        return ""
    sides = [("smtp", spec.smtp, "useTLS"), ("imap", spec.imap, "useSSL")]
    asked = [
        f"{block}: {server.host}:{server.port}, username {server.username}, {flag} {str(server.encrypted).lower()}"
        for block, server, flag in sides
        if server is not None
    ]
    return f"smtp or imap has changed (ColdSend does not show its values); the spec says {', '.join(asked)}"


def _healthy(workspace: Workspace, status: Status, previous: Status, now: float) -> ConditionState:
    score = status.get("healthScore")
    low, good = workspace.policy.health_low, workspace.policy.health_good
    if score is None:
        return ConditionState("Unknown", Reason.HEALTH_SCORE_UNKNOWN, "ColdSend shows no health score.")
    before = condition(previous, ConditionType.HEALTHY)
    was_low = before.get("status") == "False"
    if score < low or (score < good and was_low):
        since = before.get("lastTransitionTime", rfc3339(now)) if was_low else rfc3339(now)
        message = (
            f"The health score has been low since {since} (below {low:g}; good again from {good:g}); send less, or "
            "warm the inbox up."
        )
        return ConditionState("False", Reason.HEALTH_SCORE_LOW, message)
    return ConditionState("True", Reason.HEALTH_SCORE_GOOD, f"The health score is good ({low:g} or more).")


def _credentials(account: Account, previous: Status) -> ConditionState | None:
    spec, credentials, sent = account.desired.spec, account.credentials, account.stored.sent_credentials
    if spec.smtp is None or spec.observe:
        return None
    present = credentials.digest if credentials is not None else None
    comparable_now = sent is None or present is None or comparable(sent, present)  # read with the salt of `sent`
    unread = credentials is None or not comparable_now
    before = condition(previous, ConditionType.CREDENTIALS_CURRENT)
    if unread and before:
        return ConditionState(before["status"], before["reason"], before["message"])
    if credentials is not None and credentials.reason is not None:
        return ConditionState("False", credentials.reason, credentials.message)
    if sent is None and account.stored.inbox_id is not None:
        message = (
            "The operator does not know which password ColdSend has, as it did not create the inbox with this Secret. "
            "If it is the password in the Secret, set the annotation coldsend.pro/credentials-current."
        )
        return ConditionState("Unknown", Reason.CREDENTIALS_UNKNOWN, message)
    if sent is None or unread:
        return None
    if sent != present:
        return ConditionState("False", Reason.SECRET_CHANGED, ROTATED_TO_RECREATE if spec.recreate else ROTATED)
    return ConditionState("True", Reason.SECRET_UNCHANGED, _as_sent(account.stored))


def _as_sent(stored: Stored) -> str:
    """Why the Secret counts as current; the operator never sent it for an adopted inbox."""
    if stored.origin == "Adopted":
        return (
            "The annotation coldsend.pro/credentials-current says that ColdSend has the current value of the Secret; "
            "the operator did not send it."
        )
    if stored.credentials_current is not None:
        return (
            "ColdSend has the current value of the Secret, or the annotation coldsend.pro/credentials-current says so."
        )
    return "The current value of the Secret was sent to ColdSend."


def seen_word(overall_status: str) -> str:
    """The word of ColdSend within `overallStatus`."""
    return overall_status.removesuffix(LAST_SEEN)
