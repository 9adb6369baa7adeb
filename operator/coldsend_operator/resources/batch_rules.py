"""What makes sense in a batch; the Python side of most of these rules are the ones of each child (account_rules)."""

from coldsend_operator.resources.common import InboxType, Rule

MAX_INBOXES = 5_000

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
_NAME = "(has({i}.emailAddress) ? {i}.emailAddress : has({i}.emailPrefix) ? {i}.emailPrefix : 'one without address')"


def _list_rule(unless: str, good: str, message: str, *, required: bool = False) -> Rule:
    """A rule that every inbox `i` must pass unless a fact of the template excuses them all.

    The message names the first that does not, because a rule on the spec has no index to show.
    """
    first = f"self.inboxes.filter(i, !({good}))[0]"
    # One pass over a list of one binds the inbox to a name, so that the list is filtered only once.
    named = f"[{first}].map(i, {_NAME.format(i='i')})[0]"
    return Rule(
        cel=f"{unless} || self.inboxes.all(i, {good})",
        message=message,
        message_cel=f"'inbox ' + {named} + ': {message}'",
        field="inboxes",
        reason="FieldValueRequired" if required else "FieldValueInvalid",
    )


def _limit_rule(inbox_type: InboxType, maximum: int) -> Rule:
    return _list_rule(
        f"self.template.inboxType != '{inbox_type}'",
        f"!has(i.dailyLimit) || i.dailyLimit <= {maximum}",
        f"dailyLimit is above {maximum:,}, the most that {inbox_type} allows; lower it",
    )


LIST_RULES = (
    _list_rule(
        _IS_NATIVE, "has(i.emailAddress)", "the SMTP types need emailAddress, not emailPrefix; give it", required=True
    ),
    _list_rule(
        f"!{_IS_NATIVE}",
        "has(i.emailPrefix)",
        "inboxType COLDSEND needs emailPrefix, not emailAddress; give it",
        required=True,
    ),
    _list_rule(
        f"!{_IS_NATIVE}",
        "!has(i.passwordKey)",
        "passwordKey belongs to the SMTP types alone, as a COLDSEND inbox has no password; remove it",
    ),
    _list_rule(
        f"!{_IS_NATIVE}",
        "!has(i.dailyLimit)",
        "ColdSend sets the limit of COLDSEND inboxes itself; remove dailyLimit",
    ),
    _list_rule(
        f"{_OBSERVED} || has(self.template.displayName)",
        "has(i.displayName)",
        "ColdSend needs displayName (1 to 255 characters); give it here or in the template",
        required=True,
    ),
    _list_rule(
        "!has(self.template.native) || !has(self.template.native.domainName)",
        "!has(i.emailPrefix) || i.emailPrefix.size() + 1 + self.template.native.domainName.size() <= 255",
        "emailPrefix and domainName make an address of more than 255 characters; shorten emailPrefix",
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
