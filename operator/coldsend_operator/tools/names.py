"""Names of objects and keys, derived only from their content, so that equal lists have equal names."""

import re

from coldsend_operator.kube.paths import Kind
from coldsend_operator.resources import names
from coldsend_operator.resources.children import DIGEST_LENGTH, MAX_NAME, digest
from coldsend_operator.resources.common import InboxType
from coldsend_operator.tools.errors import UsageError

WORDS = {
    InboxType.COLDSEND: "native",
    InboxType.GOOGLE_WORKSPACE: "google",
    InboxType.OUTLOOK_365: "outlook",
    InboxType.CUSTOM_SMTP: "smtp",
}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys((names.ACCOUNT_SHORT_NAME, names.ACCOUNT_SINGULAR, names.ACCOUNT_PLURAL), names.ACCOUNT_KIND),
    **dict.fromkeys((names.BATCH_SHORT_NAME, names.BATCH_SINGULAR, names.BATCH_PLURAL), names.BATCH_KIND),
}
_CUT_DIGEST = 6
_NOT_IN_A_LABEL = re.compile(r"[^a-z0-9]+")
_PLAIN = re.compile(r"[a-z0-9.-]+@[a-z0-9.-]+")
_NOT_IN_A_KEY = re.compile(r"[^a-z0-9.-]")
_MAX_NAME_LENGTH = 200


def label(text: str) -> str:
    """The text as part of a name."""
    return _NOT_IN_A_LABEL.sub("-", text.lower()).strip("-")


def fitting(name: str) -> str:
    """The name, cut to the maximum of a batch label, with a digest if it was cut."""
    if len(name) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME - _CUT_DIGEST - 1].rstrip('-')}-{digest(name, _CUT_DIGEST)}"


def numbered(name: str, number: int) -> str:
    """The name of the first part, and those of the further ones of a list that does not fit into one object."""
    return name if number == 1 else fitting(f"{name}-{number}")


def password_key(address: str) -> str:
    """The key of an address in a Secret: readable, and never the same for two addresses."""
    address = address.lower()
    if _PLAIN.fullmatch(address) and len(address) <= _MAX_NAME_LENGTH:
        return address.replace("@", "_")
    readable = _NOT_IN_A_KEY.sub("_", address)[:_MAX_NAME_LENGTH]
    return f"{readable}_{digest(address, DIGEST_LENGTH)}"


def object_of(text: str) -> tuple[Kind, str]:
    """Kind and name of `sender/ann`, `senderbatch/pool`, or `ann` alone. Raises UsageError.

    Kinds may have version and group, as `kubectl get -o name` prints them.
    """
    kind, slash, name = text.rpartition("/")
    plain = kind.lower().removesuffix(f".{names.GROUP}").removesuffix(f".{names.VERSION}")
    found = _KINDS.get(plain) if slash else names.ACCOUNT_KIND
    if found is None or not name:
        raise UsageError(f"{text}: give sender/NAME or senderbatch/NAME")
    return found, name
