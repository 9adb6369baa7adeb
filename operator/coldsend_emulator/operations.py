"""The documented endpoints: operation, method, path under the base URL, scope."""

import re
from dataclasses import dataclass

BASE_PATH = "/api/public/v1"

CREATE = "sender_accounts:create"
READ = "sender_accounts:read"
DELETE = "sender_accounts:delete"
ALL = "sender_accounts:all"
EVERYTHING = "*"

DOMAIN = "domain"  # undocumented scopes (row 41), resolved by keys.required_scope
TEST_EMAIL = "test_email"
PROGRESS_OF_CREATE = "progress_of_create"
PROGRESS_OF_DELETE = "progress_of_delete"


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    scope: str


OPERATIONS = (
    Operation("listSenderAccounts", "GET", "/sender-accounts", READ),
    Operation("getSenderAccount", "GET", "/sender-accounts/{inbox_id}", READ),
    Operation("deleteSenderAccount", "DELETE", "/sender-accounts/{inbox_id}", DELETE),
    Operation("createNativeInbox", "POST", "/sender-accounts/coldsend-native", CREATE),
    Operation("bulkCreateNativeInboxes", "POST", "/sender-accounts/coldsend-native/bulk", CREATE),
    Operation("createSmtpAccount", "POST", "/sender-accounts/smtp", CREATE),
    Operation("bulkCreateSmtpAccounts", "POST", "/sender-accounts/smtp/bulk", CREATE),
    Operation("getSmtpBulkProgress", "GET", "/sender-accounts/smtp/bulk/{job_id}/progress", PROGRESS_OF_CREATE),
    Operation("bulkDeleteSenderAccounts", "POST", "/sender-accounts/bulk/delete", DELETE),
    Operation("getBulkDeleteProgress", "GET", "/sender-accounts/bulk/delete/{job_id}/progress", PROGRESS_OF_DELETE),
    Operation("sendTestEmail", "POST", "/sender-accounts/{inbox_id}/test-email", TEST_EMAIL),
    Operation("listDomains", "GET", "/domains", DOMAIN),
    Operation("addDomain", "POST", "/domains", DOMAIN),
    Operation("getDomain", "GET", "/domains/{domain_id}", DOMAIN),
    Operation("deleteDomain", "DELETE", "/domains/{domain_id}", DOMAIN),
    Operation("activateDomain", "POST", "/domains/{domain_id}/activate", DOMAIN),
    Operation("getDomainProgress", "GET", "/domains/{domain_id}/progress", DOMAIN),
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}

_WITHOUT_PARAMETER = {(o.method, o.path): o for o in OPERATIONS if "{" not in o.path}
_WITH_PARAMETER = tuple(
    (o.method, re.compile(re.sub(r"\{\w+\}", "[^/]+", o.path)), o) for o in OPERATIONS if "{" in o.path
)


def find(method: str, path: str) -> Operation | None:
    """The operation of a method and a path, which includes the base path."""
    relative = path.removeprefix(BASE_PATH)
    if relative == path:
        return None
    found = _WITHOUT_PARAMETER.get((method, relative))
    if found:
        return found
    return next((o for m, pattern, o in _WITH_PARAMETER if m == method and pattern.fullmatch(relative)), None)
