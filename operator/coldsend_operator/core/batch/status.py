"""The status of a batch, computed from its figures. Pure; `batches.reporter` writes it."""

from coldsend_operator.core.batch.counts import Counts, FailedInbox, InboxState
from coldsend_operator.core.batch.jobs import JobRow
from coldsend_operator.core.batch.model import Batch
from coldsend_operator.core.model.conditions import (
    MESSAGE_LENGTH,
    NAMESPACE_PAUSED,
    PAUSED,
    ConditionState,
    condition,
    conditions,
    progress,
    with_notes,
)
from coldsend_operator.core.model.reasons import LASTING, STALLING, ConditionType, KstatusType, Reason
from coldsend_operator.core.model.stored_status import Status

APPROVE = "coldsend.pro/approve-deletion: 'true'"
NEVER_BACK = ("succeeded", "failed")
OBSTRUCTS_DELETION = frozenset(
    {Reason.IN_USE_BY_CAMPAIGN, Reason.FROZEN, Reason.UNAUTHORIZED, Reason.MISSING_SCOPES, Reason.API_UNAVAILABLE}
)
FIGURES = (
    "total",
    "processed",
    "succeeded",
    "failed",
    "ready",
    "progressPercentage",
    "completionPercentage",
    "healthScore",
    "domains",
    "failures",
)


def project_batch(batch: Batch, counts: Counts, jobs: list[JobRow], estimate: str | None, now: float) -> Status | None:
    """The status that the batch should have; None while its spec has not been read."""
    previous, wanted = batch.status, batch.desired
    if wanted is None and not batch.deleting:
        return None
    generation = batch.generation if wanted is None or batch.deleting else wanted.generation
    if batch.deleting:
        status = _kept(previous) | {"ready": counts.count(InboxState.LEAVING, ready=True)}
    elif not batch.in_effect and previous.get("conditions"):
        status = _kept(previous)
    else:
        status = _figures(batch, counts, estimate)
        if previous.get("observedGeneration") == generation:
            _never_back(status, previous)
    if jobs:
        status["jobs"] = jobs
    shown = previous.get("effective") if batch.paused else batch.effective
    if shown:
        status["effective"] = shown
    says = _condition_states(batch, counts, status)
    status["observedGeneration"] = generation
    status["conditions"] = conditions(says, previous, generation, now)
    return status


def _kept(previous: Status) -> Status:
    return {key: previous[key] for key in FIGURES if key in previous}


def _figures(batch: Batch, counts: Counts, estimate: str | None) -> Status:
    total = batch.desired.total if batch.desired is not None else 0
    status: Status = {
        "total": total,
        "succeeded": counts.count(InboxState.SUCCEEDED),
        "failed": counts.count(InboxState.FAILED),
        "ready": counts.count(ready=True),
    }
    _add_percentages(status)
    if counts.score is not None:
        status["healthScore"] = {"min": counts.score[0], "mean": counts.score[1]}
    domains = counts.domains.rows()
    if domains:
        status["domains"] = domains
    failures = [_failure_row(failure) for failure in counts.failures]
    if failures:
        status["failures"] = failures
    if estimate is not None and status["processed"] < total:
        status["estimatedCompletionTime"] = estimate
    return status


def _failure_row(failure: FailedInbox) -> dict[str, str]:
    row = {
        "name": failure.name,
        "emailAddress": failure.shown,
        "reason": str(failure.reason),
        "message": failure.message[:MESSAGE_LENGTH],
    }
    return {key: value for key, value in row.items() if value}


def _add_percentages(status: Status) -> None:
    status["processed"] = status["succeeded"] + status["failed"]
    status["progressPercentage"] = _percentage(status["processed"], status["total"])
    status["completionPercentage"] = _percentage(status["succeeded"], status["total"])


def _percentage(part: int, total: int) -> int:
    return 100 * part // total if total else 100


def _never_back(status: Status, previous: Status) -> None:
    """Within one generation `processed` never decreases, also while an inbox is created a second time.

    A missing inbox counts as it did before; only `ready` shows the current state.
    """
    lack = min(previous.get("processed", 0), status["total"]) - status["processed"]
    for key in NEVER_BACK:
        back = min(max(lack, 0), max(previous.get(key, 0) - status[key], 0))
        status[key] += back
        lack -= back
    _add_percentages(status)


