"""The status of a SenderAccount."""

from typing import Annotated

from pydantic import Field

from coldsend_operator.resources.common import CONDITIONS_EXTENSION, Block, Condition


class JobMembership(Block):
    """The bulk job that carries this inbox."""

    id: str | None = Field(None, description="Id of the job in ColdSend.")
    operation: str | None = Field(None, description="Create or Delete.")
    state: str | None = Field(None, description="Running, Completed, Failed or Lost.")
    progress_percentage: int | None = Field(
        None, description="Progress of the whole job when this was written, in percent; batches show it live."
    )


class TestEmailStatus(Block):
    """The result of the last test mail."""

    __test__ = False

    request_id: str | None = Field(None, description="The requestID of this mail.")
    recipient: str | None = Field(None, description="Address that the mail was sent to.")
    started_at: str | None = Field(
        None,
        description="When the operator started to send it (RFC 3339, UTC). Written before the call, so that a crash "
        "cannot send it twice.",
    )
    sent_at: str | None = Field(None, description="When ColdSend sent it (RFC 3339, UTC).")
    message_id: str | None = Field(None, description="Message id that ColdSend reported.")
    error: str | None = Field(
        None, description="Why it was not sent, or that the outcome is unknown. To send again, set a new requestID."
    )
    earlier_request_ids: list[Annotated[str, Field(description="A requestID.")]] | None = Field(
        None,
        max_length=16,
        alias="earlierRequestIDs",
        description="The requestIDs before this one, the last 10: to set one of them again sends no mail.",
    )


class LastApplied(Block):
    """Digests of what was last sent to ColdSend: they tell drift, rotation and a swapped key apart after a restart."""

    spec_hash: str | None = Field(None, description="Hash of the fields that were sent.")
    credentials_hash: str | None = Field(
        None,
        description="HMAC of the passwords that were sent, made with a key that only the operator can read and with a "
        "salt of this object, so that equal passwords have different digests.",
    )
    workspace: str | None = Field(None, description="First 12 characters of a digest of the API key that was used.")


class FormerHolder(Block):
    """An object that holds an inbox, or held it before."""

    namespace: str | None = Field(None, description="Its namespace.")
    name: str | None = Field(None, description="Its name.")


class LastRefusal(Block):
    """The last refusal of a create by ColdSend, and what was refused.

    When any of it changes, the operator retries at once, else at nextAttempt.
    """

    reason: str | None = Field(None, description="The reason that Ready showed, ConnectionFailed for instance.")
    message: str | None = Field(None, description="The message of ColdSend.")
    generation: int | None = Field(None, description="The metadata.generation that was refused.")
    credentials_hash: str | None = Field(
        None, description="Digest of the passwords that were refused, made like that of lastApplied."
    )
    reconcile_request: str | None = Field(
        None, description="The value of the annotation coldsend.pro/reconcile at that time."
    )
    workspace: str | None = Field(None, description="First 12 characters of a digest of the API key that was used.")


class EffectivePolicies(Block):
    """The values in effect, with the defaults of the namespace and of the operator applied."""

    deletion_policy: str | None = Field(
        None,
        description="Delete or Orphan: what the spec says, else coldsend.pro/deletion-policy of the namespace, else "
        "the setting COLDSEND_DELETION_DEFAULT.",
    )
    update_policy: str | None = Field(None, description="Never or Recreate.")
    adoption_policy: str | None = Field(
        None, description="Refuse or Adopt: what the spec says, else the setting COLDSEND_ADOPTION_DEFAULT."
    )
    api_key_secret: str | None = Field(
        None,
        description="Secret with the API key (behind a slash its key, unless that is apiKey): what the spec says, else "
        "coldsend.pro/api-key-secret of the namespace; absent for the operator's own key.",
    )


class SenderAccountStatus(Block):
    """What the operator knows about the inbox. Values from ColdSend are kept as reported."""

    observed_generation: int | None = Field(
        None, description="The metadata.generation of the spec that this status describes."
    )
    inbox_id: str | None = Field(None, description="Id (UUID) of the inbox in ColdSend.")
    email_address: str | None = Field(None, description="Address as ColdSend writes it.")
    domain: str | None = Field(
        None, description="Domain of the address, in lower case; for `kubectl get sender --field-selector`."
    )
    inbox_type: str | None = Field(None, description="Type as ColdSend reports it.")
    overall_status: str | None = Field(
        None,
        description="ACTIVE, PAUSED, DISABLED, PENDING, or any other word that ColdSend reports. Followed by "
        "' (last seen)' while ColdSend does not list the inbox; the other values are then those last seen, too.",
    )
    health_score: float | None = Field(
        None, description="Health of the inbox as ColdSend rates it, 95.0 for instance; absent when it gives none."
    )
    daily_limit: int | None = Field(None, description="Mails per day that ColdSend allows for this inbox.")
    emails_sent_today: int | None = Field(
        None, description="Mails sent today, as last seen. A change of this field alone is written only now and then."
    )
    created_at: str | None = Field(None, description="When ColdSend created the inbox (RFC 3339, UTC).")
    job: JobMembership | None = Field(None, description="The bulk job that carries this inbox, while one does.")
    test_email: TestEmailStatus | None = Field(None, description="The result of the last test mail.")
    effective: EffectivePolicies | None = Field(None, description="The policies and the API key in effect.")
    last_reconcile_request: str | None = Field(
        None, description="The last value of the annotation coldsend.pro/reconcile that was served."
    )
    last_credentials_current_request: str | None = Field(
        None, description="The last value of the annotation coldsend.pro/credentials-current that was served."
    )
    next_attempt: str | None = Field(
        None,
        description="When the operator retries a create that ColdSend refused (RFC 3339, UTC), also after a restart. "
        "It retries at once when spec, the Secret or the annotation coldsend.pro/reconcile changes.",
    )
    attempts: int | None = Field(None, description="How many times in a row ColdSend has refused it.")
    last_refusal: LastRefusal | None = Field(None, description="What ColdSend refused, while nextAttempt is there.")
    origin: str | None = Field(
        None,
        description="How this object got its inbox: Created, Adopted or Observed. Only created and adopted inboxes "
        "are ever deleted, recreated or sent test mails.",
    )
    last_applied: LastApplied | None = Field(None, description="Digests of what was last sent to ColdSend.")
    takes_over_from: FormerHolder | None = Field(
        None, description="The object whose inbox this one takes over as soon as that object is deleted."
    )
    handed_over_from: FormerHolder | None = Field(
        None, description="The deleted object from which this one took over the inbox, as after a rename in Git."
    )
    conditions: list[Condition] | None = Field(
        None,
        max_length=16,
        description="Ready (exists and can send), Synced (ColdSend matches the spec), Healthy, and for the SMTP types "
        "CredentialsCurrent. True is good news. In addition, only while True, Reconciling (work is under way or "
        "queued) or Stalled (waiting alone does not make it Ready).",
        json_schema_extra=CONDITIONS_EXTENSION,
    )
