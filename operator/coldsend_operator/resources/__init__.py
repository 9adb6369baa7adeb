"""The custom resources: spec, status, and the validation at `kubectl apply`."""

from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.account_status import SenderAccountStatus
from coldsend_operator.resources.batch import BatchInbox, SenderAccountBatchSpec, SenderAccountBatchStatus
from coldsend_operator.resources.children import child_name, child_spec
from coldsend_operator.resources.common import (
    AdoptionPolicy,
    Condition,
    DeletionPolicy,
    InboxType,
    ManagementPolicy,
    UpdatePolicy,
)
from coldsend_operator.resources.effective import (
    MailServer,
    SecretKeyReference,
    api_key,
    effective_imap,
    effective_smtp,
    max_unavailable,
    password_key,
)
from coldsend_operator.resources.reading import (
    AccountReading,
    BatchReading,
    InboxReading,
    Policies,
    local_problems,
    policies,
    read_account,
    read_batch,
)

__all__ = [
    "AccountReading",
    "AdoptionPolicy",
    "BatchInbox",
    "BatchReading",
    "Condition",
    "DeletionPolicy",
    "InboxReading",
    "InboxType",
    "MailServer",
    "ManagementPolicy",
    "Policies",
    "SecretKeyReference",
    "SenderAccountBatchSpec",
    "SenderAccountBatchStatus",
    "SenderAccountSpec",
    "SenderAccountStatus",
    "UpdatePolicy",
    "api_key",
    "child_name",
    "child_spec",
    "effective_imap",
    "effective_smtp",
    "local_problems",
    "max_unavailable",
    "password_key",
    "policies",
    "read_account",
    "read_batch",
]
