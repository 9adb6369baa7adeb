"""Manifests that the API server must refuse: what is wrong, and the words that say so and name the way out.

tests/resources reads the same table: what slips past an older CRD must be found by the operator too.
"""

from dataclasses import dataclass
from typing import Any

from tests.e2e.manifests.builders import (
    DOMAIN_ID,
    Manifest,
    account,
    batch,
    changed,
    custom,
    google,
    native,
    native_batch,
    observed,
    outlook,
)

TEST_EMAIL = {"recipient": "ops@company.com", "requestID": "1"}
TOO_LONG = {"emailPrefix": "x" * 64, "domainName": ".".join(["d" * 48] * 4)}
PASSWORD_OF_X = {"passwordSecretRef": {"name": "x"}}
OF_NO_DOMAIN = {"native": {"domainName": None}}
ANN, B = {"emailAddress": "ann@company.com"}, {"emailPrefix": "b"}
ADDRESS_WORDS = "must be one plain e-mail address such as jane@company.com"
HOST_WORDS = "must be a host name such as smtp.company.com"
PREFIX_WORDS = "may hold lower case letters, digits, hyphen, underscore and single dots inside"
SECRET_WORDS = "must be the name of a Secret in the same namespace"
DOT_WORDS = "has a dot at its start, before the @, or two dots in a row"
KEY_WORDS = "must be a key of the Secret"
LINE_WORDS = "must be one line of text with at least one visible character"
ONE_DOMAIN_WORDS = "exactly one of domainID and domainName is needed"
TOO_LONG_WORDS = "an address of more than 255 characters; shorten emailPrefix"
MAX_UNAVAILABLE_WORDS = "must be a number from 1 or a percentage from 1% to 100%"


@dataclass(frozen=True)
class Refusal:
    case: str
    manifest: Manifest
    field: str
    message: str


def password(server: str = "smtp", **reference: str | None) -> Manifest:
    return google(**{server: {"passwordSecretRef": reference}})


def block(**fields: str | None) -> Manifest:
    return native(native=fields)


def mail(**fields: str | None) -> Manifest:
    return google(testEmail=changed(TEST_EMAIL, fields))


def inbox(**fields: Any) -> Manifest:
    """A batch of this inbox."""
    return batch(inboxes=[changed({"displayName": "A"}, fields)])


def native_inbox(**fields: Any) -> Manifest:
    """A native batch with this inbox after one that is right."""
    return native_batch(inboxes=[{"emailPrefix": "a", "displayName": "A"}, changed({"displayName": "B"}, fields)])


