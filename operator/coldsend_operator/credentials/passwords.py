"""Secrets of accounts: read by name just before they are sent; otherwise only an HMAC is kept."""

import asyncio
import secrets as randomness
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Self

from pydantic import SecretStr

from coldsend_operator.coldsend.masking import Member
from coldsend_operator.coldsend.models import SmtpInbox
from coldsend_operator.coldsend.requests import member_of
from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.desired import SecretRef, Server
from coldsend_operator.core.model.hashes import credentials_digest, salt_of
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.secret_values import value_of
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import Conflict, Forbidden, KubeError
from coldsend_operator.kube.secrets import ReadSecret, SecretContent, create_secret, read_secret
from coldsend_operator.logs import mask
from coldsend_operator.resources.common import InboxType
from coldsend_operator.resources.values import form_of, password_fault, password_of

HMAC_SECRET = "coldsend-operator-hmac"  # noqa: S105 - the name of a Secret
HMAC_KEY = "key"
MIN_HMAC_KEY_LENGTH = 16  # characters: whoever guesses the key can make marks and test passwords
DIGEST_VERSION = "2"  # the first version had no salt, and no number
GOOGLE = InboxType.GOOGLE_WORKSPACE.value


@dataclass(frozen=True, slots=True)
class Hmac:
    """The key of the digests in status, which have the form `<version>.<id of the key>.<salt>-<HMAC>`.

    Digests of another version or key are not compared, so that neither counts as a changed Secret.
    """

    key_id: str
    key: SecretStr

    def digest(self, account: Account, values: tuple[str, ...]) -> str:
        """The digest of the values of an account's Secrets, with the salt of the last sent digest."""
        sent = account.stored.sent_credentials or ""
        salt = sent.removeprefix(self._start).partition("-")[0] if self.made(sent) else salt_of(account.uid)
        return f"{self._start}{salt}-{credentials_digest(self.key.get_secret_value().encode(), salt, values)}"

    @classmethod
    def of(cls, key: SecretStr) -> Self:
        """The key with this text, as the Secret holds it: `<id>.<the rest>`.

        With the line end that a Secret gets when it is made again from a file it would be another key of the same id,
        with which every Secret counts as changed.
        """
        text = key.get_secret_value().strip()
        return cls(text.partition(".")[0][:8], SecretStr(text))

    def made(self, digest: str) -> bool:
        """Whether the digest is of this version and was made with this key."""
        return digest.startswith(self._start)

    @property
    def _start(self) -> str:
        return f"{DIGEST_VERSION}.{self.key_id}."


async def load_hmac(kube: KubeClient, namespace: str) -> Hmac:
    """The key in the Secret `coldsend-operator-hmac`, which is created if missing. An unusable key raises KubeError.

    Every process needs the same key: with another one it cannot recognize the marks of the processes before it
    (rule 39: only the operator can make a mark).
    """
    content = await read_secret(kube, namespace, HMAC_SECRET)
    if content is None:
        made = SecretStr(f"{randomness.token_hex(4)}.{randomness.token_hex(32)}")
        with suppress(Conflict):  # another process was faster
            await create_secret(kube, namespace, HMAC_SECRET, {HMAC_KEY: made})
        content = await read_secret(kube, namespace, HMAC_SECRET)
    key = content.values.get(HMAC_KEY) if content is not None else None
    if key is None or len(key.get_secret_value()) < MIN_HMAC_KEY_LENGTH:
        raise KubeError(
            f"Secret {namespace}/{HMAC_SECRET} lacks `{HMAC_KEY}`, or its value has fewer than {MIN_HMAC_KEY_LENGTH} "
            "characters; delete the Secret, and the operator creates a new one",
            reason="Invalid",
        )
    return Hmac.of(key)


@dataclass(frozen=True, slots=True)
class Passwords:
    """The current content of an account's Secrets; it lives only between reading and sending."""

    credentials: Credentials
    smtp: SecretStr | None = None
    imap: SecretStr | None = None
    unread: bool = False  # the Secret could not be read: the previous state may still hold


def secret_names(account: Account) -> set[str]:
    """Names of the Secrets that the account's servers reference."""
    return {server.password.name for server in (account.desired.spec.smtp, account.desired.spec.imap) if server}


