"""The part of an account's status that must survive a restart: how it is written, and read back."""

from coldsend_operator.core.model.answers import inbox_key
from coldsend_operator.core.model.stored import Applied, Former, JobRef, Mail, Stored, StoredRefusal
from coldsend_operator.core.model.stored_status import Status, present


def stored_to_status(stored: Stored) -> Status:
    """The part of status that must survive a restart; `stored_of` reads it."""
    status = present(
        inboxID=stored.inbox_id,
        origin=stored.origin,
        lastReconcileRequest=stored.reconcile,
        lastCredentialsCurrentRequest=stored.credentials_current,
    )
    if stored.refusal is not None:
        status |= _refused(stored.refusal)
    if stored.job is not None:
        status["job"] = {"id": stored.job.id, "operation": stored.job.operation, "state": stored.job.state}
    if stored.applied is not None:
        status["lastApplied"] = present(
            specHash=stored.applied.spec_hash,
            credentialsHash=stored.applied.credentials_hash,
            workspace=stored.applied.workspace,
        )
    if stored.handed_over_from is not None:
        former = stored.handed_over_from
        status["handedOverFrom"] = {"namespace": former.namespace, "name": former.name}
    if stored.mail is not None:
        status["testEmail"] = present(
            requestID=stored.mail.request_id,
            recipient=stored.mail.recipient,
            startedAt=stored.mail.started_at,
            sentAt=stored.mail.sent_at,
            messageID=stored.mail.message_id,
            error=stored.mail.error,
            earlierRequestIDs=list(stored.mail.earlier) or None,
        )
    return status


def stored_of(status: Status) -> Stored:
    """Reads what `stored_to_status` wrote, from a status as read by `core.model.stored_status`."""
    applied, mail, job = status.get("lastApplied"), status.get("testEmail"), status.get("job", {})
    former = status.get("handedOverFrom")
    return Stored(
        inbox_id=inbox_key(status["inboxID"]) if status.get("inboxID") else None,
        origin=status.get("origin") or None,
        applied=Applied(applied.get("specHash"), applied.get("credentialsHash"), applied.get("workspace"))
        if applied
        else None,
        mail=Mail(
            mail.get("requestID", ""),
            mail.get("recipient", ""),
            mail.get("startedAt"),
            mail.get("sentAt"),
            mail.get("messageID"),
            mail.get("error"),
            tuple(mail.get("earlierRequestIDs", ())),
        )
        if mail
        else None,
        job=JobRef(job["id"], job.get("operation", ""), job.get("state", "Running")) if job.get("id") else None,
        reconcile=status.get("lastReconcileRequest"),
        refusal=_refusal_of(status),
        handed_over_from=Former(former.get("namespace", ""), former.get("name", "")) if former else None,
        credentials_current=status.get("lastCredentialsCurrentRequest"),
    )


def _refused(refusal: StoredRefusal) -> Status:
    generation, digest, asked = refusal.basis
    last = present(
        reason=refusal.reason,
        message=refusal.message,
        generation=generation,
        credentialsHash=digest,
        reconcileRequest=asked,
        workspace=refusal.workspace,
    )
    return {"nextAttempt": refusal.next_attempt, "attempts": refusal.attempts, "lastRefusal": last}


def _refusal_of(status: Status) -> StoredRefusal | None:
    last, due = status.get("lastRefusal"), status.get("nextAttempt")
    if not last or due is None:
        return None
    return StoredRefusal(
        reason=last.get("reason", ""),
        message=last.get("message", ""),
        next_attempt=due,
        attempts=status.get("attempts", 1),
        basis=(last.get("generation", 0), last.get("credentialsHash"), last.get("reconcileRequest")),
        workspace=last.get("workspace"),
    )
