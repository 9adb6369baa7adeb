"""From the rows of a sheet to valid mailboxes and bad rows."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from coldsend_operator.accounts.effective import IMAP_HOSTS, IMAP_PORT, SMTP_HOSTS, SMTP_PORT
from coldsend_operator.resources.common import ADDRESS, InboxType
from coldsend_operator.resources.reading import read_account
from coldsend_operator.resources.values import password_fault, password_of
from coldsend_operator.tools.spreadsheet.providers import type_of
from coldsend_operator.tools.spreadsheet.table import Record

_TRUE = frozenset(
    {
        *("true", "yes", "y", "1", "on", "tls", "ssl", "starttls", "ssl/tls", "tls/ssl", "ja", "x"),
        *("wahr", "vrai", "oui", "verdadero", "vero"),  # as spreadsheets in other languages write TRUE
    }
)
_FALSE = frozenset({"false", "no", "n", "0", "off", "none", "plain", "nein", "falsch", "faux", "non", "falso"})
# At most two zeros: 1.000 is one thousand in German, and 1,000 in English.
_WHOLE = re.compile(r"(\d{1,9})([.,]0{1,2})?", re.ASCII)
# What stands in a cell whose formula failed, in English and German, or whose column is too narrow.
_ERROR = re.compile(
    r"#(N/A|NV|REF!|BEZUG!|NAME\?|VALUE!|WERT!|DIV/0!|NUM!|ZAHL!|NULL!|SPILL!|ÜBERLAUF!|ERROR!|#+)", re.IGNORECASE
)
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d{2,3}", re.ASCII)  # a long number, after a spreadsheet rounded it
_PLACEHOLDER = {"name": "password"}  # the name of the Secret is not known yet, and no part of the check


@dataclass(frozen=True, slots=True)
class SheetServer:
    """The SMTP or IMAP server of a mailbox; None for values that equal the defaults."""

    host: str | None = None
    port: int | None = None
    username: str | None = None
    encrypted: bool | None = None

    def to_raw(self, flag: str) -> dict[str, Any]:
        fields = {"host": self.host, "port": self.port, "username": self.username, flag: self.encrypted}
        return {name: value for name, value in fields.items() if value is not None}


USUAL = SheetServer()


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One row of the sheet that can become an inbox."""

    line: int
    address: str
    name: str
    inbox_type: InboxType
    limit: int | None = None
    smtp: SheetServer = USUAL
    imap: SheetServer = USUAL
    password: SecretStr | None = None
    imap_password: SecretStr | None = None  # None: the one of smtp

    @property
    def key(self) -> str:
        """The form in which addresses are compared."""
        return self.address.lower()

    @property
    def domain(self) -> str:
        return self.key.rpartition("@")[2]

    @property
    def native(self) -> bool:
        return self.inbox_type is InboxType.COLDSEND


@dataclass(frozen=True, slots=True)
class BadRow:
    """A bad row.

    `address` is empty if the cell does not look like one: it may be a password in a shifted row.
    """

    line: int
    address: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"line {self.line}", self.address, self.reason) if part)


@dataclass(frozen=True, slots=True)
class SheetRows:
    """The good rows sorted by address, and the bad ones in the order of the sheet."""

    mailboxes: tuple[Mailbox, ...]
    bad: tuple[BadRow, ...]


class _BadCell(Exception):  # noqa: N818 - a row of the sheet is bad, the program is not
    """Why a row is bad."""


def read_mailboxes(records: Iterable[Record], fixed: InboxType | None, *, passwords: bool) -> SheetRows:
    """Read each row on its own. `fixed`: the type of all rows; `passwords`: whether the sheet has a column for them."""
    good: dict[str, Mailbox] = {}
    bad: list[BadRow] = []
    for record in records:
        address = record.cells.get("email", "")
        shown = address if re.fullmatch(ADDRESS.expression, address, re.ASCII) else ""
        try:
            mailbox = _mailbox(record, fixed, passwords=passwords)
        except _BadCell as error:
            bad.append(BadRow(record.line, shown, str(error)))
            continue
        first = good.setdefault(mailbox.key, mailbox)
        if first is not mailbox:
            bad.append(BadRow(record.line, shown, f"the address is listed twice (line {first.line}); keep one of them"))
    return SheetRows(tuple(sorted(good.values(), key=lambda mailbox: mailbox.key)), tuple(bad))


