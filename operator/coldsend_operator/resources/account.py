"""SenderAccount, what users write: one inbox of ColdSend."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from coldsend_operator.resources.account_rules import IDENTITY_RULES, INBOX_RULES, SPEC_RULES
from coldsend_operator.resources.common import (
    AdoptionPolicy,
    APIKeyReference,
    Block,
    DailyLimit,
    DeletionPolicy,
    DisplayName,
    DomainID,
    DomainName,
    EmailAddress,
    EmailPrefix,
    Flag,
    HostName,
    InboxType,
    ManagementPolicy,
    PasswordReference,
    Port,
    Rule,
    UpdatePolicy,
    UserName,
    validations,
)

INBOX_TYPE_DESCRIPTION = (
    "What kind of inbox this is: COLDSEND (native, made by ColdSend on a domain of the workspace), GOOGLE_WORKSPACE, "
    "OUTLOOK_365 or CUSTOM_SMTP (an existing mailbox reached by SMTP and IMAP). Immutable."
)
LIMIT_DESCRIPTION = (
    "Mails per day that ColdSend may send from {whose}. From 1 to 2,000 for GOOGLE_WORKSPACE, 5,000 for OUTLOOK_365, "
    "100,000 for CUSTOM_SMTP. When unset nothing is sent and ColdSend takes its own default (100). Forbidden for "
    "COLDSEND, whose limit ColdSend sets."
)


class SMTPSettings(Block):
    """How ColdSend sends through the mailbox."""

    host: HostName | None = Field(
        None,
        description="Host name of the SMTP server. The operator takes smtp.gmail.com for GOOGLE_WORKSPACE and "
        "smtp.office365.com for OUTLOOK_365 when unset; required for CUSTOM_SMTP.",
    )
    port: Port | None = Field(
        None,
        description="TCP port, 1 to 65535; usual are 587 (STARTTLS) and 465 (TLS). The operator takes 587 when unset.",
    )
    username: UserName | None = Field(
        None,
        description="Name to log in with, 1 to 255 characters. The operator takes the e-mail address when unset.",
    )
    password_secret_ref: PasswordReference = Field(
        description="Secret key that holds the password, mostly an app password. Read by the operator, never copied "
        "into this object."
    )
    use_tls: Flag | None = Field(
        None, description="Whether the connection is encrypted. The operator takes true when unset."
    )


class IMAPSettings(Block):
    """How ColdSend reads answers from the mailbox. Whatever is unset follows from smtp."""

    host: HostName | None = Field(
        None,
        description="Host name of the IMAP server. The operator takes imap.gmail.com for GOOGLE_WORKSPACE and "
        "outlook.office365.com for OUTLOOK_365 when unset; required for CUSTOM_SMTP.",
    )
    port: Port | None = Field(
        None,
        description="TCP port, 1 to 65535; usual are 993 (TLS) and 143 (STARTTLS). The operator takes 993 when unset.",
    )
    username: UserName | None = Field(
        None,
        description="Name to log in with, 1 to 255 characters. The operator takes the one of smtp when unset.",
    )
    password_secret_ref: PasswordReference | None = Field(
        None, description="Secret key that holds the password. The operator takes the one of smtp when unset."
    )
    use_ssl: Flag | None = Field(
        None, description="Whether the connection is encrypted. The operator takes true when unset."
    )


class NativeDomain(Block):
    """The domain of native inboxes. Exactly one of domainID and domainName is given."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.domainID) != has(self.domainName)",
            message="exactly one of domainID and domainName is needed; keep the one you know",
            holds=lambda native: (native.domain_id is None) != (native.domain_name is None),
        ),
    )
    model_config = ConfigDict(json_schema_extra=validations(*rules))

    domain_id: DomainID | None = Field(
        None, description="UUID of a domain of the workspace. Give either this or domainName."
    )
    domain_name: DomainName | None = Field(
        None,
        description="Name of a domain of the workspace, at most 253 characters, looked up through the domain list of "
        "ColdSend. Give either this or domainID.",
    )


class NativeSettings(NativeDomain):
    """Address of a native inbox: emailPrefix at the domain."""

    rules: ClassVar[tuple[Rule, ...]] = (
        *NativeDomain.rules,
        Rule(
            cel="!has(self.domainName) || self.emailPrefix.size() + 1 + self.domainName.size() <= 255",
            message="emailPrefix and domainName make an address of more than 255 characters; shorten emailPrefix",
            holds=lambda native: len(native.email_prefix) + 1 + len(native.domain_name or "") <= 255,
            field="emailPrefix",
        ),
    )
    model_config = ConfigDict(json_schema_extra=validations(*rules))

    email_prefix: EmailPrefix = Field(
        description="The part before the @: 1 to 64 lower case letters, digits, hyphens, underscores and single dots "
        "inside."
    )


