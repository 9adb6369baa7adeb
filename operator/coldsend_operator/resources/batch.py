"""SenderAccountBatch: many inboxes in one object, each with a SenderAccount of its own."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, StrictInt
from pydantic_core import PydanticCustomError

from coldsend_operator.resources.account import LIMIT_DESCRIPTION, InboxFields, NativeDomain, TestEmail
from coldsend_operator.resources.account_rules import INBOX_RULES, NATIVE_IDENTITY
from coldsend_operator.resources.account_status import EffectivePolicies
from coldsend_operator.resources.batch_rules import ITEM_RULES, LIST_RULES, MAX_INBOXES, TEMPLATE_RULES
from coldsend_operator.resources.common import (
    CONDITIONS_EXTENSION,
    Block,
    Condition,
    DailyLimit,
    DisplayName,
    EmailPrefix,
    Flag,
    ListedAddress,
    ListedName,
    Rule,
    SecretKey,
    Shape,
    validations,
)

PERCENTAGE = Shape(r"(100|[1-9][0-9]?)%", "must be a number from 1 or a percentage from 1% to 100%; correct it")


def _check_max_unavailable(value: int | str) -> int | str:
    if isinstance(value, str):
        return PERCENTAGE(value)
    if value < 1:
        raise PydanticCustomError("shape", "{message}", {"message": PERCENTAGE.message})
    return value


MaxUnavailable = Annotated[
    StrictInt | str,
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            **validations(
                Rule(
                    cel=f"type(self) == int ? self >= 1 : self.matches(r'^{PERCENTAGE.expression}$')",
                    message=PERCENTAGE.message,
                )
            ),
        }
    ),
    AfterValidator(_check_max_unavailable),
]


class InboxTemplate(InboxFields):
    """The fields of SenderAccount.spec that all inboxes of the batch share."""

    rules: ClassVar[tuple[Rule, ...]] = (*INBOX_RULES, *TEMPLATE_RULES)
    model_config = ConfigDict(json_schema_extra=validations(*rules, NATIVE_IDENTITY))

    display_name: DisplayName | None = Field(
        None, description="Name that recipients see, 1 to 255 characters, for inboxes that give none of their own."
    )
    daily_limit: DailyLimit | None = Field(
        None, description=LIMIT_DESCRIPTION.format(whose="each inbox that sets no limit of its own")
    )
    native: NativeDomain | None = Field(
        None,
        description="The domain of native inboxes. Required for COLDSEND, forbidden for the other types. Immutable: "
        "another domain means other inboxes.",
    )
    test_email: TestEmail | None = Field(
        None, description="Refused: a batch would mail one person thousands of times. Set it on one SenderAccount."
    )


class BatchInbox(Block):
    """One inbox of the batch. It gives either emailAddress (SMTP types) or emailPrefix (COLDSEND)."""

    rules: ClassVar[tuple[Rule, ...]] = ITEM_RULES
    model_config = ConfigDict(json_schema_extra=validations(*rules))

    email_address: ListedAddress | None = Field(
        None, description="Address of the mailbox, 5 to 255 characters. For the three SMTP types."
    )
    email_prefix: EmailPrefix | None = Field(
        None,
        description="The part before the @ of a native inbox: 1 to 64 lower case letters, digits, hyphens, underscores "
        "and single dots inside. For COLDSEND.",
    )
    display_name: ListedName | None = Field(
        None, description="Name that recipients see, 1 to 255 characters. Defaults to the one of the template."
    )
    daily_limit: DailyLimit | None = Field(
        None, description=LIMIT_DESCRIPTION.format(whose="this inbox instead of what the template says")
    )
    password_key: SecretKey | None = Field(
        None,
        description="Key inside the template's Secret that holds the password of this inbox. Defaults to the key of "
        "the template. For the three SMTP types.",
    )

    @property
    def identity(self) -> str:
        """The address or prefix, which identifies the inbox."""
        return self.email_address or self.email_prefix or ""


class SenderAccountBatchSpec(Block):
    """The desired inboxes."""

    model_config = ConfigDict(json_schema_extra=validations(*LIST_RULES))

    template: InboxTemplate = Field(description="The fields of SenderAccount.spec that all inboxes of the batch share.")
    max_unavailable: MaxUnavailable | None = Field(
        None,
        description="How many inboxes may be replaced at a time when a change needs replacements (updatePolicy: "
        "Recreate): a number from 1, or a percentage from 1% to 100% of the list, rounded down, at least one. "
        "Defaults to 10%.",
    )
    deletion_protection: Flag | None = Field(
        None,
        description="While true, no inbox of the batch is deleted or replaced, as with the field of the same name in "
        "template. Defaults to false.",
    )
    inboxes: list[BatchInbox] = Field(
        max_length=MAX_INBOXES,
        description="The inboxes: at most 5,000, and at most 1.5 MiB for the whole object, the limit of etcd; split "
        "longer lists into several batches. The deletionPolicy decides about an inbox that is removed from the list. "
        "Of an address listed twice only the first entry counts.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )


class BatchJob(Block):
    """A bulk call to ColdSend on behalf of this batch."""

    id: str | None = Field(None, description="Id of the job in ColdSend; absent when ColdSend answered at once.")
    operation: str | None = Field(None, description="Create or Delete.")
    state: str | None = Field(None, description="Running, Completed, Failed or Lost.")
    total: int | None = Field(None, description="Inboxes in the job.")
    processed: int | None = Field(None, description="Inboxes that ColdSend has processed, with success or not.")
    succeeded: int | None = Field(None, description="Inboxes processed with success.")
    failed: int | None = Field(None, description="Inboxes that ColdSend refused.")
    progress_percentage: int | None = Field(None, description="Progress in percent.")
    started_at: str | None = Field(None, description="When the job began (RFC 3339, UTC).")
    completed_at: str | None = Field(None, description="When the job ended (RFC 3339, UTC); absent while it runs.")


class BatchFailure(Block):
    """An inbox that failed for a reason that does not pass by itself."""

    name: str | None = Field(None, description="Name of its SenderAccount; absent when it has none.")
    email_address: str | None = Field(None, description="Its address, or its prefix when the domain is not known.")
    reason: str | None = Field(None, description="One word from the closed list of reasons in the documentation.")
    message: str | None = Field(None, description="One sentence: what happened, and what to do about it.")


class BatchHealth(Block):
    """Health scores of all inboxes of the batch that have one."""

    min: float | None = Field(None, description="The lowest score.")
    mean: float | None = Field(None, description="The arithmetic mean.")


class DomainStatus(Block):
    """The inboxes of one domain."""

    name: str | None = Field(None, description="The domain, in lower case.")
    total: int | None = Field(None, description="Desired inboxes.")
    ready: int | None = Field(None, description="SenderAccounts whose condition Ready is True.")
    disabled: int | None = Field(None, description="Inboxes that ColdSend has disabled.")
    health_score: BatchHealth | None = Field(
        None, description="Health of the inboxes, summed up; absent when ColdSend shows no score."
    )
    emails_sent_today: int | None = Field(None, description="Mails sent today, as last seen.")
    daily_limit: int | None = Field(None, description="Mails per day that ColdSend allows for these inboxes.")


class SenderAccountBatchStatus(Block):
    """How far the batch has come."""

    observed_generation: int | None = Field(
        None, description="The metadata.generation of the spec that this status describes."
    )
    total: int | None = Field(None, description="Desired inboxes.")
    processed: int | None = Field(None, description="Inboxes that ColdSend has answered for: succeeded and failed.")
    succeeded: int | None = Field(None, description="Inboxes that exist in ColdSend.")
    failed: int | None = Field(None, description="Inboxes that failed for a reason that does not pass by itself.")
    ready: int | None = Field(None, description="SenderAccounts of the batch whose condition Ready is True.")
    progress_percentage: int | None = Field(None, description="processed in percent of total.")
    completion_percentage: int | None = Field(None, description="succeeded in percent of total.")
    health_score: BatchHealth | None = Field(None, description="Health of the inboxes, summed up.")
    domains: list[DomainStatus] | None = Field(
        None,
        max_length=50,
        description="The same by domain, for the first 50 by name. Inboxes whose domain is not known yet are left out.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    estimated_completion_time: str | None = Field(
        None,
        description="While work is left: when it is expected to be done within the rate limits (RFC 3339, UTC).",
    )
    effective: EffectivePolicies | None = Field(
        None, description="The policies and the API key in effect for inboxes that set none of their own."
    )
    jobs: list[BatchJob] | None = Field(
        None,
        max_length=500,
        description="Running bulk jobs and the last 20 finished ones, newest first.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    failures: list[BatchFailure] | None = Field(
        None,
        max_length=20,
        description="The first 20 inboxes that failed, each with its reason; absent when there are none.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    conditions: list[Condition] | None = Field(
        None,
        max_length=16,
        description="Ready (every inbox is ready), Synced (ColdSend matches the spec) and Healthy. True is good news. "
        "In addition, only while True, Reconciling (work is under way or queued) or Stalled (waiting alone "
        "does not make it Ready).",
        json_schema_extra=CONDITIONS_EXTENSION,
    )
