"""Manifests that must be accepted as they stand, and changes to them that are fine or refused."""

from dataclasses import dataclass

from tests.e2e.manifests.builders import (
    DOMAIN_ID,
    Manifest,
    batch,
    custom,
    google,
    native,
    native_batch,
    observed,
    outlook,
)

ACCEPTED = {
    "Google with the least": google(),
    "Outlook with the least": outlook(),
    "custom with the least": custom(),
    "native with the least": native(),
    "native by domain ID": native(native={"domainName": None, "domainID": DOMAIN_ID}),
    "native with every sign that a prefix may have": native(native={"emailPrefix": "j0hn.d_oe-2"}),
    "Observe without smtp and name": observed(),
    "a native inbox that is only observed": native(managementPolicy="Observe", displayName=None),
    "custom that is only observed": observed(inboxType="CUSTOM_SMTP"),
    "Google at its limit": google(dailyLimit=2000),
    "Outlook at its limit": outlook(dailyLimit=5000),
    "custom at its limit": custom(dailyLimit=100_000),
    "a limit of one": google(dailyLimit=1),
    "an address with tag, percent and capitals": google(emailAddress="Jane.Doe+sales%x'y@Mail.Company.com"),
    "a name with accents and an outer space": google(displayName=" Zoë “Z” Müller 🙂 "),
    "an address with accents": google(emailAddress="zo\u00eb@company.com"),
    "a domain in its xn-- form": google(emailAddress="a@xn--mller-kva.de"),
    "a name with joiners": google(
        displayName="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f4bb"
    ),
    "a host with labels of 63": custom(smtp={"host": f"{'x' * 63}.{'y' * 63}.de"}),
    "imap with a login of its own": google(
        imap={"host": "imap.x.de", "port": 143, "username": "j", "passwordSecretRef": {"name": "i"}, "useSSL": False}
    ),
    "an SMTP server by address": custom(smtp={"host": "10.1.2.3", "port": 465, "useTLS": False}),
    "every policy": google(
        adoptionPolicy="Adopt", deletionPolicy="Orphan", updatePolicy="Recreate", managementPolicy="Full"
    ),
    "an own workspace": google(apiKeySecretRef={"name": "workspace"}),
    "an own workspace with a key": google(apiKeySecretRef={"name": "workspace", "key": "cold.send_key-1"}),
    "a test mail": google(testEmail={"recipient": "ops@company.com", "requestID": "1"}),
    "a batch": batch(),
    "a native batch": native_batch(),
    "an empty batch": batch(inboxes=[]),
    "a batch whose template names all": batch(template={"displayName": "Team"}, inboxes=[{"emailAddress": "a@b.co"}]),
    "a batch that lists an address twice": batch(
        inboxes=[{"emailAddress": "a@b.co", "displayName": "A"}, {"emailAddress": "A@b.co", "displayName": "B"}]
    ),
    "a batch with a number of replacements": batch(maxUnavailable=3),
    "a batch with a percentage of replacements": batch(maxUnavailable="100%"),
    "a batch that is only observed": batch(
        template={"managementPolicy": "Observe", "smtp": None}, inboxes=[{"emailAddress": "a@b.co"}]
    ),
    "a batch of custom inboxes": batch(
        template={"inboxType": "CUSTOM_SMTP", "smtp": {"host": "smtp.x.de"}, "imap": {"host": "imap.x.de"}}
    ),
    "a batch with a long name": batch("b" * 63),
}


@dataclass(frozen=True)
class Change:
    case: str
    before: Manifest
    after: Manifest
    field: str = ""
    message: str = ""


FORBIDDEN_CHANGES = (
    Change("another type", google(), google(inboxType="OUTLOOK_365"), "spec.inboxType", "inboxType cannot be changed"),
    Change("another address", google(), google(emailAddress="new@company.com"), "spec.emailAddress", "cannot be chan"),
    Change("the address in capitals", google(), google(emailAddress="GOOGLE@company.com"), "emailAddress", "cannot be"),
    Change(
        "another prefix", native(), native(native={"emailPrefix": "jim"}), "spec.native", "native cannot be changed"
    ),
    Change("another domain", native(), native(native={"domainName": "x.company.com"}), "spec.native", "cannot be chan"),
    Change(
        "a domain ID for its name",
        native(),
        native(native={"domainName": None, "domainID": DOMAIN_ID}),
        "spec.native",
        "native cannot be changed",
    ),
    Change(
        "an address that appears and a block that goes",
        native(),
        {**google(), "metadata": native()["metadata"]},
        "spec.emailAddress",
        "emailAddress cannot be changed",
    ),
    Change(
        "a block that appears and an address that goes",
        google(),
        {**native(), "metadata": google()["metadata"]},
        "spec.native",
        "native cannot be changed",
    ),
    Change(
        "another type of a batch",
        batch(),
        batch(template={"inboxType": "OUTLOOK_365"}),
        "spec.template.inboxType",
        "inboxType cannot be changed",
    ),
    Change(
        "another domain of a batch",
        native_batch(),
        native_batch(template={"native": {"domainName": "x.company.com"}}),
        "spec.template.native",
        "native cannot be changed",
    ),
    Change(
        "a domain ID for the name in a batch",
        native_batch(),
        native_batch(template={"native": {"domainName": None, "domainID": DOMAIN_ID}}),
        "spec.template.native",
        "native cannot be changed",
    ),
    Change(
        "from Observe to Full without a password",
        observed(),
        observed(managementPolicy="Full"),
        "spec.smtp",
        "need smtp.passwordSecretRef; add it",
    ),
)

ALLOWED_CHANGES = (
    Change("the name", google(), google(displayName="John")),
    Change("the limit", google(), google(dailyLimit=10)),
    Change("the Secret", google(), google(smtp={"passwordSecretRef": {"name": "other", "key": "new"}})),
    Change("the server", custom(), custom(smtp={"host": "smtp2.company.com"})),
    Change("the workspace's key", google(), google(apiKeySecretRef={"name": "workspace"})),
    Change("the policies", google(), google(deletionPolicy="Orphan", updatePolicy="Recreate")),
    Change("to Observe", google(), google(managementPolicy="Observe", smtp=None)),
    Change("another test mail", google(), google(testEmail={"recipient": "ops@company.com", "requestID": "2"})),
    Change("the inboxes of a batch", batch(), batch(inboxes=[])),
    Change("the limit of a batch", batch(), batch(template={"dailyLimit": 10})),
)
