"""The spec of a SenderAccount: one inbox of ColdSend."""

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
    "100,000 for CUSTOM_SMTP. When unset, ColdSend uses its own default (100). Forbidden for "
    "COLDSEND, whose limit ColdSend sets."
)


class SMTPSettings(Block):
    """How ColdSend sends through the mailbox."""

    host: HostName | None = Field(
        None,
        description="Host name of the SMTP server. Defaults to smtp.gmail.com for GOOGLE_WORKSPACE and "
        "smtp.office365.com for OUTLOOK_365; required for CUSTOM_SMTP.",
    )
    port: Port | None = Field(
        None,
        description="TCP port, 1 to 65535; usually 587 (STARTTLS) or 465 (TLS). Defaults to 587.",
    )
    username: UserName | None = Field(
        None,
        description="User name to log in with, 1 to 255 characters. Defaults to the e-mail address.",
    )
    password_secret_ref: PasswordReference = Field(
        description="Secret key that holds the password, usually an app password. The operator reads it and never "
        "copies it into this object."
    )
    use_tls: Flag | None = Field(None, description="Whether the connection is encrypted. Defaults to true.")


class IMAPSettings(Block):
    """How ColdSend reads replies from the mailbox. Unset fields default to those of smtp."""

    host: HostName | None = Field(
        None,
        description="Host name of the IMAP server. Defaults to imap.gmail.com for GOOGLE_WORKSPACE and "
        "outlook.office365.com for OUTLOOK_365; required for CUSTOM_SMTP.",
    )
    port: Port | None = Field(
        None,
        description="TCP port, 1 to 65535; usually 993 (TLS) or 143 (STARTTLS). Defaults to 993.",
    )
    username: UserName | None = Field(
        None,
        description="User name to log in with, 1 to 255 characters. Defaults to the one of smtp.",
    )
    password_secret_ref: PasswordReference | None = Field(
        None, description="Secret key that holds the password. Defaults to the one of smtp."
    )
    use_ssl: Flag | None = Field(None, description="Whether the connection is encrypted. Defaults to true.")


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

    __test__ = False  # pytest would collect it as a test class

    recipient: EmailAddress = Field(description="Address that receives the test mail, 5 to 255 characters.")
    request_id: str = Field(
        min_length=1,
        max_length=253,
        alias="requestID",
        description="Any text, 1 to 253 characters. At most one test mail is sent for each value, as soon as the "
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
        description="How ColdSend reads replies from the mailbox; unset fields default to those of smtp. Required for "
        "CUSTOM_SMTP unless managementPolicy is Observe, forbidden for COLDSEND.",
    )
    api_key_secret_ref: APIKeyReference | None = Field(
        None,
        description="Secret key with the API key of another ColdSend workspace than the operator's own. Defaults to "
        "the Secret that coldsend.pro/api-key-secret on the namespace names, else to the operator's own key.",
    )
    adoption_policy: AdoptionPolicy | None = Field(
        None,
        description="What to do when the address exists in ColdSend already: Refuse (leave it alone and say so) or "
        "Adopt (manage it from now on). Defaults to the setting COLDSEND_ADOPTION_DEFAULT, which is Refuse unless "
        "changed.",
    )
    deletion_policy: DeletionPolicy | None = Field(
        None,
        description="What happens to the inbox in ColdSend when this object is deleted: Delete or Orphan (it stays). "
        "Defaults to coldsend.pro/deletion-policy on the namespace, else to the setting COLDSEND_DELETION_DEFAULT, "
        "which is Delete unless changed.",
    )
    deletion_protection: Flag | None = Field(
        None,
        description="While true, the inbox is never deleted or replaced: an object in deletion waits with the reason "
        "DeletionHeld until the field is false or the object has the annotation coldsend.pro/approve-deletion. "
        "Defaults to false.",
    )
    update_policy: UpdatePolicy | None = Field(
        None,
        description="What to do when the spec changes, as ColdSend cannot update an inbox. Never keeps the inbox as it "
        "is and reports the difference in the conditions; Recreate deletes it and creates it again, which gives it a "
        "new id and removes it from its campaigns. Defaults to Never.",
    )
    management_policy: ManagementPolicy | None = Field(
        None,
        description="Full manages the inbox; Observe mirrors the status of an existing one and never writes to "
        "ColdSend, so that smtp and imap may be left out. Defaults to Full.",
    )

    @property
    def observed_only(self) -> bool:
        return self.management_policy is ManagementPolicy.OBSERVE


class SenderAccountSpec(InboxFields):
    """The desired inbox."""

    rules: ClassVar[tuple[Rule, ...]] = (*INBOX_RULES, *SPEC_RULES)
    model_config = ConfigDict(json_schema_extra=validations(*rules, *IDENTITY_RULES))

    email_address: EmailAddress | None = Field(
        None,
        description="Address of the mailbox, 5 to 255 characters. Required for the three SMTP types, forbidden for "
        "COLDSEND, whose address follows from native. Immutable.",
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
        description="Sends one test mail for each new requestID once the inbox is Ready. This is real mail to a real "
        "person.",
    )