REFUSED_ACCOUNTS = (
    Refusal("no type", google(inboxType=None), "spec.inboxType", "Required value"),
    Refusal("an unknown type", google(inboxType="YAHOO"), "spec.inboxType", 'Unsupported value: "YAHOO"'),
    Refusal("no spec", {k: v for k, v in google().items() if k != "spec"}, "spec", "Required value"),
    # type and block
    Refusal("native without its block", native(native=None), "spec.native", "COLDSEND needs the block native"),
    Refusal("native with an address", native(emailAddress="j@b.de"), "spec.emailAddress", "remove emailAddress"),
    Refusal("native with smtp", native(smtp={"passwordSecretRef": {"name": "x"}}), "spec.smtp", "remove smtp"),
    Refusal("native with imap", native(imap={"port": 993}), "spec.imap", "remove imap"),
    Refusal("native with a limit", native(dailyLimit=50), "spec.dailyLimit", "remove dailyLimit"),
    Refusal(
        "Google with the native block", google(native={"emailPrefix": "a"}), "spec.native", "COLDSEND alone; remove it"
    ),
    Refusal("Google without an address", google(emailAddress=None), "spec.emailAddress", "need emailAddress"),
    Refusal("Google without smtp", google(smtp=None), "spec.smtp", "need smtp.passwordSecretRef; add it"),
    Refusal("Outlook without smtp", outlook(smtp=None), "spec.smtp", "set managementPolicy: Observe"),
    Refusal("custom without smtp", custom(smtp=None), "spec.smtp", "need smtp.passwordSecretRef; add it"),
    Refusal("custom without imap", custom(imap=None), "spec.imap.host", "CUSTOM_SMTP needs imap.host"),
    Refusal("custom without smtp.host", custom(smtp={"host": None}), "spec.smtp.host", "CUSTOM_SMTP needs smtp.host"),
    Refusal("custom without imap.host", custom(imap={"host": None}), "spec.imap.host", "CUSTOM_SMTP needs imap.host"),
    Refusal("Google without a password", google(smtp={"passwordSecretRef": None}), "passwordSecretRef", "Required"),
    Refusal("no display name", google(displayName=None), "spec.displayName", "ColdSend needs displayName"),
    Refusal("a native inbox without display name", native(displayName=None), "spec.displayName", "add it"),
    Refusal("Observe without an address", observed(emailAddress=None), "spec.emailAddress", "need emailAddress"),
    # limits
    Refusal("Google above its limit", google(dailyLimit=2001), "spec.dailyLimit", "above 2,000, the most that GOOGLE"),
    Refusal("Outlook above its limit", outlook(dailyLimit=5001), "spec.dailyLimit", "above 5,000, the most that OUTL"),
    Refusal("custom above its limit", custom(dailyLimit=100_001), "spec.dailyLimit", "less than or equal to 100000"),
    Refusal("a limit of none", google(dailyLimit=0), "spec.dailyLimit", "greater than or equal to 1"),
    Refusal("a limit in words", google(dailyLimit="many"), "spec.dailyLimit", "must be of type integer"),
    # addresses and names
    Refusal("an address without @", google(emailAddress="jane.company.com"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("an address with two @", google(emailAddress="a@b@company.com"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("an address with a space", google(emailAddress="jane doe@company.com"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("an address in brackets", google(emailAddress="Jane <a@company.com>"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("an address without a dot", google(emailAddress="jane@company"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("an address with a newline", google(emailAddress="jane@company.com\n"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("two addresses", google(emailAddress="a@company.com,b@company.com"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("an address with U+FEFF", google(emailAddress="\ufeffa@company.com"), "spec.emailAddress", "U+FEFF"),
    Refusal("an address with U+00A0", google(emailAddress="a\u00a0@company.com"), "spec.emailAddress", "U+00A0"),
    Refusal("an address that ends with it", google(emailAddress="a@company.com\u00a0"), "spec.emailAddress", "U+00A0"),
    Refusal("an address with U+200B", google(emailAddress="a\u200b@company.com"), "spec.emailAddress", "U+200B"),
    Refusal("an address with U+202E", google(emailAddress="a\u202eb@company.com"), "spec.emailAddress", "U+20"),
    Refusal("an address with U+2003", google(emailAddress="a\u2003b@company.com"), "spec.emailAddress", "U+20"),
    Refusal("an address with U+3164", google(emailAddress="a\u3164@company.com"), "spec.emailAddress", "U+3164"),
    Refusal("an address with U+034F", google(emailAddress="a\u034fb@company.com"), "spec.emailAddress", "nobody sees"),
    Refusal("an address that begins with a dot", google(emailAddress=".a@company.com"), "spec.emailAddress", DOT_WORDS),
    Refusal("an address with a dot before @", google(emailAddress="a.@company.com"), "spec.emailAddress", DOT_WORDS),
    Refusal("an address with two dots", google(emailAddress="a..b@company.com"), "spec.emailAddress", DOT_WORDS),
    Refusal("a domain that is not ASCII", google(emailAddress="a@m\u00fcller.de"), "spec.emailAddress", "xn--"),
    Refusal("a domain with a long label", google(emailAddress=f"a@{'x' * 64}.de"), "spec.emailAddress", ADDRESS_WORDS),
    Refusal("a test mail to U+200B", mail(recipient="a\u200b@b.de"), "spec.testEmail.recipient", "U+200B"),
    Refusal("a display name with U+FEFF", google(displayName="\ufeffAnn"), "spec.displayName", "U+FEFF"),
    Refusal("a display name with U+202E", google(displayName="Ann\u202e"), "spec.displayName", "U+202E"),
    Refusal("a display name with U+2028", google(displayName="Ann\u2028Bob"), "spec.displayName", "U+2028"),
    Refusal("a display name of U+3164", google(displayName="\u3164"), "spec.displayName", "U+3164"),
    Refusal("a user name with U+1160", google(smtp={"username": "ann\u1160"}), "spec.smtp.username", "nobody sees"),
    Refusal("a user name with U+00A0", google(smtp={"username": "ann\u00a0"}), "spec.smtp.username", "U+00A0"),
    Refusal("a user name with U+200D", google(smtp={"username": "a\u200dn"}), "spec.smtp.username", "U+200D"),
    Refusal("a host with a long label", custom(smtp={"host": f"{'x' * 64}.de"}), "spec.smtp.host", HOST_WORDS),
    Refusal("a host with U+200B", custom(smtp={"host": "smtp\u200b.b.de"}), "spec.smtp.host", HOST_WORDS),
    Refusal("an address too short", google(emailAddress="a@b."), "spec.emailAddress", "at least 5"),
    Refusal("an address too long", google(emailAddress="a" * 250 + "@b.com"), "spec.emailAddress", "255"),
    Refusal("an empty display name", google(displayName=""), "spec.displayName", "at least 1"),
    Refusal("a display name too long", google(displayName="x" * 256), "spec.displayName", "255"),
    Refusal("a display name of spaces", google(displayName="   "), "spec.displayName", LINE_WORDS),
    Refusal("a display name of two lines", google(displayName="a\nBcc: b@c.de"), "spec.displayName", LINE_WORDS),
    # native
    Refusal("a prefix in capitals", native(native={"emailPrefix": "John"}), "spec.native.emailPrefix", PREFIX_WORDS),
    Refusal("a prefix with a final dot", native(native={"emailPrefix": "j."}), "spec.native.emailPrefix", PREFIX_WORDS),
    Refusal("a prefix with a first dot", native(native={"emailPrefix": ".j"}), "spec.native.emailPrefix", PREFIX_WORDS),
    Refusal("a prefix with two dots", native(native={"emailPrefix": "j..s"}), "spec.native.emailPrefix", PREFIX_WORDS),
    Refusal("a prefix with @", native(native={"emailPrefix": "j@x.com"}), "spec.native.emailPrefix", PREFIX_WORDS),
    Refusal("a prefix with plus", native(native={"emailPrefix": "j+tag"}), "spec.native.emailPrefix", PREFIX_WORDS),
    Refusal("an empty prefix", native(native={"emailPrefix": ""}), "spec.native.emailPrefix", "at least 1"),
    Refusal("a prefix too long", native(native={"emailPrefix": "x" * 65}), "spec.native.emailPrefix", "64"),
    Refusal("no prefix", native(native={"emailPrefix": None}), "spec.native.emailPrefix", "Required value"),
    Refusal("a prefix and a domain too long", block(**TOO_LONG), "spec.native.emailPrefix", TOO_LONG_WORDS),
    Refusal("two domains", block(domainID=DOMAIN_ID), "spec.native", ONE_DOMAIN_WORDS),
    Refusal("no domain", block(domainName=None), "spec.native", ONE_DOMAIN_WORDS),
    Refusal(
        "a domain ID that is none", block(domainName=None, domainID="b.de"), "spec.native.domainID", "use domainName"
    ),
    Refusal("a domain name with a scheme", block(domainName="https://b.de"), "native.domainName", "leave out scheme"),
    # servers
    Refusal("an SMTP port of 0", google(smtp={"port": 0}), "spec.smtp.port", "greater than or equal to 1"),
    Refusal("an SMTP port of 70000", google(smtp={"port": 70_000}), "spec.smtp.port", "less than or equal to 65535"),
    Refusal("an IMAP port of 0", google(imap={"port": 0}), "spec.imap.port", "greater than or equal to 1"),
    Refusal("an IMAP port of 65536", google(imap={"port": 65_536}), "spec.imap.port", "less than or equal to 65535"),
    Refusal("a port in words", google(smtp={"port": "587"}), "spec.smtp.port", "must be of type integer"),
    Refusal("an SMTP host with a port", custom(smtp={"host": "smtp.company.com:587"}), "spec.smtp.host", HOST_WORDS),
    Refusal("an SMTP host with a scheme", custom(smtp={"host": "smtps://x.com"}), "spec.smtp.host", HOST_WORDS),
    Refusal("an IMAP host with a space", custom(imap={"host": "imap company"}), "spec.imap.host", HOST_WORDS),
    Refusal("an empty SMTP host", custom(smtp={"host": ""}), "spec.smtp.host", "at least 1"),
    Refusal("an empty user name", google(smtp={"username": ""}), "spec.smtp.username", "at least 1"),
    Refusal("TLS in words", google(smtp={"useTLS": "maybe"}), "spec.smtp.useTLS", "must be of type boolean"),
    # Secrets
    Refusal("a password of no Secret", password(name=None, key="p"), "smtp.passwordSecretRef.name", "Required value"),
    Refusal("a password of an empty name", password(name=""), "smtp.passwordSecretRef.name", SECRET_WORDS),
    Refusal("a password of another namespace", password(name="a/b"), "smtp.passwordSecretRef.name", SECRET_WORDS),
    Refusal("a password key with a space", password(key="my key"), "smtp.passwordSecretRef.key", KEY_WORDS),
    Refusal(
        "an IMAP password of no Secret",
        google(imap={"passwordSecretRef": {"key": "i"}}),
        "imap.passwordSecretRef.name",
        "Req",
    ),
    Refusal(
        "an API key of no Secret", google(apiKeySecretRef={"key": "k"}), "spec.apiKeySecretRef.name", "Required value"
    ),
    Refusal("an empty key", google(apiKeySecretRef={"name": "a", "key": ""}), "spec.apiKeySecretRef.key", "at least 1"),
    # policies and test mail
    Refusal("an unknown adoptionPolicy", google(adoptionPolicy="Steal"), "spec.adoptionPolicy", '"Refuse", "Adopt"'),
    Refusal("an unknown deletionPolicy", google(deletionPolicy="Keep"), "spec.deletionPolicy", '"Delete", "Orphan"'),
    Refusal("an unknown updatePolicy", google(updatePolicy="Always"), "spec.updatePolicy", '"Never", "Recreate"'),
    Refusal("an unknown managementPolicy", google(managementPolicy="None"), "managementPolicy", '"Full", "Observe"'),
    Refusal("a test mail to nobody", mail(recipient=None), "spec.testEmail.recipient", "Required value"),
    Refusal("a test mail without a request", mail(requestID=None), "spec.testEmail.requestID", "Required value"),
    Refusal("a test mail to no address", mail(recipient="everybody"), "spec.testEmail.recipient", ADDRESS_WORDS),
    Refusal("nothing but a type", account("bare", {"inboxType": "CUSTOM_SMTP"}), "spec.emailAddress", "add it"),
)

REFUSED_BATCHES = (
    Refusal("no template", batch(template=None), "spec.template", "Required value"),
    Refusal("no list", batch(inboxes=None), "spec.inboxes", "Required value"),
    Refusal("a template without a type", batch(template={"inboxType": None}), "spec.template.inboxType", "Required"),
    Refusal("a template without smtp", batch(template={"smtp": None}), "spec.template.smtp", "smtp.passwordSecretRef"),
    Refusal("a template with a test mail", batch(template={"testEmail": TEST_EMAIL}), "template.testEmail", "remove"),
    Refusal("a template above the limit", batch(template={"dailyLimit": 2001}), "template.dailyLimit", "above 2,000"),
    Refusal("a template with native", batch(template={"native": {"domainName": "x.de"}}), "template.native", "COLDSEN"),
    Refusal(
        "a native template with smtp", native_batch(template={"smtp": PASSWORD_OF_X}), "template.smtp", "remove smtp"
    ),
    Refusal("a template of no domain", native_batch(template=OF_NO_DOMAIN), "spec.template.native", ONE_DOMAIN_WORDS),
    Refusal(
        "a template of no hosts", batch(template={"inboxType": "CUSTOM_SMTP"}), "template.smtp.host", "needs smtp.host"
    ),
    Refusal("an inbox of nothing", batch(inboxes=[{"displayName": "A"}]), "spec.inboxes[0]", "give exactly one"),
    Refusal("an inbox with address and prefix", inbox(**ANN, emailPrefix="a"), "spec.inboxes[0]", "give exactly one"),
    Refusal(
        "an SMTP inbox with a prefix",
        inbox(emailPrefix="a"),
        "spec.inboxes",
        "needs emailAddress instead of emailPrefix",
    ),
    Refusal("a native inbox with an address", native_inbox(**ANN), "spec.inboxes", "type COLDSEND needs emailPrefix"),
    Refusal(
        "a native inbox with a password key", native_inbox(**B, passwordKey="b"), "spec.inboxes", "SMTP types alone"
    ),
    Refusal(
        "a native inbox with a limit", native_inbox(**B, dailyLimit=5), "spec.inboxes", "remove dailyLimit from each"
    ),
    Refusal("an inbox without a name", inbox(**ANN, displayName=None), "spec.inboxes", "give it to each, or to the"),
    Refusal("a Google inbox above the limit", inbox(**ANN, dailyLimit=2001), "spec.inboxes", "an inbox is above 2,000"),
    Refusal(
        "an Outlook inbox above the limit",
        batch(
            template={"inboxType": "OUTLOOK_365"},
            inboxes=[{"emailAddress": "ann@company.com", "displayName": "A", "dailyLimit": 5001}],
        ),
        "spec.inboxes",
        "dailyLimit of an inbox is above 5,000",
    ),
    Refusal("an inbox address with a space", inbox(emailAddress="a n@b.de"), "inboxes[0].emailAddress", ADDRESS_WORDS),
    Refusal("an inbox prefix in capitals", native_inbox(emailPrefix="B"), "spec.inboxes[1].emailPrefix", PREFIX_WORDS),
    Refusal("an inbox key with a space", inbox(**ANN, passwordKey="my key"), "spec.inboxes[0].passwordKey", KEY_WORDS),
    Refusal(
        "a long prefix on a long domain",
        native_batch(
            template={"native": {"domainName": ".".join(["d" * 48] * 4)}},
            inboxes=[{"emailPrefix": "x" * 64, "displayName": "X"}],
        ),
        "spec.inboxes",
        "an address of more than 255 characters; shorten emailPrefix",
    ),
    Refusal("maxUnavailable of 0", batch(maxUnavailable=0), "spec.maxUnavailable", MAX_UNAVAILABLE_WORDS),
    Refusal("maxUnavailable of 0%", batch(maxUnavailable="0%"), "spec.maxUnavailable", MAX_UNAVAILABLE_WORDS),
    Refusal("maxUnavailable of 101%", batch(maxUnavailable="101%"), "spec.maxUnavailable", MAX_UNAVAILABLE_WORDS),
    Refusal("maxUnavailable in words", batch(maxUnavailable="some"), "spec.maxUnavailable", MAX_UNAVAILABLE_WORDS),
)

REFUSED_NAMES = (
    Refusal("a batch with a long name", batch("b" * 64), "", "metadata.name must have at most 63 characters"),
)
