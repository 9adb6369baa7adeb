"""The validation rules for combinations of fields: one table for the API server and for Python."""

from typing import Any

from coldsend_operator.resources.common import InboxType, Rule

OBSERVED = "(has(self.managementPolicy) && self.managementPolicy == 'Observe')"
IS_NATIVE = "(self.inboxType == 'COLDSEND')"


def _is_native(spec: Any) -> bool:
    return bool(spec.inbox_type is InboxType.COLDSEND)


def _is_custom(spec: Any) -> bool:
    return bool(spec.inbox_type is InboxType.CUSTOM_SMTP)


def _has_host(block: Any) -> bool:
    return block is not None and block.host is not None


def _limit_rule(inbox_type: InboxType, maximum: int) -> Rule:
    return Rule(
        cel=f"self.inboxType != '{inbox_type}' || !has(self.dailyLimit) || self.dailyLimit <= {maximum}",
        message=f"dailyLimit is above {maximum:,}, the most that {inbox_type} allows; lower it",
        holds=lambda spec: spec.inbox_type is not inbox_type or (spec.daily_limit or 0) <= maximum,
        field="dailyLimit",
    )


def _not_if_native(field: str, attribute: str, message: str) -> Rule:
    return Rule(
        cel=f"!{IS_NATIVE} || !has(self.{field})",
        message=message,
        holds=lambda spec: not _is_native(spec) or getattr(spec, attribute) is None,
        field=field,
        reason="FieldValueForbidden",
    )


# The fields that accounts and templates share.
INBOX_RULES = (
    Rule(
        cel=f"!{IS_NATIVE} || has(self.native)",
        message="inboxType COLDSEND needs the block native, which says where the inbox lives; add it",
        holds=lambda spec: not _is_native(spec) or spec.native is not None,
        field="native",
        reason="FieldValueRequired",
    ),
    Rule(
        cel=f"{IS_NATIVE} || !has(self.native)",
        message="native belongs to inboxType COLDSEND alone; remove it, or use COLDSEND",
        holds=lambda spec: _is_native(spec) or spec.native is None,
        field="native",
        reason="FieldValueForbidden",
    ),
    _not_if_native(
        "smtp",
        "smtp",
        "inboxType COLDSEND sends through ColdSend itself; remove smtp, or use one of the SMTP types",
    ),
    _not_if_native(
        "imap",
        "imap",
        "inboxType COLDSEND receives through ColdSend itself; remove imap, or use one of the SMTP types",
    ),
    _not_if_native(
        "dailyLimit",
        "daily_limit",
        "ColdSend sets the limit of COLDSEND inboxes itself and status.dailyLimit shows it; remove dailyLimit",
    ),
    Rule(
        cel=f"{IS_NATIVE} || {OBSERVED} || has(self.smtp)",
        message="the SMTP types need smtp.passwordSecretRef; add it, or set managementPolicy: Observe",
        holds=lambda spec: _is_native(spec) or spec.observed_only or spec.smtp is not None,
        field="smtp",
        reason="FieldValueRequired",
    ),
    Rule(
        cel=f"self.inboxType != 'CUSTOM_SMTP' || {OBSERVED} || !has(self.smtp) || has(self.smtp.host)",
        message="inboxType CUSTOM_SMTP needs smtp.host, as no provider sets it; add it",
        holds=lambda spec: not _is_custom(spec) or spec.observed_only or spec.smtp is None or _has_host(spec.smtp),
        field="smtp.host",
        reason="FieldValueRequired",
    ),
    Rule(
        cel=f"self.inboxType != 'CUSTOM_SMTP' || {OBSERVED} || (has(self.imap) && has(self.imap.host))",
        message="inboxType CUSTOM_SMTP needs imap.host, as no provider sets it; add it",
        holds=lambda spec: not _is_custom(spec) or spec.observed_only or _has_host(spec.imap),
        field="imap.host",
        reason="FieldValueRequired",
    ),
    _limit_rule(InboxType.GOOGLE_WORKSPACE, 2_000),
    _limit_rule(InboxType.OUTLOOK_365, 5_000),
)

# The fields that only an account has.
SPEC_RULES = (
    Rule(
        cel=f"{IS_NATIVE} || has(self.emailAddress)",
        message="the SMTP types need emailAddress, the address of the mailbox; add it",
        holds=lambda spec: _is_native(spec) or spec.email_address is not None,
        field="emailAddress",
        reason="FieldValueRequired",
    ),
    _not_if_native(
        "emailAddress",
        "email_address",
        "the address of a COLDSEND inbox is made of native.emailPrefix and the domain; remove emailAddress",
    ),
    Rule(
        cel=f"{OBSERVED} || has(self.displayName)",
        message="ColdSend needs displayName (1 to 255 characters) to create an inbox; add it",
        holds=lambda spec: spec.observed_only or spec.display_name is not None,
        field="displayName",
        reason="FieldValueRequired",
    ),
)

# Rules on the parent, because the rule of a field does not run when the field appears or goes.
NATIVE_IDENTITY = Rule(
    cel="has(self.native) == has(oldSelf.native) && (!has(self.native) || self.native == oldSelf.native)",
    message="native cannot be changed, as another prefix or domain is another inbox; delete the object and create "
    "another",
    field="native",
)
IDENTITY_RULES = (
    Rule(
        cel="has(self.emailAddress) == has(oldSelf.emailAddress)"
        " && (!has(self.emailAddress) || self.emailAddress == oldSelf.emailAddress)",
        message="emailAddress cannot be changed, as another address is another inbox; delete the object and create "
        "another",
        field="emailAddress",
    ),
    NATIVE_IDENTITY,
)
