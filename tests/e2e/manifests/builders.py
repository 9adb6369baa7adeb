"""Manifests that are right, and ways to make one thing of them wrong."""

from typing import Any

Manifest = dict[str, Any]

PASSWORD = {"name": "login"}
DOMAIN_ID = "550e8400-e29b-41d4-a716-446655440000"
SMTP_NAMES = {"GOOGLE_WORKSPACE": "google", "OUTLOOK_365": "outlook", "CUSTOM_SMTP": "custom"}


def changed(base: Manifest, changes: Manifest) -> Manifest:
    """A copy of `base` with `changes` merged in; None takes a field away."""
    merged = {**base}
    for field, value in changes.items():
        if value is None:
            merged.pop(field, None)
        elif isinstance(value, dict) and isinstance(base.get(field), dict):
            merged[field] = changed(base[field], value)
        else:
            merged[field] = value
    return merged


def account(name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "coldsend.pro/v1alpha1",
        "kind": "SenderAccount",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def google(**changes: Any) -> Manifest:
    return account("google", changed(_smtp_spec("GOOGLE_WORKSPACE"), changes))


def outlook(**changes: Any) -> Manifest:
    return account("outlook", changed(_smtp_spec("OUTLOOK_365"), changes))


def custom(**changes: Any) -> Manifest:
    spec = _smtp_spec("CUSTOM_SMTP")
    spec["smtp"] = {"host": "smtp.company.com", "passwordSecretRef": PASSWORD}
    spec["imap"] = {"host": "imap.company.com"}
    return account("custom", changed(spec, changes))


def native(**changes: Any) -> Manifest:
    spec = {
        "inboxType": "COLDSEND",
        "displayName": "John Smith",
        "native": {"domainName": "mail.company.com", "emailPrefix": "john"},
    }
    return account("native", changed(spec, changes))


def observed(**changes: Any) -> Manifest:
    spec = {"inboxType": "GOOGLE_WORKSPACE", "emailAddress": "jane@company.com", "managementPolicy": "Observe"}
    return account("observed", changed(spec, changes))


def batch(name: str = "batch", **changes: Any) -> Manifest:
    spec = {
        "template": {"inboxType": "GOOGLE_WORKSPACE", "smtp": {"passwordSecretRef": PASSWORD}},
        "inboxes": [
            {"emailAddress": "ann@company.com", "displayName": "Ann", "passwordKey": "ann"},
            {"emailAddress": "bob@company.com", "displayName": "Bob", "dailyLimit": 20},
        ],
    }
    return {
        "apiVersion": "coldsend.pro/v1alpha1",
        "kind": "SenderAccountBatch",
        "metadata": {"name": name, "namespace": "default"},
        "spec": changed(spec, changes),
    }


def native_batch(**changes: Any) -> Manifest:
    spec = {
        "template": {"inboxType": "COLDSEND", "native": {"domainName": "mail.company.com"}},
        "inboxes": [{"emailPrefix": "john", "displayName": "John"}, {"emailPrefix": "sales", "displayName": "Sales"}],
    }
    manifest = batch("native-batch")
    return {**manifest, "spec": changed(spec, changes)}


def large_batch(size: int) -> Manifest:
    """As people write them: an address, a name and the key of the password for each inbox."""
    inboxes = [
        {"emailAddress": f"seller-{n:05}@company.com", "displayName": f"Seller {n:05}", "passwordKey": f"seller-{n:05}"}
        for n in range(size)
    ]
    return batch("large", inboxes=inboxes)


def _smtp_spec(inbox_type: str) -> Manifest:
    return {
        "inboxType": inbox_type,
        "emailAddress": f"{SMTP_NAMES[inbox_type]}@company.com",
        "displayName": "Jane Doe",
        "smtp": {"passwordSecretRef": PASSWORD},
    }