# -- conditions


def counts_told(status: Status) -> tuple[str, str] | None:
    """Reason and message of Synced if they count inboxes that need a person; else None."""
    said = condition(status, ConditionType.SYNCED)
    if said.get("status") != "False" or said["reason"] not in LASTING | {Reason.DELETION_HELD}:
        return None
    return said["reason"], said["message"]


def _condition_states(
    batch: Batch, counts: Counts, status: Status
) -> dict[ConditionType | KstatusType, ConditionState]:
    ready, synced = _ready(batch, counts), with_notes(_synced(batch, counts, status), batch.all_notes)
    says: dict[ConditionType | KstatusType, ConditionState] = {ConditionType.READY: ready, ConditionType.SYNCED: synced}
    healthy = _healthy(counts)
    if healthy is not None:
        says[ConditionType.HEALTHY] = healthy
    if batch.paused and not batch.deleting:
        return says | progress(ready, synced, working=False)
    stop = _stop(batch, counts)
    return says | progress(ready, synced, working=stop.reason not in STALLING if stop is not None else counts.working)


def _ready(batch: Batch, counts: Counts) -> ConditionState:
    stop = _stop(batch, counts)
    if stop is not None:
        return stop
    total = batch.desired.total if batch.desired is not None else 0
    ready, failed = counts.count(ready=True), counts.count(InboxState.FAILED)
    if not total:
        return ConditionState("True", Reason.ACTIVE, "The list is empty.")
    if ready == total:
        what = "The inbox exists" if total == 1 else f"All {total} inboxes exist"
        return ConditionState("True", Reason.ACTIVE, f"{what} in ColdSend and can send.")
    message = f"{ready} of {_inboxes(total)} ready."
    if failed:
        message = f"{ready} of {_inboxes(total)} ready; {failed} failed ({_by_reason(counts)}). See status.failures."
    reason, _ = counts.most_common("reason", InboxState.FAILED)
    if not reason:
        reason, _ = counts.most_common("reason", InboxState.OPEN, InboxState.SUCCEEDED)
    reason = reason or Reason.PROVISIONING
    if batch.paused and reason == Reason.PROVISIONING:
        return ConditionState("False", Reason.RECONCILIATION_PAUSED, f"{message} {_pause(batch)}")
    return ConditionState("False", reason, message)


def _stop(batch: Batch, counts: Counts) -> ConditionState | None:
    """The state of the whole batch, if it replaces that of the inboxes."""
    if batch.deleting:
        deleting = ConditionState("False", Reason.DELETING, "The batch is being deleted; its SenderAccounts go first.")
        return _held(batch, counts) or _obstructed(batch, counts) or deleting
    if batch.problems:
        return ConditionState("False", Reason.INVALID_SPEC, " ".join(batch.problems))
    return None


def _held(batch: Batch, counts: Counts) -> ConditionState | None:
    held = counts.count(*InboxState, obstacle=Reason.DELETION_HELD)
    if not held:
        return None
    inboxes = f"{_inboxes(held)} of this batch"
    if batch.protected:
        why = f"{inboxes} {'was' if held == 1 else 'were'} to be deleted, and deletionProtection is true"
        approve = f"set it to false, or the annotation {APPROVE} on this batch"
    else:
        why = f"{inboxes} {'waits' if held == 1 else 'wait'} for approval, as too many were to be deleted"
        approve = f"set the annotation {APPROVE} on this batch, its SenderAccounts or the namespace"
    message = (
        f"Deletion is on hold: {why}. To approve: {approve}. To keep the inboxes: set template.deletionPolicy: Orphan; "
        "see docs/operations/deletion-brake.md."
    )
    return ConditionState("False", Reason.DELETION_HELD, message)


def _obstructed(batch: Batch, counts: Counts) -> ConditionState | None:
    """What the inboxes that leave wait for, if most of them wait for more than their turn."""
    reason, count = counts.most_common("obstacle", InboxState.LEAVING)
    if reason == Reason.REJECTED and batch.kept:
        why = next(iter(batch.kept.values()))
        message = f"Kubernetes refuses to delete the SenderAccounts of {_inboxes(count)} ({why}); it is retried."
        return ConditionState("False", reason, message)
    if reason not in OBSTRUCTS_DELETION:
        return None
    message = f"{_inboxes(count)} cannot be deleted yet ({reason}); see the SenderAccounts for what to do."
    return ConditionState("False", reason, message)


