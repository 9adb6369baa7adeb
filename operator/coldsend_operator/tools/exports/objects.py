"""From rows of ColdSend's list to the manifests of batches or accounts that show or manage them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from coldsend_operator.core.model.answers import Row
from coldsend_operator.resources import names
from coldsend_operator.resources.children import child_name
from coldsend_operator.resources.common import ONE_LINE, InboxType
from coldsend_operator.resources.reading import read_account
from coldsend_operator.tools.manifests import Manifest, sized
from coldsend_operator.tools.names import WORDS, fitting, label, numbered, password_key

GroupBy = Literal["domain", "type", "none"]
Keys = dict[str, tuple[str, ...]]  # keys of passwords, by Secret
MAX_DISPLAY_NAME = 255
UNKNOWN_HOST = "FILL-IN"
_LIMITS = {InboxType.GOOGLE_WORKSPACE: 2_000, InboxType.OUTLOOK_365: 5_000, InboxType.CUSTOM_SMTP: 100_000}


@dataclass(frozen=True, slots=True)
class Form:
    """The form of the manifests."""

    namespace: str
    accounts: bool = False
    group_by: GroupBy = "domain"
    manage: bool = False
    secret: str = ""  # one Secret for all passwords; empty: one for each group
    smtp_host: str = ""
    imap_host: str = ""
    api_key: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Objects of one file. `needs_hosts`: they cannot be applied before UNKNOWN_HOST is replaced in them."""

    name: str
    manifests: tuple[Manifest, ...]
    needs_hosts: bool = False
    passwords: Keys | None = None  # the keys that are needed


