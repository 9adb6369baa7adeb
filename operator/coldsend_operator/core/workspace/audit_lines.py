"""What a line of the audit log says of one write: its cause, its approval and its outcome."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.model.differences import secret_changed

if TYPE_CHECKING:
    from coldsend_operator.core.workspace.workspace import Workspace


class Cause(StrEnum):
    """The cause of a write."""

    NEW = "new"  # the object never had an inbox
    SPEC = "spec"  # a replacement or a test mail because spec changed
    SECRET = "secret"  # noqa: S105 - a word of the log: the inbox is replaced because the values of its Secret changed
    DELETION = "deletion"  # the object is in deletion
    LEFT_BATCH = "left-batch"  # the object is in deletion because its Batch no longer lists it
    RECREATE = "recreate"  # the second half of a replacement
    VANISHED = "vanished"  # the inbox was removed in ColdSend, not by this object
    HAND_OVER = "hand-over"  # the inbox moves to another object, without a call


class Outcome(StrEnum):
    """The outcome of a write."""

    INTENT = "intent"  # the call is about to leave
    ACCEPTED = "accepted"  # ColdSend accepted the call; another line tells the result
    CREATED = "created"
    DELETED = "deleted"  # seen to be gone, after a delete that ColdSend accepted
    SENT = "sent"  # the test mail
    REFUSED = "refused"  # ColdSend did nothing
    UNKNOWN = "unknown"  # no response; another line tells the result
    NOT_SENT = "not-sent"  # the call never reached ColdSend
    NOTHING = "nothing"  # an accepted or unknown create created no inbox
    STILL_THERE = "still-there"  # an accepted or unknown delete did not delete the inbox
    GONE = "gone"  # the inbox is gone without a delete of this run: by an earlier run, or a person
    HANDED_OVER = "handed-over"


@dataclass(frozen=True, slots=True)
class Write:
    """One write for one inbox."""

    uid: str
    namespace: str
    name: str
    generation: int
    key: str  # digest of the API key
    operation: str
    cause: Cause
    approved_by: str | None = None  # the kind of the object whose annotation approves it
    attempt: int = 1
    inbox_id: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit log. `code` is the HTTP status of the response, None without one."""

    write: Write
    outcome: Outcome
    code: int | None = None


def fields_of(line: Line) -> dict[str, object]:
    """The line as written, without its time. It holds no address."""
    write = line.write
    return {
        "event": "write",
        "workspace": write.key,
        "operation": write.operation,
        "namespace": write.namespace,
        "name": write.name,
        "uid": write.uid,
        "inbox_id": write.inbox_id,
        "job": write.job,
        "generation": write.generation,
        "cause": write.cause.value,
        "approved_by": write.approved_by,
        "attempt": write.attempt,
        "outcome": line.outcome.value,
        "code": line.code,
    }


def write_of(workspace: "Workspace", account: Account, operation: Operation, inbox_id: str | None) -> Write:
    if operation.creates:
        cause, approved = _cause_of_create(account), _approval(workspace, account, deletion=False)
    elif operation.deletes:
        cause, approved = _cause_of_delete(workspace, account), _approval(workspace, account, deletion=True)
    else:
        cause, approved = Cause.SPEC, None
    job = account.stored.job.id if account.stored.job is not None else None
    return replace(named(account, operation.value, cause, inbox_id), approved_by=approved, job=job)


def named(account: Account, operation: str, cause: Cause, inbox_id: str | None) -> Write:
    desired = account.desired
    return Write(
        uid=desired.uid,
        namespace=desired.namespace,
        name=desired.name,
        generation=desired.generation,
        key=account.key,
        operation=operation,
        cause=cause,
        inbox_id=inbox_id,
    )


def create_of(account: Account) -> Operation:
    """The call of an earlier run, as far as the object shows it."""
    if account.desired.spec.native is not None:
        return Operation.CREATE_NATIVE
    return Operation.CREATE_SMTP_BULK if account.stored.job is not None else Operation.CREATE_SMTP


def _cause_of_create(account: Account) -> Cause:
    if account.stored.applied is None:
        return Cause.NEW
    return Cause.RECREATE if replaced(account) else Cause.VANISHED


def replaced(account: Account) -> bool:
    """Whether a replacement is due, so that a missing inbox was most likely deleted for it (rule 21)."""
    applied, spec = account.stored.applied, account.desired.spec
    other = applied is not None and applied.spec_hash is not None and applied.spec_hash != spec.hash
    return spec.recreate and (account.deleted_at is not None or other or secret_changed(account))


def _cause_of_delete(workspace: "Workspace", account: Account) -> Cause:
    desired, applied = account.desired, account.stored.applied
    if desired.deleting is not None:
        listed = workspace.policy.batch(desired.batch).listed
        return Cause.DELETION if listed is None or desired.name in listed else Cause.LEFT_BATCH
    same_spec = applied is not None and applied.spec_hash in {None, desired.spec.hash}
    return Cause.SECRET if same_spec and secret_changed(account) else Cause.SPEC


def _approval(workspace: "Workspace", account: Account, *, deletion: bool) -> str | None:
    """The kind of the object whose annotation approves deletions, or recreations."""
    approvals = workspace.policy.approvals(account.desired).items()
    found = (kind for kind, each in approvals if (each.approve_deletion if deletion else each.approve_recreation))
    return next(found, None)