def _contested(batch: Batch) -> ConditionState | None:
    """Other writers change what the batch writes to its children."""
    count = len(batch.contested)
    if not count:
        return None
    more = f"; {count - 1} more {'is' if count == 2 else 'are'} changed too" if count > 1 else ""
    message = (
        f"{next(iter(batch.contested.values()))}{more}. The operator writes it again, at most every 10 "
        "minutes in the long run; change the template, or stop the other writer."
    )
    return ConditionState("False", Reason.CHILD_CHANGED_BY_OTHERS, message)


def _leaving(batch: Batch, leaving: int) -> ConditionState:
    """Inboxes leave the list; perhaps by mistake, if it was emptied."""
    inboxes, verb = _inboxes(leaving), "is" if leaving == 1 else "are"
    message = f"{inboxes} removed from the list {verb} being released."
    if batch.emptied:
        state = "released and stay in ColdSend" if batch.orphans else "deleted"
        message = (
            f"spec.inboxes is empty, so {inboxes} of this batch {verb} {state}. To keep the remaining inboxes, restore "
            "the list."
        )
    return ConditionState("False", Reason.DELETING, message)


def tells_of_empty_list(batch: Batch) -> bool:
    """Whether status already reports that the list of this generation is empty: only then are its children deleted."""
    if batch.waits or not batch.in_effect or not batch.emptied:
        return False
    said = condition(batch.status, ConditionType.SYNCED)
    return said.get("observedGeneration") == batch.generation and said.get("status") == "False"


def _synced(batch: Batch, counts: Counts, status: Status) -> ConditionState:
    if batch.unread is not None:
        return ConditionState("False", Reason.API_UNAVAILABLE, batch.unread)
    stop = _stop(batch, counts)
    if stop is not None:
        return stop
    if batch.paused:
        return ConditionState("False", Reason.RECONCILIATION_PAUSED, _pause(batch))
    held = _held(batch, counts) or _contested(batch)
    if held is not None:
        return held
    reason, failed = counts.most_common("obstacle", InboxState.FAILED)
    if failed:
        count = counts.count(InboxState.FAILED)
        message = f"{_inboxes(count)} failed ({_by_reason(counts)}). See status.failures for what to do."
        return ConditionState("False", reason, message)
    reason, count = counts.most_common("obstacle", InboxState.OPEN, InboxState.SUCCEEDED)
    if count:
        count, total = counts.count() - counts.count(obstacle=""), status.get("total", 0)
        verb = "does" if count == 1 else "do"
        message = f"{count} of {_inboxes(total)} {verb} not match the spec yet; see the SenderAccounts for the reason."
        return ConditionState("False", reason, message)
    leaving = counts.count(InboxState.LEAVING)
    if leaving:
        return (None if batch.emptied else _obstructed(batch, counts)) or _leaving(batch, leaving)
    return ConditionState("True", Reason.IN_SYNC, "ColdSend matches the spec.")


def _pause(batch: Batch) -> str:
    return PAUSED if batch.paused_said else NAMESPACE_PAUSED


def _by_reason(counts: Counts) -> str:
    """The number of failed inboxes by reason, the most frequent reason first."""
    by_reason = sorted(counts.reasons(InboxState.FAILED).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {reason}" for reason, count in by_reason)


def _inboxes(count: int) -> str:
    return "1 inbox" if count == 1 else f"{count} inboxes"


def _healthy(counts: Counts) -> ConditionState | None:
    """None while there is no inbox that could have a score."""
    low, good = counts.count(healthy="False"), counts.count(healthy="True")
    if low:
        verb = "has" if low == 1 else "have"
        return ConditionState(
            "False", Reason.HEALTH_SCORE_LOW, f"{low} of {_inboxes(low + good)} {verb} a low health score."
        )
    if good:
        return ConditionState("True", Reason.HEALTH_SCORE_GOOD, "No inbox has a low health score.")
    if not counts.count(InboxState.SUCCEEDED):
        return None
    return ConditionState("Unknown", Reason.HEALTH_SCORE_UNKNOWN, "ColdSend shows no health score.")