class SecretReader:
    """Reads each Secret once for all accounts of one call; `read` reads the one with this namespace and name."""

    def __init__(self, read: ReadSecret, hmac: Hmac) -> None:
        self._read = read
        self._hmac = hmac
        self._contents: dict[tuple[str, str], SecretContent | KubeError | None] = {}

    async def fetch(self, accounts: Iterable[Account]) -> None:
        """Read the Secrets of these accounts; an unreadable one affects only its own accounts (rule 38)."""
        await self.fetch_places(place for account in accounts for place in _places(account))

    async def fetch_places(self, places: Iterable[tuple[str, str]]) -> None:
        """Read the Secrets with these namespaces and names."""
        await asyncio.gather(*(self._fetch(*place) for place in set(places) - self._contents.keys()))

    def has(self, account: Account) -> bool:
        """Whether the content of the account's Secrets, or their absence, is known."""
        return all(
            place in self._contents and not isinstance(self._contents[place], KubeError) for place in _places(account)
        )

    async def _fetch(self, namespace: str, name: str) -> None:
        try:
            self._contents[namespace, name] = await self._read(namespace, name)
        except KubeError as error:
            self._contents[namespace, name] = error

    async def passwords(self, account: Account) -> Passwords:
        """The passwords of an account, or why they are not available."""
        while _places(account) - self._contents.keys():  # its spec may name another Secret after the read
            await self.fetch([account])
        return self.fetched(account)

    def fetched(self, account: Account) -> Passwords:
        """As `passwords`, from Secrets fetched before."""
        smtp, imap = account.desired.spec.smtp, account.desired.spec.imap
        if smtp is None or imap is None:
            return Passwords(Credentials(None))
        namespace = account.desired.namespace
        values: list[SecretStr] = []
        forms: list[str] = []
        sent = partial(password_of, google=account.desired.spec.inbox_type == GOOGLE)
        for field, ref in (("spec.smtp", smtp.password), ("spec.imap", imap.password)):
            content = self._contents[namespace, ref.name]
            value = value_of(content, ref, f"{field}.passwordSecretRef", sent=sent, fault=password_fault)
            if not isinstance(value, SecretStr):
                unread = isinstance(content, KubeError) and not isinstance(content, Forbidden)
                return Passwords(Credentials(None, *value), unread=unread)
            mask(value)
            values.append(value)
            forms.append(self._form(namespace, ref, value))
        digest = self._hmac.digest(account, tuple(value.get_secret_value() for value in values))
        return Passwords(Credentials(digest, forms=tuple(forms)), values[0], values[1])

    def _form(self, namespace: str, ref: SecretRef, sent: SecretStr) -> str:
        content = self._contents[namespace, ref.name]
        value = content.values[ref.key] if isinstance(content, SecretContent) else sent
        return form_of(value.get_secret_value(), sent.get_secret_value())


def _places(account: Account) -> set[tuple[str, str]]:
    return {(account.desired.namespace, name) for name in secret_names(account)}


def smtp_inbox(account: Account, passwords: Passwords) -> SmtpInbox:
    """The body of a create."""
    spec = account.desired.spec
    smtp, imap = _known(spec.smtp), _known(spec.imap)
    if passwords.smtp is None or passwords.imap is None:
        raise ValueError("the passwords of this account were not read")
    return SmtpInbox(
        email_address=spec.email_address or "",
        display_name=spec.display_name or "",
        inbox_type=spec.inbox_type,
        smtp_host=smtp.host,
        smtp_port=smtp.port,
        smtp_username=smtp.username,
        smtp_password=passwords.smtp,
        smtp_use_tls=smtp.encrypted,
        imap_host=imap.host,
        imap_port=imap.port,
        imap_username=imap.username,
        imap_password=passwords.imap,
        imap_use_ssl=imap.encrypted,
        daily_limit=spec.daily_limit,
    )


def _known(server: Server | None) -> Server:
    if server is None:
        raise ValueError("only SMTP accounts have servers")
    return server


class JobPasswords:
    """The passwords sent by the creates of running jobs, to mask them in result rows that quote them (rule 11).

    They are kept while the job runs, and read again after a restart.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._sent: dict[str, tuple[Member, ...]] = {}

    def keep(self, job_id: str, sent: Iterable[tuple[Account, Passwords]]) -> None:
        """The create of these accounts carried these passwords."""
        running = {known: members for known, members in self._sent.items() if known in self._workspace.jobs}
        self._sent = running | {job_id: _members(sent)}

    async def of(self, job_id: str, reader: SecretReader) -> tuple[Member, ...]:
        """The known passwords: an unreadable Secret does not stop the poll of the job (rule 38)."""
        if job_id in self._sent:
            return self._sent[job_id]
        job = self._workspace.jobs.get(job_id)
        found = (self._workspace.accounts.get(uid) for uid in (job.members if job is not None else ()))
        accounts = [account for account in found if account is not None]
        await reader.fetch(accounts)
        sent = [(account, await reader.passwords(account)) for account in accounts]
        if any(passwords.unread for _, passwords in sent):
            return _members(sent)  # read again at the next poll
        self.keep(job_id, sent)
        return self._sent[job_id]


def _members(sent: Iterable[tuple[Account, Passwords]]) -> tuple[Member, ...]:
    return tuple(member_of(smtp_inbox(account, passwords)) for account, passwords in sent if passwords.smtp is not None)
