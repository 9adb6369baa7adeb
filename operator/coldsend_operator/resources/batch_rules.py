"""The rules of batches; in Python the rules of each child (account_rules) find most of this."""

from coldsend_operator.resources.common import InboxType, Rule

MAX_INBOXES = 5_000
NO_KEY_FOR_NATIVE = "passwordKey belongs to the SMTP types alone, as a COLDSEND inbox has no password; remove it"

TEMPLATE_RULES = (
    Rule(
        cel="!has(self.testEmail)",
        message="a batch sends no test mails, as one person would get thousands; remove testEmail and set it on one "
        "SenderAccount",
        holds=lambda template: template.test_email is None,
        field="testEmail",
        reason="FieldValueForbidden",
    ),
)

ITEM_RULES = (
    Rule(
        cel="has(self.emailAddress) != has(self.emailPrefix)",
        message="an inbox needs either emailAddress (SMTP types) or emailPrefix (COLDSEND); give exactly one",
        holds=lambda inbox: (inbox.email_address is None) != (inbox.email_prefix is None),
    ),
)

_IS_NATIVE = "(self.template.inboxType == 'COLDSEND')"
_OBSERVED = "(has(self.template.managementPolicy) && self.template.managementPolicy == 'Observe')"


def _list_rule(unless: str, good: str, message: str, *, required: bool = False) -> Rule:
    """A rule that every inbox `i` must pass unless a fact of the template excuses them all.

    The message cannot name the inbox: finding it in 5,000 costs a hundred times what the API server grants.
    """
    return Rule(
        cel=f"{unless} || self.inboxes.all(i, {good})",
        message=message,
        field="inboxes",
        reason="FieldValueRequired" if required else "FieldValueInvalid",
    )


def _limit_rule(inbox_type: InboxType, maximum: int) -> Rule:
    return _list_rule(
        f"self.template.inboxType != '{inbox_type}'",
        f"!has(i.dailyLimit) || i.dailyLimit <= {maximum}",
        f"the dailyLimit of an inbox is above {maximum:,}, the most that {inbox_type} allows; lower it",
    )


LIST_RULES = (
    _list_rule(
        _IS_NATIVE,
        "has(i.emailAddress)",
        "every inbox of an SMTP type needs emailAddress instead of emailPrefix; give it",
        required=True,
    ),
    _list_rule(
        f"!{_IS_NATIVE}",
        "has(i.emailPrefix)",
        "every inbox of type COLDSEND needs emailPrefix instead of emailAddress; give it",
        required=True,
    ),
    _list_rule(f"!{_IS_NATIVE}", "!has(i.passwordKey)", NO_KEY_FOR_NATIVE),
    _list_rule(
        f"!{_IS_NATIVE}",
        "!has(i.dailyLimit)",
        "ColdSend sets the limit of COLDSEND inboxes itself; remove dailyLimit from each of them",
    ),
    _list_rule(
        f"{_OBSERVED} || has(self.template.displayName)",
        "has(i.displayName)",
        "ColdSend needs displayName (1 to 255 characters) for every inbox; give it to each, or to the template",
        required=True,
    ),
    _list_rule(
        "!has(self.template.native) || !has(self.template.native.domainName)",
        "!has(i.emailPrefix) || i.emailPrefix.size() + 1 + self.template.native.domainName.size() <= 255",
        "an emailPrefix and domainName make an address of more than 255 characters; shorten emailPrefix",
    ),
    _limit_rule(InboxType.GOOGLE_WORKSPACE, 2_000),
    _limit_rule(InboxType.OUTLOOK_365, 5_000),
)

# The names of the children and their label begin with the name of the batch.
NAME_RULE = Rule(
    cel="self.metadata.name.size() <= 63",
    message="metadata.name must have at most 63 characters, as the label coldsend.pro/batch of the SenderAccounts "
    "repeats it; shorten it",
)