class TestEmail(Block):
    """One test mail. It reaches a real person; each requestID is sent at most once."""

    __test__ = False  # pytest takes classes of this name for tests

    recipient: EmailAddress = Field(description="Address that receives the test mail, 5 to 255 characters.")
    request_id: str = Field(
        min_length=1,
        max_length=253,
        alias="requestID",
        description="Any text, 1 to 253 characters. A test mail leaves at most once for each new value, as soon as the "
        "inbox is Ready.",
    )


class InboxFields(Block):
    """The fields that a SenderAccount and the template of a batch have in common."""

    inbox_type: InboxType = Field(
        description=INBOX_TYPE_DESCRIPTION,
        json_schema_extra=validations(
            Rule(cel="self == oldSelf", message="inboxType cannot be changed; delete the object and create another")
        ),
    )
    smtp: SMTPSettings | None = Field(
        None,
        description="How ColdSend sends through the mailbox. Required for the three SMTP types unless managementPolicy "
        "is Observe, forbidden for COLDSEND.",
    )
    imap: IMAPSettings | None = Field(
        None,
        description="How ColdSend reads answers from the mailbox; whatever is unset follows from smtp. Required for "
        "CUSTOM_SMTP unless managementPolicy is Observe, forbidden for COLDSEND.",
    )
    api_key_secret_ref: APIKeyReference | None = Field(
        None,
        description="Secret key with the API key of another ColdSend workspace than the operator's own. When unset the "
        "operator takes the Secret that coldsend.pro/api-key-secret on the namespace names, else its own key.",
    )
    adoption_policy: AdoptionPolicy | None = Field(
        None,
        description="What to do when the address exists in ColdSend already: Refuse (leave it alone and say so) or "
        "Adopt (manage it from now on). The operator takes Refuse when unset, or what its setting "
        "COLDSEND_ADOPTION_DEFAULT says.",
    )
    deletion_policy: DeletionPolicy | None = Field(
        None,
        description="What happens to the inbox in ColdSend when this object is deleted: Delete or Orphan (it stays). "
        "The operator takes Delete when unset, or what coldsend.pro/deletion-policy on the namespace says, or "
        "its setting COLDSEND_DELETION_DEFAULT.",
    )
    deletion_protection: Flag | None = Field(
        None,
        description="While true, no inbox is deleted or replaced, by whatever way: an object in deletion waits with "
        "the reason DeletionHeld until the field is false, or coldsend.pro/approve-deletion stands on the object. "
        "The operator takes false when unset.",
    )
    update_policy: UpdatePolicy | None = Field(
        None,
        description="ColdSend cannot update an inbox. Never leaves it as it is and says so in the conditions; Recreate "
        "deletes it and creates it again, which gives it a new id and takes it out of its campaigns. The operator "
        "takes Never when unset.",
    )
    management_policy: ManagementPolicy | None = Field(
        None,
        description="Full manages the inbox; Observe mirrors the status of an existing one and never writes to "
        "ColdSend, so that smtp and imap may be left out. The operator takes Full when unset.",
    )

    @property
    def observed_only(self) -> bool:
        return self.management_policy is ManagementPolicy.OBSERVE


class SenderAccountSpec(InboxFields):
    """The inbox that shall exist."""

    rules: ClassVar[tuple[Rule, ...]] = (*INBOX_RULES, *SPEC_RULES)
    model_config = ConfigDict(json_schema_extra=validations(*rules, *IDENTITY_RULES))

    email_address: EmailAddress | None = Field(
        None,
        description="Address of the mailbox, 5 to 255 characters. Required for the three SMTP types, forbidden for "
        "COLDSEND, whose address is made of native. Immutable.",
    )
    display_name: DisplayName | None = Field(
        None,
        description="Name that recipients see, 1 to 255 characters. Required unless managementPolicy is Observe.",
    )
    daily_limit: DailyLimit | None = Field(None, description=LIMIT_DESCRIPTION.format(whose="this inbox"))
    native: NativeSettings | None = Field(
        None, description="Where a native inbox lives. Required for COLDSEND, forbidden for the other types. Immutable."
    )
    test_email: TestEmail | None = Field(
        None,
        description="Sends one test mail for each new requestID once the inbox is Ready. It is real mail to a real "
        "person.",
    )
