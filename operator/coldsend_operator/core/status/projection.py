"""Status is a projection: from what is known of an account to what its status says, and whether that can wait. Pure."""

from dataclasses import replace

from coldsend_operator.addresses import domain_of
from coldsend_operator.core.decide import QUIET_SECONDS
from coldsend_operator.core.decide.hand_over import takes_over_from
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Row, inbox_key
from coldsend_operator.core.model.conditions import condition, conditions
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.hashes import comparable
from coldsend_operator.core.model.reasons import KstatusType, Reason
from coldsend_operator.core.model.stored_status import Status, from_text, present
from coldsend_operator.core.status.condition_states import (
    LAST_SEEN,
    block_of,
    condition_states,
    refused_write,
    seen_word,
    what_stands_in_the_way,
)
from coldsend_operator.core.status.stored import stored_to_status
from coldsend_operator.core.workspace.workspace import Workspace

COUNTER = "emailsSentToday"


def project(account: Account, workspace: Workspace, now: float) -> Status | None:
    """The status that the object should have; None if there is nothing to write yet."""
    decision = workspace.decisions.get(account.uid)
    if decision is None:
        return None
    previous: Status = from_text(account.raw_status)
    quiet = _passes_by_itself(account, workspace, decision, now)
    if quiet and (account.stored == account.confirmed or _job_is_over(account, decision)):
        return None
    status = _values(account, workspace, previous)
    if decision.reason is Reason.ADDRESS_CONFLICT and (holder := takes_over_from(account, workspace)) is not None:
        status["takesOverFrom"] = {"namespace": holder.namespace, "name": holder.name}
    if _has_nothing_to_say(account, workspace, decision) and previous.get("conditions"):
        status["conditions"] = previous["conditions"]
        status["observedGeneration"] = previous.get("observedGeneration", account.desired.generation)
    else:
        says = condition_states(account, workspace, decision, status, previous, now)
        status["conditions"] = conditions(says, previous, account.desired.generation, now)
        status["observedGeneration"] = account.desired.generation
    if _can_wait(status, previous, counter_is_young=now - account.counter_at < workspace.policy.counter_seconds):
        return None
    return status


def _has_nothing_to_say(account: Account, workspace: Workspace, decision: Decision) -> bool:
    """Whether a quiet action only waits for its call: the conditions stay as they are."""
    if not decision.quiet or decision.reason is not None or refused_write(account) is not None:
        return False
    return account.desired.deleting is not None or what_stands_in_the_way(account, workspace, decision) is None


def _job_is_over(account: Account, decision: Decision) -> bool:
    """Whether only the end of the job is unwritten: it is written together with the result of the probe."""
    return decision.action is Action.SEARCH and account.stored == replace(account.confirmed, job=None)


def _passes_by_itself(account: Account, workspace: Workspace, decision: Decision, now: float) -> bool:
    """Whether a quiet action is still young and only waits for its turn."""
    if not decision.quiet or account.eta is not None or refused_write(account) is not None:
        return False
    return block_of(account, workspace, decision) is None and now - (account.waiting_since or now) < QUIET_SECONDS


def _can_wait(status: Status, previous: Status, *, counter_is_young: bool) -> bool:
    """Whether all changes can wait for the next write.

    These are a young counter, a digest with a new salt or key, and fields that earlier versions did not write.
    """
    if status == previous:
        return False
    status = _without_additions(status, previous)
    if counter_is_young and COUNTER in previous:
        status, previous = {**status, COUNTER: None}, {**previous, COUNTER: None}
    sent, before = _credentials_hash(status), _credentials_hash(previous)
    if sent is not None and before is not None and not comparable(sent, before):
        previous = {**previous, "lastApplied": {**previous["lastApplied"], "credentialsHash": sent}}
    return status == previous


def _without_additions(status: Status, previous: Status) -> Status:
    """The status without additions of this version, so that an upgrade does not rewrite thousands of objects."""
    if not previous.get("conditions"):
        return status
    added = {"domain", "effective"} - previous.keys()
    status = {key: value for key, value in status.items() if key not in added}
    if condition(previous, KstatusType.RECONCILING):
        return status
    left = [each for each in status["conditions"] if each["type"] != KstatusType.RECONCILING]
    return {**status, "conditions": left}


def _credentials_hash(status: Status) -> str | None:
    found: str | None = (status.get("lastApplied") or {}).get("credentialsHash")
    return found


# -- values


def _values(account: Account, workspace: Workspace, previous: Status) -> Status:
    stored = account.stored
    status: Status = {}
    row = workspace.inventory.row(stored.inbox_id)
    paused = workspace.policy.paused(account.desired)
    if paused and account.desired.deleting is None:
        status = {key: previous[key] for key in VALUE_KEYS if key in previous}
    elif stored.inbox_id is not None:
        status = _of_row(row) if row is not None else {}
        same = inbox_key(previous.get("inboxID", "")) == stored.inbox_id
        for key in VALUE_KEYS:
            if key not in status and same and key in previous and not (key == "healthScore" and row is not None):
                status[key] = previous[key]  # but a health score may truly be null (contract row 38)
    elif (shown := account.desired.spec.email_address or account.address) is not None:
        status["emailAddress"] = shown
    domain = domain_of(status.get("emailAddress", ""))
    if domain:
        status["domain"] = domain
    if not paused:
        desired, policy = account.desired, workspace.policy
        spec, orphan, secret = desired.spec, policy.orphans(desired), desired.key_ref.secret
        status["effective"] = policy.effective(orphan=orphan, recreate=spec.recreate, adopt=spec.adopt, key=secret)
    elif "effective" in previous:
        status["effective"] = previous["effective"]
    status |= stored_to_status(stored)
    if "overallStatus" in status and row is None and _is_missing(account, workspace):
        status["overallStatus"] = seen_word(status["overallStatus"]) + LAST_SEEN
    return status


def _is_missing(account: Account, workspace: Workspace) -> bool:
    """Whether ColdSend does not list the inbox, so that all values are those last seen."""
    decision = workspace.decisions.get(account.uid)
    return decision is not None and decision.reason in {Reason.NOT_FOUND, Reason.INVENTORY_IMPLAUSIBLE}


VALUE_KEYS = (
    "inboxID",
    "emailAddress",
    "inboxType",
    "overallStatus",
    "healthScore",
    "dailyLimit",
    "emailsSentToday",
    "createdAt",
    "origin",
)


def _of_row(row: Row) -> Status:
    return present(
        emailAddress=row.email_address,
        inboxType=row.inbox_type,
        overallStatus=row.overall_status,
        healthScore=row.health_score,
        dailyLimit=row.daily_limit,
        emailsSentToday=row.emails_sent_today,
        createdAt=row.created_at,
    )
