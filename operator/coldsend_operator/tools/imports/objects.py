"""From groups of mailboxes to the manifests of batches, accounts and their Secrets."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import SecretStr

from coldsend_operator.resources import names
from coldsend_operator.resources.children import child_name
from coldsend_operator.tools.imports.groups import Grouping, Shared
from coldsend_operator.tools.manifests import Manifest
from coldsend_operator.tools.names import fitting, password_key
from coldsend_operator.tools.spreadsheet.mailboxes import Mailbox, account_spec

_IMAP = ".imap"

Secrets = dict[str, dict[str, SecretStr]]  # by name of the Secret, by key


def objects(grouping: Grouping, namespace: str, name: str) -> list[Manifest]:
    """The batches, then the accounts, each in the order of its name or address."""
    batches = [batch_manifest(batch.name, namespace, batch.shared, batch.mailboxes) for batch in grouping.batches]
    return [*batches, *(_account(mailbox, namespace, name) for mailbox in grouping.accounts)]


def secrets(grouping: Grouping, name: str) -> Secrets:
    """The passwords of the sheet by Secret and key; Secrets without any are left out."""
    found: Secrets = {batch.name: dict(_passwords(batch.mailboxes)) for batch in grouping.batches}
    found[accounts_name(name)] = dict(_passwords(grouping.accounts))
    return {secret: values for secret, values in found.items() if values}


def accounts_name(name: str) -> str:
    """What the Secret, the file and the names of the accounts begin with."""
    return fitting(f"{name}-accounts")


def batch_manifest(name: str, namespace: str, shared: Shared, mailboxes: Iterable[Mailbox]) -> Manifest:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.BATCH_KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": _template(name, shared), "inboxes": [_inbox(mailbox) for mailbox in mailboxes]},
    }


def _template(name: str, shared: Shared) -> dict[str, Any]:
    template: dict[str, Any] = {"inboxType": shared.inbox_type.value}
    if shared.inbox_type == "COLDSEND":
        return template | {"native": {"domainName": shared.domain}}
    template["smtp"] = {**shared.smtp.to_raw("useTLS"), "passwordSecretRef": {"name": name}}
    incoming = shared.imap.to_raw("useSSL")
    return template | {"imap": incoming} if incoming else template


def _inbox(mailbox: Mailbox) -> dict[str, Any]:
    if mailbox.native:
        return {"emailPrefix": mailbox.address.rpartition("@")[0], "displayName": mailbox.name}
    inbox: dict[str, Any] = {"emailAddress": mailbox.address, "displayName": mailbox.name}
    if mailbox.limit is not None:
        inbox["dailyLimit"] = mailbox.limit
    return inbox | {"passwordKey": password_key(mailbox.address)}


def _account(mailbox: Mailbox, namespace: str, name: str) -> Manifest:
    secret, key = accounts_name(name), password_key(mailbox.address)
    imap = {"name": secret, "key": key + _IMAP} if mailbox.imap_password else None
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.ACCOUNT_KIND,
        "metadata": {"name": child_name(secret, mailbox.address), "namespace": namespace},
        "spec": account_spec(mailbox, {"name": secret, "key": key}, imap),
    }


def _passwords(mailboxes: Iterable[Mailbox]) -> Iterator[tuple[str, SecretStr]]:
    for mailbox in mailboxes:
        key = password_key(mailbox.address)
        if mailbox.password is not None:
            yield key, mailbox.password
        if mailbox.imap_password is not None:
            yield key + _IMAP, mailbox.imap_password
