"""Checks of texts in specs and Secrets: invisible characters make logins and addresses fail.

The messages name a character by code point and position only, so that they are safe for Secrets too.
"""

import base64
import re
import unicodedata
from dataclasses import dataclass

from coldsend_operator.addresses import ascii_domain

# Cc, Cf: control and format characters (zero width, direction, byte order mark); Zl, Zp: line and paragraph separator.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp"})
_NO_BREAK_SPACES = frozenset("\u00a0\u2007\u202f")
# Categories of letters and marks, but invisible.
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_GOOGLE_APP_PASSWORD = re.compile(r"[A-Za-z]{4}(?: [A-Za-z]{4}){3}")
_JOINERS = frozenset("\u200c\u200d")
DOTS_FAULT = "has a dot at its start, before the @, or two dots in a row; correct it"
_CONTROL_NAMES = {"\0": "NUL", "\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\ufeff": "BYTE ORDER MARK"}


@dataclass(frozen=True, slots=True)
class Unseen:
    """The first invisible character of a text. `position` counts characters from 1."""

    character: str
    position: int

    def __str__(self) -> str:
        name = _CONTROL_NAMES.get(self.character) or unicodedata.name(self.character, "a control character")
        return f"U+{ord(self.character):04X} ({name}) at position {self.position}"


def first_unseen(text: str, *, spaces: bool = False, joiners: bool = False) -> Unseen | None:
    """The first control, zero-width or bidirectional character, byte order mark or no-break space of a text.

    With `spaces` every other space than U+0020 counts too; with `joiners` U+200C and U+200D do not, without which the
    names of many people and some emoji cannot be written.
    """
    if text.isascii() and text.isprintable():  # nearly always, and a batch has 5,000 addresses
        return None
    for position, character in enumerate(text, 1):
        category = unicodedata.category(character)
        if joiners and character in _JOINERS:
            continue
        if category in _UNSEEN_CATEGORIES or character in _NO_BREAK_SPACES or character in BLANKS:
            return Unseen(character, position)
        if spaces and category in {"Zs", "Co"}:
            return Unseen(character, position)
    return None


def unseen_fault(text: str, *, spaces: bool = False, joiners: bool = False) -> str:
    """Why a field of a spec is refused, as the end of a sentence; empty if it is fine."""
    unseen = first_unseen(text, spaces=spaces, joiners=joiners)
    return "" if unseen is None else f"holds {unseen}, which nobody sees; type it again without that character"


def address_fault(address: str) -> str:
    """Problems of an address beyond the pattern, as the end of a sentence; empty if there are none."""
    fault = unseen_fault(address, spaces=True)
    if fault:
        return fault
    local, _, domain = address.rpartition("@")
    if local.startswith(".") or local.endswith(".") or ".." in address:
        return DOTS_FAULT
    if not domain.isascii():
        return f"has a domain that is not ASCII; write it as {ascii_domain(domain)}"
    if not unicodedata.is_normalized("NFC", address):
        position = next(at for at in range(1, len(address) + 1) if not unicodedata.is_normalized("NFC", address[:at]))
        return f"is not in the composed form of Unicode (NFC) up to position {position}; type it again"
    return ""


def password_of(value: str, *, google: bool = False) -> str:
    """The password to send for the value of a Secret: without one line end at its end, else unchanged (rule 36).

    With `google`, app passwords in the form that Google shows, four groups of four letters, lose their spaces.
    """
    value = value.removesuffix("\n").removesuffix("\r") if value.endswith("\n") else value
    return value.replace(" ", "") if google and _GOOGLE_APP_PASSWORD.fullmatch(value) else value


def form_of(value: str, sent: str) -> str:
    """What may be told about a password: its blanks, or that a tool has left its placeholder in the Secret."""
    for pattern, form in _LEFT_BY_TOOLS:
        if pattern.fullmatch(sent):
            return form
    if _is_base64_of_text(sent):
        return "the form of base64, as if it were encoded twice: `data` holds base64, `stringData` the value itself"
    if value.endswith("\n"):
        return "a line end, which is not sent"
    if " " in value:
        return "spaces" if value == sent else "spaces, which are not sent"
    return "no line end and no spaces"


_LEFT_BY_TOOLS = (
    (re.compile(r"ENC\[AES256_GCM,.*\]"), "the form of a value that SOPS has encrypted: it was applied undecrypted"),
    (re.compile(r"<(path:)?[^<>]+>|\$\{[^{}]+\}|\{\{.*\}\}"), "the form of a placeholder that no tool has replaced"),
)


def _is_base64_of_text(value: str) -> bool:
    """Whether it can only be base64: padded, and of printable ASCII."""
    try:
        text = base64.b64decode(value, validate=True).decode("ascii") if value.endswith("=") else ""
    except ValueError:
        return False
    return text.strip().isprintable() and len(text) >= _MIN_TEXT_LENGTH


_MIN_TEXT_LENGTH = 6  # shorter values are base64 of text by chance


def password_fault(value: str) -> str:
    """Why a password is not sent, as the end of a sentence; empty if it may be sent."""
    unseen = first_unseen(value)
    if unseen is None:
        return ""
    if value.count("\0") > 1:
        return f"holds {unseen} and more of them, as UTF-16 text does; store it as UTF-8"
    return f"holds {unseen}, which cannot be part of a password that people type; store it without that character"


_SCHEME = re.compile(r"bearer\s", re.IGNORECASE)
_QUOTES = ('"', "'", "`")


def api_key_of(value: str) -> str:
    """The API key for the value of a Secret or file: without spaces and line ends around it."""
    return value.strip(" \t\r\n")


def api_key_fault(key: str) -> str:
    """Why a key is not sent, as the end of a sentence; empty if it may be sent. Keys are printable ASCII."""
    unseen = first_unseen(key)
    if unseen is not None and key.count("\0") > 1:
        return f"holds {unseen} and more of them, as UTF-16 text does; store it as UTF-8"
    if unseen is not None:
        return f"holds {unseen}; store it without that character"
    for pattern, form in _LEFT_BY_TOOLS:
        if pattern.fullmatch(key):
            return f"has {form}; store the key itself"
    if _SCHEME.match(key):
        return "begins with the word Bearer; store the key alone"
    if key.startswith(_QUOTES) or key.endswith(_QUOTES):
        return "is in quotation marks; store it without them"
    position = next((at for at, each in enumerate(key, 1) if not ("!" <= each <= "~")), None)
    if position is None:
        return ""
    what = "a space" if key[position - 1] == " " else "a character that no API key has"
    return f"holds {what} at position {position}; correct it"