def _mailbox(record: Record, fixed: InboxType | None, *, passwords: bool) -> Mailbox:
    cells = record.cells
    if record.overflow:
        raise _BadCell("it has more cells than the header; quote cells that contain the delimiter")
    if record.unclear:
        raise _BadCell(f"its columns for {record.unclear[0]} have one name and differ; remove or rename one of them")
    for field, cell in cells.items():
        if _ERROR.fullmatch(cell):
            raise _BadCell(f"its {field} is an error of the spreadsheet ({cell}); correct it")
    if "email" not in cells:
        raise _BadCell("it has no e-mail address; give it, or remove the row")
    if cells["email"].startswith("'"):
        raise _BadCell("its e-mail address begins with the apostrophe that marks text in spreadsheets; remove it")
    inbox_type = fixed or type_of(cells)
    if inbox_type is None:
        raise _BadCell("its type is unclear; add a column provider or smtp_host, or give --type")
    mailbox = Mailbox(
        line=record.line,
        address=cells["email"].lower()
        if inbox_type is InboxType.COLDSEND
        else cells["email"],  # a prefix is lower case
        name=cells.get("from_name") or " ".join(filter(None, (cells.get("first_name"), cells.get("last_name")))),
        inbox_type=inbox_type,
    )
    if not mailbox.native:
        mailbox = _smtp_mailbox(mailbox, cells, passwords=passwords)
    problem = next(_problems(mailbox), None)
    if problem is not None:
        raise _BadCell(problem)
    return mailbox


def _smtp_mailbox(mailbox: Mailbox, cells: Mapping[str, str], *, passwords: bool) -> Mailbox:
    address, inbox_type = mailbox.address, mailbox.inbox_type
    username = _unless(cells.get("username"), address)
    password = _password(cells, ("smtp_password", "app_password", "password"), inbox_type)
    if passwords and password is None:
        raise _BadCell("it has no password; give it")
    imap_password = _password(cells, ("imap_password",), inbox_type)
    return replace(
        mailbox,
        limit=_number(cells, "daily_limit"),
        smtp=SheetServer(
            _unless(cells.get("smtp_host", "").lower(), SMTP_HOSTS.get(inbox_type)),
            _number(cells, "smtp_port", usual=SMTP_PORT),
            username,
            _flag(cells, "smtp_tls"),
        ),
        imap=SheetServer(
            _unless(cells.get("imap_host", "").lower(), IMAP_HOSTS.get(inbox_type)),
            _number(cells, "imap_port", usual=IMAP_PORT),
            _unless(cells.get("imap_username"), username or address),
            _flag(cells, "imap_ssl"),
        ),
        password=password,
        imap_password=None if imap_password == password else imap_password,
    )


def account_spec(mailbox: Mailbox, smtp: Mapping[str, Any], imap: Mapping[str, Any] | None) -> dict[str, Any]:
    """The spec of a SenderAccount for the mailbox; `smtp` and `imap` refer to its passwords."""
    spec: dict[str, Any] = {"inboxType": mailbox.inbox_type.value}
    if mailbox.native:
        prefix, _, domain = mailbox.address.rpartition("@")
        return spec | {"displayName": mailbox.name, "native": {"domainName": domain, "emailPrefix": prefix}}
    spec |= {"emailAddress": mailbox.address, "displayName": mailbox.name}
    if mailbox.limit is not None:
        spec["dailyLimit"] = mailbox.limit
    spec["smtp"] = {**mailbox.smtp.to_raw("useTLS"), "passwordSecretRef": dict(smtp)}
    incoming = mailbox.imap.to_raw("useSSL")
    if imap is not None:
        incoming["passwordSecretRef"] = dict(imap)
    return {**spec, "imap": incoming} if incoming else spec


def _problems(mailbox: Mailbox) -> Iterator[str]:
    if not mailbox.name:
        yield "it has no name for recipients to see; fill from_name, or first_name and last_name"
    for problem in read_account(account_spec(mailbox, _PLACEHOLDER, None)).problems:
        yield problem.removeprefix("spec.")


def _unless(text: str | None, usual: str | None) -> str | None:
    """The text; None if empty or equal to the default."""
    return None if not text or (usual is not None and text.lower() == usual.lower()) else text


def _password(cells: Mapping[str, str], fields: tuple[str, ...], inbox_type: InboxType) -> SecretStr | None:
    for field in fields:
        if field in cells:
            if _SHORTENED.fullmatch(cells[field]):
                raise _BadCell(f"its {field} was rounded by the spreadsheet; make the column text, and give it again")
            google = inbox_type is InboxType.GOOGLE_WORKSPACE
            # Google's page separates the groups by no-break spaces when the password is copied from it.
            value = password_of(cells[field].replace("\u00a0", " ") if google else cells[field], google=google)
            if fault := password_fault(value):
                raise _BadCell(f"its {field} {fault}")
            return SecretStr(value)
    return None


def _number(cells: Mapping[str, str], field: str, usual: int | None = None) -> int | None:
    if field not in cells:
        return None
    match = _WHOLE.fullmatch(cells[field])
    if match is None:
        raise _BadCell(f"its {field} is not a whole number; write it without point and comma")
    number = int(match[1])
    return None if number == usual else number


def _flag(cells: Mapping[str, str], field: str) -> bool | None:
    """False where the sheet says so; an encrypted connection is the default."""
    word = cells.get(field, "true").lower()
    if word not in _TRUE | _FALSE:
        raise _BadCell(f"its {field} is neither true nor false; correct it")
    return False if word in _FALSE else None
