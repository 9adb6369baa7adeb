"""The columns of mailbox sheets, by the names that common tools use."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

# Of several columns for one field the earlier name wins. Names are as `_plain` makes them.
NAMES: Mapping[str, tuple[str, ...]] = {
    "email": (
        *("email", "e_mail", "email_address", "e_mail_address", "from_email", "from_address", "sender_email"),
        *("mailbox", "inbox", "primary_email", "user_principal_name", "email_account", "account_email", "mail"),
        *("e_mail_adresse", "emailadresse", "adresse_e_mail", "correo", "account", "address"),
    ),
    "smtp_password": ("smtp_password", "smtp_pass", "smtp_pwd", "outgoing_password"),
    "app_password": ("app_password", "apppassword", "application_password", "app_pass", "google_app_password"),
    "password": (
        *("password", "pass", "pwd", "email_password", "mailbox_password", "account_password"),
        *("passwort", "kennwort", "mot_de_passe"),
    ),
    "username": (
        *("smtp_username", "smtp_user", "smtp_user_name", "smtp_login", "username", "user_name", "user", "login"),
        *("benutzername",),
    ),
    "smtp_host": ("smtp_host", "smtp_server", "smtp_hostname", "smtp", "outgoing_server", "host"),
    "smtp_port": ("smtp_port", "outgoing_port", "port"),
    "smtp_tls": ("smtp_use_tls", "smtp_tls", "smtp_ssl", "smtp_secure", "smtp_security", "smtp_encryption", "use_tls"),
    "imap_password": ("imap_password", "imap_pass", "imap_pwd", "incoming_password"),
    "imap_username": ("imap_username", "imap_user", "imap_user_name", "imap_login"),
    "imap_host": ("imap_host", "imap_server", "imap_hostname", "imap", "incoming_server"),
    "imap_port": ("imap_port", "incoming_port"),
    "imap_ssl": ("imap_use_ssl", "imap_ssl", "imap_tls", "imap_secure", "imap_security", "imap_encryption", "use_ssl"),
    "from_name": ("from_name", "display_name", "displayname", "sender_name", "full_name", "name", "anzeigename"),
    "first_name": ("first_name", "firstname", "given_name", "vorname", "prenom"),
    "last_name": ("last_name", "lastname", "surname", "family_name", "nachname", "nom"),
    "daily_limit": (
        *("daily_limit", "daily_sending_limit", "daily_send_limit", "max_email_per_day", "max_emails_per_day"),
        *("emails_per_day", "message_per_day", "messages_per_day", "daily_max", "sending_limit", "limit"),
    ),
    "provider": (
        *("provider", "inbox_type", "email_provider", "esp", "provider_type", "account_type", "service", "type"),
        *("platform",),
    ),
    "mx": ("mx", "mx_host", "mx_record", "mx_server", "mail_server", "mailserver"),
}
SECRET_FIELDS = frozenset({"password", "smtp_password", "app_password", "imap_password"})

_NOTES = re.compile(r"\[[^\]]*\]|\([^)]*\)")  # `Email Address [Required]`
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


def recognise(headers: Sequence[str], mapped: Mapping[str, str]) -> dict[str, int]:
    """The position of each field among these headers. `mapped` names the column of a field outright."""
    plain = [_plain(header) for header in headers]
    return dict(_found(headers, plain, mapped))


def of_one_name(headers: Sequence[str], columns: Mapping[str, int]) -> dict[str, list[int]]:
    """The positions of all columns that have the name of a field's column."""
    names = [header.strip().casefold() for header in headers]
    return {
        field: [position for position, name in enumerate(names) if name == names[column]]
        for field, column in columns.items()
    }


def _found(headers: Sequence[str], plain: Sequence[str], mapped: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    wanted = {field: _plain(column) for field, column in mapped.items()}
    taken = set(wanted.values())
    for field, names in NAMES.items():
        if field in mapped:
            exact = [position for position, header in enumerate(headers) if header.strip() == mapped[field].strip()]
            similar = [position for position, name in enumerate(plain) if name == wanted[field]]
            if exact or similar:
                yield field, (exact or similar)[0]
            continue
        found = next((name for name in names if name in plain and name not in taken), None)
        if found is not None:
            yield field, plain.index(found)


def _plain(header: str) -> str:
    """`First Name [Required]` becomes `first_name`, `Prénom` becomes `prenom`."""
    decomposed = unicodedata.normalize("NFKD", _NOTES.sub("", header)).encode("ascii", "ignore").decode()
    return _NOT_IN_A_NAME.sub("_", decomposed.lower()).strip("_")
