"""The columns of `kubectl get`."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Column:
    """One column; with `wide` it is shown by `kubectl get -o wide` only."""

    name: str
    path: str
    type: Literal["string", "integer", "number", "date"] = "string"
    description: str = ""
    wide: bool = False

    def to_schema(self) -> dict[str, Any]:
        column: dict[str, Any] = {"name": self.name, "type": self.type, "jsonPath": self.path}
        if self.description:
            column["description"] = self.description
        if self.wide:
            column["priority"] = 1
        return column


def _condition(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'


# The first condition with bad news, so that one column shows what matters most. The order is: Ready,
# Synced, Healthy, CredentialsCurrent. Unknown is no news.
MESSAGE = Column(
    "MESSAGE",
    '.status.conditions[?(@.status=="False")].message',
    description="What is wrong, and what to do about it.",
    wide=True,
)
AGE = Column("AGE", ".metadata.creationTimestamp", "date", "Time since the object was created.")

ACCOUNT_COLUMNS = (
    Column("EMAIL", ".status.emailAddress", description="Address of the inbox."),
    Column("TYPE", ".spec.inboxType", description="Kind of inbox."),
    Column("STATUS", ".status.overallStatus", description="Status of the inbox in ColdSend."),
    Column("HEALTH", ".status.healthScore", "number", "Health of the inbox as ColdSend rates it."),
    Column("SENT", ".status.emailsSentToday", "integer", "Mails sent today."),
    Column("LIMIT", ".status.dailyLimit", "integer", "Mails per day that ColdSend allows."),
    Column("READY", _condition("Ready", "status"), description="Whether the inbox exists and can send."),
    Column("REASON", _condition("Ready", "reason"), description="Why it is ready, or why not."),
    Column("DOMAIN", ".status.domain", description="Domain of the address.", wide=True),
    Column("INBOX-ID", ".status.inboxID", description="Id of the inbox in ColdSend.", wide=True),
    Column("SYNCED", _condition("Synced", "status"), description="Whether ColdSend matches the spec.", wide=True),
    MESSAGE,
    AGE,
)

BATCH_COLUMNS = (
    Column("TYPE", ".spec.template.inboxType", description="Kind of inbox."),
    Column("TOTAL", ".status.total", "integer", "Inboxes wanted."),
    Column("READY", ".status.ready", "integer", "Inboxes that exist and can send."),
    Column("FAILED", ".status.failed", "integer", "Inboxes that need attention."),
    Column("PROGRESS", ".status.completionPercentage", "integer", "Inboxes that exist in ColdSend, in percent."),
    Column("ETA", ".status.estimatedCompletionTime", description="When the rest is expected to be done."),
    Column("STATUS", _condition("Ready", "status"), description="Whether every inbox exists and can send."),
    Column("REASON", _condition("Ready", "reason"), description="Why the batch is ready, or why not."),
    MESSAGE,
    AGE,
)
