"""Manifests as users write them, with any field of spec changed."""

from tests.e2e.support.api_server import Object

LIMITS = {"GOOGLE_WORKSPACE": 50, "OUTLOOK_365": 100, "CUSTOM_SMTP": 200}


def smtp_spec(inbox_type: str, address: str, secret: str) -> Object:
    spec: Object = {
        "inboxType": inbox_type,
        "emailAddress": address,
        "displayName": "Ann Example",
        "dailyLimit": LIMITS[inbox_type],
        "smtp": {"passwordSecretRef": {"name": secret}},
    }
    if inbox_type == "CUSTOM_SMTP":
        spec["smtp"]["host"] = "smtp.example.com"
        spec["imap"] = {"host": "imap.example.com"}
    return spec


def native_spec(domain: str, prefix: str) -> Object:
    return {
        "inboxType": "COLDSEND",
        "displayName": "Ann Example",
        "native": {"domainName": domain, "emailPrefix": prefix},
    }


def observing_spec(inbox_type: str, address: str) -> Object:
    return {"inboxType": inbox_type, "emailAddress": address, "managementPolicy": "Observe"}


def account(namespace: str, name: str, spec: Object, labels: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": name, "namespace": namespace, "labels": labels or {}}
    return {"apiVersion": "coldsend.pro/v1alpha1", "kind": "SenderAccount", "metadata": metadata, "spec": spec}