@dataclass(frozen=True, slots=True)
class Left:
    """A row without a manifest, and why."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Inbox:
    row: Row
    inbox_type: InboxType

    @property
    def native(self) -> bool:
        return self.inbox_type is InboxType.COLDSEND

    @property
    def domain(self) -> str:
        return self.row.address.rpartition("@")[2]

    @property
    def prefix(self) -> str:
        return self.row.address.rpartition("@")[0]


def groups(rows: Iterable[Row], form: Form) -> tuple[list[Group], list[Left]]:
    """The groups by name, and what was left out. Equal rows yield equal groups."""
    found: dict[tuple[InboxType, str], list[_Inbox]] = defaultdict(list)
    left: list[Left] = []
    for row in rows:
        inbox = _inbox(row, form)
        if isinstance(inbox, Left):
            left.append(inbox)
            continue
        by_domain = form.group_by == "domain" or inbox.native  # a native batch says its domain once
        found[inbox.inbox_type, inbox.domain if by_domain else ""].append(inbox)
    made = [_group(inbox_type, domain, inboxes, form) for (inbox_type, domain), inboxes in found.items()]
    return sorted(made, key=lambda group: group.name), left


def _inbox(row: Row, form: Form) -> _Inbox | Left:
    try:
        inbox = _Inbox(row, InboxType(row.inbox_type or ""))
    except ValueError:
        return Left(row.email_address, f"its type {row.inbox_type or '(unknown)'} is not supported by this version")
    problems = read_account(_spec(inbox, form, "any")).problems
    return Left(row.email_address, problems[0]) if problems else inbox


def _group(inbox_type: InboxType, domain: str, inboxes: Sequence[_Inbox], form: Form) -> Group:
    name = fitting("-".join(filter(None, (WORDS[inbox_type], label(domain)))))
    needs_hosts = form.manage and inbox_type is InboxType.CUSTOM_SMTP and not (form.smtp_host and form.imap_host)
    if form.accounts:
        manifests, secrets = _accounts(name, inboxes, form)
    else:
        manifests, secrets = _batches(name, inbox_type, domain, inboxes, form)
    return Group(
        name,
        manifests,
        needs_hosts=needs_hosts,
        passwords=secrets if form.manage and inbox_type is not InboxType.COLDSEND else None,
    )


def _batches(
    name: str, inbox_type: InboxType, domain: str, inboxes: Sequence[_Inbox], form: Form
) -> tuple[tuple[Manifest, ...], Keys]:
    manifests: list[Manifest] = []
    secrets: Keys = {}
    for number, part in enumerate(sized(inboxes, _width), 1):
        called = numbered(name, number)
        secret = form.secret or called
        template = {"inboxType": inbox_type.value} | _terms(inbox_type, form, {"name": secret})
        if inbox_type is InboxType.COLDSEND:
            template["native"] = {"domainName": domain}
        listed = [_listed(inbox, form) for inbox in part]
        manifests.append(_manifest(names.BATCH_KIND, called, form, {"template": template, "inboxes": listed}))
        keys = tuple(password_key(inbox.row.address) for inbox in part)
        secrets[secret] = (*secrets.get(secret, ()), *keys)
    return tuple(manifests), secrets


def _accounts(name: str, inboxes: Sequence[_Inbox], form: Form) -> tuple[tuple[Manifest, ...], Keys]:
    secret = form.secret or name
    manifests = tuple(
        _manifest(names.ACCOUNT_KIND, child_name(name, inbox.row.address), form, _spec(inbox, form, secret))
        for inbox in inboxes
    )
    return manifests, {secret: tuple(password_key(inbox.row.address) for inbox in inboxes)}


def _manifest(kind: str, name: str, form: Form, spec: dict[str, Any]) -> Manifest:
    metadata = {"name": name, "namespace": form.namespace}
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _terms(inbox_type: InboxType, form: Form, reference: dict[str, str]) -> dict[str, Any]:
    """Policies, servers and workspace: the fields common to a template and the spec of an account."""
    key = {"apiKeySecretRef": dict(form.api_key)} if form.api_key else {}
    if not form.manage:
        return {"managementPolicy": "Observe", **key}
    terms: dict[str, Any] = {"adoptionPolicy": "Adopt", "deletionPolicy": "Orphan", **key}
    if inbox_type is InboxType.COLDSEND:
        return terms
    password = {"passwordSecretRef": reference}
    if inbox_type is not InboxType.CUSTOM_SMTP:
        return terms | {"smtp": password}
    smtp, imap = ({"host": host or UNKNOWN_HOST} for host in (form.smtp_host, form.imap_host))
    return terms | {"smtp": smtp | password, "imap": imap}


def _spec(inbox: _Inbox, form: Form, secret: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"inboxType": inbox.inbox_type.value}
    if inbox.native:
        spec["native"] = {"domainName": inbox.domain, "emailPrefix": inbox.prefix}
    else:
        spec["emailAddress"] = inbox.row.email_address
    reference = {"name": secret, "key": password_key(inbox.row.address)}
    return spec | _shown(inbox, form) | _terms(inbox.inbox_type, form, reference)


def _listed(inbox: _Inbox, form: Form) -> dict[str, Any]:
    identity = {"emailPrefix": inbox.prefix} if inbox.native else {"emailAddress": inbox.row.email_address}
    key = {"passwordKey": password_key(inbox.row.address)} if form.manage and not inbox.native else {}
    return identity | _shown(inbox, form) | key


def _shown(inbox: _Inbox, form: Form) -> dict[str, Any]:
    """Name and limit from ColdSend; a limit only if the object manages the inbox."""
    name = inbox.row.display_name or ""
    fits = re.fullmatch(ONE_LINE.expression, name, re.ASCII) and len(name) <= MAX_DISPLAY_NAME
    shown: dict[str, Any] = {"displayName": name} if fits else {}
    limit = inbox.row.daily_limit
    if form.manage and limit is not None and 1 <= limit <= _LIMITS.get(inbox.inbox_type, 0):
        shown["dailyLimit"] = limit
    return shown


def _width(inbox: _Inbox) -> int:
    return 100 + 2 * len(inbox.row.address) + len((inbox.row.display_name or "").encode())
